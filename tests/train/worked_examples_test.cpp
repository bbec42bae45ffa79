// SPDX-License-Identifier: Apache-2.0
// The formulas by which tutorials explain learning, each with the right value (listed, with what
// one of them prints, in docs/worked_examples.md). Truth is by hand or plain double arithmetic. The
// programs of the same page are recipes and flows.
#include <cmath>

#include "autograd/ops.h"
#include "base/message_of.h"
#include "nn/conv.h"
#include "nn/linear.h"
#include "nn/pool.h"
#include "optim/optim_testing.h"

namespace ingot::testing::worked_examples_test {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

// Values of a few float32 operations, relative to max(1, |value|).
constexpr double kTolerance = 1e-6;

void expect_values(const Tensor& got, const Doubles& want) {
  const Floats g = got.to_vector<float>();
  ASSERT_EQ(g.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(g[i]), want[i], kTolerance * std::max(1.0, std::abs(want[i])))
        << "element " << i;
  }
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

class WorkedExample : public ::testing::Test {
 protected:
  Tensor of(const Floats& values, const Shape& shape) {
    return Tensor::from<float>(engine_, values, shape);
  }
  Tensor of(const Floats& values) { return of(values, {static_cast<int64_t>(values.size())}); }

  /// Weights after one step of `config` from `w` with the gradient `grad`.
  static Floats stepped(const optim::OptimizerConfig& config, const Floats& w, const Floats& grad,
                        double lr) {
    Bag bag;
    nn::Parameter& p = bag.add("w", {static_cast<int64_t>(w.size())}, true);
    Bench bench(bag, config);
    set(p.value, w);
    set(bench.grad("w"), grad);
    bench.step(1, lr);
    return p.value.to_vector<float>();
  }

  Team team_{2};
  Engine engine_{team_};
};

TEST_F(WorkedExample, HousePrice) {
  const Tensor house = of({150, 10}, {1, 2}), weight = of({1000, -5000}, {1, 2});
  expect_values(ops::linear(house, weight, of({200000})), {300000});
}

TEST_F(WorkedExample, SquaredErrorOfOneProbability) {
  expect_values(ops::mse(of({0.6F}), of({0})), {0.36});
}

TEST_F(WorkedExample, CrossEntropyOfOneProbability) {
  const float logit = std::log(0.6F / 0.4F);
  expect_values(ops::sigmoid(of({logit})), {0.6});
  expect_values(ops::bce_with_logits(of({logit}), of({1})), {0.510826});
  expect_values(ops::neg(ops::log(of({0.6F}))), {0.510826});
}

TEST_F(WorkedExample, MeanSquaredErrorOfALine) {
  const Tensor x = of({1, 2, 3, 4, 5}, {5, 1});
  const Tensor y = ops::linear(x, of({1}, {1, 1}), of({1}));
  expect_values(y, {2, 3, 4, 5, 6});
  expect_values(ops::mse(y, of({2, 4, 5, 4, 5}, {5, 1})), {0.8});
}

TEST_F(WorkedExample, BatchNormalisation) {
  ops::BatchNormOptions options;
  options.is_training = true;
  options.eps = 1e-12F;
  const Tensor y = ops::batch_norm(of({1, 2, 3, 4, 5}, {5, 1}), {}, options);
  expect_values(y, {-std::sqrt(2.0), -std::sqrt(0.5), 0, std::sqrt(0.5), std::sqrt(2.0)});
}

TEST_F(WorkedExample, Residual) {
  expect_values(ops::add(of({4, 5, 6}), of({1, 2, 3})), {5, 7, 9});
}

TEST_F(WorkedExample, GradientStep) {
  optim::OptimizerConfig sgd;
  sgd.name = optim::OptimizerKind::kSgd;
  sgd.weight_decay = 0.0F;
  const Floats w = stepped(sgd, {1, 2}, {-2, -3}, 0.01);
  EXPECT_FLOAT_EQ(w[0], 1.02F);
  EXPECT_FLOAT_EQ(w[1], 2.03F);
}

TEST_F(WorkedExample, SoftmaxCrossEntropyIsMinusTheSumOfTargetsTimesLogs) {
  const Doubles logits = {2, -1, 0.5, 3, -2};
  double total = 0.0;
  for (const double z : logits) total += std::exp(z);
  for (int64_t label = 0; label < 5; ++label) {
    const std::vector<int64_t> target = {label};
    const Tensor ids = Tensor::from<int64_t>(engine_, target, {1});
    const Tensor x = of({2, -1, 0.5F, 3, -2}, {1, 5});
    const Tensor loss = ops::cross_entropy(x, ids);
    const Tensor terms = ops::mul(ops::one_hot(ids, 5), ops::log_softmax(x));
    expect_values(loss, {std::log(total) - logits[static_cast<size_t>(label)]});
    expect_values(ops::neg(ops::sum(terms)), {static_cast<double>(loss.item())});
    EXPECT_GE(loss.item(), 0.0F);
  }
}

/// Two steps by hand: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g², w -= lr m̂ / (√v̂ + eps).
TEST_F(WorkedExample, AdamWithAndWithoutBiasCorrection) {
  for (const bool is_corrected : {true, false}) {
    optim::OptimizerConfig adam;
    adam.name = optim::OptimizerKind::kAdam;
    adam.weight_decay = 0.0F;
    EXPECT_TRUE(adam.bias_correction) << "the default";
    adam.bias_correction = is_corrected;
    Bag bag;
    nn::Parameter& p = bag.add("w", {1}, true);
    Bench bench(bag, adam);
    set(p.value, {1});
    double w = 1.0, m = 0.0, v = 0.0;
    for (const int step : {1, 2}) {
      const double g = step == 1 ? 0.5 : -0.25;
      set(bench.grad("w"), {static_cast<float>(g)});
      bench.step(step, 0.1);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const double c1 = is_corrected ? 1.0 - std::pow(0.9, step) : 1.0;
      const double c2 = is_corrected ? 1.0 - std::pow(0.999, step) : 1.0;
      w -= 0.1 * (m / c1) / (std::sqrt(v / c2) + 1e-8);
      EXPECT_NEAR(static_cast<double>(p.value.to_vector<float>()[0]), w, kTolerance);
    }
  }
}

/// z = W a + b, a = f(z); delta_l = (W_{l+1}ᵀ delta_{l+1}) ⊙ f'(z_l), dW_l = delta_l a_{l-1}ᵀ: two
/// sigmoid layers under J = ½ |a_2 - y|², by these equations in double.
TEST_F(WorkedExample, LayerEquationsEqualAutograd) {
  const Doubles x = {0.5, -1.0, 2.0}, y = {1.0, 0.0};
  const Floats w1 = {0.1F, -0.2F, 0.3F, 0.4F, 0.5F, -0.6F, -0.7F, 0.8F, 0.9F, 0.2F, -0.1F, 0.3F};
  const Floats w2 = {0.3F, -0.4F, 0.2F, 0.6F, -0.5F, 0.1F, 0.7F, -0.2F};
  const Floats b1 = {0.1F, -0.1F, 0.2F, 0.0F}, b2 = {0.05F, -0.3F};
  Doubles a1(4), a2(2), delta1(4, 0.0), delta2(2);
  for (size_t i = 0; i < 4; ++i) {
    double z = double{b1[i]};
    for (size_t k = 0; k < 3; ++k) z += double{w1[i * 3 + k]} * x[k];
    a1[i] = sigmoid(z);
  }
  for (size_t i = 0; i < 2; ++i) {
    double z = double{b2[i]};
    for (size_t k = 0; k < 4; ++k) z += double{w2[i * 4 + k]} * a1[k];
    a2[i] = sigmoid(z);
    delta2[i] = (a2[i] - y[i]) * a2[i] * (1.0 - a2[i]);
  }
  Doubles dw1, dw2;
  for (size_t i = 0; i < 4; ++i) {
    for (size_t k = 0; k < 2; ++k) delta1[i] += double{w2[k * 4 + i]} * delta2[k];
    delta1[i] *= a1[i] * (1.0 - a1[i]);
    for (const double v : x) dw1.push_back(delta1[i] * v);
  }
  for (const double d : delta2) {
    for (const double a : a1) dw2.push_back(d * a);
  }
  Tape tape(engine_);
  tape.begin_step();
  Tensor first = of(w1, {4, 3}), second = of(w2, {2, 4}), bias1 = of(b1), bias2 = of(b2);
  {
    const Recording on(engine_, &tape);
    for (Tensor* t : {&first, &second, &bias1, &bias2}) tape.watch(*t);
    const Tensor in = of({0.5F, -1, 2}, {1, 3});
    const Tensor hidden = ops::sigmoid(ops::linear(in, first, bias1));
    const Tensor out = ops::sigmoid(ops::linear(hidden, second, bias2));
    // ½ |out - y|² is the mean over two numbers.
    tape.backward(ops::mse(out, of({1, 0}, {1, 2})));
  }
  expect_values(tape.grad(first), dw1);
  expect_values(tape.grad(second), dw2);
  expect_values(tape.grad(bias1), delta1);
  expect_values(tape.grad(bias2), delta2);
}

TEST_F(WorkedExample, GradientOfALineFitIsMinusTheSumOfInputTimesResidual) {
  const Doubles x = {1, 2, 3}, y = {2, 4, 6};
  double dw = 0.0, db = 0.0;
  for (size_t i = 0; i < 3; ++i) {
    dw -= x[i] * (y[i] - (0.5 * x[i] + 0.25));
    db -= y[i] - (0.5 * x[i] + 0.25);
  }
  Tape tape(engine_);
  tape.begin_step();
  Tensor w = of({0.5F}, {1, 1}), b = of({0.25F});
  {
    const Recording on(engine_, &tape);
    tape.watch(w);
    tape.watch(b);
    const Tensor r = ops::sub(of({2, 4, 6}, {3, 1}), ops::linear(of({1, 2, 3}, {3, 1}), w, b));
    tape.backward(ops::scale(ops::sum(ops::mul(r, r)), 0.5F));
  }
  EXPECT_LT(dw, 0.0) << "the line is too flat, so w must grow";
  expect_values(tape.grad(w), {dw});
  expect_values(tape.grad(b), {db});
}

/// The network of the shapes example, without its activations.
class ShapesNet : public nn::Module {
 public:
  explicit ShapesNet(const ops::Conv2dOptions& conv, int64_t flat)
      : first_(sizes(3, 32), conv),
        second_(sizes(32, 64), conv),
        pool_(nn::PoolKind::kMax, half()),
        hidden_(flat, 1024, true, {}),
        classes_(1024, 10, true, {}) {}

  std::vector<std::string> shapes(Tensor x) {
    std::vector<std::string> seen;
    for (nn::Layer* layer : std::initializer_list<nn::Layer*>{&first_, &pool_, &second_, &pool_}) {
      x = layer->forward(x);
      seen.push_back(x.shape().text());
    }
    x = ops::reshape(x, {x.dim(0), -1});
    seen.push_back(x.shape().text());
    seen.push_back(classes_.forward(hidden_.forward(x)).shape().text());
    return seen;
  }
  void visit(nn::Visitor& visitor) override {
    visitor.child("first", first_);
    visitor.child("second", second_);
    visitor.child("hidden", hidden_);
    visitor.child("classes", classes_);
  }

 private:
  static nn::ConvConfig sizes(int64_t in, int64_t out) {
    nn::ConvConfig c;
    c.in_channels = in, c.out_channels = out;
    c.kernel_h = c.kernel_w = 5;
    return c;
  }
  static ops::Pool2dOptions half() {
    ops::Pool2dOptions o;
    o.kernel_h = o.kernel_w = o.stride_h = o.stride_w = 2;
    return o;
  }
  nn::Conv2d first_, second_;
  nn::Pool2d pool_;
  nn::Linear hidden_, classes_;
};

TEST_F(WorkedExample, ShapesAndParametersOfTheConvolutionalNet) {
  const Tensor picture = Tensor::zeros(engine_, {1, 32, 32, 3});
  ShapesNet valid({}, 1600);
  const nn::ParameterStore store(engine_, valid);
  EXPECT_EQ(valid.shapes(picture),
            (std::vector<std::string>{"[1, 28, 28, 32]", "[1, 14, 14, 32]", "[1, 10, 10, 64]",
                                      "[1, 5, 5, 64]", "[1, 1600]", "[1, 10]"}));
  EXPECT_EQ(nn::parameter_count(valid), 1703370);
  ops::Conv2dOptions same;
  same.padding = ops::Padding2d::all(2);
  ShapesNet padded(same, 4096);
  const nn::ParameterStore padded_store(engine_, padded);
  EXPECT_EQ(padded.shapes(picture)[3], "[1, 8, 8, 64]");
  EXPECT_EQ(nn::parameter_count(padded), 4259274);
}

TEST_F(WorkedExample, FunctionsEqualDoubleArithmetic) {
  const Floats x = {-30, -3, -0.5F, -1e-4F, 0, 1e-4F, 0.7F, 2, 30};
  Doubles sigmoids, relus, tanhs, exponentials;
  double total = 0.0;
  for (const float v : x) {
    sigmoids.push_back(sigmoid(double{v}));
    relus.push_back(std::max(double{v}, 0.0));
    tanhs.push_back(std::tanh(double{v}));
    exponentials.push_back(std::exp(double{v}));
    total += exponentials.back();
  }
  for (double& e : exponentials) e /= total;
  expect_values(ops::sigmoid(of(x)), sigmoids);
  expect_values(ops::relu(of(x)), relus);
  expect_values(ops::tanh(of(x)), tanhs);
  expect_values(ops::softmax(of(x)), exponentials);
}

TEST_F(WorkedExample, LossesEqualDoubleArithmetic) {
  const Floats x = {-3, -0.5F, 0.25F, 1, 4}, t = {0, 1, 1, 0, 1};
  double mse = 0.0, bce = 0.0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double p = sigmoid(double{x[i]}), y = double{t[i]};
    mse += (double{x[i]} - y) * (double{x[i]} - y) / 5.0;
    bce -= (y * std::log(p) + (1.0 - y) * std::log(1.0 - p)) / 5.0;
  }
  expect_values(ops::mse(of(x), of(t)), {mse});
  expect_values(ops::bce_with_logits(of(x), of(t)), {bce});
}

/// The line fit of one document asks for gradients of integers; no such gradient exists.
TEST_F(WorkedExample, IntegersHaveNoGradient) {
  const std::vector<int64_t> x = {1, 2, 3};
  const Tensor whole = Tensor::from<int64_t>(engine_, x, {3, 1});
  EXPECT_EQ(message_of([&] {
              (void)ops::linear(whole, of({1}, {1, 1}));
            }),
            "linear: x is int64, float32 is needed. Convert it with cast()");
  Tensor weight = Tensor::from<int64_t>(engine_, x, {1, 3});
  Tape tape(engine_);
  EXPECT_EQ(
      message_of([&] { tape.watch(weight); }),
      "watch: a gradient of int64 was asked for, only float32 has one. Convert it with cast()");
  EXPECT_EQ(message_of([&] { tape.bind_parameter(weight, Tensor()); }),
            "parameter: a gradient of int64 was asked for, only float32 has one. Convert it with "
            "cast()");
}

}  // namespace
}  // namespace ingot::testing::worked_examples_test
