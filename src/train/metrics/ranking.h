// SPDX-License-Identifier: Apache-2.0
// Areas under the receiver operating characteristic and under precision over recall of one class
// against the rest. Their definitions need the scores in order, so the caller keeps them. Examples
// of one score count as one threshold: half of each tied pair for ROC (Hanley 1982), one step for
// average precision (the step-wise sum, no interpolation: Davis 2006). Pair counts are integers,
// so the ROC area is exact up to one division. Called by classification.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ingot::train {

struct RankingAreas {
  double roc_auc = 0.0;            ///< NaN without both kinds
  double average_precision = 0.0;  ///< NaN without positives
};

/// One threshold: what is caught, what is caught wrongly, and how pure the catch is.
struct RankingPoint {
  double false_positive_rate = 0.0;
  double recall = 0.0;
  double precision = 1.0;
};

/// One class's examples by falling score. Built once, asked for every bootstrap replicate.
class ScoreOrder {
 public:
  /// scores and is_positive: one element per example, fewer than 2^32; no score is NaN.
  ScoreOrder(std::span<const float> scores, std::span<const uint8_t> is_positive);

  /// `weights`: how often each example counts, in the order given to the constructor; empty: once.
  /// Time linear in the number of examples.
  [[nodiscard]] RankingAreas areas(std::span<const uint8_t> weights = {}) const;
  /// From the highest threshold (nothing is caught) to the lowest (everything is), thinned to steps
  /// of at least 1 / resolution in one of the rates; empty without both kinds.
  [[nodiscard]] std::vector<RankingPoint> curve(int64_t resolution) const;

 private:
  std::vector<uint32_t> order_;
  std::vector<uint8_t> flags_;  // by order: bit 0 positive, bit 1 last of its score
};

}  // namespace ingot::train
