// SPDX-License-Identifier: Apache-2.0
// `ingot data clean` and `ingot data split` of a table, as stages of its run directory; and the key
// that says whether a stage was made from the same table.
#pragma once

#include <map>
#include <string>

#include "cli/pipeline/run_folder.h"

namespace ingot::cli {

/// What the examples of a table are made from.
struct TableState {
  /// {file: digest} of the table, of those held out of it (data/formats/table_state.h) and of what
  /// the schema file says, its comments aside; of those that the recipe names.
  std::map<std::string, std::string> files;
  std::string key;  ///< of them all, and of what the recipe says about the table
};
[[nodiscard]] TableState state_of(const data::TableConfig& table);

/// out/data/clean.csv.
void clean_table(Invocation& invocation, const Recipe& recipe);
/// out/data/train.csv, validation.csv and test.csv.
void split_table(Invocation& invocation, const Recipe& recipe);

}  // namespace ingot::cli
