// SPDX-License-Identifier: Apache-2.0
// The two forms every data report has: JSON objects for report.json and aligned plain text for the
// terminal. Used inside this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "data/corpus.h"

namespace ingot::data {

inline Json tally_json(const Tally& tally) {
  Json json{{"count", tally.count}, {"bytes", tally.bytes}, {"examples", Json::array()}};
  for (const std::string& example : tally.examples) json["examples"].push_back(example);
  return json;
}

/// "name ......... value" lines.
class Table {
 public:
  void row(std::string_view name, std::string_view value) {
    text_ += fmt::format("  {:<28}{}\n", name, value);
  }
  void row(std::string_view name, int64_t value) { row(name, with_thousands(value)); }
  /// "3 (12.0 KiB), e.g. a.h"
  void row(std::string_view name, const Tally& tally) {
    std::string value = with_thousands(tally.count);
    if (tally.bytes > 0) value += fmt::format(" ({})", human_bytes(tally.bytes));
    if (!tally.examples.empty()) value += ", e.g. " + excerpt(tally.examples[0]);
    row(name, value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace ingot::data
