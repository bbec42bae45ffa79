// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "autograd/ops/attention.h"
#include "autograd/ops/linear.h"
#include "base/philox.h"
#include "cli/doctor/checks.h"
#include "kernels/quant_matmul.h"
#include "models/transformer.h"
#include "nn/parameter_store.h"

namespace ingot::cli {
namespace {

constexpr uint64_t kSeed = 11;

Tensor random_tensor(Engine& engine, const Shape& shape, uint64_t stream) {
  Philox random(kSeed, stream);
  Tensor t = Tensor::empty(engine, shape);
  for (int64_t i = 0; i < t.size(); ++i) {
    t.data<float>()[i] = 2.0F * philox_uniform(random()) - 1.0F;
  }
  return t;
}

bool same_bytes(const float* a, const float* b, int64_t n) {
  return std::memcmp(a, b, static_cast<size_t>(n) * sizeof(float)) == 0;
}

/// A row of a product alone and among 33, with plain and packed weights.
Check linear_rows(Engine& engine) {
  int64_t wrong = 0, rows = 0;
  for (const auto& [in, out] : {std::pair<int64_t, int64_t>{500, 257}, {64, 31}, {1030, 96}}) {
    const Tensor x = random_tensor(engine, {33, in}, 1);
    const Tensor weight = random_tensor(engine, {out, in}, 2);
    const Tensor bias = random_tensor(engine, {out}, 3);
    const Tensor all = ops::linear(x, weight, bias);
    for (const Tensor& w : {weight, ops::pack_weight(weight)}) {
      for (int64_t r = 0; r < 33; ++r, ++rows) {
        const Tensor row = x.strided({1, in}, contiguous_strides({1, in}), r * in);
        const Tensor alone = ops::linear(row, w, bias);
        wrong += same_bytes(alone.data<float>(), all.data<float>() + r * out, out) ? 0 : 1;
      }
    }
  }
  return {"linear: a row alone and among 33", wrong == 0,
          fmt::format("{} of {} rows differ", wrong, rows)};
}

/// Row i of causal attention depends on the tokens up to i only.
Check attention_prefix(Engine& engine) {
  constexpr int64_t kSeq = 150, kHeads = 4, kDim = 32;
  const Tensor q = random_tensor(engine, {1, kSeq, kHeads, kDim}, 4);
  const Tensor k = random_tensor(engine, {1, kSeq, 2, kDim}, 5);
  const Tensor v = random_tensor(engine, {1, kSeq, 2, kDim}, 6);
  const Tensor all = ops::attention(q, k, v);
  int64_t wrong = 0, tried = 0;
  const auto head_of = [](const Tensor& t, int64_t seq) {
    const Shape shape{1, seq, t.dim(2), t.dim(3)};
    return t.strided(shape, contiguous_strides(shape), 0);
  };
  for (const int64_t seq : {1, 2, 63, 64, 65, 129}) {
    const Tensor part = ops::attention(head_of(q, seq), head_of(k, seq), head_of(v, seq));
    wrong += same_bytes(part.data<float>(), all.data<float>(), part.size()) ? 0 : 1;
    ++tried;
  }
  return {"attention: a prefix alone and continued", wrong == 0,
          fmt::format("{} of {} lengths differ", wrong, tried)};
}

Check quantised_rows(Engine& engine) {
  constexpr int64_t kIn = 200, kOut = 77, kRows = 9;
  const Tensor x = random_tensor(engine, {kRows, kIn}, 7);
  const Tensor weight = random_tensor(engine, {kOut, kIn}, 8);
  int64_t wrong = 0, rows = 0;
  for (const auto format : {kernels::QuantFormat::kQ8, kernels::QuantFormat::kQ4}) {
    const auto bytes = [&](int64_t n) { return Tensor::empty(engine, {n}, DType::kU8); };
    const Tensor packed = bytes(kernels::quant_matrix_bytes(format, kOut, kIn));
    kernels::quantize({weight.data<float>(), nullptr, packed.raw(), kOut, kIn, kIn, format},
                      engine.team());
    const Tensor work = bytes(kernels::quant_matmul_scratch_bytes(kRows, kIn));
    const Tensor all = Tensor::empty(engine, {kRows, kOut});
    const Tensor alone = Tensor::empty(engine, {kOut});
    kernels::QuantMatmulArgs a;
    a.weights = packed.raw();
    a.activations = work.raw();
    a.out_features = a.y_stride = kOut;
    a.in_features = a.x_stride = kIn;
    a.format = format;
    a.x = x.data<float>();
    a.y = all.data<float>();
    a.rows = kRows;
    kernels::quant_matmul(a, engine.team());
    a.rows = 1;
    a.y = alone.data<float>();
    for (int64_t r = 0; r < kRows; ++r, ++rows) {
      a.x = x.data<float>() + r * kIn;
      kernels::quant_matmul(a, engine.team());
      wrong += same_bytes(alone.data<float>(), all.data<float>() + r * kOut, kOut) ? 0 : 1;
    }
  }
  return {"quantised linear: a row alone and among 9", wrong == 0,
          fmt::format("{} of {} rows differ", wrong, rows)};
}

/// A tiny model whose loss can be asked for again and again.
class TinyModel {
 public:
  TinyModel(Engine& engine, models::ModelLayout layout)
      : engine_(engine), model_(engine, config(layout)), store_(engine, model_), tape_(engine) {
    store_.bind(tape_);
    Philox random(kSeed, 9);
    const Shape shape{2, 12};
    ids_ = Tensor::empty(engine, shape, DType::kI32);
    targets_ = Tensor::empty(engine, shape, DType::kI32);
    for (int64_t i = 0; i < ids_.size(); ++i) {
      ids_.data<int32_t>()[i] = static_cast<int32_t>(random.bounded(kVocab));
      targets_.data<int32_t>()[i] = static_cast<int32_t>(random.bounded(kVocab));
    }
    const int64_t count = ids_.size();
    count_ = Tensor::from<int64_t>(engine, std::span(&count, 1), {});
  }

  double loss() {
    const Recording off(engine_, nullptr);
    return static_cast<double>(model_.loss(ids_, targets_, count_).item());
  }
  void gradients() {
    tape_.begin_step();
    {
      const Recording on(engine_, &tape_);
      tape_.backward(model_.loss(ids_, targets_, count_));
    }
    tape_.finish_step();
  }
  nn::ParameterStore& store() { return store_; }

 private:
  static constexpr int64_t kVocab = 29;
  static models::TransformerConfig config(models::ModelLayout layout) {
    models::TransformerConfig c;
    c.layout = layout;
    c.vocab = kVocab;
    c.context = 16;
    c.layers = 2;
    c.heads = 2;
    c.kv_heads = layout == models::ModelLayout::kLlama ? 1 : 0;
    c.dim = 16;
    c.init_std = 0.3F;  // large enough that every part matters
    return c;
  }

  Engine& engine_;
  models::Transformer model_;
  nn::ParameterStore store_;
  Tape tape_;
  Tensor ids_, targets_, count_;
};

/// Relative error of the slope of the loss along d = g∘u, u random in [0, 2), for one parameter:
/// the gradient says Σ g·d, two losses say (L(w + h·d) − L(w − h·d)) / 2h. In units of what is
/// allowed.
double slope_error(TinyModel& tiny, const nn::StoredParameter& p, uint64_t stream) {
  // The difference of losses is asked to be 0.02: rounding of the losses (some 1e-6) then counts
  // 1e-4 and the cubic term of the loss at most some 1e-3 of it.
  constexpr double kRise = 0.01, kLongestStep = 0.05, kAllowed = 0.01, kLossRounding = 3e-6;
  const Tensor grad = tiny.store().grad(p);
  float* const w = p.parameter->value.data<float>();
  const int64_t n = grad.size();
  Philox random(kSeed, stream);
  std::vector<float> direction(static_cast<size_t>(n)), before(w, w + n);
  double slope = 0.0, length = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const float g = grad.data<float>()[i];
    const float d = g * 2.0F * philox_uniform(random());
    direction[static_cast<size_t>(i)] = d;
    slope += static_cast<double>(g) * static_cast<double>(d);
    length += static_cast<double>(d) * static_cast<double>(d);
  }
  if (length == 0.0) return 0.0;
  const double h = std::min(kRise / slope, kLongestStep / std::sqrt(length));
  const auto loss_at = [&](double step) {
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<size_t>(i);
      w[i] = before[at] + static_cast<float>(step * static_cast<double>(direction[at]));
    }
    return tiny.loss();
  };
  const double difference = (loss_at(h) - loss_at(-h)) / (2.0 * h);
  std::copy(before.begin(), before.end(), w);
  return std::fabs(difference - slope) / (kAllowed * slope + kLossRounding / h);
}

Check gradient_check(Engine& engine, models::ModelLayout layout, const char* name) {
  TinyModel tiny(engine, layout);
  tiny.gradients();
  double worst = 0.0;
  std::string where = "no parameter";
  uint64_t stream = 100;
  for (const nn::StoredParameter& p : tiny.store().list()) {
    const double error = slope_error(tiny, p, ++stream);
    if (error >= worst || std::isnan(error)) {
      worst = error;
      where = p.name;
    }
  }
  return {fmt::format("{}: gradients and finite differences", name), worst <= 1.0,
          fmt::format("{} parameters, worst at {:.2f} of what is allowed ({})",
                      tiny.store().list().size(), worst, where)};
}

}  // namespace

void number_checks(const CheckSink& sink) {
  Team team(2);
  Engine engine(team, {kSeed, 0});
  sink(linear_rows(engine));
  sink(attention_prefix(engine));
  sink(quantised_rows(engine));
  sink(gradient_check(engine, models::ModelLayout::kLlama, "llama"));
  sink(gradient_check(engine, models::ModelLayout::kGpt2, "gpt2"));
}

}  // namespace ingot::cli
