// SPDX-License-Identifier: Apache-2.0
// What verbs print: results on standard output, everything else on standard error; with --json one
// JSON object at the end and nothing else on standard output. Only the command line prints.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/signals.h"

namespace ingot::cli {

class Console {
 public:
  explicit Console(bool is_json) : is_json_(is_json) {}

  [[nodiscard]] bool is_json() const { return is_json_; }
  /// A line of the result, for people: standard output, or standard error with --json. Here and in
  /// remarks control characters, which names in files may hold, are made visible.
  void line(std::string_view text) const;
  /// A remark: standard error.
  void note(std::string_view text) const;
  /// Text as it is, without a line end, at once (streaming, CSV).
  void stream(std::string_view text) const;
  /// The JSON object that ends a verb; printed only with --json.
  void result(const Json& json) const;
  [[nodiscard]] std::unique_ptr<Progress> progress(const Clock& clock, std::string label) const;

 private:
  bool is_json_;
};

}  // namespace ingot::cli
