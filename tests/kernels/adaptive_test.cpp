// SPDX-License-Identifier: Apache-2.0
// adaptive.h against scalar updates in double over several steps, every option; the row-sparse form
// against the dense one to the bit; padding, NaN, NAdam's remembered product.
#include "kernels/adaptive.h"

#include <cmath>

#include "kernels/kernel_testing.h"
#include "kernels/reference/adaptive.h"

namespace ingot::kernels::adaptive_test {
namespace {

using namespace testing;  // NOLINT: test file

// Four steps of float32 rounding at parameters of size 2, with divisions by small roots.
constexpr double kTolerance = 5e-6;
constexpr int kSteps = 4;
constexpr float kLr = 0.01F, kScale = 0.5F;
constexpr double kLrWide = static_cast<double>(kLr);

/// Gradients away from zero, where the sign of a mean could hang on rounding.
Floats gradient(int64_t n, int step) {
  Floats g = uniform(n, static_cast<uint32_t>(10 + step));
  for (float& x : g) x = x < 0.0F ? x - 0.25F : x + 0.25F;
  return g;
}

/// Parameters and up to three slabs of state, run for some steps by a rule's launcher.
struct State {
  Floats param, a, b, c;
  explicit State(int64_t n)
      : param(uniform(n, 1)), a(param.size()), b(param.size()), c(param.size()) {}
  template <class Args>
  void fill(Args& args, const Floats& grad) {
    args.param = param.data();
    args.grad = grad.data();
    args.lr = &kLr;
    args.grad_scale = &kScale;
    args.n = static_cast<int64_t>(param.size());
  }
};

/// launch(state, gradient, step, team) against element(grad, param, i, step).
template <class Launch, class Element>
void expect_rule(const Launch& launch, const Element& element) {
  for (const int64_t n : kSizes) {
    Doubles want = wide(uniform(n, 1));
    for (int step = 1; step <= kSteps; ++step) {
      const Floats g = gradient(n, step);
      for (size_t i = 0; i < want.size(); ++i) {
        element(0.5 * static_cast<double>(g[i]), want[i], i, step);
      }
    }
    const auto compute = [&](Team& team) {
      State state(n);
      for (int64_t step = 1; step <= kSteps; ++step) {
        launch(state, gradient(n, static_cast<int>(step)), step, team);
      }
      return state.param;
    };
    expect_kernel(compute, want, kTolerance);
  }
}

TEST(Rmsprop, MatchesReferenceOverSteps) {
  struct Options {
    bool centered, inside;
    double momentum;
  };
  for (const auto& [centered, inside, momentum] :
       {Options{false, false, 0.0}, {true, false, 0.9}, {false, true, 0.9}, {true, true, 0.0}}) {
    const double eps = inside ? 1e-3 : 1e-8;
    const reference::RmspropRule rule{kLrWide, 0.9, eps, 0.01, momentum, centered, inside};
    std::vector<reference::RmspropState> states;
    expect_rule(
        [&, centered = centered, inside = inside, momentum = momentum](State& s, const Floats& g,
                                                                       int64_t, Team& team) {
          RmspropArgs a;
          s.fill(a, g);
          a.square = s.a.data();
          a.mean = centered ? s.b.data() : nullptr;
          a.momentum_buffer = momentum > 0.0 ? s.c.data() : nullptr;
          a.alpha = 0.9;
          a.eps = eps;
          a.weight_decay = 0.01;
          a.momentum = momentum;
          a.eps_inside = inside;
          rmsprop(a, team);
        },
        [&](double g, double& p, size_t i, int step) {
          if (step == 1 && i == 0) states.assign(300000, {});
          reference::rmsprop(rule, g, p, states[i]);
        });
  }
}

TEST(Adagrad, MatchesReferenceOverSteps) {
  const reference::AdagradRule rule{kLrWide, 0.25, 1e-10, 0.01};
  Doubles sums;
  expect_rule(
      [&](State& s, const Floats& g, int64_t step, Team& team) {
        AdagradArgs a;
        s.fill(a, g);
        a.sum = s.a.data();
        a.step = &step;
        a.lr_decay = 0.25;
        a.weight_decay = 0.01;
        adagrad(a, team);
      },
      [&](double g, double& p, size_t i, int step) {
        if (step == 1 && i == 0) sums.assign(300000, 0.0);
        reference::adagrad(rule, step, g, p, sums[i]);
      });
}

TEST(Adadelta, MatchesReferenceOverSteps) {
  const reference::AdadeltaRule rule{kLrWide, 0.9, 1e-6, 0.01};
  Doubles squares, changes;
  expect_rule(
      [&](State& s, const Floats& g, int64_t, Team& team) {
        AdadeltaArgs a;
        s.fill(a, g);
        a.square = s.a.data();
        a.change = s.b.data();
        a.weight_decay = 0.01;
        adadelta(a, team);
      },
      [&](double g, double& p, size_t i, int step) {
        if (step == 1 && i == 0) {
          squares.assign(300000, 0.0);
          changes.assign(300000, 0.0);
        }
        reference::adadelta(rule, g, p, squares[i], changes[i]);
      });
}

TEST(Nadam, MatchesReferenceOverSteps) {
  for (const bool decoupled : {false, true}) {
    const reference::NadamRule rule{kLrWide, 0.9, 0.95, 1e-8, 0.1, 4e-3, decoupled};
    Doubles m, v;
    expect_rule(
        [&](State& s, const Floats& g, int64_t step, Team& team) {
          double product[2] = {0.0, 0.0};  // forgotten every time: worked out again
          NadamArgs a;
          s.fill(a, g);
          a.m = s.a.data();
          a.v = s.b.data();
          a.step = &step;
          a.product = product;
          a.beta2 = 0.95;
          a.weight_decay = 0.1;
          a.decoupled = decoupled;
          nadam(a, team);
        },
        [&](double g, double& p, size_t i, int step) {
          if (step == 1 && i == 0) {
            m.assign(300000, 0.0);
            v.assign(300000, 0.0);
          }
          reference::nadam(rule, step, g, p, m[i], v[i]);
        });
  }
}

TEST(Nadam, TheRememberedProductChangesNoByte) {
  double kept[2] = {0.0, 0.0};
  State with(40), without(40);
  for (int64_t step = 1; step <= 30; ++step) {
    const Floats g = gradient(40, static_cast<int>(step));
    double forgotten[2] = {static_cast<double>(step) + 5.0, 0.25};
    for (int call = 0; call < 2; ++call) {  // two groups of one step
      for (const auto& [state, product] :
           {std::pair{&with, kept}, std::pair{&without, forgotten}}) {
        NadamArgs a;
        state->fill(a, g);
        a.m = state->a.data();
        a.v = state->b.data();
        a.step = &step;
        a.product = product;
        nadam(a, team_of(0));
      }
    }
    EXPECT_EQ(kept[1], forgotten[1]);
  }
  EXPECT_TRUE(same_bits(with.param, without.param));
}

TEST(Lion, MatchesReferenceOverSteps) {
  const reference::LionRule rule{kLrWide, 0.9, 0.99, 0.1};
  Doubles m;
  expect_rule(
      [&](State& s, const Floats& g, int64_t, Team& team) {
        LionArgs a;
        s.fill(a, g);
        a.m = s.a.data();
        a.weight_decay = 0.1;
        lion(a, team);
      },
      [&](double g, double& p, size_t i, int step) {
        if (step == 1 && i == 0) m.assign(300000, 0.0);
        reference::lion(rule, g, p, m[i]);
      });
}

/// Every rule on a table, from a dense or a row-sparse gradient: parameters and state.
Floats run_table(int rule, bool sparse, double decay, Team& team) {
  constexpr int64_t kRows = 700, kCols = 130;
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < kRows; i += 7) ids.push_back(i);
  const auto count = static_cast<int64_t>(ids.size());
  const Floats rows = uniform(count * kCols, 4);
  Floats dense(static_cast<size_t>(kRows * kCols));
  for (size_t u = 0; u < ids.size(); ++u) {
    std::copy_n(rows.begin() + static_cast<long>(u) * kCols, kCols,
                dense.begin() + static_cast<long>(ids[u]) * kCols);
  }
  State s(kRows * kCols);
  s.a = uniform(kRows * kCols, 5, 0.1F, 1.0F);
  s.b = uniform(kRows * kCols, 6, 0.1F, 0.3F);
  const int64_t step = 3;
  double product[2] = {0.0, 0.0};
  const auto launch = [&](auto args, auto kernel, const auto& set) {
    s.fill(args, sparse ? rows : dense);
    args.unique_ids = sparse ? ids.data() : nullptr;
    args.unique_count = sparse ? &count : nullptr;
    args.cols = kCols;
    args.weight_decay = decay;
    set(args);
    kernel(args, team);
  };
  if (rule == 0) {
    launch(RmspropArgs(), rmsprop, [&](RmspropArgs& a) {
      a.square = s.a.data();
      a.mean = s.b.data();
      a.momentum_buffer = s.c.data();
      a.momentum = 0.9;
    });
  } else if (rule == 1) {
    launch(AdagradArgs(), adagrad, [&](AdagradArgs& a) {
      a.sum = s.a.data();
      a.step = &step;
    });
  } else if (rule == 2) {
    launch(AdadeltaArgs(), adadelta, [&](AdadeltaArgs& a) {
      a.square = s.a.data();
      a.change = s.b.data();
    });
  } else if (rule == 3) {
    launch(NadamArgs(), nadam, [&](NadamArgs& a) {
      a.m = s.b.data();
      a.v = s.a.data();
      a.step = &step;
      a.product = product;
    });
  } else {
    launch(LionArgs(), lion, [&](LionArgs& a) { a.m = s.a.data(); });
  }
  for (const Floats* state : {&s.a, &s.b, &s.c}) {
    s.param.insert(s.param.end(), state->begin(), state->end());
  }
  return s.param;
}

TEST(RowSparse, EveryRuleEqualsTheDenseUpdateToTheBit) {
  for (int rule = 0; rule < 5; ++rule) {
    for (const double decay : {0.0, 0.1}) {
      SCOPED_TRACE("rule " + std::to_string(rule));
      on_every_team([&](Team& t) { return run_table(rule, true, decay, t); },
                    [&](const Floats& got) {
                      EXPECT_TRUE(same_bits(got, run_table(rule, false, decay, team_of(0))));
                    });
    }
  }
}

TEST(Adaptive, PaddingStaysZeroAndNanShows) {
  for_each_target([&] {
    const int64_t step = 2;
    double product[2] = {0.0, 0.0};
    for (int rule = 0; rule < 5; ++rule) {
      State s(40);
      s.param.assign(40, 0.0F);
      Floats g(40);
      g[7] = std::nanf("");
      const auto launch = [&](auto args, auto kernel, const auto& set) {
        s.fill(args, g);
        args.weight_decay = 0.1;
        set(args);
        kernel(args, team_of(0));
      };
      if (rule == 0) launch(RmspropArgs(), rmsprop, [&](auto& a) { a.square = s.a.data(); });
      if (rule == 1) {
        launch(AdagradArgs(), adagrad, [&](auto& a) { a.sum = s.a.data(), a.step = &step; });
      }
      if (rule == 2) {
        launch(AdadeltaArgs(), adadelta,
               [&](auto& a) { a.square = s.a.data(), a.change = s.b.data(); });
      }
      if (rule == 3) {
        launch(NadamArgs(), nadam, [&](auto& a) {
          a.m = s.a.data(), a.v = s.b.data(), a.step = &step, a.product = product;
        });
      }
      if (rule == 4) launch(LionArgs(), lion, [&](auto& a) { a.m = s.a.data(); });
      for (size_t i = 0; i < 40; ++i) {
        EXPECT_EQ(std::isnan(s.param[i]), i == 7) << "rule " << rule << " at " << i;
        EXPECT_TRUE(i == 7 || s.param[i] == 0.0F) << "rule " << rule << " at " << i;
      }
    }
  });
}

}  // namespace
}  // namespace ingot::kernels::adaptive_test
