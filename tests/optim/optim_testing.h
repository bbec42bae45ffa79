// SPDX-License-Identifier: Apache-2.0
// What the optimiser tests share: a module of named parameters with given values, and a step from
// given gradients.
#pragma once

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "optim/optimizer.h"

namespace ingot::testing {

/// Parameters declared one by one.
class Bag : public nn::Module {
 public:
  nn::Parameter& add(const std::string& name, const Shape& shape, bool decay,
                     bool row_sparse = false) {
    names_.push_back(name);
    nn::Parameter& p = parameters_.emplace_back();
    p.shape = shape;
    p.decay = decay;
    p.row_sparse = row_sparse;
    return p;
  }
  void visit(nn::Visitor& visitor) override {
    for (size_t i = 0; i < names_.size(); ++i) visitor(names_[i].c_str(), parameters_[i]);
  }

 private:
  std::vector<std::string> names_;
  std::deque<nn::Parameter> parameters_;
};

inline void set(const Tensor& t, const std::vector<float>& values) {
  ASSERT_EQ(t.size(), static_cast<int64_t>(values.size()));
  std::memcpy(t.raw(), values.data(), values.size() * sizeof(float));
}

/// A bag on an engine, ready to step.
struct Bench {
  Bench(Bag& bag, const optim::OptimizerConfig& config, int workers = 1)
      : team(workers),
        engine(team),
        store(engine, bag),
        tape(engine),
        scalars(engine),
        optimizer(optim::make_optimizer(config, engine, store)) {
    store.bind(tape);
  }
  ~Bench() {  // the bag outlives the engine, its tensors must not
    for (const nn::StoredParameter& p : store.list()) p.parameter->value = Tensor();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  [[nodiscard]] Tensor grad(const std::string& name) const {
    for (const nn::StoredParameter& p : store.list()) {
      if (p.name == name) return store.grad(p);
    }
    return {};
  }
  void step(int64_t number, double lr, float grad_scale = 1.0F) {
    *scalars.lr.data<float>() = static_cast<float>(lr);
    *scalars.step.data<int64_t>() = number;
    *scalars.grad_scale.data<float>() = grad_scale;
    optimizer->step(scalars, tape);
  }

  Team team;
  Engine engine;
  nn::ParameterStore store;
  Tape tape;
  optim::Scalars scalars;
  std::unique_ptr<optim::Optimizer> optimizer;
};

}  // namespace ingot::testing
