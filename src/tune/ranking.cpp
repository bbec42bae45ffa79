// SPDX-License-Identifier: Apache-2.0
#include "tune/ranking.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace ingot::tune {
namespace {

Point without_seed(std::span<const Axis> axes, const Point& point) {
  Point rest;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].key != kSeedKey) rest.push_back(point[i]);
  }
  return rest;
}

void set_mean(Rank& rank, std::span<const Trial> trials) {
  const auto count = static_cast<double>(rank.trials.size());
  for (const size_t i : rank.trials) rank.mean += trials[i].score / count;
  double squares = 0.0;
  for (const size_t i : rank.trials) squares += std::pow(trials[i].score - rank.mean, 2);
  if (rank.trials.size() > 1) rank.deviation = std::sqrt(squares / (count - 1.0));
}

}  // namespace

bool is_higher_better(std::string_view metric) {
  constexpr std::string_view kErrors[] = {"loss", "log_loss", "brier", "calibration_error",
                                          "mse",  "rmse",     "mae"};
  return std::find(std::begin(kErrors), std::end(kErrors), metric) == std::end(kErrors);
}

std::vector<Rank> rank_trials(std::span<const Axis> axes, std::span<const Trial> trials,
                              bool is_higher_better) {
  std::vector<Rank> ranks;
  std::map<Point, size_t> place;
  for (size_t i = 0; i < trials.size(); ++i) {
    const auto [at, is_new] = place.emplace(without_seed(axes, trials[i].point), ranks.size());
    if (is_new) ranks.emplace_back();
    ranks[at->second].trials.push_back(i);
  }
  for (Rank& rank : ranks) set_mean(rank, trials);
  std::stable_sort(ranks.begin(), ranks.end(), [&](const Rank& a, const Rank& b) {
    if (a.has_failed() || b.has_failed()) return !a.has_failed() && b.has_failed();
    return is_higher_better ? a.mean > b.mean : a.mean < b.mean;
  });
  return ranks;
}

}  // namespace ingot::tune
