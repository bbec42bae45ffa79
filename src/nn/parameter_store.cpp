// SPDX-License-Identifier: Apache-2.0
#include "nn/parameter_store.h"

#include <algorithm>
#include <set>

#include "base/checked.h"

namespace ingot::nn {
namespace {

constexpr int64_t kSegment = 16;                    // floats: 64 bytes
constexpr int64_t kMaxElements = int64_t{1} << 58;  // their bytes fit in 64 bits

int64_t padded(int64_t n) { return (n + kSegment - 1) / kSegment * kSegment; }

/// Sizes come from recipes and files, and may be too large for a product.
int64_t elements(const StoredParameter& p) {
  int64_t n = 1;
  for (int i = 0; i < p.parameter->shape.rank(); ++i) {
    n = checked_mul(n, p.parameter->shape[i], p.name, Code::kInvalidArgument);
  }
  require(n <= kMaxElements, Code::kInvalidArgument, "{}: {} numbers are more than memory can hold",
          p.name, n);
  return n;
}

/// Place in the slab: kind, then factor of the learning rate.
std::pair<int, float> order_of(const Parameter& p) {
  if (!p.trainable) return {3, 1.0F};
  if (p.row_sparse) return {2, 1.0F};
  return {p.decay ? 0 : 1, p.lr_scale};
}

Tensor segment(const Tensor& slab, int64_t offset, const Shape& shape) {
  return slab.strided(shape, contiguous_strides(shape), offset);
}

}  // namespace

ParameterStore::ParameterStore(Engine& engine, Module& module) : engine_(engine) {
  std::set<const Parameter*> seen;
  for (const NamedParameter& p : parameters(module)) {
    if (seen.insert(p.parameter).second) list_.push_back({p.name, p.parameter, 0});
  }
  std::stable_sort(list_.begin(), list_.end(),
                   [](const StoredParameter& a, const StoredParameter& b) {
                     return order_of(*a.parameter) < order_of(*b.parameter);
                   });
  int64_t at = 0;
  for (StoredParameter& p : list_) {
    p.offset = at;
    at += padded(elements(p));
    require(at <= kMaxElements, Code::kInvalidArgument,
            "{}: {} numbers of it and before it are more than memory can hold", p.name, at);
    if (p.parameter->trainable) trained_size_ = at;
    if (!p.parameter->trainable || p.parameter->row_sparse) continue;
    dense_size_ = at;
    if (groups_.empty() || groups_.back().decay != p.parameter->decay ||
        groups_.back().lr_scale != p.parameter->lr_scale) {
      groups_.push_back({p.offset, at, p.parameter->decay, p.parameter->lr_scale});
    }
    groups_.back().end = at;
  }
  values_ = Tensor::zeros(engine, {at});
  for (StoredParameter& p : list_) {
    Parameter& parameter = *p.parameter;
    parameter.value = segment(values_, p.offset, parameter.shape);
    const std::span<float> values(parameter.value.data<float>(),
                                  static_cast<size_t>(parameter.shape.size()));
    if (!parameter.start.empty()) {
      INGOT_ASSERT(parameter.start.size() == values.size());
      std::copy(parameter.start.begin(), parameter.start.end(), values.begin());
      continue;
    }
    initialise(values, parameter.shape, parameter.init, engine.seed(), p.name, engine.team());
  }
}

void ParameterStore::bind(Tape& tape) {
  grads_ = Tensor::zeros(engine_, {dense_size_});
  for (StoredParameter& p : list_) {
    if (!p.parameter->trainable) continue;
    tape.bind_parameter(p.parameter->value, p.parameter->row_sparse ? Tensor() : grad(p));
  }
}

int64_t ParameterStore::parameter_count() const {
  int64_t n = 0;
  for (const StoredParameter& p : list_) n += p.parameter->shape.size();
  return n;
}

Tensor ParameterStore::grad(const StoredParameter& p) const {
  INGOT_ASSERT(p.parameter->trainable && !p.parameter->row_sparse);
  return segment(grads_, p.offset, p.parameter->shape);
}

}  // namespace ingot::nn
