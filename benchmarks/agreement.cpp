// SPDX-License-Identifier: Apache-2.0
#include "agreement.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ingot::bench {
namespace {

constexpr double kLeast = 1e-30;  // what a distance is relative to is not zero

double relative(double x, double truth) {
  return std::fabs(x - truth) / std::max(std::fabs(truth), kLeast);
}

/// Mean |x - truth| over mean |truth|.
double distance(std::span<const float> x, std::span<const float> truth) {
  double difference = 0.0, size = kLeast;
  for (size_t i = 0; i < x.size(); ++i) {
    difference += std::fabs(static_cast<double>(x[i]) - static_cast<double>(truth[i]));
    size += std::fabs(static_cast<double>(truth[i]));
  }
  return difference / size;
}

std::span<float> numbers(const Tensor& t) {
  return {t.data<float>(), static_cast<size_t>(t.size())};
}

}  // namespace

Agreement require_same_losses(const Workload& w, std::span<const double> ours) {
  Agreement a;
  const bool has_truth = !w.losses_float64.empty();
  for (size_t i = 0; i < ours.size(); ++i) {
    a.losses = std::max(a.losses, relative(ours[i], w.losses[i]));
    if (!has_truth) continue;
    a.truth = std::max(a.truth, relative(ours[i], w.losses_float64[i]));
    a.peer_truth = std::max(a.peer_truth, relative(w.losses[i], w.losses_float64[i]));
    for (const std::vector<double>& run : w.losses_disturbed) {
      a.peer_truth = std::max(a.peer_truth, relative(run[i], w.losses_float64[i]));
    }
    const double allowed = std::max(kLossTolerance, kDriftFactor * a.peer_truth);
    require(std::isfinite(ours[i]) && a.truth <= allowed, Code::kNumeric,
            "bench: {}: loss {} is {:.8g}, in float64 {:.8g}: up to here {:.2e} apart; the other "
            "side's float32 runs are up to {:.2e} apart, so at most {:.2e} is allowed",
            w.name, i + 1, ours[i], w.losses_float64[i], a.truth, a.peer_truth, allowed);
  }
  require(has_truth || a.losses <= kLossTolerance, Code::kNumeric,
          "bench: {}: the losses differ by {:.2e} relative, at most {:.0e} is allowed. If float32 "
          "drifts so far by itself, benchmarks/peers/torch_reference.py shows it",
          w.name, a.losses, kLossTolerance);
  return a;
}

double require_same_gradients(const Workload& w, const Dump& truth, FixedTask& task,
                              const nn::ParameterStore& store) {
  double largest = 0.0;
  for (const nn::StoredParameter& p : store.list()) {
    if (!p.parameter->trainable) continue;
    const std::span<float> values = numbers(p.parameter->value);
    const std::vector<float> kept(values.begin(), values.end());
    task.read_weight(truth, p);  // the gradient, in our layout, in the place of the weight
    const double apart = distance(numbers(store.grad(p)), values);
    std::copy(kept.begin(), kept.end(), values.begin());
    const auto theirs = w.gradient_distances.find(task.dump_name(p.name));
    require(theirs != w.gradient_distances.end(), Code::kCorruptFile,
            "bench: {}: gradient_distances lacks \"{}\"", w.name, task.dump_name(p.name));
    const double allowed = std::max(kGradientTolerance, kDriftFactor * theirs->second);
    require(
        apart <= allowed, Code::kNumeric,
        "bench: {}: the first gradient of \"{}\" is {:.2e} from float64 on average, relative to "
        "its size, the other side's in float32 {:.2e}; at most {:.2e} is allowed",
        w.name, p.name, apart, theirs->second, allowed);
    largest = std::max(largest, apart);
  }
  return largest;
}

}  // namespace ingot::bench
