// SPDX-License-Identifier: Apache-2.0
#include "data/column_profile.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/formats/image_folder.h"
#include "data/transforms/quantiles.h"
#include "io/image.h"

namespace ingot::data {
namespace {

constexpr size_t kLongestCategory = 256;  // bytes
constexpr int64_t kRowNumbers = 100;      // fewer rows may count up by chance or by design
constexpr int64_t kFewRows = 20;          // too few to tell a category from an identifier
constexpr double kNearlyNumber = 0.9;     // share of numbers from which the others get a note
constexpr double kTextWords = 2, kTextCharacters = 32, kTextNonAscii = 5;  // averages per cell

}  // namespace

void RunningDistribution::add(double value) {
  ++count_;
  const double sum = sum_ + value;
  rest_ += std::abs(sum_) >= std::abs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
  sum_ = sum;
  const double distance = value - running_mean_;
  running_mean_ += distance / static_cast<double>(count_);
  squares_ += distance * (value - running_mean_);
  min_ = count_ == 1 ? value : std::min(min_, value);
  max_ = count_ == 1 ? value : std::max(max_, value);
  if (kept_.size() < sample_) {
    kept_.push_back(value);
    if (kept_.size() == sample_) plan_next();
  } else if (count_ == next_) {
    kept_[random_.bounded(sample_)] = value;
    plan_next();
  }
}

// How many values algorithm R would leave out before it takes one again.
void RunningDistribution::plan_next() {
  const auto uniform = [&] { return 1.0 - random_.uniform_double(); };  // in (0, 1]
  weight_ *= std::exp(std::log(uniform()) / static_cast<double>(sample_));
  const double skip = std::floor(std::log(uniform()) / std::log1p(-weight_));
  next_ = count_ + 1 + static_cast<int64_t>(std::min(skip, 0x1.0p60));
}

std::optional<Distribution> RunningDistribution::finish() const {
  if (count_ == 0) return std::nullopt;
  std::vector<double> sorted = kept_;
  std::sort(sorted.begin(), sorted.end());
  Distribution d;
  d.min = min_;
  d.max = max_;
  d.mean = mean();
  d.sd = std::sqrt(squares_ / static_cast<double>(count_));
  d.p01 = quantile_of(sorted, 0.01);
  d.p05 = quantile_of(sorted, 0.05);
  d.p25 = quantile_of(sorted, 0.25);
  d.p50 = quantile_of(sorted, 0.50);
  d.p75 = quantile_of(sorted, 0.75);
  d.p95 = quantile_of(sorted, 0.95);
  d.p99 = quantile_of(sorted, 0.99);
  return d;
}

void DistinctCounter::add(std::string_view value) {
  const uint64_t hash = mix64(hash64(value));
  if (hash >= limit_) return;
  if (recent_.empty()) recent_.assign(2 * kKept, ~uint64_t{0});
  uint64_t& slot = recent_[hash % (2 * kKept)];
  if (slot == hash) return;
  slot = hash;
  hashes_.push_back(hash);
  if (hashes_.size() < 2 * kKept) return;
  hashes_ = smallest(std::move(hashes_));
  if (hashes_.size() == kKept) limit_ = hashes_.back();
}

std::vector<uint64_t> DistinctCounter::smallest(std::vector<uint64_t> hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  if (hashes.size() > kKept) hashes.resize(kKept);
  return hashes;
}

int64_t DistinctCounter::count() const {
  const std::vector<uint64_t> kept = smallest(hashes_);
  if (kept.size() < kKept) return static_cast<int64_t>(kept.size());
  const double share = (static_cast<double>(kept.back()) + 1.0) * 0x1.0p-64;
  return std::llround(static_cast<double>(kKept - 1) / share);
}

ColumnProfile::ColumnProfile(int64_t position, std::optional<ColumnKind> given, int64_t max_values,
                             int64_t sample)
    : given_(given),
      max_values_(static_cast<size_t>(max_values)),
      numbers_(sample, static_cast<uint64_t>(position) * 3),
      characters_(sample, static_cast<uint64_t>(position) * 3 + 1),
      words_(sample, static_cast<uint64_t>(position) * 3 + 2) {}

void ColumnProfile::add(std::string_view value, int64_t line) {
  ++present_;
  if (io::is_image(value)) return add_picture(value);
  add_number(value, line);
  add_value(value);
  add_text(value);
}

/// Counts as an image and as a value, and gives no figure of texts.
void ColumnProfile::add_picture(std::string_view bytes) {
  ++images_;
  ++others_;
  few_values_ = false;
  values_.clear();
  distinct_.add(bytes);
}

void ColumnProfile::add_number(std::string_view value, int64_t line) {
  // A column of texts is not parsed to its end: from here on no figure of its numbers is used.
  if (looks_like_texts()) {
    ++others_;
    forms_.add(value, line);
    return;
  }
  const std::optional<double> number = parse_number(value);
  if (!number) {
    forms_.add(value, line);
    if (others_++ == 0) {
      first_other_ = excerpt(value);
      first_other_line_ = line;
    }
    return;
  }
  forms_.add_number();
  if (std::isinf(*number)) {
    ++infinite_;
    return;
  }
  if (present_ == 1) first_number_ = *number;
  const double expected = first_number_ + static_cast<double>(present_ - 1);
  counts_up_ = counts_up_ && *number == expected;
  whole_ = whole_ && *number == std::floor(*number);
  numbers_.add(*number);
}

void ColumnProfile::add_value(std::string_view value) {
  if (!few_values_) return distinct_.add(value);
  const auto found = values_.find(value);
  if (found != values_.end()) {
    ++found->second;
    return;
  }
  distinct_.add(value);
  if (values_.size() < max_values_ && value.size() <= kLongestCategory) {
    values_.emplace(value, 1);
    return;
  }
  few_values_ = false;
  values_.clear();
}

void ColumnProfile::add_text(std::string_view value) {
  int64_t characters = 0, ascii = 0, words = 0, letters = 0, spaces = 0;
  bool in_word = false;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    characters += (byte & 0xC0) != 0x80;
    ascii += byte < 0x80;
    letters += static_cast<unsigned char>((byte | 0x20) - 'a') < 26;
    const bool word = !is_ascii_space(c);
    spaces += !word;
    words += word && !in_word;
    in_word = word;
  }
  non_ascii_ += characters - ascii;
  letters_ += letters + characters - ascii;
  solid_ += characters - spaces;
  characters_.add(static_cast<double>(characters));
  words_.add(static_cast<double>(words));
  const int last = value.empty() ? 0 : value.back() | 0x20;  // of the names of pictures: g or m
  images_ += (last == 'g' || last == 'm') && is_image_name(value);
}

bool ColumnProfile::looks_like_texts() const {
  const bool are_others =
      others_ > kRowNumbers && static_cast<double>(others_) > 0.5 * static_cast<double>(present_);
  return are_others && forms_.form() == CellForm::kPlain;
}

CellForm ColumnProfile::form() const {
  if (images_ > 0) return CellForm::kPlain;
  const CellForm form = forms_.form();
  const bool is_half = others_ > 0 && 2 * others_ <= present_;
  return form == CellForm::kPlain && is_half ? CellForm::kNearlyNumber : form;
}

bool ColumnProfile::is_row_number() const {
  return is_number() && counts_up_ && whole_ && infinite_ == 0 && missing_ == 0 &&
         present_ >= kRowNumbers && (first_number_ == 0 || first_number_ == 1);
}

ColumnKind ColumnProfile::inferred(int64_t distinct) const {
  if (present_ == 0) return ColumnKind::kIgnore;
  if (is_number()) return is_row_number() ? ColumnKind::kIgnore : ColumnKind::kNumber;
  if (images_ == present_) return ColumnKind::kImage;
  const CellForm written = form();
  if (written != CellForm::kPlain && written != CellForm::kNearlyNumber) return ColumnKind::kIgnore;
  if (few_values_ && 2 * distinct <= present_) return ColumnKind::kCategory;
  const double non_ascii = static_cast<double>(non_ascii_) / static_cast<double>(present_);
  const bool is_long = words_.mean() >= kTextWords || characters_.mean() > kTextCharacters ||
                       non_ascii >= kTextNonAscii;
  if (is_long && 2 * letters_ >= solid_) return ColumnKind::kText;
  return few_values_ && present_ < kFewRows ? ColumnKind::kCategory : ColumnKind::kIgnore;
}

std::string ColumnProfile::note(ColumnKind kind, int64_t distinct) const {
  if (present_ == 0) return "no row has a value";
  if (given_ != kind && images_ == 0) {
    std::string form = forms_.note();
    if (!form.empty()) return form;
  }
  const auto numbers = static_cast<double>(present_ - others_);
  const bool is_half = form() == CellForm::kNearlyNumber && kind == ColumnKind::kIgnore;
  if (others_ > 0 && (given_ == ColumnKind::kNumber || (is_half && given_ != kind) ||
                      numbers >= kNearlyNumber * static_cast<double>(present_))) {
    return fmt::format(
        "{} of {} values are no number, the first \"{}\" on line {}; if they stand "
        "for a missing value, add them to table.infer.missing, or to missing in the table.schema "
        "file",
        others_, present_, first_other_, first_other_line_);
  }
  if (given_) return distinct == 1 ? "one value only" : "";
  if (is_row_number()) return "counts the rows";
  if (kind == ColumnKind::kIgnore) {
    return fmt::format(
        "{} different short values in {} rows: an identifier, a date or a code; "
        "make it a category or a text if it means something",
        with_thousands(distinct), with_thousands(present_));
  }
  return distinct == 1 ? "one value only" : "";
}

ColumnSchema ColumnProfile::finish(const std::string& name) const {
  ColumnSchema column;
  column.name = name;
  column.missing = missing_;
  column.distinct = few_values_ ? static_cast<int64_t>(values_.size())
                                : std::min(distinct_.count(), present_);  // of an estimate
  const bool unfit = given_ == ColumnKind::kNumber && others_ > 0;
  column.kind = given_ && !unfit ? *given_ : inferred(column.distinct);
  require(
      column.kind != ColumnKind::kCategory || few_values_, Code::kInvalidArgument,
      "schema: the column \"{}\" is given as category but has more than {} different values, or "
      "one of more than {} bytes; make it text or ignore: table.infer.kinds=[{{column: \"{}\", "
      "kind: "
      "text}}]",
      excerpt(name), with_thousands(static_cast<int64_t>(max_values_)), kLongestCategory,
      excerpt(name));
  const bool is_used = column.kind != ColumnKind::kIgnore;  // then its numbers are no question
  column.form = is_used && form() == CellForm::kNearlyNumber ? CellForm::kPlain : form();
  column.note = note(column.kind, column.distinct);
  if (column.kind == ColumnKind::kNumber) {
    column.numbers = numbers_.finish();
    column.whole = whole_ && infinite_ == 0;
    column.infinite = infinite_;
  } else if (column.kind == ColumnKind::kText) {
    column.characters = characters_.finish();
    column.words = words_.finish();
  } else if (column.kind == ColumnKind::kCategory) {
    for (const auto& [value, count] : values_) column.values.push_back({value, count});
    std::sort(column.values.begin(), column.values.end(),
              [](const CategoryCount& a, const CategoryCount& b) { return a.value < b.value; });
  }
  return column;
}

}  // namespace ingot::data
