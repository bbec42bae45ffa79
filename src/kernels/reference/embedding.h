// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/embedding.h in double: loops over positions in order. Called by tests and
// by the op table's gradient checks.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

void embedding(int64_t count, int64_t cols, const int64_t* ids, const double* table, double* out);
/// dtable [vocab, cols] = the sum of dy's rows by id; rows of padding_id get nothing.
void embedding_grad(int64_t count, int64_t cols, int64_t vocab, int64_t padding_id,
                    const int64_t* ids, const double* dy, double* dtable);

}  // namespace ingot::kernels::reference
