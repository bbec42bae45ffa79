// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: one JSON object per line, appended while a run works
// (docs/formats/run_directory.md).
//   {"step":120,"kind":"train","loss":2.41,"learning_rate":6e-04,"clock":{"seconds":1.7}}
// Everything that depends on the wall clock lies in "clock"; without it, a run that was killed and
// resumed has the same lines as one never stopped. Numbers are printed in the fewest digits that
// read back to the same value (of their own type: 0.1F is 0.1); NaN and infinities become null and
// are named in "nonfinite".
// Written by train/ and cli/, read by report/ and serve's pages. Not a log of text: see base/log.h.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "ledger/append_file.h"

namespace ingot::ledger {

enum class Kind { kTrain, kEpoch, kValidation, kTest, kSample, kEvent, kStage };
[[nodiscard]] std::string_view kind_name(Kind kind);

/// The fields of a record in the order in which they are added. A name is given once, and is none
/// of "step", "kind", "clock", "nonfinite".
class Fields {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> Fields& add(std::string_view name, T value) {
    if constexpr (std::same_as<T, bool>)
      return add_raw(name, value ? "true" : "false");
    else if constexpr (std::same_as<T, float>)
      return add_float(name, value);
    else if constexpr (std::floating_point<T>)
      return add_double(name, static_cast<double>(value));
    else if constexpr (std::is_signed_v<T>)
      return add_signed(name, value);
    else
      return add_unsigned(name, value);
  }
  /// Bytes that are not UTF-8 become U+FFFD.
  Fields& add(std::string_view name, std::string_view text);
  Fields& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  Fields& add(std::string_view name, const Json& value);

  [[nodiscard]] bool empty() const { return members_.empty(); }
  /// `"a":1,"b":null,"nonfinite":{"b":"nan"}`, without braces.
  [[nodiscard]] std::string members() const;

 private:
  struct Member {
    std::string name;
    std::string value;      // as JSON
    std::string nonfinite;  // "nan", "inf", "-inf" or empty
  };
  Fields& add_raw(std::string_view name, std::string value, std::string nonfinite = {});
  Fields& add_float(std::string_view name, float value);
  Fields& add_double(std::string_view name, double value);
  Fields& add_signed(std::string_view name, int64_t value);
  Fields& add_unsigned(std::string_view name, uint64_t value);
  std::vector<Member> members_;
};

/// Appends to metrics.jsonl. For an exact resume write every record of step s before the
/// checkpoint of step s is committed, or store lines() in the checkpoint and hand it back.
class MetricsWriter {
 public:
  /// Opens or creates `path` and cuts away what a resume from `resume_step` will write again: a
  /// torn last line, everything from the first record with step > resume_step, and everything after
  /// the first `keep_lines` lines when keep_lines >= 0. resume_step < 0 starts an empty file.
  explicit MetricsWriter(const std::filesystem::path& path, int64_t resume_step = -1,
                         int64_t keep_lines = -1);

  /// One line, handed to the operating system before this returns. Steps never go back.
  void write(int64_t step, Kind kind, const Fields& fields, const Fields& clock = {});
  void sync() { file_.sync(); }

  [[nodiscard]] int64_t lines() const { return lines_; }
  [[nodiscard]] int64_t last_step() const { return last_step_; }

 private:
  AppendFile file_;
  int64_t lines_ = 0;
  int64_t last_step_ = 0;
};

struct Metrics {
  std::vector<Json> records;   ///< objects with "step" and "kind", in file order
  bool torn = false;           ///< the last line was incomplete and was left out
  int64_t bad_lines = 0;       ///< complete lines that are no record; skipped
  int64_t first_bad_line = 0;  ///< its line number, from 1; 0 when there is none
};

/// Reads a whole file, also while another process appends to it. Error{kNotFound} without a file.
[[nodiscard]] Metrics read_metrics(const std::filesystem::path& path);

/// The record's line without its "clock": what must be equal between two runs of one recipe.
[[nodiscard]] std::string without_clock(std::string_view line);

}  // namespace ingot::ledger
