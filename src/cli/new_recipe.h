// SPDX-License-Identifier: Apache-2.0
// A first recipe for a table, from its schema alone: what to predict, how columns become numbers,
// which rows are held out, a network and a horizon that suit the size. Every choice is written with
// its reason beside it, so that the reader can make another. The rules:
//   target    the column asked for; else the one whose name says so (label, target, price, …); else
//             the last number or category
//   task      class for categories and for few whole numbers, else number
//   columns   numbers are standardised, missing ones become the median and a flag, far tails are
//             cut; categories are one-hot; texts are ids of a length that holds 95 % of them;
//             picture files keep a size that they share, else get one; identifiers, dates and
//             constants are left out
//   split     by time when numbers are predicted and a column of dates allows it, stratified for
//             classes, else at random; groups are proposed
//   network   linear for a hundred rows, two hidden layers beyond; embedding and pooling per text,
//             convolutions per picture; joined by concatenate when there are several inputs
// Called by the verb new.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/clean_table.h"
#include "data/inspect_pictures.h"
#include "data/schema.h"
#include "data/table_split.h"

namespace ingot::cli {

struct NewRequest {
  std::string name;            ///< of the run
  std::string path;            ///< of the table
  std::string schema_file;     ///< that the recipe names
  std::string target;          ///< "": found
  double minutes = 0;          ///< time budget; 0: epochs by the number of rows
  bool picture_files = false;  ///< pictures are files, whose sizes may differ
  /// By column: the size that all pictures looked at have, and how many those are.
  std::map<std::string, data::SizeCount> picture_sizes;
};

struct ColumnDraft {
  std::string name;
  data::ColumnKind kind = data::ColumnKind::kIgnore;  ///< as it is used
  std::string options;                                ///< of its feature: "missing_flag: true"
  std::string why;
};

/// What the network sees of a text.
struct TextDraft {
  std::string column;
  int64_t length = 0;
};

struct RecipeDraft {
  std::string target, why_target;
  int64_t rows = 0;  ///< that have a target
  bool is_class = false;
  int64_t classes = 0;
  bool drops_missing_target = false;
  std::vector<data::ColumnRange> ranges;  ///< that leave out rows of an infinite target
  std::vector<ColumnDraft> columns;       ///< without the target
  std::vector<TextDraft> texts;
  std::vector<std::string> pictures;  ///< columns
  bool has_table = false;             ///< a number or category is used
  bool drops_pictures = false;        ///< rows of broken pictures are left out
  data::TableSplitConfig split;
  std::string why_split;
  int64_t train_rows = 0;  ///< of the split, that have a target; 0: the table was not split yet
  std::vector<data::TableSplitConfig> proposals;  ///< other splits that may be right
  bool is_unbalanced = false;

  [[nodiscard]] int64_t outputs() const { return !is_class || classes == 2 ? 1 : classes; }
  [[nodiscard]] int64_t used() const;
};

/// Throws kInvalidArgument: no column can be predicted, the one asked for cannot, nothing is left
/// to predict it from.
[[nodiscard]] RecipeDraft draft_recipe(const data::Schema& schema, const NewRequest& request);

/// The recipe as commented YAML. `format`: lines of `table` that say how its bytes are read.
[[nodiscard]] std::string recipe_text(const RecipeDraft& draft, const data::Schema& schema,
                                      const NewRequest& request, const std::string& format = "");

}  // namespace ingot::cli
