// SPDX-License-Identifier: Apache-2.0
#include "train/lr_finder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace ingot::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Copies of the weights and of the optimiser's state, put back at the end of its life.
class Snapshot {
 public:
  explicit Snapshot(Step& step) {
    keep(step.store().values());
    for (const optim::NamedState& s : step.optimizer().state()) keep(s.tensor);
  }
  ~Snapshot() {
    for (const Kept& k : kept_) {
      std::memcpy(k.tensor.raw(), k.bytes.data(), k.bytes.size());
      ++k.tensor.storage().version;
    }
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  struct Kept {
    Tensor tensor;
    std::vector<std::byte> bytes;
  };
  void keep(const Tensor& tensor) {
    const std::byte* from = tensor.raw();
    kept_.push_back({tensor, {from, from + tensor.size_bytes()}});
  }
  std::vector<Kept> kept_;
};

}  // namespace

void LrFinderConfig::check() const {
  require(from > 0.0 && to > from && std::isfinite(to), Code::kInvalidArgument,
          "tune.lr.from {} must be positive and tune.lr.to {} above it; 1e-7 and 10 are usual",
          from, to);
  require(steps >= 20, Code::kInvalidArgument,
          "tune.lr.steps is {}, at least 20 are needed; 100 is usual", steps);
  require(smoothing >= 0.0 && smoothing < 1.0 && diverged > 1.0, Code::kInvalidArgument,
          "tune.lr.smoothing {} must be in [0, 1) and tune.lr.diverged {} above 1; 0.98 and 4 are "
          "usual",
          smoothing, diverged);
}

void suggest(LrSuggestion& result) {
  const std::vector<LrPoint>& p = result.points;
  result.steepest = result.minimum_tenth = kNan;
  if (p.empty()) return;
  const auto lowest = std::min_element(p.begin(), p.end(), [](const LrPoint& a, const LrPoint& b) {
    return a.smoothed < b.smoothed;
  });
  result.minimum_tenth = 0.1 * lowest->lr;
  double best = 0.0;
  // The running mean of the first points is of few losses and jumps from batch to batch.
  const size_t half = std::max<size_t>(1, p.size() / 20);
  const size_t first = std::max(half, p.size() / 10);
  for (size_t i = first; i + half + 1 < p.size(); ++i) {
    const LrPoint &before = p[i - half], &behind = p[i + half];
    const double slope =
        (behind.smoothed - before.smoothed) / (std::log(behind.lr) - std::log(before.lr));
    if (slope < best) {
      best = slope;
      result.steepest = p[i].lr;
    }
  }
}

LrSuggestion find_lr(Step& step, const LrFinderConfig& config) {
  config.check();
  const Snapshot snapshot(step);
  LrSuggestion result;
  const double ratio = config.to / config.from;
  double mean = 0.0, kept = 1.0, lowest = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < config.steps && !result.has_diverged; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(config.steps - 1);
    LrPoint point;
    point.lr = config.from * std::pow(ratio, share);
    try {
      point.loss = static_cast<double>(step.run(i, point.lr).loss);
    } catch (const Error& error) {
      if (error.code() != Code::kNumeric) throw;
      result.has_diverged = true;
      break;
    }
    mean = config.smoothing * mean + (1.0 - config.smoothing) * point.loss;
    kept *= config.smoothing;
    point.smoothed = mean / (1.0 - kept);
    result.has_diverged = i > 0 && point.smoothed > config.diverged * lowest;
    lowest = std::min(lowest, point.smoothed);
    result.points.push_back(point);
  }
  suggest(result);
  return result;
}

}  // namespace ingot::train
