// SPDX-License-Identifier: Apache-2.0
// attention.h against softmax attention written out in double, and its promises to the bit: later
// tokens, other documents and the size of the team do not change a row.
#include "kernels/attention.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/each_target.h"
#include "kernels/guarded.h"
#include "kernels/reference/attention.h"

namespace ingot::kernels::attention_test {
namespace {

// Scores here stay below about 8, values below 1: a few hundred roundings of 6e-8.
constexpr double kForwardError = 2e-6;
// Gradients sum up to 200 rows of products below 1.
constexpr double kBackwardError = 3e-5;

struct Shape {
  int64_t batch, seq, heads, kv_heads, head_dim;
  bool causal = true, docs = false;
};

std::vector<float> random_floats(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = uniform(engine);
  return v;
}

std::vector<double> widened(const std::vector<float>& v) { return {v.begin(), v.end()}; }

/// q, k and v as one projection writes them: [batch, seq, (heads + 2 kv_heads) * head_dim].
struct Data {
  Shape s;
  std::vector<float> qkv, out, lse, dout, dqkv;
  std::vector<int32_t> doc_start;
  AttentionStrides packed, dense;

  explicit Data(const Shape& shape) : s(shape) {
    const int64_t row = (s.heads + 2 * s.kv_heads) * s.head_dim;
    packed = {s.seq * row, row, s.head_dim};
    dense = {s.seq * s.heads * s.head_dim, s.heads * s.head_dim, s.head_dim};
    qkv = random_floats(s.batch * s.seq * row, 5);
    dout = random_floats(s.batch * dense.batch, 6);
    out.assign(dout.size(), NAN);
    lse.assign(static_cast<size_t>(s.batch * s.heads * s.seq), NAN);
    dqkv.assign(qkv.size(), 0.25F);
    if (!s.docs) return;
    for (int64_t i = 0; i < s.batch * s.seq; ++i) {
      const int64_t t = i % s.seq;  // documents of 29 tokens
      doc_start.push_back(static_cast<int32_t>(t - t % 29));
    }
  }

  [[nodiscard]] int64_t k_offset() const { return s.heads * s.head_dim; }
  [[nodiscard]] int64_t v_offset() const { return (s.heads + s.kv_heads) * s.head_dim; }
  [[nodiscard]] float scale() const { return 1.0F / std::sqrt(static_cast<float>(s.head_dim)); }

  static float* align(std::vector<float>& v) {
    return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(v.data()) + 63) / 64 * 64);
  }

  void forward(int workers) {
    Team team(workers);
    AttentionArgs g;
    g.q = qkv.data();
    g.k = qkv.data() + k_offset();
    g.v = qkv.data() + v_offset();
    if (s.docs) g.doc_start = doc_start.data();
    g.out = out.data();
    g.lse = lse.data();
    g.batch = s.batch;
    g.seq = s.seq;
    g.heads = s.heads;
    g.kv_heads = s.kv_heads;
    g.head_dim = s.head_dim;
    g.q_stride = g.k_stride = g.v_stride = packed;
    g.out_stride = dense;
    g.causal = s.causal;
    g.scale = scale();
    std::vector<float> scratch(
        static_cast<size_t>(attention_scratch_bytes(g, workers)) / sizeof(float) + 16, NAN);
    g.scratch = align(scratch);
    attention(g, team);
  }

  void backward(int workers, bool accumulate) {
    Team team(workers);
    AttentionBackwardArgs g;
    g.q = qkv.data();
    g.k = qkv.data() + k_offset();
    g.v = qkv.data() + v_offset();
    if (s.docs) g.doc_start = doc_start.data();
    g.out = out.data();
    g.lse = lse.data();
    g.dout = dout.data();
    g.dq = dqkv.data();
    g.dk = dqkv.data() + k_offset();
    g.dv = dqkv.data() + v_offset();
    g.batch = s.batch;
    g.seq = s.seq;
    g.heads = s.heads;
    g.kv_heads = s.kv_heads;
    g.head_dim = s.head_dim;
    g.q_stride = g.k_stride = g.v_stride = g.dq_stride = g.dk_stride = g.dv_stride = packed;
    g.out_stride = g.dout_stride = dense;
    g.causal = s.causal;
    g.accumulate = accumulate;
    g.scale = scale();
    std::vector<float> scratch(
        static_cast<size_t>(attention_backward_scratch_bytes(g, workers)) / sizeof(float) + 16,
        NAN);
    g.scratch = align(scratch);
    attention_backward(g, team);
  }

  /// The part of qkv (or dqkv) that holds `heads` heads from `offset`, dense and in double.
  [[nodiscard]] std::vector<double> part(const std::vector<float>& from, int64_t offset,
                                         int64_t heads) const {
    std::vector<double> v;
    for (int64_t i = 0; i < s.batch * s.seq; ++i) {
      const auto at = from.begin() + i * packed.seq + offset;
      v.insert(v.end(), at, at + heads * s.head_dim);
    }
    return v;
  }
};

struct Truth {
  std::vector<double> q, k, v, out, lse, dout, dq, dk, dv;
};

Truth truth_of(const Data& data) {
  const Shape& s = data.s;
  Truth t;
  t.q = data.part(data.qkv, 0, s.heads);
  t.k = data.part(data.qkv, data.k_offset(), s.kv_heads);
  t.v = data.part(data.qkv, data.v_offset(), s.kv_heads);
  t.dout = widened(data.dout);
  t.out.resize(t.q.size());
  t.lse.resize(data.lse.size());
  t.dq.resize(t.q.size());
  t.dk.resize(t.k.size());
  t.dv.resize(t.k.size());
  reference::Attention r{t.q.data(),
                         t.k.data(),
                         t.v.data(),
                         s.docs ? data.doc_start.data() : nullptr,
                         t.out.data(),
                         t.lse.data(),
                         t.dout.data(),
                         t.dq.data(),
                         t.dk.data(),
                         t.dv.data(),
                         s.batch,
                         s.seq,
                         s.heads,
                         s.kv_heads,
                         s.head_dim,
                         s.causal,
                         static_cast<double>(data.scale())};
  reference::attention(r);
  reference::attention_backward(r);
  return t;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want, double bound,
                 const char* what, const Shape& s) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], bound)
        << what << " at " << i << ", seq " << s.seq << ", head_dim " << s.head_dim << ", heads "
        << s.heads << ", causal " << s.causal << ", docs " << s.docs;
  }
}

void check(const Shape& s) {
  Data data(s);
  const Truth t = truth_of(data);
  data.forward(2);
  expect_near(widened(data.out), t.out, kForwardError, "out", s);
  expect_near(widened(data.lse), t.lse, kForwardError, "lse", s);
  data.backward(2, false);
  expect_near(data.part(data.dqkv, 0, s.heads), t.dq, kBackwardError, "dq", s);
  expect_near(data.part(data.dqkv, data.k_offset(), s.kv_heads), t.dk, kBackwardError, "dk", s);
  expect_near(data.part(data.dqkv, data.v_offset(), s.kv_heads), t.dv, kBackwardError, "dv", s);
}

bool same_bytes(const std::vector<float>& x, const std::vector<float>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

TEST(Attention, MatchesDoubleForOddLengthsAndHeadSizes) {
  for_each_target([] {
    for (const int64_t head_dim : {1, 5, 16, 64, 80, 128}) {
      for (const int64_t seq : {1, 3, 7, 63, 64, 65, 127}) check({2, seq, 2, 2, head_dim});
    }
  });
}

TEST(Attention, MatchesDoubleWithSharedHeadsDocumentsAndFullSight) {
  for_each_target([] {
    for (const int64_t seq : {31, 130, 200}) {
      check({2, seq, 6, 2, 20, true, false});
      check({2, seq, 3, 1, 33, true, true});
      check({1, seq, 4, 4, 48, false, false});
      check({1, seq, 4, 2, 17, false, true});
    }
    check({1, 70, 2, 1, 256, true, false});
  });
}

TEST(Attention, ARowDependsOnItselfAndEarlierTokensOnly) {
  for_each_target([] {
    Data full({1, 150, 4, 2, 24});
    full.forward(2);
    for (const int64_t seq : {1, 5, 64, 65, 100, 149}) {
      Data part({1, seq, 4, 2, 24});
      std::copy_n(full.qkv.begin(), part.qkv.size(), part.qkv.begin());
      part.forward(1);
      EXPECT_EQ(0, std::memcmp(part.out.data(), full.out.data(), part.out.size() * sizeof(float)))
          << "first " << seq << " tokens";
    }
    Data spoiled({1, 150, 4, 2, 24});
    for (size_t i = static_cast<size_t>(100 * spoiled.packed.seq); i < spoiled.qkv.size(); ++i) {
      spoiled.qkv[i] = NAN;
    }
    spoiled.forward(2);
    const size_t clean = static_cast<size_t>(100 * spoiled.dense.seq);
    EXPECT_EQ(0, std::memcmp(spoiled.out.data(), full.out.data(), clean * sizeof(float)));
    EXPECT_TRUE(std::isnan(spoiled.out[clean]));
  });
}

TEST(Attention, DocumentsDoNotSeeEachOther) {
  for_each_target([] {
    Data data({1, 150, 2, 2, 24, true, true});
    data.forward(2);
    Data other = data;
    for (int64_t i = 29; i < 58; ++i) {  // the second document
      for (int64_t c = 0; c < data.packed.seq; ++c) {
        other.qkv[static_cast<size_t>(i * data.packed.seq + c)] = NAN;
      }
    }
    other.forward(2);
    for (int64_t i = 0; i < 150; ++i) {
      const auto row = static_cast<size_t>(i * data.dense.seq);
      const bool equal = std::memcmp(&data.out[row], &other.out[row],
                                     static_cast<size_t>(data.dense.seq) * sizeof(float)) == 0;
      EXPECT_EQ(equal, i < 29 || i >= 58) << "row " << i;
    }
  });
}

TEST(Attention, TeamSizeDoesNotChangeBytes) {
  for_each_target([] {
    for (const bool causal : {true, false}) {
      Data one({2, 200, 4, 2, 40, causal, causal});
      one.forward(1);
      one.backward(1, false);
      for (const int workers : {2, 3, 8}) {
        Data many({2, 200, 4, 2, 40, causal, causal});
        many.forward(workers);
        many.backward(workers, false);
        EXPECT_TRUE(same_bytes(one.out, many.out)) << workers;
        EXPECT_TRUE(same_bytes(one.lse, many.lse)) << workers;
        EXPECT_TRUE(same_bytes(one.dqkv, many.dqkv)) << workers;
      }
    }
  });
}

TEST(Attention, GradientsAccumulate) {
  for_each_target([] {
    const Shape s{1, 100, 2, 1, 20};
    Data fresh(s);
    fresh.forward(1);
    Data added = fresh;
    fresh.backward(1, false);
    added.backward(1, true);
    for (size_t i = 0; i < fresh.dqkv.size(); ++i) {
      EXPECT_NEAR(added.dqkv[i], fresh.dqkv[i] + 0.25F, kBackwardError);
    }
  });
}

TEST(Attention, NaNPropagates) {
  for_each_target([] {
    Data data({1, 80, 1, 1, 8});
    data.qkv[static_cast<size_t>(10 * data.packed.seq + data.k_offset() + 3)] = NAN;  // a key
    data.forward(1);
    for (int64_t i = 0; i < 80; ++i) {
      EXPECT_EQ(std::isnan(data.out[static_cast<size_t>(i * 8)]), i >= 10) << i;
      EXPECT_EQ(std::isnan(data.lse[static_cast<size_t>(i)]), i >= 10) << i;
    }
  });
}

// The op refuses it; a recorded step cannot look, and must not write in front of its scratch.
TEST(Attention, ANegativeDocumentStartIsTheFirstPosition) {
  for_each_target([] {
    Data first({1, 70, 1, 1, 8, true, true}), negative({1, 70, 1, 1, 8, true, true});
    for (size_t i = 60; i < 70; ++i) {
      first.doc_start[i] = 0;
      negative.doc_start[i] = std::numeric_limits<int32_t>::min();
    }
    for (Data* data : {&first, &negative}) {
      data->forward(1);
      data->backward(1, false);
    }
    EXPECT_EQ(first.out, negative.out);
    EXPECT_EQ(first.dqkv, negative.dqkv);
  });
}

TEST(Attention, ARowThatSeesNothingIsZero) {
  for_each_target([] {
    Data data({1, 70, 1, 1, 8, true, true});
    data.doc_start[66] = 70;
    data.forward(1);
    data.backward(1, false);
    for (size_t c = 0; c < 8; ++c) EXPECT_EQ(data.out[66 * 8 + c], 0.0F);
    EXPECT_EQ(data.lse[66], -std::numeric_limits<float>::infinity());
    for (const float x : data.dqkv) EXPECT_TRUE(std::isfinite(x));
  });
}

TEST(Attention, BoundsOfTokensLeaveOutPaddingOnBothSides) {
  const std::vector<int32_t> ids = {0, 0, 5, 0, 7, 0,  // a zero between tokens is a token
                                    3, 1, 4, 1, 5, 9, 0, 0, 0, 0, 0, 0};
  std::vector<int32_t> start(18, -1), end(18, -1);
  Team team(2);
  TokenBoundsArgs args;
  args.ids = ids.data(), args.start = start.data(), args.end = end.data();
  args.batch = 3, args.seq = 6;
  token_bounds(args, team);
  EXPECT_EQ(start, (std::vector<int32_t>{0, 1, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(end, (std::vector<int32_t>{5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 0, 0, 0, 0, 0, 0}));
}

TEST(Attention, NothingBehindTheOperandsIsTouched) {
  for_each_target([] {
    for (const int64_t head_dim : {1, 5, 8, 19}) {
      const int64_t seq = 3, count = seq * head_dim;
      const Guarded q(random_floats(count, 1)), k(random_floats(count, 2)),
          v(random_floats(count, 3));
      const Guarded dout(random_floats(count, 4)), out(random_floats(count, 5));
      const Guarded lse(random_floats(seq, 6));
      const Guarded dq(random_floats(count, 7)), dk(random_floats(count, 8)),
          dv(random_floats(count, 9));
      Team team(1);
      std::vector<float> scratch(1 << 20);
      const AttentionStrides strides{count, head_dim, head_dim};
      AttentionArgs g;
      g.q = q.data(), g.k = k.data(), g.v = v.data(), g.out = out.data(), g.lse = lse.data();
      g.scratch = Data::align(scratch);
      g.batch = g.heads = g.kv_heads = 1, g.seq = seq, g.head_dim = head_dim;
      g.q_stride = g.k_stride = g.v_stride = g.out_stride = strides;
      ASSERT_LE(attention_scratch_bytes(g, 1), (1 << 20) * 4 - 64);
      attention(g, team);
      AttentionBackwardArgs b;
      b.q = q.data(), b.k = k.data(), b.v = v.data(), b.out = out.data(), b.lse = lse.data();
      b.dout = dout.data(), b.dq = dq.data(), b.dk = dk.data(), b.dv = dv.data();
      b.scratch = g.scratch;
      b.batch = b.heads = b.kv_heads = 1, b.seq = seq, b.head_dim = head_dim;
      b.q_stride = b.k_stride = b.v_stride = b.out_stride = b.dout_stride = strides;
      b.dq_stride = b.dk_stride = b.dv_stride = strides;
      b.accumulate = true;
      ASSERT_LE(attention_backward_scratch_bytes(b, 1), (1 << 20) * 4 - 64);
      attention_backward(b, team);
      EXPECT_TRUE(std::isfinite(dv.data()[count - 1]));
    }
  });
}

}  // namespace
}  // namespace ingot::kernels::attention_test
