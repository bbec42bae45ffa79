// SPDX-License-Identifier: Apache-2.0
// A module lists its parameters and children once, in visit, named as in checkpoints. Saving,
// counting, laying out, initialising, quantising and printing all walk that list.
// Parameters are declared with shape and initialiser and get memory from a ParameterStore, so a
// model exists exactly once in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/init.h"
#include "tensor/tensor.h"

namespace ingot::nn {

struct Parameter {
  Shape shape;
  Init init;
  bool decay = true;        ///< weight decay applies (false for norms and biases)
  bool row_sparse = false;  ///< gradient kept as touched rows (embeddings)
  bool trainable = true;    ///< false: a buffer (running statistics) or a frozen weight; saved, but
                            ///< without gradient, optimiser state and update. Set before the store.
  bool is_frozen = false;   ///< it was trained elsewhere: a buffer keeps its values too
  float lr_scale = 1.0F;    ///< factor of the learning rate, and so of the weight decay
  std::vector<float> start;  ///< first values, when data and not init decide them
  Tensor value;              ///< set by ParameterStore, or by a loader

  [[nodiscard]] bool defined() const { return shape.rank() > 0; }
  /// Leaves the values as they are for good. Before the store.
  void freeze() {
    trainable = false;
    is_frozen = true;
  }
};

class Layer;

/// Walks modules. Names are joined with dots: "h.0.attn.c_proj.weight".
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void parameter(const std::string& name, Parameter& parameter) = 0;
  /// A replaceable layer, before its own visit; return true to skip its parameters.
  virtual bool layer(const std::string& /*name*/, std::unique_ptr<Layer>& /*slot*/) {
    return false;
  }

  void operator()(const char* name, Parameter& p) {
    if (p.defined()) parameter(prefix_ + name, p);
  }
  void operator()(const char* name, std::unique_ptr<Layer>& slot);
  template <class ModuleType>
  void child(const std::string& name, ModuleType& module) {
    const std::string before = prefix_;
    prefix_ += name + ".";
    module.visit(*this);
    prefix_ = before;
  }

 private:
  std::string prefix_;
};

class Module {
 public:
  virtual ~Module() = default;
  virtual void visit(Visitor& visitor) = 0;
};

/// A module of one input and one output, which may be swapped for another from above.
class Layer : public Module {
 public:
  [[nodiscard]] virtual Tensor forward(const Tensor& x) = 0;
};

struct NamedParameter {
  std::string name;
  Parameter* parameter;
};

[[nodiscard]] std::vector<NamedParameter> parameters(Module& module);
[[nodiscard]] int64_t parameter_count(Module& module);

}  // namespace ingot::nn
