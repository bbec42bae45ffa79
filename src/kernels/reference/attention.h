// SPDX-License-Identifier: Apache-2.0
// The truth for attention.h: softmax attention and its gradient with every row of weights written
// out, plain loops in double. Shares no code with the kernel. Called by tests.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// All arrays dense: q, out, dq, dout [batch, seq, heads, head_dim]; k, v, dk, dv with kv_heads;
/// lse [batch, heads, seq]; doc_start and doc_end [batch, seq] or null. Gradients are added to.
struct Attention {
  const double* q = nullptr;
  const double* k = nullptr;
  const double* v = nullptr;
  const int32_t* doc_start = nullptr;
  double* out = nullptr;
  double* lse = nullptr;
  const double* dout = nullptr;  // backward only, as the next three
  double* dq = nullptr;
  double* dk = nullptr;
  double* dv = nullptr;
  int64_t batch = 0, seq = 0, heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = true;
  double scale = 1.0;
  const int32_t* doc_end = nullptr;
};

void attention(const Attention& args);
void attention_backward(const Attention& args);

}  // namespace ingot::kernels::reference
