// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/embedding.h. Tests and gradient checks call it.
#include "kernels/reference/embedding.h"

namespace ingot::kernels::reference {

void embedding(int64_t count, int64_t cols, const int64_t* ids, const double* table, double* out) {
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < cols; ++c) out[i * cols + c] = table[ids[i] * cols + c];
  }
}

void embedding_grad(int64_t count, int64_t cols, int64_t vocab, int64_t padding_id,
                    const int64_t* ids, const double* dy, double* dtable) {
  for (int64_t i = 0; i < vocab * cols; ++i) dtable[i] = 0.0;
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] == padding_id) continue;
    for (int64_t c = 0; c < cols; ++c) dtable[ids[i] * cols + c] += dy[i * cols + c];
  }
}

}  // namespace ingot::kernels::reference
