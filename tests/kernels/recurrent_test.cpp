// SPDX-License-Identifier: Apache-2.0
// recurrent.h against double loops, for every instruction set and team size: both cells, both
// directions, padding, dropout, more units than a block of gemm's k. The input projection of the
// reference is the identity, so that x is what the kernel calls gates. Gradients against finite
// differences of the reference.
#include "kernels/recurrent.h"

#include "kernels/guarded.h"
#include "kernels/kernel_testing.h"
#include "kernels/reference/recurrent.h"

namespace ingot::kernels::recurrent_test {
namespace {

using testing::Doubles;
using testing::Floats;
using testing::wide;

// Functions within 4e-7, sums of up to 400 products, carried through a few steps.
constexpr double kTolerance = 1e-5;
constexpr double kStep = 1e-6;  // of central differences

struct Problem {
  RecurrentKind kind;
  int64_t batch, seq, hidden;
  bool is_reverse = false, has_ids = false, has_dropout = false;

  [[nodiscard]] int64_t width() const { return gate_count(kind) * hidden; }
  [[nodiscard]] size_t states() const { return static_cast<size_t>(batch * seq * hidden); }
};

constexpr RecurrentKind kLstm = RecurrentKind::kLstm, kGru = RecurrentKind::kGru;

/// Numbers of a problem. Padding lies before, behind, everywhere or nowhere by row.
struct Data {
  Problem p;
  Floats gates, weight, bias, dy, dropout;
  std::vector<int32_t> ids;

  explicit Data(const Problem& problem)
      : p(problem),
        gates(testing::uniform(p.batch * p.seq * p.width(), 1)),
        weight(testing::uniform(p.width() * p.hidden, 2, -0.3F, 0.3F)),
        bias(testing::uniform(p.width(), 3)),
        dy(testing::uniform(p.batch * p.seq * p.hidden, 4)),
        dropout(testing::uniform(p.batch * p.hidden, 5, 0.0F, 2.0F)) {
    for (int64_t b = 0; b < p.batch; ++b) {
      for (int64_t t = 0; t < p.seq; ++t) {
        ids.push_back((b % 4 == 0 && t < 2) || (b % 4 == 1 && t + 1 >= p.seq) || b % 4 == 2 ? 0
                                                                                            : 7);
      }
    }
  }
  [[nodiscard]] const int32_t* ids_or_null() const { return p.has_ids ? ids.data() : nullptr; }
};

/// y of the reference, with gates and bias given in double.
Doubles truth(const Data& d, const Doubles& gates, const Doubles& bias) {
  const Problem& p = d.p;
  Doubles identity(static_cast<size_t>(p.width() * p.width()), 0.0);
  for (int64_t i = 0; i < p.width(); ++i) identity[static_cast<size_t>(i * p.width() + i)] = 1.0;
  const Doubles weight = wide(d.weight), dropout = wide(d.dropout);
  reference::Recurrent r{};
  r.x = gates.data(), r.input_weight = identity.data(), r.recurrent_weight = weight.data();
  r.recurrent_bias = bias.data(), r.ids = d.ids_or_null();
  r.dropout = p.has_dropout ? dropout.data() : nullptr;
  r.batch = p.batch, r.seq = p.seq, r.in = p.width(), r.hidden = p.hidden;
  r.is_reverse = p.is_reverse;
  Doubles y(p.states());
  p.kind == kLstm ? reference::lstm(r, y.data()) : reference::gru(r, y.data());
  return y;
}

/// Buffers of one run, each ending at a page that may not be touched.
struct Trial {
  const Data& d;
  Guarded gates, weight, bias, y, inner, prev, dropout;

  explicit Trial(const Data& data)
      : d(data),
        gates(d.gates),
        weight(d.weight),
        bias(d.bias),
        y(Floats(d.p.states(), -9.0F)),
        inner(Floats(d.p.states(), -9.0F)),
        prev(Floats(d.p.states(), -9.0F)),
        dropout(d.dropout) {}

  void forward(Team& team, bool keep_prev = true) {
    std::vector<double> scratch =
        testing::scratch_of(recurrent_scratch_bytes(d.p.kind, d.p.hidden));
    RecurrentArgs a;
    a.gates = gates.data(), a.weight = weight.data(), a.bias = bias.data();
    a.ids = d.ids_or_null();
    a.dropout = d.p.has_dropout ? dropout.data() : nullptr;
    a.y = y.data(), a.inner = inner.data();
    a.prev = keep_prev ? prev.data() : nullptr;
    a.scratch = reinterpret_cast<float*>(scratch.data());
    a.batch = d.p.batch, a.seq = d.p.seq, a.hidden = d.p.hidden;
    a.kind = d.p.kind, a.is_reverse = d.p.is_reverse;
    recurrent(a, team);
  }
  void backward(Team& team) {
    const Guarded dy(d.dy);
    std::vector<double> scratch =
        testing::scratch_of(recurrent_grad_scratch_bytes(d.p.kind, d.p.batch, d.p.hidden));
    RecurrentGradArgs a;
    a.dy = dy.data(), a.gates = gates.data(), a.weight = weight.data();
    a.ids = d.ids_or_null();
    a.dropout = d.p.has_dropout ? dropout.data() : nullptr;
    a.y = y.data(), a.inner = inner.data();
    a.scratch = reinterpret_cast<float*>(scratch.data());
    a.batch = d.p.batch, a.seq = d.p.seq, a.hidden = d.p.hidden;
    a.kind = d.p.kind, a.is_reverse = d.p.is_reverse;
    recurrent_grad(a, team);
  }
  [[nodiscard]] Floats states() const { return {y.data(), y.data() + d.p.states()}; }
};

TEST(Recurrent, StatesEqualDoubleLoops) {
  const Problem problems[] = {{kLstm, 1, 1, 1},
                              {kGru, 1, 1, 1},
                              {kLstm, 3, 5, 7},
                              {kGru, 3, 5, 7, true},
                              {kLstm, 9, 6, 17, true, true, true},
                              {kGru, 9, 6, 17, false, true, true},
                              {kLstm, 2, 3, 401},
                              {kGru, 2, 3, 401},
                              {kLstm, 67, 7, 40, false, true},
                              {kGru, 67, 9, 40, true, false, true}};
  for (const Problem& p : problems) {
    SCOPED_TRACE(std::to_string(p.batch) + " x " + std::to_string(p.seq) + " x " +
                 std::to_string(p.hidden));
    const Data d(p);
    testing::expect_kernel(
        [&](Team& team) {
          Trial run(d);
          run.forward(team);
          return run.states();
        },
        truth(d, wide(d.gates), wide(d.bias)), kTolerance);
  }
}

TEST(Recurrent, WithoutPrevTheBytesAreTheSame) {
  for (const RecurrentKind kind : {kLstm, kGru}) {
    const Data d({kind, 9, 6, 17, true, true});
    for_each_target([&] {
      Trial with(d), without(d);
      with.forward(testing::team_of(1));
      without.forward(testing::team_of(1), false);
      EXPECT_TRUE(testing::same_bits(with.states(), without.states()));
    });
  }
}

TEST(Recurrent, PaddedStepsRepeatTheStepBefore) {
  const Data d({kGru, 1, 5, 4, false, true});  // row 0: padding at steps 0 and 1
  Trial run(d);
  run.forward(testing::team_of(0));
  const Floats y = run.states();
  for (size_t j = 0; j < 8; ++j) EXPECT_EQ(y[j], 0.0F);
  EXPECT_NE(y[8], 0.0F);
}

/// d(Σ dy·y)/d values[k] of the reference, where y depends on values through f.
template <class F>
Doubles differences(const Floats& at, const Floats& dy, const F& f) {
  Doubles x = wide(at), g;
  const auto loss = [&] {
    const Doubles y = f(x);
    double sum = 0.0;
    for (size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(dy[i]) * y[i];
    return sum;
  };
  for (double& v : x) {
    const double before = v;
    v = before + kStep;
    const double above = loss();
    v = before - kStep;
    g.push_back((above - loss()) / (2.0 * kStep));
    v = before;
  }
  return g;
}

TEST(Recurrent, GradientsOfGatesAndBiasEqualFiniteDifferences) {
  const Problem problems[] = {{kLstm, 2, 3, 5},
                              {kGru, 2, 3, 5},
                              {kLstm, 5, 4, 3, true, true, true},
                              {kGru, 5, 4, 3, true, true, true}};
  for (const Problem& p : problems) {
    const Data d(p);
    const Doubles gates = wide(d.gates), bias = wide(d.bias);
    Doubles want = differences(d.gates, d.dy, [&](const Doubles& g) { return truth(d, g, bias); });
    const Doubles want_bias =
        differences(d.bias, d.dy, [&](const Doubles& b) { return truth(d, gates, b); });
    want.insert(want.end(), want_bias.begin(), want_bias.end());
    testing::expect_kernel(
        [&](Team& team) {
          Trial run(d);
          run.forward(team);
          run.backward(team);
          Floats out(run.gates.data(), run.gates.data() + d.gates.size());
          // The bias's gradient: sum over steps of dz, whose last gate is inner for a GRU.
          for (int64_t c = 0; c < p.width(); ++c) {
            float sum = 0.0F;
            for (int64_t row = 0; row < p.batch * p.seq; ++row) {
              const bool is_candidate = p.kind == kGru && c >= 2 * p.hidden;
              sum += is_candidate ? run.inner.data()[row * p.hidden + c - 2 * p.hidden]
                                  : run.gates.data()[row * p.width() + c];
            }
            out.push_back(sum);
          }
          return out;
        },
        want, kTolerance);
  }
}

TEST(Recurrent, GradientBytesDependOnNoTeam) {
  for (const RecurrentKind kind : {kLstm, kGru}) {
    const Data d({kind, 67, 9, 40, true, true, true});
    testing::on_every_team(
        [&](Team& team) {
          Trial run(d);
          run.forward(team);
          run.backward(team);
          Floats out(run.gates.data(), run.gates.data() + d.gates.size());
          out.insert(out.end(), run.inner.data(), run.inner.data() + d.p.states());
          return out;
        },
        [](const Floats& out) {
          for (const float v : out) ASSERT_TRUE(std::isfinite(v));
        });
  }
}

}  // namespace
}  // namespace ingot::kernels::recurrent_test
