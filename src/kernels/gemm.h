// SPDX-License-Identifier: Apache-2.0
// Matrix product in float32, ours from the register tile up (no BLAS library).
//   C[m, n] = (accumulate ? C : 0) + op(A)[m, k] * op(B)[k, n], then C = act(C + bias[n])
// Order of additions, the same for every path (packed or not, any m, n, row, batch, team size):
// k is cut into blocks of kGemmBlockK; inside a block one FMA chain per element starts from zero
// and runs over k; block sums are added to the running value in block order. So a row's bytes
// depend on that row of A and on B only: a row alone equals the same row among thousands.
// The idea of packed panels: Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication" (2008). Not here: quantised products (quant_matmul.h). Called by autograd/,
// serve/.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// Length of a block of k; part of the definition of the result.
constexpr int64_t kGemmBlockK = 384;

/// Row-major matrices. op(A)[i][p] = trans_a ? a[p * lda + i] : a[i * lda + p]; B alike with
/// [p][j]. batch products are done, matrix b at offset b * stride_{a,b,c} (bias is shared).
struct GemmArgs {
  static constexpr int kPointers = 6;
  const float* a = nullptr;     // [m, k], or [k, m] when trans_a
  const float* b = nullptr;     // [k, n], or [n, k] when trans_b; a packed panel when b_packed
  float* c = nullptr;           // [m, n]; must not overlap any input
  const float* bias = nullptr;  // [n], may be null
  float* pre = nullptr;         // [m, n] with c's strides: the value before activation; may be null
  float* scratch = nullptr;     // gemm_scratch_bytes(), 64-byte aligned; null when that is 0
  int64_t m = 0, n = 0, k = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;
  int64_t batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;
  bool trans_a = false, trans_b = false, accumulate = false;
  bool b_packed = false;  // ldb and trans_b are then ignored; stride_b = gemm_packed_bytes / 4 or 0
  Activation activation = Activation::kNone;
};

/// The product above. m, n or k may be 0 (k = 0: C = accumulate ? C : 0, then the epilogue).
/// Accuracy: |error| <= (k + 2) * 2^-24 * sum |a||b|. Cost 2 * batch * m * n * k FLOP.
/// NaN and infinity propagate as in the plain loop.
void gemm(const GemmArgs& args, Team& team);

/// Bytes of args.scratch for a team of `workers`; 0 for small products.
[[nodiscard]] int64_t gemm_scratch_bytes(const GemmArgs& args, int workers);

/// Copies B into the panel layout of this CPU, once, for weights that are used many times.
struct GemmPackArgs {
  static constexpr int kPointers = 2;
  const float* b = nullptr;  // [k, n], or [n, k] when trans_b
  float* packed = nullptr;   // gemm_packed_bytes(n, k), 64-byte aligned
  int64_t n = 0, k = 0, ldb = 0;
  bool trans_b = false;
};

/// Layout: for each panel of `width` columns, k rows of `width` floats; columns past n are zero.
/// The width is a property of the CPU, so packed bytes are not portable and never stored in files.
void gemm_pack_b(const GemmPackArgs& args, Team& team);
[[nodiscard]] int64_t gemm_packed_bytes(int64_t n, int64_t k);

}  // namespace ingot::kernels
