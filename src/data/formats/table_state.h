// SPDX-License-Identifier: Apache-2.0
// Whether a table is still the one that a stage was made from: its files by what they hold, and
// beyond 64 MiB, where reading them all would take longer than the work, by size and time of the
// last change. A copy of a small table counts as the same, a cell edited in place never does.
// Called by the stages of a run.
#pragma once

#include <string>

#include "data/formats/table.h"

namespace ingot::data {

/// A digest of the table's files (of a folder those below it), of labels beside them and of the
/// pictures that cells name (in columns with the name of one among their first 100 cells). "" for a
/// path that is empty or not there, and for a pattern that matches nothing. Throws what table_parts
/// throws.
[[nodiscard]] std::string table_state(const std::string& path, const TableFormat& format = {});

}  // namespace ingot::data
