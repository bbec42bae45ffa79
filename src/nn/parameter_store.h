// SPDX-License-Identifier: Apache-2.0
// The memory of a model's parameters: one slab of values and, for training, one of gradients with
// the same layout, so that the optimiser is one pass over flat arrays. Segments are 64-byte aligned
// and padded with zeros, which every optimiser keeps zero. Order: dense with decay, dense without
// (each by factor of the learning rate), then row-sparse ones (their gradients live on the tape,
// not here), last those that do not train (running statistics, frozen weights): they have neither
// gradient nor optimiser state.
#pragma once

#include <vector>

#include "autograd/tape.h"
#include "nn/module.h"

namespace ingot::nn {

/// A run of the slab that shares optimiser options.
struct ParameterGroup {
  int64_t begin = 0;  ///< elements
  int64_t end = 0;
  bool decay = true;
  float lr_scale = 1.0F;
};

struct StoredParameter {
  std::string name;
  Parameter* parameter;
  int64_t offset;  ///< elements from the start of the slab
};

class ParameterStore {
 public:
  /// Gives every parameter of `module` memory and its initial value. A parameter listed twice (tied
  /// weights) is stored once, under its first name.
  ParameterStore(Engine& engine, Module& module);

  /// Adds a gradient slab and binds every parameter that trains to the tape.
  void bind(Tape& tape);

  [[nodiscard]] const std::vector<StoredParameter>& list() const { return list_; }
  [[nodiscard]] const std::vector<ParameterGroup>& groups() const { return groups_; }
  [[nodiscard]] const Tensor& values() const { return values_; }  ///< [size], padding included
  [[nodiscard]] const Tensor& grads() const { return grads_; }    ///< [dense_size]
  [[nodiscard]] int64_t size() const { return values_.size(); }
  [[nodiscard]] int64_t dense_size() const { return dense_size_; }
  [[nodiscard]] int64_t parameter_count() const;
  /// First element of the parameters that do not train: [trained_size, size) never changes in an
  /// optimiser, and ops may update it in place.
  [[nodiscard]] int64_t trained_size() const { return trained_size_; }
  /// Gradient of a dense parameter that trains, with its shape.
  [[nodiscard]] Tensor grad(const StoredParameter& p) const;

 private:
  Engine& engine_;
  std::vector<StoredParameter> list_;
  std::vector<ParameterGroup> groups_;
  Tensor values_, grads_;
  int64_t dense_size_ = 0;
  int64_t trained_size_ = 0;
};

}  // namespace ingot::nn
