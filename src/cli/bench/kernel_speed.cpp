// SPDX-License-Identifier: Apache-2.0
#include "cli/bench/kernel_speed.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernels/attention.h"
#include "kernels/gemm.h"
#include "kernels/norm.h"
#include "kernels/optimizer.h"
#include "kernels/quant_matmul.h"
#include "kernels/softmax.h"
#include "tensor/tensor.h"

namespace ingot::cli {
namespace {

constexpr double kBudgetSeconds = 0.25;  // per kernel
constexpr double kWindowSeconds = 0.02;
constexpr int64_t kLeastWindows = 3;

/// Ordinary small numbers: no zeros, no denormals.
Tensor filled(Engine& engine, const Shape& shape) {
  Tensor t = Tensor::empty(engine, shape);
  for (int64_t i = 0; i < t.size(); ++i) {
    t.data<float>()[i] = 0.05F + 0.01F * static_cast<float>(i % 13);
  }
  return t;
}

Tensor scratch(Engine& engine, int64_t bytes) {
  return Tensor::empty(engine, {std::max<int64_t>(bytes, 1)}, DType::kU8);
}

struct Product {
  const char* name;
  int64_t m, n, k;
  bool trans_a = false, trans_b = true;
};

// The linears of a GPT with 384 channels on 2048 tokens: forward, gradient of the input, gradient
// of the weights, output layer; then one of 768 channels, and a large square.
constexpr Product kProducts[] = {
    {"qkv", 2048, 1152, 384},
    {"mlp up", 2048, 1536, 384},
    {"mlp down", 2048, 384, 1536},
    {"mlp up dx", 2048, 384, 1536, false, false},
    {"mlp up dw", 1536, 384, 2048, true, false},
    {"head", 2048, 4096, 384},
    {"768 mlp up", 1024, 3072, 768},
    {"square", 2048, 2048, 2048},
};

KernelSpeed measure_product(Team& team, const Clock& clock, const Product& p) {
  Engine engine(team);
  const Tensor a = filled(engine, {p.m, p.k}), b = filled(engine, {p.n, p.k});
  const Tensor c = Tensor::empty(engine, {p.m, p.n});
  kernels::GemmArgs args;
  args.a = a.data<float>();
  args.b = b.data<float>();
  args.c = c.data<float>();
  args.m = p.m;
  args.n = args.ldc = p.n;
  args.k = p.k;
  args.trans_a = p.trans_a;
  args.trans_b = p.trans_b;
  args.lda = p.trans_a ? p.m : p.k;
  args.ldb = p.trans_b ? p.k : p.n;
  const Tensor work = scratch(engine, kernels::gemm_scratch_bytes(args, team.size()));
  args.scratch = work.data<float>();
  KernelSpeed speed{fmt::format("gemm {}", p.name), fmt::format("{} x {} x {}", p.m, p.n, p.k),
                    Bound::kCompute, 2.0 * static_cast<double>(p.m * p.n * p.k), 0.0};
  speed.seconds = median_seconds(clock, kBudgetSeconds, [&] { kernels::gemm(args, team); });
  return speed;
}

void measure_attention(Team& team, const Clock& clock, int64_t batch, int64_t seq,
                       const SpeedSink& sink) {
  constexpr int64_t kHeads = 6, kDim = 64;
  Engine engine(team);
  const Shape shape{batch, seq, kHeads, kDim};
  const kernels::AttentionStrides stride{seq * kHeads * kDim, kHeads * kDim, kDim};
  const Tensor q = filled(engine, shape), k = filled(engine, shape), v = filled(engine, shape);
  const Tensor out = filled(engine, shape), lse = filled(engine, {batch, kHeads, seq});
  kernels::AttentionArgs f;
  f.q = q.data<float>();
  f.k = k.data<float>();
  f.v = v.data<float>();
  f.out = out.data<float>();
  f.lse = lse.data<float>();
  f.batch = batch;
  f.seq = seq;
  f.heads = f.kv_heads = kHeads;
  f.head_dim = kDim;
  f.q_stride = f.k_stride = f.v_stride = f.out_stride = stride;
  f.scale = 0.125F;
  const Tensor work = scratch(engine, kernels::attention_scratch_bytes(f, team.size()));
  f.scratch = work.data<float>();
  const std::string text = fmt::format("{} x {} x {} heads of {}", batch, seq, kHeads, kDim);
  const double flops = 2.0 * static_cast<double>(batch * kHeads * seq * seq * kDim);
  KernelSpeed speed{"attention", text, Bound::kCompute, flops, 0.0};
  speed.seconds = median_seconds(clock, kBudgetSeconds, [&] { kernels::attention(f, team); });
  sink(speed);

  const Tensor dout = filled(engine, shape), dq = filled(engine, shape);
  const Tensor dk = filled(engine, shape), dv = filled(engine, shape);
  kernels::AttentionBackwardArgs b;
  b.q = f.q;
  b.k = f.k;
  b.v = f.v;
  b.out = f.out;
  b.lse = f.lse;
  b.dout = dout.data<float>();
  b.dq = dq.data<float>();
  b.dk = dk.data<float>();
  b.dv = dv.data<float>();
  b.batch = batch;
  b.seq = seq;
  b.heads = b.kv_heads = kHeads;
  b.head_dim = kDim;
  b.q_stride = b.k_stride = b.v_stride = b.out_stride = b.dout_stride = stride;
  b.dq_stride = b.dk_stride = b.dv_stride = stride;
  b.scale = f.scale;
  const Tensor more = scratch(engine, kernels::attention_backward_scratch_bytes(b, team.size()));
  b.scratch = more.data<float>();
  speed = {"attention gradient", text, Bound::kCompute, 2.5 * flops, 0.0};
  speed.seconds =
      median_seconds(clock, kBudgetSeconds, [&] { kernels::attention_backward(b, team); });
  sink(speed);
}

void measure_rows(Team& team, const Clock& clock, const SpeedSink& sink) {
  Engine engine(team);
  constexpr int64_t kRows = 8192, kCols = 4096, kDim = 384, kNormRows = 65536;
  const auto stream = [&](const char* name, int64_t rows, int64_t cols, double arrays,
                          const std::function<void()>& run) {
    KernelSpeed speed{name, fmt::format("{} x {}", rows, cols), Bound::kMemory,
                      arrays * static_cast<double>(rows * cols) * sizeof(float), 0.0};
    speed.seconds = median_seconds(clock, kBudgetSeconds, run);
    sink(speed);
  };
  {
    const Tensor x = filled(engine, {kRows, kCols}), y = filled(engine, {kRows, kCols});
    const kernels::SoftmaxArgs args{x.data<float>(), y.data<float>(), kRows, kCols, false};
    stream("softmax", kRows, kCols, 2.0, [&] { kernels::softmax(args, team); });
  }
  const Shape shape{kNormRows, kDim};
  const Tensor x = filled(engine, shape), y = filled(engine, shape), dx = filled(engine, shape);
  const Tensor w = filled(engine, {kDim}), dw = filled(engine, {kDim}), db = filled(engine, {kDim});
  const Tensor mean = filled(engine, {kNormRows}), rstd = filled(engine, {kNormRows});
  kernels::LayerNormArgs f{x.data<float>(),
                           w.data<float>(),
                           w.data<float>(),
                           y.data<float>(),
                           mean.data<float>(),
                           rstd.data<float>(),
                           kNormRows,
                           kDim,
                           1e-5F};
  stream("layer norm", kNormRows, kDim, 2.0, [&] { kernels::layer_norm(f, team); });
  const Tensor work =
      scratch(engine, kernels::norm_grad_scratch_bytes(kNormRows, kDim, team.size()));
  kernels::LayerNormGradArgs g;
  g.dy = y.data<float>();
  g.x = f.x;
  g.weight = f.weight;
  g.mean = f.mean;
  g.rstd = f.rstd;
  g.dx = dx.data<float>();
  g.dweight = dw.data<float>();
  g.dbias = db.data<float>();
  g.scratch = work.data<float>();
  g.rows = kNormRows;
  g.cols = kDim;
  stream("layer norm gradient", kNormRows, kDim, 3.0, [&] { kernels::layer_norm_grad(g, team); });
}

void measure_adam(Team& team, const Clock& clock, const SpeedSink& sink) {
  constexpr int64_t kParameters = 12'000'000;
  constexpr double kArrays = 7.0;  // reads value, gradient, both means; writes value, both means
  Engine engine(team);
  const auto slab = [&] { return filled(engine, {kParameters}); };
  const Tensor p = slab(), grad = slab(), m = slab(), v = slab();
  const Tensor lr = Tensor::full(engine, {}, 1e-4F);
  const int64_t first = 1;
  const Tensor step = Tensor::from<int64_t>(engine, std::span(&first, 1), {});
  kernels::AdamArgs args;
  args.param = p.data<float>();
  args.grad = grad.data<float>();
  args.m = m.data<float>();
  args.v = v.data<float>();
  args.lr = lr.data<float>();
  args.step = step.data<int64_t>();
  args.n = kParameters;
  args.weight_decay = 0.01;
  KernelSpeed speed{"adamw", fmt::format("{} parameters", kParameters), Bound::kMemory,
                    kArrays * static_cast<double>(kParameters) * sizeof(float), 0.0};
  speed.seconds = median_seconds(clock, kBudgetSeconds, [&] { kernels::adam(args, team); });
  sink(speed);
}

/// One row against a large matrix: what a generated token costs.
void measure_decode(Team& team, const Clock& clock, const SpeedSink& sink) {
  constexpr int64_t kIn = 4096, kOut = 16384;
  Engine engine(team);
  const Tensor weight = filled(engine, {kOut, kIn}), x = filled(engine, {kIn});
  const Tensor y = Tensor::empty(engine, {kOut});
  const std::string text = fmt::format("1 x {} x {}", kOut, kIn);
  for (const auto format : {kernels::QuantFormat::kQ8, kernels::QuantFormat::kQ4}) {
    const int64_t bytes = kernels::quant_matrix_bytes(format, kOut, kIn);
    const Tensor packed = scratch(engine, bytes);
    kernels::quantize({weight.data<float>(), nullptr, packed.raw(), kOut, kIn, kIn, format}, team);
    const Tensor work = scratch(engine, kernels::quant_matmul_scratch_bytes(1, kIn));
    kernels::QuantMatmulArgs args;
    args.x = x.data<float>();
    args.weights = packed.raw();
    args.y = y.data<float>();
    args.activations = work.raw();
    args.rows = 1;
    args.out_features = args.y_stride = kOut;
    args.in_features = args.x_stride = kIn;
    args.format = format;
    KernelSpeed speed{format == kernels::QuantFormat::kQ8 ? "decode q8" : "decode q4", text,
                      Bound::kMemory, static_cast<double>(bytes), 0.0};
    speed.seconds =
        median_seconds(clock, kBudgetSeconds, [&] { kernels::quant_matmul(args, team); });
    sink(speed);
  }
  kernels::GemmArgs args;
  const Tensor panels = scratch(engine, kernels::gemm_packed_bytes(kOut, kIn));
  kernels::gemm_pack_b({weight.data<float>(), panels.data<float>(), kOut, kIn, kIn, true}, team);
  args.a = x.data<float>();
  args.b = panels.data<float>();
  args.c = y.data<float>();
  args.m = 1;
  args.n = args.ldc = kOut;
  args.k = args.lda = kIn;
  args.b_packed = true;
  const Tensor work = scratch(engine, kernels::gemm_scratch_bytes(args, team.size()));
  args.scratch = work.data<float>();
  KernelSpeed speed{"decode float32", text, Bound::kMemory,
                    static_cast<double>(kOut * kIn) * sizeof(float), 0.0};
  speed.seconds = median_seconds(clock, kBudgetSeconds, [&] { kernels::gemm(args, team); });
  sink(speed);
}

}  // namespace

double median_seconds(const Clock& clock, double budget_s, const std::function<void()>& run) {
  run();
  double start = clock.now_s();
  run();
  const double once = std::max(clock.now_s() - start, 1e-9);
  const auto per_window = std::max<int64_t>(1, static_cast<int64_t>(kWindowSeconds / once));
  std::vector<double> windows;
  const double end = clock.now_s() + budget_s;
  do {
    start = clock.now_s();
    for (int64_t i = 0; i < per_window; ++i) run();
    windows.push_back((clock.now_s() - start) / static_cast<double>(per_window));
  } while (clock.now_s() < end || std::ssize(windows) < kLeastWindows);
  std::nth_element(windows.begin(), windows.begin() + std::ssize(windows) / 2, windows.end());
  return windows[windows.size() / 2];
}

double gemm_peak(Team& team, const Clock& clock) {
  double best = 0.0;
  for (const Product& p : {Product{"square", 1024, 1024, 1024}, Product{"square", 2048, 2048, 768},
                           Product{"square", 2048, 2048, 2048}}) {
    best = std::max(best, measure_product(team, clock, p).rate());
  }
  return best;
}

void measure_kernels(Team& team, const Clock& clock, const SpeedSink& sink) {
  for (const Product& p : kProducts) sink(measure_product(team, clock, p));
  measure_attention(team, clock, 8, 256, sink);
  measure_attention(team, clock, 1, 4096, sink);
  measure_rows(team, clock, sink);
  measure_adam(team, clock, sink);
  measure_decode(team, clock, sink);
}

}  // namespace ingot::cli
