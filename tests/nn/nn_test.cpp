// SPDX-License-Identifier: Apache-2.0
// Initial values, the parameter store's layout, visiting and replacing layers, and attention
// written out with other ops.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "base/message_of.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "nn/parameter_store.h"

namespace ingot::testing::nn_test {
namespace {

using nn::Init;
using nn::InitKind;

std::vector<float> drawn(Init init, const Shape& shape, uint64_t seed = 1, int workers = 1,
                         const char* name = "w") {
  Team team(workers);
  std::vector<float> v(static_cast<size_t>(shape.size()));
  nn::initialise(v, shape, init, seed, name, team);
  return v;
}

double mean_square(const std::vector<float>& v) {
  double sum = 0.0;
  for (const float x : v) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum / static_cast<double>(v.size());
}

float largest(const std::vector<float>& v) {
  float m = 0.0F;
  for (const float x : v) m = std::max(m, std::abs(x));
  return m;
}

TEST(Init, HasTheVarianceAndBoundsOfItsKind) {
  const Shape shape{300, 100};     // fan_out 300, fan_in 100
  constexpr double kShare = 0.03;  // five standard errors of the variance of 30,000 draws
  const auto expect = [&](InitKind kind, float scale, double variance, double bound) {
    const std::vector<float> v = drawn({kind, scale}, shape);
    EXPECT_NEAR(mean_square(v) / variance, 1.0, kShare) << static_cast<int>(kind);
    if (bound > 0.0) {
      EXPECT_LE(largest(v), bound * 1.000001);
      EXPECT_GE(largest(v), bound * 0.99);
    }
    double mean = 0.0;
    for (const float x : v) mean += static_cast<double>(x) / static_cast<double>(v.size());
    EXPECT_NEAR(mean, 0.0, 5.0 * std::sqrt(variance / 30000.0));
  };
  expect(InitKind::kNormal, 0.02F, 4e-4, 0.0);
  expect(InitKind::kTruncatedNormal, 1.0F, 0.77373, 2.0);  // of a normal cut at two deviations
  expect(InitKind::kUniform, 0.5F, 0.25 / 3.0, 0.5);
  expect(InitKind::kGlorotUniform, 1.0F, 2.0 / 400.0, std::sqrt(6.0 / 400.0));
  expect(InitKind::kGlorotNormal, 1.0F, 2.0 / 400.0, 0.0);
  expect(InitKind::kHeUniform, 1.0F, 2.0 / 100.0, std::sqrt(6.0 / 100.0));
  expect(InitKind::kHeNormal, 2.0F, 4.0 * 2.0 / 100.0, 0.0);
  EXPECT_EQ(drawn({InitKind::kOnes, 0.5F}, {3}), std::vector<float>(3, 0.5F));
  EXPECT_EQ(drawn({InitKind::kZeros, 1.0F}, {3}), std::vector<float>(3, 0.0F));
}

TEST(Init, FansOfAConvolutionCountTheWindow) {
  const Shape shape{64, 5, 3, 32};  // fan_out 64 · 15, fan_in 32 · 15: 30,720 values
  const double both = 15.0 * (64 + 32), in = 15.0 * 32;
  const auto variance = [&](InitKind kind) { return mean_square(drawn({kind, 1.0F}, shape)); };
  EXPECT_NEAR(variance(InitKind::kGlorotUniform) * both / 2.0, 1.0, 0.03);
  EXPECT_NEAR(variance(InitKind::kGlorotNormal) * both / 2.0, 1.0, 0.03);
  EXPECT_NEAR(variance(InitKind::kHeNormal) * in / 2.0, 1.0, 0.03);
}

TEST(Init, OrthogonalRowsOrColumnsAreOrthonormal) {
  for (const Shape& shape : {Shape{5, 12}, Shape{12, 5}, Shape{7, 7}}) {
    const std::vector<float> v = drawn({InitKind::kOrthogonal, 2.0F}, shape);
    const bool is_tall = shape[0] > shape[1];
    const int64_t count = is_tall ? shape[1] : shape[0], length = is_tall ? shape[0] : shape[1];
    const auto at = [&](int64_t i, int64_t k) {
      return static_cast<double>(
          v[static_cast<size_t>(is_tall ? k * shape[1] + i : i * shape[1] + k)]);
    };
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        double dot = 0.0;
        for (int64_t k = 0; k < length; ++k) dot += at(i, k) * at(j, k);
        EXPECT_NEAR(dot, i == j ? 4.0 : 0.0, 1e-6);
      }
    }
  }
}

TEST(Init, DependsOnSeedAndNameNotOnThreads) {
  const Init init{InitKind::kNormal, 1.0F};
  const Shape shape{300, 200};
  const std::vector<float> v = drawn(init, shape);
  EXPECT_EQ(v, drawn(init, shape, 1, 3));
  EXPECT_NE(v, drawn(init, shape, 2));
  EXPECT_NE(v, drawn(init, shape, 1, 1, "other"));
}

/// A small model with a tied matrix and one of everything the store tells apart.
struct Small : nn::Module {
  Small() : table(11, 6, {InitKind::kNormal, 1.0F}, true), norm(6, 1e-5F) {
    first = std::make_unique<nn::Linear>(6, 3, true, Init{InitKind::kNormal, 1.0F});
  }
  void visit(nn::Visitor& visitor) override {
    visitor.child("table", table);
    visitor.child("norm", norm);
    visitor("first", first);
    visitor.child("again", dynamic_cast<nn::Module&>(*first));  // tied
  }
  nn::Embedding table;
  nn::LayerNorm norm;
  std::unique_ptr<nn::Layer> first;
};

TEST(ParameterStore, OrdersAlignsAndStoresTiedWeightsOnce) {
  Team team(1);
  Engine engine(team);
  Small model;
  nn::ParameterStore store(engine, model);
  std::vector<std::string> names;
  for (const nn::StoredParameter& p : store.list()) {
    names.push_back(p.name);
    EXPECT_EQ(p.offset % 16, 0);
    EXPECT_EQ(p.parameter->value.raw(), store.values().raw() + p.offset * 4);
    EXPECT_TRUE(p.parameter->value.shape() == p.parameter->shape);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"first.weight", "norm.weight", "norm.bias",
                                             "first.bias", "table.weight"}));
  EXPECT_EQ(store.parameter_count(), 18 + 6 + 6 + 3 + 66);
  EXPECT_EQ(store.dense_size(), 32 + 3 * 16);
  EXPECT_EQ(store.size(), store.dense_size() + 80);
  ASSERT_EQ(store.groups().size(), 2U);
  EXPECT_EQ(store.groups()[0].end, 32);
  EXPECT_EQ(store.groups()[1].begin, 32);
  EXPECT_EQ(store.groups()[1].end, 80);
  EXPECT_EQ(nn::parameter_count(model), 18 + 6 + 6 + 3 + 66 + 18 + 3) << "listed, ties twice";
  Tape tape(engine);
  store.bind(tape);
  EXPECT_EQ(store.grads().size(), store.dense_size());
  EXPECT_TRUE(tape.is_sparse(model.table.weight.value.slot));
  EXPECT_EQ(store.grad(store.list()[1]).raw(), store.grads().raw() + 32 * 4);
}

TEST(Module, ALayerMayBeReplacedFromAbove) {
  Team team(1);
  Engine engine(team);
  Small model;
  const nn::ParameterStore store(engine, model);
  const Tensor x = Tensor::full(engine, {2, 6}, 0.5F);
  const std::vector<float> before = model.first->forward(x).to_vector<float>();
  struct Swap : nn::Visitor {
    void parameter(const std::string& name, nn::Parameter&) override { seen.push_back(name); }
    bool layer(const std::string& name, std::unique_ptr<nn::Layer>& slot) override {
      if (name != "first") return false;
      slot = std::make_unique<nn::PackedLinear>(dynamic_cast<nn::Linear&>(*slot));
      return true;
    }
    std::vector<std::string> seen;
  } swap;
  model.visit(swap);
  EXPECT_EQ(model.first->forward(x).to_vector<float>(), before);
  EXPECT_EQ(swap.seen.front(), "table.weight");
  for (const std::string& name : swap.seen) EXPECT_FALSE(name.starts_with("first.")) << name;
}

TEST(Mlp, IsItsLinearsAroundTheActivationOrTheGate) {
  Team team(1);
  Engine engine(team);
  for (const bool is_gated : {false, true}) {
    nn::MlpConfig c;
    c.dim = 6, c.hidden = 10, c.is_gated = is_gated, c.has_bias = !is_gated;
    c.activation = is_gated ? kernels::Activation::kSilu : kernels::Activation::kGeluTanh;
    c.init = c.out_init = {InitKind::kNormal, 0.5F};
    nn::Mlp mlp(c);
    const nn::ParameterStore store(engine, mlp);
    std::map<std::string, Tensor> w;
    for (const nn::NamedParameter& p : nn::parameters(mlp)) w[p.name] = p.parameter->value;
    EXPECT_EQ(w.size(), is_gated ? 3U : 4U);
    const Tensor x = Tensor::full(engine, {3, 6}, 0.3F);
    const Tensor want =
        is_gated ? ops::linear(ops::mul(ops::silu(ops::linear(x, w["gate_proj.weight"])),
                                        ops::linear(x, w["up_proj.weight"])),
                               w["down_proj.weight"])
                 : ops::linear(ops::gelu_tanh(ops::linear(x, w["c_fc.weight"], w["c_fc.bias"])),
                               w["c_proj.weight"], w["c_proj.bias"]);
    const std::vector<float> got = mlp.forward(x).to_vector<float>(),
                             expected = want.to_vector<float>();
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6);
  }
}

TEST(Attention, PackedAndSplitProjectionsAgreeAndHeadNormsAreApplied) {
  Team team(1);
  Engine engine(team);
  nn::AttentionConfig c;
  c.dim = 12, c.heads = 4, c.kv_heads = 2, c.head_dim = 3;
  c.init = c.out_init = {InitKind::kNormal, 0.5F};
  nn::AttentionConfig packed_config = c;
  packed_config.is_packed = true;
  nn::Attention split(c, 0), packed(packed_config, 0);
  const nn::ParameterStore split_store(engine, split), packed_store(engine, packed);
  std::map<std::string, Tensor> s, p;
  for (const nn::NamedParameter& n : nn::parameters(split)) s[n.name] = n.parameter->value;
  for (const nn::NamedParameter& n : nn::parameters(packed)) p[n.name] = n.parameter->value;
  const Tensor all = ops::concat({s["q_proj.weight"], s["k_proj.weight"], s["v_proj.weight"]}, 0);
  std::memcpy(p["c_attn.weight"].raw(), all.raw(), static_cast<size_t>(all.size_bytes()));
  std::memcpy(p["c_proj.weight"].raw(), s["o_proj.weight"].raw(),
              static_cast<size_t>(s["o_proj.weight"].size_bytes()));
  std::vector<float> values(2 * 5 * 12);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const Tensor x = Tensor::from<float>(engine, values, {2, 5, 12});
  const std::vector<float> a = split.forward(x, {}, {}).to_vector<float>();
  EXPECT_EQ(a, packed.forward(x, {}, {}).to_vector<float>());

  c.has_qk_norm = true;
  nn::Attention normed(c, 0);
  const nn::ParameterStore store(engine, normed);
  std::map<std::string, Tensor> n;
  for (const nn::NamedParameter& q : nn::parameters(normed)) n[q.name] = q.parameter->value;
  const auto heads = [&](const char* name, int64_t count) {
    return ops::reshape(ops::linear(x, n[name]), {2, 5, count, 3});
  };
  const Tensor y = ops::attention(ops::rms_norm(heads("q_proj.weight", 4), n["q_norm.weight"]),
                                  ops::rms_norm(heads("k_proj.weight", 2), n["k_norm.weight"]),
                                  heads("v_proj.weight", 2));
  EXPECT_EQ(normed.forward(x, {}, {}).to_vector<float>(),
            ops::linear(ops::reshape(y, {2, 5, 12}), n["o_proj.weight"]).to_vector<float>());
}

}  // namespace
}  // namespace ingot::testing::nn_test
