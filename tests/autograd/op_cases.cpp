// SPDX-License-Identifier: Apache-2.0
#include "autograd/op_cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape.h"
#include "kernels/reference/convert.h"

namespace ingot::testing {
namespace {

constexpr int64_t kBefore = 1, kAfter = 2;  // elements around a slice

double to_float(double x) { return static_cast<double>(static_cast<float>(x)); }

std::vector<std::byte> encode(const Doubles& values, DType dtype) {
  std::vector<std::byte> out(values.size() * static_cast<size_t>(dtype_size(dtype)));
  const auto put = [&](size_t i, const auto& value) {
    std::memcpy(out.data() + i * sizeof(value), &value, sizeof(value));
  };
  for (size_t i = 0; i < values.size(); ++i) {
    switch (dtype) {
      case DType::kF32:
        put(i, static_cast<float>(values[i]));
        break;
      case DType::kI64:
        put(i, static_cast<int64_t>(values[i]));
        break;
      case DType::kI32:
        put(i, static_cast<int32_t>(values[i]));
        break;
      case DType::kU8:
        put(i, static_cast<uint8_t>(values[i]));
        break;
      case DType::kBF16:
        put(i, kernels::reference::encode({8, 7}, values[i]));
        break;
      case DType::kF16:
        put(i, kernels::reference::encode({5, 10}, values[i]));
        break;
      default:
        ADD_FAILURE() << "no encoding";
        break;
    }
  }
  return out;
}

Shape memory_shape(const Input& in) {
  Shape s = in.shape;
  if (in.view == View::kTransposed) std::swap(s[s.rank() - 1], s[s.rank() - 2]);
  if (in.view == View::kSliced) s[in.axis] += kBefore + kAfter;
  return s;
}

template <class T>
Doubles widened(const Tensor& t) {
  const std::vector<T> v = t.to_vector<T>();
  return {v.begin(), v.end()};
}

}  // namespace

Doubles uniform(int64_t n, uint32_t seed, double low, double high) {
  std::mt19937 random(seed);
  Doubles v(static_cast<size_t>(n));
  for (double& x : v) x = to_float(low + (high - low) * (static_cast<double>(random()) / 0x1.0p32));
  return v;
}

Doubles distinct(int64_t n, uint32_t seed) {
  Doubles v(static_cast<size_t>(n));
  for (size_t i = 0; i < v.size(); ++i) {
    v[i] = to_float(-2.0 + 4.0 * (static_cast<double>(i) + 0.37) / static_cast<double>(n));
  }
  std::mt19937 random(seed);
  for (size_t i = v.size(); i-- > 1;) std::swap(v[i], v[random() % (i + 1)]);
  return v;
}

Doubles away_from_zero(int64_t n, uint32_t seed) {
  Doubles v = uniform(n, seed);
  for (double& x : v) x = to_float(x < 0.0 ? x - 0.1 : x + 0.1);
  return v;
}

Doubles whole(int64_t n, uint32_t seed, int64_t limit) {
  std::mt19937 random(seed);
  Doubles v(static_cast<size_t>(n));
  for (double& x : v) x = static_cast<double>(random() % static_cast<uint32_t>(limit));
  return v;
}

Input input(const Shape& shape, uint32_t seed, View view, int axis, double low, double high) {
  return {shape, uniform(shape.size(), seed, low, high), DType::kF32, view, axis, true};
}

std::vector<int64_t> coordinates(int64_t index, const Shape& shape) {
  std::vector<int64_t> at(static_cast<size_t>(shape.rank()));
  for (int a = shape.rank() - 1; a >= 0; --a) {
    at[static_cast<size_t>(a)] = index % shape[a];
    index /= shape[a];
  }
  return at;
}

int64_t index_of(const std::vector<int64_t>& at, const Shape& shape) {
  int64_t index = 0;
  for (int a = 0; a < shape.rank(); ++a) index = index * shape[a] + at[static_cast<size_t>(a)];
  return index;
}

Tensor leaf_of(Engine& engine, const Input& in) {
  if (in.view == View::kDense) {
    return Tensor::from_bytes(engine, encode(in.values, in.dtype), in.shape, in.dtype);
  }
  const Shape memory = memory_shape(in);
  Doubles values(static_cast<size_t>(memory.size()), 3.0);  // what a slice must not read
  for (int64_t i = 0; i < in.shape.size(); ++i) {
    std::vector<int64_t> at = coordinates(i, in.shape);
    if (in.view == View::kTransposed) std::swap(at[at.size() - 1], at[at.size() - 2]);
    if (in.view == View::kSliced) at[static_cast<size_t>(in.axis)] += kBefore;
    values[static_cast<size_t>(index_of(at, memory))] = in.values[static_cast<size_t>(i)];
  }
  return Tensor::from_bytes(engine, encode(values, in.dtype), memory, in.dtype);
}

Tensor view_of(const Tensor& leaf, const Input& in) {
  if (in.view == View::kTransposed) return ops::transpose(leaf);
  if (in.view == View::kSliced) {
    return ops::slice(leaf, in.axis, kBefore, kBefore + in.shape[in.axis]);
  }
  return leaf;
}

Doubles read(const Tensor& t) {
  switch (t.dtype()) {
    case DType::kF32:
      return widened<float>(t);
    case DType::kI64:
      return widened<int64_t>(t);
    case DType::kI32:
      return widened<int32_t>(t);
    case DType::kU8:
      return widened<uint8_t>(t);
    default:
      break;
  }
  const kernels::reference::FloatFormat format = t.dtype() == DType::kBF16
                                                     ? kernels::reference::FloatFormat{8, 7}
                                                     : kernels::reference::FloatFormat{5, 10};
  EXPECT_TRUE(t.is_contiguous());
  Doubles v;
  for (int64_t i = 0; i < t.size(); ++i) {
    v.push_back(kernels::reference::decode(format, t.data<uint16_t>()[i]));
  }
  return v;
}

std::string bytes_of(const Tensor& t) {
  if (t.is_contiguous()) {
    return {reinterpret_cast<const char*>(t.raw()), static_cast<size_t>(t.size_bytes())};
  }
  std::string out;
  for (const double x : read(t)) out.append(reinterpret_cast<const char*>(&x), sizeof(x));
  return out;
}

SampleRun::SampleRun(Engine& engine, const Sample& sample)
    : engine_(engine), sample_(sample), tape_(engine) {
  for (const Input& in : sample.inputs) leaves_.push_back(leaf_of(engine, in));
  const Tensor shape_of = forward();
  if (shape_of.dtype() != DType::kF32) return;
  weights_ = uniform(shape_of.size(), 77, -1.0, 1.0);
  const std::vector<float> w(weights_.begin(), weights_.end());
  w_ = Tensor::from<float>(engine, w, shape_of.shape());
}

Tensor SampleRun::forward() {
  engine_.begin_step();
  std::vector<Tensor> views;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    views.push_back(view_of(leaves_[i].detach(), sample_.inputs[i]));
  }
  return sample_.run(views);
}

void SampleRun::step(bool twice) {
  tape_.begin_step();
  grads.assign(leaves_.size(), Tensor());
  y = Tensor();
  const Recording on(engine_, &tape_);
  std::vector<Tensor> views;
  for (size_t i = 0; i < leaves_.size(); ++i) {
    const Input& in = sample_.inputs[i];
    const bool is_watched = in.has_grad && in.dtype == DType::kF32;
    if (is_watched) tape_.watch(leaves_[i]);
    Tensor view = view_of(leaves_[i], in);
    views.push_back(twice && is_watched ? ops::scale(view, 1.0F) : view);
  }
  y = sample_.run(views);
  if (y.slot < 0) return;
  Tensor loss = ops::sum(ops::mul(y, w_));
  if (twice) loss = ops::add(loss, ops::sum(ops::mul(sample_.run(views), w_)));
  tape_.backward(loss);
  for (size_t i = 0; i < leaves_.size(); ++i) grads[i] = tape_.grad(leaves_[i]);
}

Doubles SampleRun::grad(size_t i) const {
  const Doubles whole_leaf = read(grads[i]);
  const Doubles seen = read(view_of(grads[i].detach(), sample_.inputs[i]));
  double all = 0.0, inside = 0.0;
  for (const double g : whole_leaf) all += std::abs(g);
  for (const double g : seen) inside += std::abs(g);
  EXPECT_NEAR(all, inside, 1e-9 * (1.0 + all)) << "a gradient outside the slice";
  return seen;
}

const std::vector<Sample>& op_samples() {
  static const std::vector<Sample> samples = [] {
    std::vector<Sample> s;
    add_elementwise_cases(s);
    add_row_cases(s);
    add_reduce_cases(s);
    add_product_cases(s);
    add_conv_cases(s);
    add_image_cases(s);
    add_recurrent_cases(s);
    add_shape_cases(s);
    add_loss_cases(s);
    return s;
  }();
  return samples;
}

}  // namespace ingot::testing
