// SPDX-License-Identifier: Apache-2.0
#include "cli/new_recipe.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/table_examples.h"

namespace ingot::cli {
namespace {

using data::ColumnKind;
using data::ColumnSchema;
using data::Schema;

constexpr int64_t kMostNumberClasses = 20;  // whole numbers with more values are numbers
constexpr int64_t kFewRows = 20;            // too few to hold any out
constexpr double kRare = 0.2;               // of an equal share of the classes
constexpr double kFinite = 3e38;            // of a target, as float32 holds it
constexpr double kFarTail = 10;             // quartile distances
constexpr double kLongCharacters = 12;      // characters between spaces, above: not words
constexpr int64_t kUsualSide = 64, kLeastSide = 8, kMostSide = 224;  // pixels of pictures
constexpr std::string_view kTableInput = "table";   // what a network calls numbers and categories
constexpr int64_t kShortest = 10, kLongest = 1000;  // of a text's ids

// Names that say what is predicted; the first that some column has decides.
constexpr std::string_view kTargetNames[] = {
    "label",     "labels", "target",  "y",        "outcome", "response",  "class",
    "sentiment", "churn",  "default", "survived", "species", "diagnosis", "category"};
constexpr std::string_view kTargetWords[] = {"target", "label", "price",   "outcome", "failure",
                                             "fraud",  "churn", "default", "value",   "class"};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// "Machine_failure", "SalePrice" → their words in lower case.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool separates = c == '_' || c == '-' || c == ' ' || c == '.';
    const bool begins = i > 0 && is_upper(c) && is_lower(name[i - 1]);
    if (separates || begins) words.emplace_back();
    if (!separates) words.back() += c;
  }
  for (std::string& word : words) word = lower_ascii(word);
  return words;
}

bool has_word(const ColumnSchema& column, std::string_view word) {
  const std::vector<std::string> words = words_of(column.name);
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_identifier(const ColumnSchema& column) {
  return column.name.size() > 1 && words_of(column.name).back() == "id";
}

bool is_time(const ColumnSchema& column) { return column.form == data::CellForm::kTime; }

bool can_be_target(const ColumnSchema& column) {
  const bool has_kind = column.kind == ColumnKind::kNumber || column.kind == ColumnKind::kCategory;
  return has_kind && column.distinct > 1 && !is_identifier(column);
}

struct Choice {
  const ColumnSchema* column = nullptr;
  std::string why;
};

Choice asked_target(const Schema& schema, const NewRequest& request) {
  const ColumnSchema& column = schema.at(request.target, "new: target");
  require(column.kind == ColumnKind::kNumber || column.kind == ColumnKind::kCategory,
          Code::kInvalidArgument,
          "new: column \"{}\" is {} and cannot be predicted{}{}; a number or a category can{}",
          column.name, enum_name(column.kind), column.note.empty() ? "" : ": ", column.note,
          column.form == data::CellForm::kNearlyNumber
              ? "; `ingot new` takes such texts as missing=[TEXT]"
              : "");
  require(column.distinct > 1, Code::kInvalidArgument,
          "new: every row of \"{}\" has the same value; there is nothing to predict", column.name);
  return {&column, "as asked"};
}

Choice find_target(const Schema& schema, const NewRequest& request) {
  if (!request.target.empty()) return asked_target(schema, request);
  const auto last = [&](const auto& fits) {
    const ColumnSchema* found = nullptr;
    for (const ColumnSchema& column : schema.columns) {
      if (can_be_target(column) && fits(column)) found = &column;
    }
    return found;
  };
  for (const std::string_view name : kTargetNames) {
    const auto* found = last([&](const auto& c) { return lower_ascii(c.name) == name; });
    if (found != nullptr) return {found, "its name says so"};
  }
  for (const std::string_view word : kTargetWords) {
    const auto* found = last([&](const auto& c) { return has_word(c, word); });
    if (found != nullptr) return {found, fmt::format("its name says \"{}\"", word)};
  }
  const auto* found = last([](const auto& /*column*/) { return true; });
  require(found != nullptr, Code::kInvalidArgument,
          "new: no column of the table can be predicted: none is a number or a category of two or "
          "more values");
  return {found, "the last number or category"};
}

bool is_class(const ColumnSchema& target, int64_t rows) {
  if (target.kind == ColumnKind::kCategory || target.distinct == 2) return true;
  return target.whole && target.distinct <= kMostNumberClasses && 10 * target.distinct <= rows;
}

/// Share of the rows that the rarest class has, as far as the schema knows it: 1 when it does not.
double rarest_share(const ColumnSchema& target, int64_t rows) {
  double share = 1;
  for (const data::CategoryCount& value : target.values) {
    share = std::min(share, static_cast<double>(value.count) / static_cast<double>(rows));
  }
  if (target.numbers && target.distinct == 2) {  // of two values the mean tells
    const data::Distribution& d = *target.numbers;
    const double upper = (d.mean - d.min) / (d.max - d.min);
    share = std::min(upper, 1 - upper);
  }
  return share;
}

ColumnDraft draft_number(const ColumnSchema& column, int64_t rows) {
  ColumnDraft draft{column.name, ColumnKind::kNumber, "", ""};
  const data::Distribution& d = *column.numbers;
  if (column.missing > 0) {
    draft.options = "missing: median, missing_flag: true";
    draft.why =
        fmt::format("{} of {} are missing", with_thousands(column.missing), with_thousands(rows));
  }
  const double quartiles = d.p75 - d.p25;
  if (quartiles > 0 &&
      (d.max > d.p75 + kFarTail * quartiles || d.min < d.p25 - kFarTail * quartiles)) {
    draft.options += draft.options.empty() ? "clip: quantiles" : ", clip: quantiles";
    draft.why += fmt::format("{}{:.6g} .. {:.6g}, a half lies in {:.6g} .. {:.6g}",
                             draft.why.empty() ? "" : "; ", d.min, d.max, d.p25, d.p75);
  }
  return draft;
}

/// Whether the cells are not made of words between spaces (Chinese, Japanese).
bool is_of_characters(const ColumnSchema& column) {
  return column.characters->mean > kLongCharacters * std::max(1.0, column.words->mean);
}

ColumnDraft draft_text(const ColumnSchema& column, RecipeDraft& draft) {
  const bool by_character = is_of_characters(column);
  const data::Distribution& lengths = by_character ? *column.characters : *column.words;
  const auto tens = static_cast<int64_t>(std::ceil(lengths.p95 / 10)) * 10;
  const int64_t length = std::clamp(tens, kShortest, kLongest);
  draft.texts.push_back({column.name, length});
  const std::string options =
      fmt::format("text: {{words: {}, length: {}{}}}", by_character ? 5000 : 10000, length,
                  by_character ? ", char_level: true" : "");
  return {
      column.name, ColumnKind::kText, options,
      fmt::format("{}; 95 % have at most {:.0f}, the longest {:.0f}",
                  by_character ? "characters are the words" : "words", lengths.p95, lengths.max)};
}

/// Pictures of this size are not too small for the layers and not too dear to begin with.
bool is_fit_to_train(const data::SizeCount& size) {
  const auto [least, most] = std::minmax(size.height, size.width);
  return least >= kLeastSide && most <= kMostSide;
}

/// Moved by a few pixels in training; mirrored only by the reader's word: a mirrored digit is none.
ColumnDraft draft_picture(const ColumnSchema& column, const NewRequest& request) {
  const std::string_view flip = "add {kind: flip} where left and right mean the same";
  if (!request.picture_files) {
    return {column.name, ColumnKind::kImage, "image: {augment: [{kind: crop, padding: 2}]}",
            std::string(flip)};
  }
  int64_t height = kUsualSide, width = kUsualSide;
  std::string why = "larger costs more";
  if (const auto found = request.picture_sizes.find(column.name);
      found != request.picture_sizes.end() && is_fit_to_train(found->second)) {
    height = found->second.height;
    width = found->second.width;
    why = fmt::format("as all of {} pictures looked at", found->second.count);
  }
  const int64_t padding = std::max<int64_t>(1, std::min(height, width) / 10);
  return {column.name, ColumnKind::kImage,
          fmt::format("image: {{size: [{}, {}], fit: crop, bad: drop_row, augment: [{{kind: crop, "
                      "padding: {}, border: reflect}}]}}",
                      height, width, padding),
          fmt::format("{}; {}", why, flip)};
}

ColumnDraft draft_column(const ColumnSchema& column, const Schema& schema,
                         const NewRequest& request, RecipeDraft& draft) {
  const auto left_out = [&](std::string why) {
    return ColumnDraft{column.name, ColumnKind::kIgnore, "", std::move(why)};
  };
  if (column.distinct == 0) return left_out("no row has a value");
  if (is_time(column)) return left_out("a time: new rows have later ones; it can order the split");
  if (column.distinct == 1 && column.missing == 0) return left_out("the same value in every row");
  if (is_identifier(column)) return left_out("an identifier by its name");
  const bool is_input = column.kind == ColumnKind::kText || column.kind == ColumnKind::kImage;
  if (is_input && (column.name == kTableInput || column.name == data::kTargetField)) {
    return left_out("no text or picture can be called so; give the column another name to use it");
  }
  switch (column.kind) {
    case ColumnKind::kNumber:
      draft.has_table = true;
      return draft_number(column, schema.rows);
    case ColumnKind::kCategory:
      draft.has_table = true;
      return {column.name, ColumnKind::kCategory, "",
              fmt::format("{} values, a column each{}", column.distinct,
                          column.missing > 0 ? " and one for none" : "")};
    case ColumnKind::kText:
      return draft_text(column, draft);
    case ColumnKind::kImage:
      draft.pictures.push_back(column.name);
      draft.drops_pictures |= request.picture_files;
      return draft_picture(column, request);
    default:
      return left_out(column.note);
  }
}

/// ` (town: the same value in every row)`: why columns are of no use, of the first three.
std::string left_out_text(const std::vector<ColumnDraft>& columns) {
  constexpr size_t kNamed = 3;
  std::string text;
  for (size_t i = 0; i < std::min(columns.size(), kNamed); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? " (" : "; ", excerpt(columns[i].name), columns[i].why);
  }
  return text + (text.empty() ? "" : columns.size() > kNamed ? "; ...)" : ")");
}

/// Splits that keep apart what a random one would not.
void propose_splits(const Schema& schema, RecipeDraft& draft) {
  const auto propose = [&](data::SplitMethod method, const std::string& column) {
    data::TableSplitConfig split;
    split.method = method;
    split.column = column;
    draft.proposals.push_back(split);
  };
  for (const ColumnSchema& column : schema.columns) {
    if (is_time(column)) propose(data::SplitMethod::kTime, column.name);
  }
  for (const ColumnSchema& column : schema.columns) {
    const bool repeats = column.distinct > 10 && 2 * column.distinct < schema.rows;
    if (column.name == draft.target || !is_identifier(column) || !repeats) continue;
    propose(data::SplitMethod::kGroup, column.name);
  }
}

void draft_split(const Schema& schema, RecipeDraft& draft) {
  propose_splits(schema, draft);
  if (draft.rows < kFewRows) {
    draft.split.validation = draft.split.test = 0;
    draft.why_split = fmt::format("{} rows are too few to hold any out", draft.rows);
  } else if (!draft.is_class && !draft.proposals.empty() &&
             draft.proposals.front().method == data::SplitMethod::kTime) {
    draft.split = draft.proposals.front();
    draft.why_split = "the latest rows are held out: what comes next is what must be predicted";
    draft.proposals.erase(draft.proposals.begin());
  } else if (draft.is_class) {
    draft.split.method = data::SplitMethod::kStratified;
    draft.why_split = "every class has its share in each part";
  } else {
    draft.why_split = "rows at random";
  }
}

}  // namespace

int64_t RecipeDraft::used() const {
  return std::count_if(columns.begin(), columns.end(), [](const ColumnDraft& column) {
    return column.kind != ColumnKind::kIgnore;
  });
}

RecipeDraft draft_recipe(const Schema& schema, const NewRequest& request) {
  RecipeDraft draft;
  const Choice target = find_target(schema, request);
  draft.target = target.column->name;
  draft.why_target = target.why;
  draft.rows = schema.rows - target.column->missing;
  draft.is_class = is_class(*target.column, schema.rows);
  if (!draft.is_class && target.column->infinite > 0) {
    draft.rows -= target.column->infinite;
    draft.ranges = {{draft.target, -kFinite, kFinite}};
  }
  draft.classes = draft.is_class ? target.column->distinct : 0;
  draft.drops_missing_target = target.column->missing > 0;
  draft.is_unbalanced = draft.is_class && rarest_share(*target.column, schema.rows) <
                                              kRare / static_cast<double>(draft.classes);
  for (const ColumnSchema& column : schema.columns) {
    if (&column == target.column) continue;
    draft.columns.push_back(draft_column(column, schema, request, draft));
  }
  require(draft.used() > 0, Code::kInvalidArgument,
          "new: \"{}\" could be predicted, but no other column is a number, a category or a text{}",
          draft.target, left_out_text(draft.columns));
  draft_split(schema, draft);
  return draft;
}

}  // namespace ingot::cli
