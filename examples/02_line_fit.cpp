// SPDX-License-Identifier: Apache-2.0
// A line through (1, 2), (2, 4), (3, 6) by gradient descent, with a loop of one's own as in
// PyTorch. 100 steps come near the answer; more steps reach the closed form, y = 2 x.
#include <cmath>
#include <cstdio>

#include <ingot.h>

using namespace ingot;

/// A module lists its parameters in visit; the learner gives them memory and updates them.
struct Line : nn::Module {
  nn::Parameter weight, bias;
  Line() {
    weight.shape = {1, 1};
    weight.init = {nn::InitKind::kGlorotUniform, 1.0F};
    bias.shape = {1};
  }
  void visit(nn::Visitor& visitor) override {
    visitor("weight", weight);
    visitor("bias", bias);
  }
  Tensor forward(const Tensor& x) const { return ops::linear(x, weight.value, bias.value); }
};

int main() {
  Runtime runtime;
  const Tensor x = Tensor::from<float>(runtime.engine, std::vector<float>{1, 2, 3}, {3, 1});
  const Tensor y = Tensor::from<float>(runtime.engine, std::vector<float>{2, 4, 6}, {3, 1});
  const Tensor four = Tensor::full(runtime.engine, {1, 1}, 4.0F);

  Line line;
  optim::Learner learner(runtime.engine, line, optim::sgd(0.01));
  const auto train = [&](int steps) {
    for (int step = 1; step <= steps; ++step) {
      const Tensor loss = ops::mse(line.forward(x), y);
      learner.backward(loss);
      learner.step();
      if (steps <= 100 && step % 10 == 0) std::printf("step %3d  loss %.6f\n", step, loss.item());
    }
  };

  train(100);
  std::printf("after 100 steps f(4) = %.4f\n", line.forward(four).item());
  learner.set_lr(0.1);
  train(5000);
  const float answer = line.forward(four).item();
  std::printf("after 5000 more   f(4) = %.4f, the closed form gives 8\n", answer);
  return std::abs(answer - 8.0F) < 1e-4F ? 0 : 1;
}
