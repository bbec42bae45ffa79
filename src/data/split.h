// SPDX-License-Identifier: Apache-2.0
// Train, validation and test by whole files: groups of near duplicates (and the pieces of one
// file) stay together, so that a test document has no close copy in train. Which groups go where
// is a function of seed and texts, not of file names or their order. Called by prepare.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/clean.h"
#include "data/near_duplicates.h"

namespace ingot::data {

enum class Split : uint8_t { kTrain, kValidation, kTest };
inline constexpr EnumName kSplitNames[] = {
    {"train", Split::kTrain}, {"validation", Split::kValidation}, {"test", Split::kTest}};
constexpr std::span<const EnumName> enum_names(Split) { return kSplitNames; }
inline constexpr int64_t kSplits = 3;
/// "train", "validation", "test".
[[nodiscard]] std::string_view split_name(Split split);

struct SplitReport {
  std::array<int64_t, kSplits> documents{};
  std::array<int64_t, kSplits> bytes{};
  DuplicateGroups groups;         ///< near duplicates kept together
  int64_t exact_across = 0;       ///< texts found in two splits: 0, or the data stage fails
  int64_t near_pairs_across = 0;  ///< pairs at or above the threshold in two splits: 0

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] std::string table() const;
};

struct SplitResult {
  std::vector<Split> split;  ///< per document
  SplitReport report;
};

/// Groups in keyed random order fill test, then validation, up to their share of bytes; the rest
/// is train. A non-zero share gets at least one group when there are three or more groups.
/// Throws kInvalidArgument when there are fewer documents or groups than splits asked for.
[[nodiscard]] SplitResult split_documents(std::span<const CleanDocument> documents,
                                          const DataConfig& config);

struct Leakage {
  int64_t exact = 0;
  int64_t near_pairs = 0;
};

/// Checks an assignment afresh, without the groups it was made from.
[[nodiscard]] Leakage find_leakage(std::span<const CleanDocument> documents,
                                   std::span<const Split> split, double threshold);

}  // namespace ingot::data
