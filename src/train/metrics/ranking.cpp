// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/ranking.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace ingot::train {
namespace {

constexpr uint8_t kPositive = 1, kLast = 2;

}  // namespace

ScoreOrder::ScoreOrder(std::span<const float> scores, std::span<const uint8_t> is_positive)
    : order_(scores.size()), flags_(scores.size()) {
  INGOT_ASSERT(scores.size() == is_positive.size() && scores.size() < (uint64_t{1} << 32));
  std::iota(order_.begin(), order_.end(), 0U);
  std::sort(order_.begin(), order_.end(),
            [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  for (size_t i = 0; i < order_.size(); ++i) {
    const bool last = i + 1 == order_.size() || scores[order_[i + 1]] != scores[order_[i]];
    flags_[i] =
        static_cast<uint8_t>((is_positive[order_[i]] != 0 ? kPositive : 0) | (last ? kLast : 0));
  }
}

RankingAreas ScoreOrder::areas(std::span<const uint8_t> weights) const {
  int64_t positives = 0, negatives = 0;  // above the present score
  int64_t group[2] = {0, 0};             // negatives and positives of the present score
  int64_t twice_pairs = 0;  // 2 × (negatives below a positive) + (negatives level with one)
  double precision_sum = 0.0;
  for (size_t i = 0; i < order_.size(); ++i) {
    group[flags_[i] & kPositive] += weights.empty() ? 1 : weights[order_[i]];
    if ((flags_[i] & kLast) == 0) continue;
    twice_pairs += group[0] * (2 * positives + group[1]);
    positives += group[1];
    negatives += group[0];
    if (group[1] > 0) {
      precision_sum += static_cast<double>(group[1]) * static_cast<double>(positives) /
                       static_cast<double>(positives + negatives);
    }
    group[0] = group[1] = 0;
  }
  RankingAreas areas{std::numeric_limits<double>::quiet_NaN(),
                     std::numeric_limits<double>::quiet_NaN()};
  if (positives > 0) areas.average_precision = precision_sum / static_cast<double>(positives);
  if (positives > 0 && negatives > 0) {
    areas.roc_auc = 0.5 * static_cast<double>(twice_pairs) / static_cast<double>(positives) /
                    static_cast<double>(negatives);
  }
  return areas;
}

std::vector<RankingPoint> ScoreOrder::curve(int64_t resolution) const {
  double positives = 0.0, negatives = 0.0;
  for (const uint8_t flag : flags_) ((flag & kPositive) != 0 ? positives : negatives) += 1.0;
  if (positives == 0.0 || negatives == 0.0) return {};
  const double step = 1.0 / static_cast<double>(resolution);
  std::vector<RankingPoint> points = {{}};
  double hits = 0.0, alarms = 0.0;
  for (size_t i = 0; i < flags_.size(); ++i) {
    ((flags_[i] & kPositive) != 0 ? hits : alarms) += 1.0;
    if ((flags_[i] & kLast) == 0) continue;
    const RankingPoint point{alarms / negatives, hits / positives, hits / (hits + alarms)};
    const RankingPoint& before = points.back();
    const bool is_far = point.false_positive_rate - before.false_positive_rate >= step ||
                        point.recall - before.recall >= step;
    if (is_far || i + 1 == flags_.size()) points.push_back(point);
  }
  return points;
}

}  // namespace ingot::train
