// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/conv.h: the sums of its header as plain loops in double over every index,
// one after the other. Called by tests and by the op table's truths.
#pragma once

#include "kernels/conv.h"

namespace ingot::kernels::reference {

/// out = conv(in, weight) + bias (null: none).
void conv(const ConvGeometry& shape, const double* in, const double* weight, const double* bias,
          double* out);
/// din = the gradient of in for dout, + bias per input channel (null: none).
void conv_transposed(const ConvGeometry& shape, const double* dout, const double* weight,
                     const double* bias, double* din);
/// dweight = the gradient of the weight for dout.
void conv_weight_grad(const ConvGeometry& shape, const double* in, const double* dout,
                      double* dweight);

}  // namespace ingot::kernels::reference
