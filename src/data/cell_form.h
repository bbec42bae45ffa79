// SPDX-License-Identifier: Apache-2.0
// What the values of a column are written as, where that decides their use: dates, numbers with a
// decimal comma, numbers with commas between thousands (CellForm). Counted while a table streams
// by, in constant memory; a column of other texts is soon not looked at any more. Called by
// column_profile.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/config_fields.h"

namespace ingot::data {

inline constexpr std::string_view kIsoDate = "dddd-dd-dd";
inline constexpr size_t kLongestIsoTime = kIsoDate.size() + 1 + 24;  // as a split compares

/// YYYY-MM-DD, or with a time of at most 24 bytes behind a space or T.
[[nodiscard]] bool is_iso_time(std::string_view text);

/// How the values of a column that is no number are written: all of them, or, of nearly_number,
/// half of them or more.
enum class CellForm : uint8_t { kPlain, kTime, kDate, kDecimalComma, kThousands, kNearlyNumber };
inline constexpr EnumName kCellFormNames[] = {
    {"plain", CellForm::kPlain},         {"time", CellForm::kTime},
    {"date", CellForm::kDate},           {"decimal_comma", CellForm::kDecimalComma},
    {"thousands", CellForm::kThousands}, {"nearly_number", CellForm::kNearlyNumber}};
constexpr std::span<const EnumName> enum_names(CellForm) { return kCellFormNames; }

/// Day, month and year in another order or with other signs than ISO 8601, perhaps with a time
/// behind a space or T: 31.12.2024, 1/31/2024, 2024/01/31, 31-12-2024.
[[nodiscard]] bool is_local_date(std::string_view text);

/// Digits in groups of three with commas between, perhaps a fraction: 1,234 and -12,345,678.9.
[[nodiscard]] bool has_thousands(std::string_view text);

class CellForms {
 public:
  /// A value that is a number (parse_number), of which all forms but dates may hold some.
  void add_number() { ++numbers_; }
  /// Another value, without spaces at its ends, and its line.
  void add(std::string_view value, int64_t line);

  /// Of all values given; kPlain where one fits no other.
  [[nodiscard]] CellForm form() const { return strangers_ == 0 ? likely() : CellForm::kPlain; }
  /// What it says for people, with the first value that shows it; of kPlain, what stands between
  /// most of the values and dates, else "".
  [[nodiscard]] std::string note() const;

 private:
  struct Seen {
    std::string value;
    int64_t line = 0;
  };
  [[nodiscard]] CellForm likely() const;  // without the strangers
  [[nodiscard]] bool is_hopeless() const;

  int64_t numbers_ = 0;
  int64_t times_ = 0;      // ISO 8601
  int64_t dates_ = 0;      // local ones
  int64_t commas_ = 0;     // a decimal comma and nothing else
  int64_t thousands_ = 0;  // thousands and nothing else
  int64_t either_ = 0;     // 1,234
  int64_t strangers_ = 0;
  Seen first_;  // of those that are neither number nor stranger
  Seen first_date_, first_stranger_;
};

}  // namespace ingot::data
