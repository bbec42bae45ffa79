// SPDX-License-Identifier: Apache-2.0
// The tape: where gradients accumulate, when one tensor is several inputs, row-sparse tables,
// micro-batches, and what it refuses.
#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "autograd/op_cases.h"
#include "autograd/ops.h"
#include "base/message_of.h"

namespace ingot::testing::tape_test {
namespace {

class TapeTest : public ::testing::Test {
 protected:
  Tensor values(const Shape& shape, uint32_t seed) { return leaf_of(engine_, input(shape, seed)); }
  Tensor ids(std::vector<int32_t> v) {
    return Tensor::from<int32_t>(engine_, v, {static_cast<int64_t>(v.size())});
  }

  /// Gradient of Σ w·f(x) at x, where f reads copies of x that are results of another op.
  Doubles gradient(const Tensor& at, const std::function<Tensor(const Tensor&)>& f) {
    Tensor x = at.detach();
    tape_.begin_step();
    tape_.watch(x);
    const Recording on(engine_, &tape_);
    const Tensor y = f(ops::scale(x, 1.0F));
    tape_.backward(ops::sum(ops::mul(y, values(y.shape(), 99))));
    return read(tape_.grad(x));
  }

  /// The same f of distinct tensors with equal values: its gradients summed.
  void expect_sum(const Shape& shape, int inputs,
                  const std::function<Tensor(const std::vector<Tensor>&)>& f) {
    const Tensor at = values(shape, 5);
    const Doubles together = gradient(at, [&](const Tensor& x) {
      return f(std::vector<Tensor>(static_cast<size_t>(inputs), x));
    });
    Doubles sum(together.size(), 0.0);
    for (int own = 0; own < inputs; ++own) {
      const Doubles part = gradient(at, [&](const Tensor& x) {
        std::vector<Tensor> in(static_cast<size_t>(inputs), at);
        in[static_cast<size_t>(own)] = x;
        return f(in);
      });
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
    }
    for (size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(together[i], sum[i], kSum) << i;
  }

  static constexpr double kSum = 1e-5;  // two or three float32 terms of size 10 at most

  Team team_{1};
  Engine engine_{team_};
  Tape tape_{engine_};
};

using In = const std::vector<Tensor>&;

TEST_F(TapeTest, OneTensorAsSeveralInputsOfAnOpGetsTheSum) {
  expect_sum({3, 5}, 2, [](In t) { return ops::add(t[0], t[1]); });
  expect_sum({3, 5}, 2, [](In t) { return ops::sub(t[0], t[1]); });
  expect_sum({3, 5}, 2, [](In t) { return ops::mul(t[0], t[1]); });
  expect_sum({3, 5}, 2, [](In t) { return ops::gated(t[0], t[1]); });
  expect_sum({3, 5}, 3, [](In t) { return ops::concat({t[0], t[1], t[2]}, 1); });
  expect_sum({4, 4}, 2, [](In t) { return ops::matmul(t[0], t[1]); });
  expect_sum({4, 4}, 2, [](In t) { return ops::matmul(t[0], t[1], true, false); });
  expect_sum({4, 4}, 2,
             [](In t) { return ops::linear(t[0], t[1], {}, kernels::Activation::kSilu); });
  expect_sum({1, 5, 2, 4}, 3, [](In t) { return ops::attention(t[0], t[1], t[2]); });
  expect_sum({7}, 3, [](In t) { return ops::layer_norm(t[0], t[1], t[2]); });
  expect_sum({7}, 2, [](In t) { return ops::rms_norm(t[0], t[1]); });
  expect_sum({3, 5}, 2, [&](In t) {
    return ops::where(Tensor::zeros(engine_, {3, 5}, DType::kU8), t[0], t[1]);
  });
  expect_sum({4, 3}, 2, [&](In t) {
    return ops::linear_cross_entropy(t[0], t[1], ids({0, 1, 2, 3}));
  });
}

TEST_F(TapeTest, OneOfSeveralInputsThatAlreadyHasAGradientIsAddedTo) {
  const Tensor other = values({3, 5}, 6);
  const Tensor at = values({3, 5}, 7);
  const auto both = [&](const Tensor& x) {  // the later use walks back first
    return ops::add(ops::gated(x, ops::scale(x, 0.5F)), ops::mul(x, other));
  };
  const Doubles sum = gradient(at, both);
  const Doubles a =
      gradient(at, [&](const Tensor& x) { return ops::gated(x, ops::scale(x, 0.5F)); });
  const Doubles b = gradient(at, [&](const Tensor& x) { return ops::mul(x, other); });
  for (size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(sum[i], a[i] + b[i], kSum);
  const Tensor x4 = values({1, 3, 1, 5}, 8), k4 = values({1, 3, 1, 5}, 9);
  const auto attend = [&](const Tensor& x) { return ops::attention(x, k4, x); };
  const Doubles c = gradient(x4, [&](const Tensor& x) { return ops::add(attend(x), x); });
  const Doubles d = gradient(x4, attend);
  const Doubles e = gradient(x4, [&](const Tensor& x) { return x; });
  for (size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], d[i] + e[i], kSum);
}

TEST_F(TapeTest, ParametersAccumulateOverMicroBatchesAndStartAgainWithTheStep) {
  Tensor w = values({3}, 1), grad = Tensor::full(engine_, {3}, 123.0F);
  Tensor unused = values({2}, 2), unused_grad = Tensor::full(engine_, {2}, 123.0F);
  tape_.bind_parameter(w, grad);
  tape_.bind_parameter(unused, unused_grad);
  const Tensor a = values({3}, 3), b = values({3}, 4);
  for (int step = 0; step < 2; ++step) {
    tape_.begin_step();
    for (const Tensor& x : {a, b}) {
      const Recording on(engine_, &tape_);
      tape_.backward(ops::sum(ops::mul(w, x)));
    }
    tape_.finish_step();
    const Doubles got = read(grad), va = read(a), vb = read(b);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(static_cast<float>(got[i]), static_cast<float>(va[i]) + static_cast<float>(vb[i]));
    }
    EXPECT_EQ(read(unused_grad), (Doubles{0.0, 0.0})) << "what no record wrote is zero";
  }
}

TEST_F(TapeTest, RowSparseTablesSumRowsByIdOverMicroBatches) {
  for (const DType dtype : {DType::kI32, DType::kI64}) {
    Tape tape(engine_);
    Tensor table = values({9, 4}, 1);
    tape.bind_parameter(table, Tensor());
    const Doubles lists[] = {{7, 2, 7}, {2, 0, 8, 8}};
    Doubles want(9 * 4, 0.0);
    tape.begin_step();
    for (const Doubles& list : lists) {
      const auto n = static_cast<int64_t>(list.size());
      const Tensor w = values({n, 4}, 10 + static_cast<uint32_t>(n));
      const Doubles v = read(w);
      for (size_t i = 0; i < v.size(); ++i)
        want[static_cast<size_t>(list[i / 4]) * 4 + i % 4] += v[i];
      const Recording on(engine_, &tape);
      const Tensor rows = ops::gather(table, leaf_of(engine_, {{n}, list, dtype}));
      tape.backward(ops::sum(ops::mul(rows, w)));
    }
    tape.finish_step();
    const SparseGrad& g = tape.sparse_grad(table.slot);
    ASSERT_EQ(read(g.count), Doubles{4.0});
    const Doubles unique = read(g.unique_ids), rows = read(g.rows);
    EXPECT_EQ(Doubles(unique.begin(), unique.begin() + 4), (Doubles{0, 2, 7, 8}));
    for (size_t u = 0; u < 4; ++u) {
      for (size_t c = 0; c < 4; ++c) {
        EXPECT_NEAR(rows[u * 4 + c], want[static_cast<size_t>(unique[u]) * 4 + c], 1e-6);
      }
    }
    tape.begin_step();  // a step that does not read the table
    tape.finish_step();
    EXPECT_EQ(read(tape.sparse_grad(table.slot).count), Doubles{0.0});
  }
}

TEST_F(TapeTest, RefusesWhatItCannotDo) {
  tape_.begin_step();
  Tensor x = values({2}, 1);
  tape_.watch(x);
  const Recording on(engine_, &tape_);
  EXPECT_EQ(message_of([&] { tape_.backward(ops::scale(x, 2.0F)); }),
            "backward: the loss has shape [2], a single element is needed");
  EXPECT_EQ(
      message_of([&] { tape_.backward(values({1}, 2)); }),
      "backward: the loss does not depend on a parameter. Run the forward pass while recording");
  const Tensor y = ops::scale(x, 2.0F);
  const Tensor loss = ops::sum(ops::mul(y, y));
  ++y.storage().version;  // what an in-place write does
  EXPECT_EQ(
      message_of([&] { tape_.backward(loss); }),
      "backward: a tensor that mul saved was changed in place since. Change it after backward");
}

// backward forgets every record, so a second loss of the same forward pass would lose its gradient,
// or that of all it shares with the first.
TEST_F(TapeTest, RefusesASecondLossOfOneForwardPass) {
  Tensor p = values({2}, 1);
  tape_.bind_parameter(p, Tensor::zeros(engine_, {2}));
  const Recording on(engine_, &tape_);
  tape_.begin_step();
  const Tensor shared = ops::scale(p, 2.0F);
  const Tensor first = ops::sum(shared), second = ops::sum(ops::mul(shared, shared));
  tape_.backward(first);
  const std::string cause =
      " depends on a tensor of before the last backward, which forgot how it was computed. Add the "
      "losses and call backward once, or compute each anew after the backward before it";
  EXPECT_EQ(message_of([&] { tape_.backward(second); }), "backward: the loss" + cause);
  EXPECT_EQ(message_of([&] { tape_.backward(ops::sum(ops::scale(shared, 3.0F))); }),
            "backward: scale" + cause);
  tape_.begin_step();
  tape_.backward(ops::sum(ops::scale(p, 3.0F)));
  tape_.backward(ops::sum(ops::mul(ops::scale(p, 2.0F), shared.detach())));
  tape_.finish_step();
  const Doubles x = read(p), g = read(tape_.grad(p));
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(g[i], 3.0 + 2.0 * 2.0 * x[i], 1e-6);
}

// A slot's number is given again in the next step: a tensor kept from the last one would take part
// in the gradient of another.
TEST_F(TapeTest, RefusesATensorOfAnEarlierStep) {
  Tensor p = values({2}, 1);
  tape_.bind_parameter(p, Tensor::zeros(engine_, {2}));
  const Recording on(engine_, &tape_);
  tape_.begin_step();
  const Tensor kept = ops::scale(p, 2.0F);
  const Tensor old_loss = ops::sum(kept);
  tape_.begin_step();
  const Tensor fresh = ops::scale(p, 3.0F);
  EXPECT_EQ(
      message_of([&] { (void)ops::mul(fresh, kept); }),
      "mul: a tensor of shape [2] was computed before begin_step. Compute it anew, or detach() "
      "it");
  EXPECT_EQ(message_of([&] { tape_.backward(old_loss); }),
            "backward: a tensor of shape [] was computed before begin_step. Compute it anew, or "
            "detach() it");
  EXPECT_FALSE(tape_.grad(kept).defined());
  tape_.backward(ops::sum(ops::mul(fresh, kept.detach())));
  tape_.finish_step();
  const Doubles x = read(p), g = read(tape_.grad(p));
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(g[i], 3.0 * 2.0 * x[i], 1e-6);
}

TEST_F(TapeTest, RefusesIdsOfTwoDtypesForOneRowSparseTable) {
  Tensor table = values({3, 2}, 1);
  tape_.bind_parameter(table, Tensor());
  tape_.begin_step();
  {
    const Recording on(engine_, &tape_);
    tape_.backward(ops::sum(ops::gather(table, leaf_of(engine_, {{2}, {0, 1}, DType::kI32}))));
    tape_.backward(ops::sum(ops::gather(table, leaf_of(engine_, {{2}, {0, 1}, DType::kI64}))));
  }
  EXPECT_EQ(message_of([&] { tape_.finish_step(); }),
            "gather: ids of one row-sparse table are int32 and int64 in one step; use one of them");
}

TEST_F(TapeTest, NothingIsRecordedWithoutATapeOrWithoutAGradient) {
  tape_.begin_step();
  Tensor x = values({2}, 1);
  tape_.watch(x);
  const int64_t before = engine_.counters.tape_records;
  const Tensor off = ops::scale(x, 2.0F);
  EXPECT_EQ(off.slot, -1);
  {
    const Recording on(engine_, &tape_);
    EXPECT_EQ(ops::scale(values({2}, 2), 2.0F).slot, -1);
    EXPECT_EQ(ops::scale(x.detach(), 2.0F).slot, -1);
    EXPECT_EQ(engine_.counters.tape_records, before);
    EXPECT_GE(ops::scale(x, 2.0F).slot, 0);
    EXPECT_EQ(engine_.counters.tape_records, before + 1);
  }
  EXPECT_EQ(engine_.tape, nullptr);
}

TEST_F(TapeTest, ANonFiniteResultOrGradientNamesItsOpAndLayer) {
  engine_.check_finite = true;
  engine_.scope = {"layer", 3};
  tape_.begin_step();
  Tensor x = Tensor::zeros(engine_, {2});
  tape_.watch(x);
  const Recording on(engine_, &tape_);
  EXPECT_EQ(message_of([&] { (void)ops::log(x); }),
            "the result of log in layer 3 is -inf at element 0");
  const Tensor y = ops::sqrt(x);
  const Tensor loss = ops::sum(y);
  engine_.scope = {};
  EXPECT_EQ(message_of([&] { tape_.backward(loss); }),
            "the gradient of sqrt in layer 3 is inf at element 0");
}

// ---- random graphs ------------------------------------------------------------------------------

constexpr int64_t kSide = 3;
using Matrix = std::array<double, kSide * kSide>;

struct Node {
  int op, a, b;
};

Matrix apply(const Node& n, const Matrix& a, const Matrix& b) {
  Matrix y{};
  for (size_t i = 0; i < kSide; ++i) {
    for (size_t j = 0; j < kSide; ++j) {
      const size_t at = i * kSide + j;
      switch (n.op) {
        case 0:
          y[at] = a[at] + b[at];
          break;
        case 1:
          y[at] = a[at] * b[at];
          break;
        case 2:
          y[at] = std::tanh(a[at]);
          break;
        case 3:
          for (size_t k = 0; k < kSide; ++k) y[at] += a[i * kSide + k] * b[k * kSide + j];
          break;
        case 4:
          y[at] = a[j * kSide + i];
          break;
        case 5:
          y[at] = 0.5 * a[at] - b[at];
          break;
        default:
          y[at] = a[at] / (1.0 + std::exp(-a[at])) * b[at];
          break;
      }
    }
  }
  return y;
}

Tensor apply(const Node& n, const Tensor& a, const Tensor& b) {
  switch (n.op) {
    case 0:
      return ops::add(a, b);
    case 1:
      return ops::mul(a, b);
    case 2:
      return ops::tanh(a);
    case 3:
      return ops::matmul(a, b);
    case 4:
      return ops::transpose(a);
    case 5:
      return ops::sub(ops::scale(a, 0.5F), b);
    default:
      return ops::gated(a, b);
  }
}

double graph_loss(const std::vector<Node>& nodes, const std::vector<Matrix>& leaves) {
  std::vector<Matrix> v = leaves;
  for (const Node& n : nodes) {
    v.push_back(apply(n, v[static_cast<size_t>(n.a)], v[static_cast<size_t>(n.b)]));
  }
  double sum = 0.0;
  for (size_t i = v.size() - 3; i < v.size(); ++i) {
    for (const double x : v[i]) sum += std::tanh(x);
  }
  return sum;
}

TEST_F(TapeTest, RandomGraphsHaveTheGradientsOfTheirFloat64Twins) {
  constexpr int kGraphs = 200, kNodes = 14, kLeaves = 3;
  constexpr double kStep = 1e-6, kTolerance = 2e-4;  // a dozen products may amplify rounding
  std::mt19937 random(11);
  for (int graph = 0; graph < kGraphs; ++graph) {
    std::vector<Node> nodes;
    for (int i = 0; i < kNodes; ++i) {
      const auto pick = [&] {
        return static_cast<int>(random() % static_cast<uint32_t>(kLeaves + i));
      };
      nodes.push_back({static_cast<int>(random() % 7), pick(), pick()});
    }
    tape_.begin_step();
    std::vector<Matrix> matrices;
    std::vector<Tensor> v;
    for (int l = 0; l < kLeaves; ++l) {
      const Doubles x = uniform(kSide * kSide, random(), -0.9, 0.9);
      matrices.emplace_back();
      std::copy(x.begin(), x.end(), matrices.back().begin());
      v.push_back(leaf_of(engine_, {{kSide, kSide}, x}));
      tape_.watch(v.back());
    }
    {
      const Recording on(engine_, &tape_);
      for (const Node& n : nodes) {
        v.push_back(apply(n, v[static_cast<size_t>(n.a)], v[static_cast<size_t>(n.b)]));
      }
      Tensor loss;
      for (size_t i = v.size() - 3; i < v.size(); ++i) {
        const Tensor part = ops::sum(ops::tanh(v[i]));
        loss = loss.defined() ? ops::add(loss, part) : part;
      }
      tape_.backward(loss);
    }
    for (size_t l = 0; l < kLeaves; ++l) {
      const Tensor g = tape_.grad(v[l]);
      const Doubles got = g.defined() ? read(g) : Doubles(kSide * kSide, 0.0);
      for (size_t i = 0; i < got.size(); ++i) {
        double& x = matrices[l][i];
        const double before = x;
        x = before + kStep;
        const double above = graph_loss(nodes, matrices);
        x = before - kStep;
        const double want = (above - graph_loss(nodes, matrices)) / (2.0 * kStep);
        x = before;
        ASSERT_NEAR(got[i], want, kTolerance * std::max(1.0, std::abs(want)))
            << "graph " << graph << " leaf " << l << " element " << i;
      }
    }
  }
}

}  // namespace
}  // namespace ingot::testing::tape_test
