// SPDX-License-Identifier: Apache-2.0
#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include "autograd/op.h"
#include "kernels/gemm.h"
#include "kernels/muon.h"
#include "kernels/optimizer.h"
#include "optim/adam.h"
#include "optim/sgd.h"

namespace ingot::optim {
namespace {

constexpr double kMatchRms = 0.2;  // root mean square of a usual AdamW update (Liu 2025)

void check(const MuonConfig& c) {
  require_unit("muon.momentum", c.momentum, 0.95);
  require(c.steps >= 1 && c.steps <= 20, Code::kInvalidArgument,
          "train.optimizer.muon.steps: {} is not in [1, 20]; 5 is usual", c.steps);
  require_positive("muon.eps", c.eps, 1e-7);
  require_positive("muon.others_lr", c.others_lr, 1.0);
}

bool is_skipped(const std::string& name, const std::string& words) {
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(',', at), words.size());
    const std::string word = words.substr(at, end - at);
    if (!word.empty() && name.find(word) != std::string::npos) return true;
    at = end + 1;
  }
  return false;
}

/// dst = alpha x + beta dst.
void blend(const Tensor& x, const Tensor& dst, double alpha, double beta) {
  kernels::BlendArgs args;
  args.x = x.data<float>();
  args.dst = dst.data<float>();
  args.n = x.size();
  args.alpha = static_cast<float>(alpha);
  args.beta = static_cast<float>(beta);
  x.engine().launch("muon_blend", &kernels::blend, args, 3 * args.n);
}

}  // namespace

Muon::Muon(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store)
    : config_(config), engine_(engine), store_(store) {
  check(config.muon);
  std::vector<nn::ParameterGroup> groups;
  for (const nn::StoredParameter& p : store.list()) {
    const nn::Parameter& parameter = *p.parameter;
    if (!parameter.trainable || parameter.row_sparse) continue;
    if (parameter.shape.rank() >= 2 && !is_skipped(p.name, config.muon.skip)) {
      add(p);
      continue;
    }
    const int64_t end = p.offset + parameter.shape.size();
    groups.push_back({p.offset, end, parameter.decay, parameter.lr_scale});
  }
  OptimizerConfig others = config;
  others.name = OptimizerKind::kAdamW;
  if (config.muon.others == MuonOthers::kSgd) {
    others.name = OptimizerKind::kSgd;
    others.momentum = static_cast<float>(config.muon.momentum);
    others.nesterov = config.muon.nesterov && others.momentum > 0.0F;
    others_ = std::make_unique<Sgd>(others, engine, store, groups);
  } else {
    others_ = std::make_unique<Adam>(others, engine, store, groups);
  }
  state_ = others_->state();
  if (state_.empty()) {
    state_.push_back({"momentum", Tensor::zeros(engine, {store.trained_size()})});
  }
  momentum_ = state_[0].tensor;
}

void Muon::add(const nn::StoredParameter& p) {
  const Shape& shape = p.parameter->shape;
  const int64_t rows = shape[0], cols = shape.size(1, shape.rank());
  const auto r = static_cast<double>(rows), c = static_cast<double>(cols);
  const double scale = config_.muon.scale == MuonScale::kOriginal
                           ? std::sqrt(std::max(1.0, r / c))
                           : kMatchRms * std::sqrt(std::max(r, c));
  matrices_.push_back({&p, rows, cols, scale * static_cast<double>(p.parameter->lr_scale)});
}

std::vector<std::string> Muon::matrices() const {
  std::vector<std::string> names;
  for (const Matrix& m : matrices_) names.push_back(m.parameter->name);
  return names;
}

void Muon::step(const Scalars& scalars, Tape& tape) {
  Scalars others = scalars;
  others.lr = scaled(scalars.lr, static_cast<float>(config_.muon.others_lr));
  others_->step(others, tape);
  for (const Matrix& m : matrices_) update(m, scalars);
}

void Muon::update(const Matrix& m, const Scalars& scalars) {
  const int64_t offset = m.parameter->offset, n = m.rows * m.cols;
  const Tensor x = Tensor::empty(engine_, {m.rows, m.cols});
  kernels::MuonMomentumArgs mean;
  mean.grad = store_.grads().data<float>() + offset;
  mean.momentum_buffer = momentum_.data<float>() + offset;
  mean.out = x.data<float>();
  mean.grad_scale = scalars.grad_scale.data<float>();
  mean.n = n;
  mean.momentum = static_cast<float>(config_.muon.momentum);
  mean.nesterov = config_.muon.nesterov;
  engine_.launch("muon_momentum", &kernels::muon_momentum, mean, 5 * n);
  orthogonalize(x, m);
  const bool decays = m.parameter->parameter->decay || config_.decay_all;
  kernels::MuonApplyArgs apply;
  apply.param = store_.values().data<float>() + offset;
  apply.direction = x.data<float>();
  apply.lr = scalars.lr.data<float>();
  apply.n = n;
  apply.scale = m.scale;
  apply.weight_decay = decays ? static_cast<double>(config_.weight_decay) *
                                    static_cast<double>(m.parameter->parameter->lr_scale)
                              : 0.0;
  engine_.launch("muon_apply", &kernels::muon_apply, apply, 3 * n);
}

/// x / |x|, then the steps. The small side's square matrix A is on the left of wide matrices and on
/// the right of tall ones, so nothing is transposed.
void Muon::orthogonalize(const Tensor& x, const Matrix& m) {
  const int64_t n = m.rows * m.cols, small = std::min(m.rows, m.cols);
  const bool is_tall = m.rows > m.cols;
  const Tensor squares = Tensor::empty(engine_, {}, DType::kF64);
  const Tensor work = ops::scratch(engine_, kernels::block_scratch_bytes(n));
  kernels::SumSquaresArgs sum;
  sum.x = x.data<float>();
  sum.out = squares.data<double>();
  sum.scratch = work.raw();
  sum.n = n;
  engine_.launch("muon_norm", &kernels::sum_squares, sum, 2 * n);
  kernels::MuonNormalizeArgs norm;
  norm.x = x.data<float>();
  norm.sum_squares = squares.data<double>();
  norm.n = n;
  norm.eps = config_.muon.eps;
  engine_.launch("muon_normalize", &kernels::muon_normalize, norm, n);
  const Tensor square = Tensor::empty(engine_, {small, small});
  const Tensor poly = Tensor::empty(engine_, {small, small});
  const Tensor next = Tensor::empty(engine_, x.shape());
  kernels::GemmArgs gram;  // A = X Xᵀ, or Xᵀ X
  gram.a = gram.b = x.data<float>();
  gram.c = square.data<float>();
  gram.m = gram.n = gram.ldc = small;
  gram.k = n / small;
  gram.lda = gram.ldb = m.cols;
  gram.trans_a = is_tall;
  gram.trans_b = !is_tall;
  kernels::GemmArgs power;  // A²
  power.a = power.b = square.data<float>();
  power.c = poly.data<float>();
  power.m = power.n = power.k = power.lda = power.ldb = power.ldc = small;
  kernels::GemmArgs apply;  // P X, or X P
  apply.a = is_tall ? x.data<float>() : poly.data<float>();
  apply.b = is_tall ? poly.data<float>() : x.data<float>();
  apply.c = next.data<float>();
  apply.m = m.rows;
  apply.n = apply.ldb = apply.ldc = m.cols;
  apply.k = apply.lda = small;
  for (int64_t step = 0; step < config_.muon.steps; ++step) {
    ops::launch_gemm(engine_, "muon_product", gram);
    ops::launch_gemm(engine_, "muon_product", power);
    blend(square, poly, config_.muon.b, config_.muon.c);
    ops::launch_gemm(engine_, "muon_product", apply);
    blend(next, x, 1.0, config_.muon.a);
  }
}

}  // namespace ingot::optim
