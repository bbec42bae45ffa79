// SPDX-License-Identifier: Apache-2.0
#include "data/cell_form.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "data/formats/decimal_comma.h"

namespace ingot::data {
namespace {

constexpr size_t kLongestValue = 64;  // bytes; longer ones are texts
constexpr int64_t kSurely = 100;      // values after which half of strangers decide
constexpr double kNearlyDates = 0.9;  // share from which strangers are pointed out
constexpr int kMonths = 12, kDays = 31;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the digits at the front of `text`, as many as `most`; their number, and how many.
std::pair<int, size_t> take_digits(std::string_view& text, size_t most) {
  int number = 0;
  size_t count = 0;
  for (; count < std::min(most, text.size()) && is_digit(text[count]); ++count) {
    number = 10 * number + (text[count] - '0');
  }
  text.remove_prefix(count);
  return {number, count};
}

}  // namespace

bool is_iso_time(std::string_view text) {
  if (text.size() < kIsoDate.size() || text.size() > kLongestIsoTime) return false;
  for (size_t i = 0; i < kIsoDate.size(); ++i) {
    if (kIsoDate[i] == 'd' ? !is_digit(text[i]) : text[i] != kIsoDate[i]) return false;
  }
  return text.size() == kIsoDate.size() || text[kIsoDate.size()] == ' ' ||
         text[kIsoDate.size()] == 'T';
}

bool is_local_date(std::string_view text) {
  if (text.size() > kLongestValue) return false;
  std::array<int, 3> parts{};
  std::array<size_t, 3> digits{};
  char sign = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      const bool is_sign = !text.empty() && (text[0] == '.' || text[0] == '/' || text[0] == '-');
      if (!is_sign || (i == 2 && text[0] != sign)) return false;
      sign = text[0];
      text.remove_prefix(1);
    }
    std::tie(parts[i], digits[i]) = take_digits(text, 4);
    if (digits[i] == 0) return false;
  }
  if (!text.empty() && text[0] != ' ' && text[0] != 'T') return false;
  if (digits[0] == 4) {
    std::swap(digits[0], digits[2]);
    std::swap(parts[0], parts[2]);
  }
  if (digits[0] > 2 || digits[1] > 2 || digits[2] != 4) return false;
  const auto [low, high] = std::minmax(parts[0], parts[1]);
  return low >= 1 && low <= kMonths && high <= kDays;
}

bool has_thousands(std::string_view text) {
  if (text.size() > kLongestValue) return false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.empty() || text[0] == '0' || take_digits(text, 3).second == 0) return false;
  int groups = 0;
  for (; !text.empty() && text[0] == ','; ++groups) {
    text.remove_prefix(1);
    if (take_digits(text, 3).second != 3) return false;
  }
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
  }
  return groups > 0 && text.empty();
}

bool CellForms::is_hopeless() const {
  const int64_t seen = numbers_ + times_ + dates_ + commas_ + thousands_ + either_ + strangers_;
  return strangers_ > kSurely && 2 * strangers_ > seen;
}

void CellForms::add(std::string_view value, int64_t line) {
  if (is_hopeless()) {
    ++strangers_;
    return;
  }
  const auto see = [&](Seen& first) {
    if (first.line == 0) first = {excerpt(value), line};
  };
  const bool is_short = value.size() <= kLongestValue;
  if (is_short && (is_iso_time(value) || is_local_date(value))) {
    ++(is_iso_time(value) ? times_ : dates_);
    if (!is_iso_time(value)) see(first_date_);
  } else if (is_short && (is_comma_number(value) || has_thousands(value))) {
    ++(!has_thousands(value) ? commas_ : is_comma_number(value) ? either_ : thousands_);
  } else {
    ++strangers_;
    see(first_stranger_);
    return;
  }
  see(first_);
}

CellForm CellForms::likely() const {
  const int64_t with_commas = commas_ + thousands_ + either_;
  if (times_ + dates_ > 0) {
    if (numbers_ + with_commas > 0) return CellForm::kPlain;
    return dates_ == 0 ? CellForm::kTime : CellForm::kDate;
  }
  if (commas_ > 0 && thousands_ == 0) return CellForm::kDecimalComma;
  return with_commas > 0 && commas_ == 0 ? CellForm::kThousands : CellForm::kPlain;
}

std::string CellForms::note() const {
  const auto shown = [](const Seen& seen) {
    return fmt::format("the first \"{}\" on line {}", seen.value, seen.line);
  };
  const CellForm mostly = likely();
  if (strangers_ > 0) {
    const int64_t values = times_ + dates_ + strangers_;
    const bool is_dates =
        (mostly == CellForm::kTime || mostly == CellForm::kDate) &&
        static_cast<double>(values - strangers_) >= kNearlyDates * static_cast<double>(values);
    if (!is_dates) return "";
    return fmt::format(
        "{} of {} values are no date, {}; if they stand for a missing value, add them to "
        "table.infer.missing, or to missing in the table.schema file",
        strangers_, values, shown(first_stranger_));
  }
  switch (mostly) {
    case CellForm::kTime:
      return "dates; table.split.method=time can hold the latest rows out";
    case CellForm::kDate:
      return fmt::format(
          "dates, {}; written as 2024-12-31 (ISO 8601) they would sort, and "
          "table.split.method=time could hold the latest rows out",
          shown(first_date_));
    case CellForm::kDecimalComma:
      return fmt::format("numbers with a decimal comma, {}; set table.format.decimal=comma",
                         shown(first_));
    case CellForm::kThousands:
      return fmt::format(
          "numbers with commas, {}; leave the commas between thousands out, or, where they stand "
          "before a fraction, set table.format.decimal=comma",
          shown(first_));
    default:
      return "";
  }
}

}  // namespace ingot::data
