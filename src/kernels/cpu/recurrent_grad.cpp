// SPDX-License-Identifier: Apache-2.0
// The backward pass of recurrent.h: the same rows per worker, from the last step to the first.
// Gradients of the gates take the place of their activations, so nothing is allocated per step.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/recurrent_grad.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// What flows from step to step, [batch, hidden] each, behind the packed weights: the gradient of
/// the state through the product (before dropout), past the product, and of an LSTM's c.
struct Carry {
  const float* panels;
  float *through, *past, *cell;
  Carry(const RecurrentGradArgs& a, int64_t packed_bytes)
      : panels(a.scratch),
        through(a.scratch + packed_bytes / 4),
        past(through + a.batch * a.hidden),
        cell(past + a.batch * a.hidden) {}
};

/// One row at one step.
struct CellGrad {
  const float* dy;
  const float* dropout;
  const float* before;  // c (LSTM) or h (GRU) of the step before; null at the first
  float* gates;
  float* inner;
  float *through, *past, *cell;
  int64_t units;
};

/// The gradient of h: what comes from above and from the step behind.
template <class Lanes>
HWY_INLINE Vf state_grad(const CellGrad& g, int64_t j, Lanes lanes) {
  const Vf through = load(static_cast<const float*>(g.through) + j, lanes);
  const Vf kept =
      hn::Add(load(g.dy + j, lanes), load(static_cast<const float*>(g.past) + j, lanes));
  return g.dropout == nullptr ? hn::Add(kept, through)
                              : hn::MulAdd(through, load(g.dropout + j, lanes), kept);
}

/// x (1 - x), the derivative of the logistic function at its value x.
HWY_INLINE Vf logistic_slope(Vf x) { return hn::NegMulAdd(x, x, x); }

/// 1 - x², that of tanh.
HWY_INLINE Vf tanh_slope(Vf x) { return hn::NegMulAdd(x, x, hn::Set(Df(), 1.0F)); }

void lstm_cell_grad(const CellGrad& a) {
  const int64_t n = a.units;
  for_vectors(n, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto value = [&](const float* p) HWY_ATTR { return load(p + j, lanes); };
    const Vf i = value(a.gates), f = value(a.gates + n), g = value(a.gates + 2 * n),
             o = value(a.gates + 3 * n);
    const Vf dh = state_grad(a, j, lanes);
    const Vf t = Tanh(Df(), value(a.inner));
    const Vf dc = hn::MulAdd(hn::Mul(dh, o), tanh_slope(t), value(a.cell));
    const Vf c_before = a.before == nullptr ? hn::Zero(Df()) : value(a.before);
    store(hn::Mul(hn::Mul(dc, g), logistic_slope(i)), a.gates + j, lanes);
    store(hn::Mul(hn::Mul(dc, c_before), logistic_slope(f)), a.gates + n + j, lanes);
    store(hn::Mul(hn::Mul(dc, i), tanh_slope(g)), a.gates + 2 * n + j, lanes);
    store(hn::Mul(hn::Mul(dh, t), logistic_slope(o)), a.gates + 3 * n + j, lanes);
    store(hn::Mul(dc, f), a.cell + j, lanes);
    store(hn::Zero(Df()), a.past + j, lanes);
  });
}

void gru_cell_grad(const CellGrad& a) {
  const int64_t n = a.units;
  for_vectors(n, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto value = [&](const float* p) HWY_ATTR { return load(p + j, lanes); };
    const Vf r = value(a.gates), z = value(a.gates + n), c = value(a.gates + 2 * n),
             q = value(a.inner);
    const Vf dh = state_grad(a, j, lanes);
    const Vf before = a.before == nullptr ? hn::Zero(Df()) : value(a.before);
    const Vf dn = hn::Mul(hn::NegMulAdd(dh, z, dh), tanh_slope(c));
    store(hn::Mul(hn::Mul(dn, q), logistic_slope(r)), a.gates + j, lanes);
    store(hn::Mul(hn::Mul(dh, hn::Sub(before, c)), logistic_slope(z)), a.gates + n + j, lanes);
    store(dn, a.gates + 2 * n + j, lanes);
    store(hn::Mul(dn, r), a.inner + j, lanes);
    store(hn::Mul(dh, z), a.past + j, lanes);
  });
}

/// Padding: the state's gradient passes by, the gates get none.
void pass_by(const CellGrad& a, RecurrentKind kind) {
  for_vectors(a.units, [&](int64_t j, auto lanes)
                           HWY_ATTR { store(state_grad(a, j, lanes), a.past + j, lanes); });
  std::fill_n(a.gates, gate_count(kind) * a.units, 0.0F);
  if (kind == RecurrentKind::kGru) std::fill_n(a.inner, a.units, 0.0F);
  std::fill_n(a.through, a.units, 0.0F);
}

/// through = dz · weight for rows [begin, end).
void multiply_back(const RecurrentGradArgs& a, const Carry& carry, int64_t t, int64_t begin,
                   int64_t end) {
  const int64_t n = a.hidden, gates = gate_count(a.kind);
  const bool is_lstm = a.kind == RecurrentKind::kLstm;
  const int64_t row = a.seq * n, at = (begin * a.seq + t) * n, summed = is_lstm ? 4 * n : 2 * n;
  float* through = carry.through + begin * n;
  multiply_rows({a.gates + gates * at, gates * row, carry.panels, n, summed, through, n, false},
                end - begin);
  if (is_lstm) return;
  const float* panels = carry.panels + gemm_packed_bytes(n, summed) / 4;
  multiply_rows({a.inner + at, row, panels, n, n, through, n, true}, end - begin);
}

void backward_rows(const RecurrentGradArgs& a, const Carry& carry, int64_t begin, int64_t end) {
  const int64_t n = a.hidden, gates = gate_count(a.kind);
  const bool is_lstm = a.kind == RecurrentKind::kLstm;
  for (float* p : {carry.through, carry.past, carry.cell}) {
    std::fill_n(p + begin * n, (end - begin) * n, 0.0F);
  }
  const float* states = is_lstm ? a.inner : a.y;
  for (int64_t step = a.seq; step-- > 0;) {
    const Moment m(step, a.seq, a.is_reverse);
    for (int64_t r = begin; r < end; ++r) {
      const int64_t at = r * a.seq + m.t;
      const CellGrad cell{a.dy + at * n,
                          a.dropout == nullptr ? nullptr : a.dropout + r * n,
                          m.is_first ? nullptr : states + (r * a.seq + m.before) * n,
                          a.gates + gates * at * n,
                          a.inner + at * n,
                          carry.through + r * n,
                          carry.past + r * n,
                          carry.cell + r * n,
                          n};
      if (is_padding(a.ids, at)) {
        pass_by(cell, a.kind);
      } else if (is_lstm) {
        lstm_cell_grad(cell);
      } else {
        gru_cell_grad(cell);
      }
    }
    if (!m.is_first && !all_padding(a.ids, a.seq, m.t, begin, end)) {
      multiply_back(a, carry, m.t, begin, end);
    }
  }
}

int64_t packed_bytes(RecurrentKind kind, int64_t n) {
  if (kind == RecurrentKind::kLstm) return gemm_packed_bytes(n, 4 * n);
  return gemm_packed_bytes(n, 2 * n) + gemm_packed_bytes(n, n);
}

void pack_weights(const RecurrentGradArgs& a, Team& team) {
  const int64_t n = a.hidden;
  const int64_t summed = a.kind == RecurrentKind::kLstm ? 4 * n : 2 * n;
  gemm_pack_b({a.weight, a.scratch, n, summed, n, false}, team);
  if (a.kind == RecurrentKind::kLstm) return;
  gemm_pack_b({a.weight + summed * n, a.scratch + gemm_packed_bytes(n, summed) / 4, n, n, n, false},
              team);
}

}  // namespace

void recurrent_grad_entry(const RecurrentGradArgs& a, Team& team) {
  if (a.batch <= 0 || a.seq <= 0 || a.hidden <= 0) return;
  pack_weights(a, team);
  const Carry carry(a, packed_bytes(a.kind, a.hidden));
  share_rows(team, a.batch, a.batch * a.seq * gate_count(a.kind) * a.hidden * a.hidden,
             [&](int64_t begin, int64_t end) { backward_rows(a, carry, begin, end); });
}

int64_t grad_scratch_entry(RecurrentKind kind, int64_t batch, int64_t hidden) {
  return packed_bytes(kind, hidden) + 3 * batch * hidden * static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(recurrent_grad_entry);
HWY_EXPORT(grad_scratch_entry);

void recurrent_grad(const RecurrentGradArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(recurrent_grad_entry)(args, team);
}

int64_t recurrent_grad_scratch_bytes(RecurrentKind kind, int64_t batch, int64_t hidden) {
  return HWY_DYNAMIC_DISPATCH(grad_scratch_entry)(kind, batch, hidden);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
