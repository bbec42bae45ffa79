// SPDX-License-Identifier: Apache-2.0
#include "recurrent_workloads.h"

#include "autograd/ops/loss.h"
#include "autograd/ops/recurrent.h"
#include "autograd/ops/shape.h"
#include "nn/linear.h"

namespace ingot::bench {
namespace {

/// PyTorch's names: rnn.weight_ih_l0 …, head.weight, head.bias.
class Classifier : public nn::Module {
 public:
  Classifier(int64_t gates, int64_t in, int64_t hidden, int64_t classes)
      : is_lstm_(gates == 4), head_(hidden, classes, true, {}) {
    weight_ih_.shape = {gates * hidden, in};
    weight_hh_.shape = {gates * hidden, hidden};
    bias_ih_.shape = bias_hh_.shape = {gates * hidden};
  }
  [[nodiscard]] Tensor forward(const Tensor& x) {
    const ops::RecurrentWeights weights{weight_ih_.value, weight_hh_.value, bias_ih_.value,
                                        bias_hh_.value};
    const Tensor y = is_lstm_ ? ops::lstm(x, weights) : ops::gru(x, weights);
    const Tensor last = ops::slice(y, 1, y.dim(1) - 1, y.dim(1));
    return head_.forward(ops::reshape(last, {y.dim(0), y.dim(2)}));
  }
  void visit(nn::Visitor& visitor) override {
    visitor("rnn.weight_ih_l0", weight_ih_);
    visitor("rnn.weight_hh_l0", weight_hh_);
    visitor("rnn.bias_ih_l0", bias_ih_);
    visitor("rnn.bias_hh_l0", bias_hh_);
    visitor.child("head", head_);
  }

 private:
  bool is_lstm_;
  nn::Parameter weight_ih_, weight_hh_, bias_ih_, bias_hh_;
  nn::Linear head_;
};

class RecurrentTask : public FixedTask {
 public:
  RecurrentTask(Engine& engine, const Dump& dump, int64_t gates)
      : classifier_(gates, 128, 128, 10), x_(dump.read(engine, "x")), y_(dump.read(engine, "y")) {}
  nn::Module& module() override { return classifier_; }
  int64_t load(int64_t, int64_t) override { return items(); }
  int64_t items() const override { return x_.dim(0); }
  Tensor loss(int64_t, const Tensor& count) override {
    ops::CrossEntropyOptions options;
    options.count = count;
    return ops::cross_entropy(classifier_.forward(x_), y_, options);
  }

 private:
  Classifier classifier_;
  Tensor x_, y_;
};

}  // namespace

std::unique_ptr<FixedTask> make_recurrent_task(Engine& engine, const std::string& name,
                                               const Dump& dump) {
  return std::make_unique<RecurrentTask>(engine, dump, name.starts_with("lstm") ? 4 : 3);
}

}  // namespace ingot::bench
