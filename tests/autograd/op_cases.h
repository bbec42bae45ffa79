// SPDX-License-Identifier: Apache-2.0
// Samples of every op: how to call it on some inputs, and what the result is in float64 by plain
// loops. The table-driven tests ask each sample for its value, its gradient (finite differences of
// the truth), equal bytes for every team size and equal bytes when replayed.
// Used by tests/autograd only; the samples are listed in the *_cases.cpp files.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/tape.h"

namespace ingot::testing {

using Doubles = std::vector<double>;

/// How an input lies in memory. kTransposed swaps the last two axes; kSliced is a part of a longer
/// `axis`.
enum class View { kDense, kTransposed, kSliced };

struct Input {
  Shape shape;
  Doubles values;  ///< row-major, exact in dtype
  DType dtype = DType::kF32;
  View view = View::kDense;
  int axis = 0;
  bool has_grad = true;  ///< only float32 inputs have one
};

/// float32 results within this of the truth, relative to max(1, |truth|): a few roundings of 2^-24
/// of an intermediate value.
inline constexpr double kForwardTolerance = 2e-6;

struct Sample {
  std::string op;
  std::string what;
  std::vector<Input> inputs;
  std::function<Tensor(const std::vector<Tensor>&)> run;
  std::function<Doubles(const std::vector<Doubles>&)> truth;
  double tolerance = kForwardTolerance;
  bool is_large = false;  ///< enough work for every thread; no finite differences
};

[[nodiscard]] const std::vector<Sample>& op_samples();

// One file each.
void add_elementwise_cases(std::vector<Sample>& samples);
void add_row_cases(std::vector<Sample>& samples);
void add_reduce_cases(std::vector<Sample>& samples);
void add_product_cases(std::vector<Sample>& samples);
void add_conv_cases(std::vector<Sample>& samples);
void add_image_cases(std::vector<Sample>& samples);
void add_recurrent_cases(std::vector<Sample>& samples);
void add_shape_cases(std::vector<Sample>& samples);
void add_loss_cases(std::vector<Sample>& samples);

/// Seeded values that are exact in float32: uniform in [low, high]; evenly spaced and shuffled (no
/// two within 1/n of another); at least 0.1 from zero; whole numbers in [0, limit).
[[nodiscard]] Doubles uniform(int64_t n, uint32_t seed, double low = -2.0, double high = 2.0);
[[nodiscard]] Doubles distinct(int64_t n, uint32_t seed);
[[nodiscard]] Doubles away_from_zero(int64_t n, uint32_t seed);
[[nodiscard]] Doubles whole(int64_t n, uint32_t seed, int64_t limit);

/// A float32 input of the given geometry with values in [low, high].
[[nodiscard]] Input input(const Shape& shape, uint32_t seed, View view = View::kDense, int axis = 0,
                          double low = -2.0, double high = 2.0);

/// Memory that `in.view` reads `in.values` from, and that reading (recorded when a tape is on).
[[nodiscard]] Tensor leaf_of(Engine& engine, const Input& in);
[[nodiscard]] Tensor view_of(const Tensor& leaf, const Input& in);

/// All elements in row-major order, any dtype.
[[nodiscard]] Doubles read(const Tensor& t);

/// A sample on an engine: its leaves, its loss Σ w·y and what came out.
class SampleRun {
 public:
  SampleRun(Engine& engine, const Sample& sample);

  /// Runs the op without gradients.
  [[nodiscard]] Tensor forward();
  /// Runs forward and backward of Σ w·y (or Σ w·y + Σ w·y when `twice`, on inputs that are results
  /// of another op). Leaves `y` and `grads`.
  void step(bool twice = false);

  [[nodiscard]] const Doubles& weights() const { return weights_; }
  /// Gradient of input i in its logical order, with zeros asserted outside the view.
  [[nodiscard]] Doubles grad(size_t i) const;
  [[nodiscard]] Engine& engine() { return engine_; }

  Tensor y;
  std::vector<Tensor> grads;  ///< of the leaves; undefined where there is none

 private:
  Engine& engine_;
  const Sample& sample_;
  Tape tape_;
  std::vector<Tensor> leaves_;
  Tensor w_;
  Doubles weights_;
};

/// Bytes of a tensor's elements, for comparisons that allow no difference.
[[nodiscard]] std::string bytes_of(const Tensor& t);

/// Row-major index → coordinates and back.
[[nodiscard]] std::vector<int64_t> coordinates(int64_t index, const Shape& shape);
[[nodiscard]] int64_t index_of(const std::vector<int64_t>& at, const Shape& shape);

}  // namespace ingot::testing
