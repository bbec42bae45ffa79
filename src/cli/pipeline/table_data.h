// SPDX-License-Identifier: Apache-2.0
// `ingot data clean` and `ingot data split` of a table, as stages of its run directory; and the key
// that says whether a stage was made from the same table.
#pragma once

#include <string>

#include "cli/pipeline/run_folder.h"

namespace ingot::cli {

/// Of what the recipe says about the table, the state of its files (data/formats/table_state.h), so
/// that a table which changed is read again, and what its schema file holds.
[[nodiscard]] std::string table_key(const data::TableConfig& table);

/// out/data/clean.csv.
void clean_table(Invocation& invocation, const Recipe& recipe);
/// out/data/train.csv, validation.csv and test.csv.
void split_table(Invocation& invocation, const Recipe& recipe);

}  // namespace ingot::cli
