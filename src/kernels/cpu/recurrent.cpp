// SPDX-License-Identifier: Apache-2.0
// The forward pass of recurrent.h. The weights are packed once; then every worker takes its rows
// of the batch through all steps alone, so that no step waits for anyone. A step adds the product
// to the projection in place and runs the gates over the row while both are in cache.
#include "kernels/recurrent.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/recurrent.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

/// One row at one step; pointers of the step before are null at the first.
struct Cell {
  float* gates;
  const float* bias;
  const float* y_before;
  const float* inner_before;
  float* inner;
  float* y;
  int64_t units;
};

template <class Lanes>
HWY_INLINE Vf load_or_zero(const float* p, int64_t j, Lanes lanes) {
  return p == nullptr ? hn::Zero(Df()) : load(p + j, lanes);
}

/// Gate `gate` before its function.
template <class Lanes>
HWY_INLINE Vf gate_sum(const Cell& cell, int64_t gate, int64_t j, Lanes lanes) {
  const int64_t at = gate * cell.units + j;
  return hn::Add(load(static_cast<const float*>(cell.gates) + at, lanes),
                 load_or_zero(cell.bias, at, lanes));
}

void lstm_cell(const Cell& cell) {
  const Df d;
  const int64_t n = cell.units;
  for_vectors(n, [&](int64_t j, auto lanes) HWY_ATTR {
    const Vf i = Sigmoid(d, gate_sum(cell, 0, j, lanes));
    const Vf f = Sigmoid(d, gate_sum(cell, 1, j, lanes));
    const Vf g = Tanh(d, gate_sum(cell, 2, j, lanes));
    const Vf o = Sigmoid(d, gate_sum(cell, 3, j, lanes));
    const Vf c = hn::MulAdd(f, load_or_zero(cell.inner_before, j, lanes), hn::Mul(i, g));
    store(i, cell.gates + j, lanes);
    store(f, cell.gates + n + j, lanes);
    store(g, cell.gates + 2 * n + j, lanes);
    store(o, cell.gates + 3 * n + j, lanes);
    store(c, cell.inner + j, lanes);
    store(hn::Mul(o, Tanh(d, c)), cell.y + j, lanes);
  });
}

void gru_cell(const Cell& cell) {
  const Df d;
  const int64_t n = cell.units;
  for_vectors(n, [&](int64_t j, auto lanes) HWY_ATTR {
    const Vf r = Sigmoid(d, gate_sum(cell, 0, j, lanes));
    const Vf z = Sigmoid(d, gate_sum(cell, 1, j, lanes));
    const Vf q = hn::Add(load(static_cast<const float*>(cell.inner) + j, lanes),
                         load_or_zero(cell.bias, 2 * n + j, lanes));
    const Vf from_x = load(static_cast<const float*>(cell.gates) + 2 * n + j, lanes);
    const Vf candidate = Tanh(d, hn::MulAdd(r, q, from_x));
    const Vf before = load_or_zero(cell.y_before, j, lanes);
    store(r, cell.gates + j, lanes);
    store(z, cell.gates + n + j, lanes);
    store(candidate, cell.gates + 2 * n + j, lanes);
    store(q, cell.inner + j, lanes);
    store(hn::MulAdd(z, hn::Sub(before, candidate), candidate), cell.y + j, lanes);
  });
}

void keep_state(const Cell& cell, bool is_lstm) {
  for_vectors(cell.units, [&](int64_t j, auto lanes) HWY_ATTR {
    store(load_or_zero(cell.y_before, j, lanes), cell.y + j, lanes);
    if (is_lstm) store(load_or_zero(cell.inner_before, j, lanes), cell.inner + j, lanes);
  });
}

/// prev = state · dropout of rows [begin, end).
void store_prev(const RecurrentArgs& a, const Moment& m, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const float* state = m.is_first ? nullptr : a.y + (r * a.seq + m.before) * a.hidden;
    const float* factor = a.dropout == nullptr ? nullptr : a.dropout + r * a.hidden;
    float* to = a.prev + (r * a.seq + m.t) * a.hidden;
    for_vectors(a.hidden, [&](int64_t j, auto lanes) HWY_ATTR {
      const Vf h = load_or_zero(state, j, lanes);
      store(factor == nullptr ? h : hn::Mul(h, load(factor + j, lanes)), to + j, lanes);
    });
  }
}

/// Adds the product to the gates of rows [begin, end); a GRU's candidate gets its own in inner.
void add_products(const RecurrentArgs& a, const Moment& m, int64_t begin, int64_t end) {
  const int64_t n = a.hidden, gates = gate_count(a.kind);
  const bool is_lstm = a.kind == RecurrentKind::kLstm;
  const int64_t row = a.seq * n, at = (begin * a.seq + m.t) * n;
  const float* state = a.prev != nullptr ? a.prev + at : a.y + (begin * a.seq + m.before) * n;
  const int64_t summed = is_lstm ? 4 * n : 2 * n;
  multiply_rows({state, row, a.scratch, summed, n, a.gates + gates * at, gates * row, true},
                end - begin);
  if (is_lstm) return;
  const float* panels = a.scratch + gemm_packed_bytes(summed, n) / 4;
  multiply_rows({state, row, panels, n, n, a.inner + at, row, false}, end - begin);
}

void forward_rows(const RecurrentArgs& a, int64_t begin, int64_t end) {
  const int64_t n = a.hidden, gates = gate_count(a.kind);
  const bool is_lstm = a.kind == RecurrentKind::kLstm;
  for (int64_t step = 0; step < a.seq; ++step) {
    const Moment m(step, a.seq, a.is_reverse);
    if (a.prev != nullptr) store_prev(a, m, begin, end);
    if (!m.is_first && !all_padding(a.ids, a.seq, m.t, begin, end)) {
      add_products(a, m, begin, end);
    }
    for (int64_t r = begin; r < end; ++r) {
      const int64_t at = r * a.seq + m.t, before = r * a.seq + m.before;
      const Cell cell{a.gates + gates * n * at,
                      a.bias,
                      m.is_first ? nullptr : a.y + n * before,
                      m.is_first ? nullptr : a.inner + n * before,
                      a.inner + n * at,
                      a.y + n * at,
                      n};
      if (m.is_first && !is_lstm) std::fill_n(cell.inner, n, 0.0F);
      if (is_padding(a.ids, at)) {
        keep_state(cell, is_lstm);
      } else if (is_lstm) {
        lstm_cell(cell);
      } else {
        gru_cell(cell);
      }
    }
  }
}

/// Gates that are summed with the projection, then a GRU's candidate, each as panels.
void pack_weights(const RecurrentArgs& a, Team& team) {
  const int64_t n = a.hidden;
  const int64_t summed = a.kind == RecurrentKind::kLstm ? 4 * n : 2 * n;
  gemm_pack_b({a.weight, a.scratch, summed, n, n, true}, team);
  if (a.kind == RecurrentKind::kLstm) return;
  gemm_pack_b({a.weight + summed * n, a.scratch + gemm_packed_bytes(summed, n) / 4, n, n, n, true},
              team);
}

}  // namespace

void recurrent_entry(const RecurrentArgs& a, Team& team) {
  if (a.batch <= 0 || a.seq <= 0 || a.hidden <= 0) return;
  pack_weights(a, team);
  share_rows(team, a.batch, a.batch * a.seq * gate_count(a.kind) * a.hidden * a.hidden,
             [&](int64_t begin, int64_t end) { forward_rows(a, begin, end); });
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(recurrent_entry);

void recurrent(const RecurrentArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(recurrent_entry)(args, team);
}

int64_t recurrent_scratch_bytes(RecurrentKind kind, int64_t hidden) {
  if (kind == RecurrentKind::kLstm) return gemm_packed_bytes(4 * hidden, hidden);
  return gemm_packed_bytes(2 * hidden, hidden) + gemm_packed_bytes(hidden, hidden);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
