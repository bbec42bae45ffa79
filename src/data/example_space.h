// SPDX-License-Identifier: Apache-2.0
// What the examples of a table take on the disk: known once the features are fitted, before the
// first row is encoded, so that a disk is not found to be too small when it is full. Called by
// table_examples.cpp.
#pragma once

#include <cstdint>
#include <string>

#include "data/transforms/feature_set.h"

namespace ingot::data {

/// Throws kIo when `rows` examples with their target are more than `free_bytes`, those of the disk
/// of `directory`: names both, and keys of the largest feature under which they would take nine
/// tenths of it. Zero or fewer free bytes are not known, and nothing is refused. `features` are
/// fitted, rows > 0.
void require_space(const FeatureSet& features, int64_t rows, const std::string& directory,
                   int64_t free_bytes);

/// Of examples that are written: "1,000,000 rows of 2.0 KiB take 1.9 GiB in runs/news/data"; empty
/// below 1 GiB.
[[nodiscard]] std::string space_note(int64_t rows, int64_t record_bytes,
                                     const std::string& directory);

}  // namespace ingot::data
