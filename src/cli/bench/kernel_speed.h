// SPDX-License-Identifier: Apache-2.0
// Speeds of single kernels at the shapes of a small GPT: products, attention, softmax, layer norm,
// Adam, quantised decode. Each is run in windows of some milliseconds and the median window counts.
// Not a test: no figure is right or wrong. Called by `ingot bench` and benchmarks/train_steps.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/team.h"

namespace ingot::cli {

/// Which peak a kernel's speed is a share of.
enum class Bound : uint8_t { kCompute, kMemory };

struct KernelSpeed {
  std::string name;   ///< "gemm"
  std::string shape;  ///< "2048 x 1536 x 384"
  Bound bound = Bound::kCompute;
  double work = 0.0;     ///< FLOP or bytes per run
  double seconds = 0.0;  ///< per run
  [[nodiscard]] double rate() const { return seconds > 0.0 ? work / seconds : 0.0; }
};

using SpeedSink = std::function<void(const KernelSpeed&)>;

/// Median seconds per call of `run`, after one warm-up call, over at least three windows and
/// `budget_s` seconds.
[[nodiscard]] double median_seconds(const Clock& clock, double budget_s,
                                    const std::function<void()>& run);

/// FLOP/s of the best of a few large products: what a training step is measured against.
[[nodiscard]] double gemm_peak(Team& team, const Clock& clock);

/// Calls `sink` for every kernel as it is measured; some ten seconds on two cores.
void measure_kernels(Team& team, const Clock& clock, const SpeedSink& sink);

}  // namespace ingot::cli
