// SPDX-License-Identifier: Apache-2.0
// Plain loop for kernels/dropout.h. Tests and gradient checks call it.
#include "kernels/reference/dropout.h"

#include "base/philox.h"

namespace ingot::kernels::reference {

void dropout(const DropoutKey& key, int64_t n, const double* x, double* y) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t word = philox_element(key.seed, key.op_id, static_cast<uint64_t>(key.step),
                                         static_cast<uint64_t>(i));
    const bool dropped = static_cast<double>(word) < key.p * 4294967296.0;
    y[i] = dropped ? x[i] * 0.0 : x[i] / (1.0 - key.p);
  }
}

}  // namespace ingot::kernels::reference
