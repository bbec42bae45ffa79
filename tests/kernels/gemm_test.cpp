// SPDX-License-Identifier: Apache-2.0
// gemm.h against plain loops in double (within rounding) and against plain loops in the documented
// float order (to the bit), for every instruction set this machine can run.
#include "kernels/gemm.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/each_target.h"
#include "kernels/guarded.h"
#include "kernels/reference/gemm.h"

namespace ingot::kernels::gemm_test {
namespace {

// One rounding per FMA and one per block sum, plus the bias: relative to sum |a||b|.
double rounding(int64_t k) { return static_cast<double>(k + 4) * std::ldexp(1.0, -24); }
// math-inl.h promises 2e-7 * max(1, |x|) for the activations.
constexpr double kActivationError = 3e-7;

struct Problem {
  int64_t m, n, k;
  bool trans_a = false, trans_b = false, accumulate = false, bias = false, pre = false;
  Activation activation = Activation::kNone;
  int64_t batch = 1, pad = 0;
  bool packed = false;
};

std::vector<float> random_floats(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = uniform(engine);
  return v;
}

/// Owns the operands of a problem; rows are `pad` longer than they need to be.
struct Data {
  Problem p;
  std::vector<float> a, b, c, bias, pre, packed;
  GemmArgs args;

  explicit Data(const Problem& problem) : p(problem) {
    args.m = p.m;
    args.n = p.n;
    args.k = p.k;
    args.lda = (p.trans_a ? p.m : p.k) + p.pad;
    args.ldb = (p.trans_b ? p.k : p.n) + p.pad;
    args.ldc = p.n + p.pad;
    args.batch = p.batch;
    args.stride_a = args.lda * (p.trans_a ? p.k : p.m);
    args.stride_b = args.ldb * (p.trans_b ? p.n : p.k);
    args.stride_c = args.ldc * p.m;
    args.trans_a = p.trans_a;
    args.trans_b = p.trans_b;
    args.accumulate = p.accumulate;
    args.activation = p.activation;
    a = random_floats(args.stride_a * p.batch + 1, 1);
    b = random_floats(args.stride_b * p.batch + 1, 2);
    c = random_floats(args.stride_c * p.batch, 3);
    bias = random_floats(p.n, 4);
    pre.assign(c.size(), -7.0F);
    args.a = a.data();
    args.b = b.data();
    if (p.bias) args.bias = bias.data();
  }

  /// Runs on a team of `workers` and returns c; `before` fills nothing it should not.
  std::vector<float> run(int workers) {
    Team team(workers);
    std::vector<float> out = c;
    GemmArgs g = args;
    g.c = out.data();
    if (p.pre) g.pre = pre.data();
    if (p.packed) {
      packed.assign(static_cast<size_t>(gemm_packed_bytes(p.n, p.k)) / sizeof(float) + 16, NAN);
      float* aligned = align(packed);
      gemm_pack_b({g.b, aligned, p.n, p.k, g.ldb, g.trans_b}, team);
      g.b = aligned;
      g.b_packed = true;
    }
    std::vector<float> scratch(
        static_cast<size_t>(gemm_scratch_bytes(g, workers)) / sizeof(float) + 16, NAN);
    g.scratch = align(scratch);
    gemm(g, team);
    return out;
  }

  static float* align(std::vector<float>& v) {
    return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(v.data()) + 63) / 64 * 64);
  }
};

bool same_bytes(const std::vector<float>& x, const std::vector<float>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

std::string name_of(const Problem& p) {
  return std::to_string(p.m) + "x" + std::to_string(p.n) + "x" + std::to_string(p.k) +
         (p.trans_a ? " ta" : "") + (p.trans_b ? " tb" : "") + (p.packed ? " packed" : "");
}

void expect_near_reference(const Problem& p, int workers) {
  Data data(p);
  const std::vector<float> got = data.run(workers);
  const std::vector<double> a(data.a.begin(), data.a.end());
  const std::vector<double> b(data.b.begin(), data.b.end());
  const std::vector<double> bias(data.bias.begin(), data.bias.end());
  std::vector<double> c(data.c.begin(), data.c.end());
  std::vector<double> pre(data.pre.begin(), data.pre.end());
  reference::Gemm r;
  const GemmArgs& g = data.args;
  r = {a.data(),
       b.data(),
       c.data(),
       p.bias ? bias.data() : nullptr,
       pre.data(),
       p.m,
       p.n,
       p.k,
       g.lda,
       g.ldb,
       g.ldc,
       p.batch,
       g.stride_a,
       g.stride_b,
       g.stride_c,
       p.trans_a,
       p.trans_b,
       p.accumulate,
       static_cast<int32_t>(p.activation)};
  reference::gemm(r);
  for (size_t i = 0; i < got.size(); ++i) {
    // |a|, |b| < 1, and no activation here has a slope above 1.13.
    const double bound = 1.2 * rounding(p.k) * (static_cast<double>(p.k) + 2) +
                         kActivationError * std::max(1.0, std::abs(c[i]));
    ASSERT_NEAR(got[i], c[i], bound) << name_of(p) << " at " << i;
    if (p.pre) {
      ASSERT_NEAR(data.pre[i], pre[i], bound) << name_of(p) << " pre at " << i;
    }
  }
}

/// The order that gemm.h documents, written as loops over one element.
std::vector<float> documented_order(const Data& data) {
  std::vector<float> c = data.c;
  const GemmArgs& g = data.args;
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t j = 0; j < g.n; ++j) {
      float& cell = c[static_cast<size_t>(i * g.ldc + j)];
      for (int64_t p0 = 0; p0 < g.k; p0 += kGemmBlockK) {
        float chain = 0.0F;
        for (int64_t p = p0; p < std::min(g.k, p0 + kGemmBlockK); ++p) {
          const float x = g.trans_a ? g.a[p * g.lda + i] : g.a[i * g.lda + p];
          const float y = g.trans_b ? g.b[j * g.ldb + p] : g.b[p * g.ldb + j];
          chain = std::fma(x, y, chain);
        }
        cell = p0 == 0 && !g.accumulate ? chain : cell + chain;
      }
    }
  }
  return c;
}

TEST(Gemm, MatchesDoubleLoopsForOddSizesAndAllTransposes) {
  for_each_target([] {
    for (const int64_t m : {1, 3, 7, 63, 127}) {
      for (const int64_t n : {1, 3, 31, 64, 65, 127}) {
        for (const int64_t k : {1, 7, 64, 65}) {
          const int64_t turn = m + n + k;
          expect_near_reference({m, n, k, (turn & 1) != 0, (turn & 2) != 0, (m & 2) != 0}, 2);
          expect_near_reference({m, n, k, (turn & 2) != 0, (turn & 1) == 0, (n & 2) != 0}, 1);
        }
      }
    }
  });
}

TEST(Gemm, MatchesDoubleLoopsAcrossBlocksOfK) {
  for_each_target([] {
    for (const int64_t k : {383, 384, 385, 769}) {
      expect_near_reference({65, 70, k, false, true, true}, 2);
      expect_near_reference({29, 95, k, true, false, false}, 3);
      expect_near_reference({3, 95, k, false, true, false}, 2);
    }
  });
}

TEST(Gemm, EpilogueAddsBiasKeepsPreAndActivates) {
  for_each_target([] {
    for (int32_t activation = 0; activation <= 4; ++activation) {
      for (const int64_t m : {1, 5, 70}) {
        Problem p{m, 67, 400, false, true, m == 5, true, true, static_cast<Activation>(activation)};
        expect_near_reference(p, 2);
        p.bias = p.pre = false;
        expect_near_reference(p, 2);
      }
    }
  });
}

TEST(Gemm, AddsInTheDocumentedOrder) {
  for_each_target([] {
    if (!target_has_fma()) return;
    for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
             {1, 1, 1}, {2, 33, 500}, {8, 130, 385}, {9, 31, 800}, {100, 97, 500}, {33, 300, 96}}) {
      for (int flags = 0; flags < 8; ++flags) {
        Data data({m, n, k, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0});
        const std::vector<float> truth = documented_order(data);
        EXPECT_TRUE(same_bytes(data.run(2), truth)) << name_of(data.p) << " flags " << flags;
        data.p.packed = true;
        EXPECT_TRUE(same_bytes(data.run(2), truth)) << name_of(data.p) << " flags " << flags;
      }
    }
  });
}

TEST(Gemm, ARowAloneEqualsTheRowAmongMany) {
  for_each_target([] {
    for (const bool packed : {false, true}) {
      Problem p{33, 150, 1000, false, true, false, true, false, Activation::kGelu};
      p.packed = packed;
      Data data(p);
      const std::vector<float> all = data.run(2);
      for (const int64_t rows : {1, 2, 5, 8, 9, 20}) {
        Data part = data;
        part.p.m = part.args.m = rows;
        part.args.a = data.a.data() + 3 * data.args.lda;
        const std::vector<float> some = part.run(2);
        EXPECT_EQ(0, std::memcmp(some.data(), all.data() + 3 * p.n,
                                 static_cast<size_t>(rows * p.n) * sizeof(float)))
            << rows << " rows, packed " << packed;
      }
    }
  });
}

TEST(Gemm, TeamSizeDoesNotChangeBytes) {
  for_each_target([] {
    for (Problem p : {Problem{200, 180, 800, true, false, true}, Problem{4, 1300, 450, false, true},
                      Problem{64, 2100, 390, false, true}, Problem{4, 1300, 450, false, false}}) {
      for (const int64_t batch : {1, 5}) {
        p.batch = batch;
        Data data(p);
        const std::vector<float> one = data.run(1);
        for (const int workers : {2, 3, 8}) {
          if (batch > 1 && workers == 8) continue;  // as for 1, only slower
          EXPECT_TRUE(same_bytes(data.run(workers), one)) << name_of(p) << " workers " << workers;
        }
      }
    }
  });
}

TEST(Gemm, BatchesMatchDoubleLoops) {
  for_each_target([] {
    Problem p{20, 33, 50, false, true, true, true};
    p.batch = 7;
    expect_near_reference(p, 3);
    Problem big{70, 90, 100, true, false};
    big.batch = 2;
    expect_near_reference(big, 3);
    expect_near_reference(big, 1);
  });
}

TEST(Gemm, NeverWritesOutsideItsColumns) {
  for_each_target([] {
    for (const int64_t n : {1, 15, 17, 33, 63, 100}) {
      for (const int64_t m : {2, 15, 80}) {
        Problem p{m, n, 90, false, true, false, true, true, Activation::kSilu};
        p.pad = 5;
        Data data(p);
        const std::vector<float> got = data.run(2);
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t j = n; j < n + p.pad; ++j) {
            const auto cell = static_cast<size_t>(i * data.args.ldc + j);
            EXPECT_EQ(got[cell], data.c[cell]);
            EXPECT_EQ(data.pre[cell], -7.0F);
          }
        }
      }
    }
  });
}

TEST(Gemm, NaNReachesItsRowAndColumnOnly) {
  for_each_target([] {
    for (const int64_t m : {5, 90}) {
      Problem p{m, 70, 100};
      p.activation = Activation::kRelu;
      Data data(p);
      data.a[static_cast<size_t>(2 * data.args.lda + 7)] = NAN;
      data.b[static_cast<size_t>(9 * data.args.ldb + 41)] = NAN;
      const std::vector<float> got = data.run(2);
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < p.n; ++j) {
          EXPECT_EQ(std::isnan(got[static_cast<size_t>(i * p.n + j)]), i == 2 || j == 41);
        }
      }
    }
  });
}

TEST(Gemm, EmptySumsGiveZeroOrTheOldValueAndTheEpilogue) {
  for_each_target([] {
    Problem p{3, 20, 0, false, false, false, true};
    Data fresh(p);
    const std::vector<float> got = fresh.run(1);
    for (int64_t i = 0; i < 60; ++i) {
      EXPECT_EQ(got[static_cast<size_t>(i)], fresh.bias[static_cast<size_t>(i % 20)]);
    }
    p.accumulate = true;
    Data old(p);
    const std::vector<float> kept = old.run(1);
    for (int64_t i = 0; i < 60; ++i) {
      const auto cell = static_cast<size_t>(i);
      EXPECT_EQ(kept[cell], old.c[cell] + old.bias[cell % 20]);
    }
    EXPECT_TRUE(Data({0, 4, 4}).run(2).empty());
  });
}

TEST(Gemm, SmallProductsNeedNoScratch) {
  GemmArgs g;
  g.m = 32;
  g.n = 32;
  g.k = 32;
  EXPECT_EQ(gemm_scratch_bytes(g, 8), 0);
  g.m = 2048;
  EXPECT_GT(gemm_scratch_bytes(g, 8), 0);
}

TEST(Gemm, NothingBehindTheOperandsIsTouched) {
  for_each_target([] {
    for (const Problem& p :
         {Problem{1, 3, 9}, Problem{3, 5, 7}, Problem{2, 17, 4}, Problem{20, 37, 33},
          Problem{40, 37, 33, true}, Problem{5, 3, 9, false, true}}) {
      Data data(p);
      const Guarded a(random_floats(p.m * p.k, 1)), b(random_floats(p.k * p.n, 2));
      const Guarded c(random_floats(p.m * p.n, 3)), bias(random_floats(p.n, 4));
      GemmArgs g = data.args;
      g.a = a.data();
      g.b = b.data();
      g.c = c.data();
      g.bias = bias.data();
      g.accumulate = true;
      Team team(1);
      std::vector<float> scratch(static_cast<size_t>(gemm_scratch_bytes(g, 1)) / sizeof(float) +
                                 17);
      g.scratch =
          reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
      gemm(g, team);
      EXPECT_TRUE(std::isfinite(c.data()[p.m * p.n - 1]));
    }
  });
}

}  // namespace
}  // namespace ingot::kernels::gemm_test
