// SPDX-License-Identifier: Apache-2.0
// One walk over all (output pixel, output channel, tap, input channel) that are inside the image
// serves the three sums. Nothing here is fast.
#include "kernels/reference/conv.h"

namespace ingot::kernels::reference {
namespace {

/// f(index of in, index of weight, index of out) for every product of the convolution.
template <class F>
void each_product(const ConvGeometry& s, const F& f) {
  const int64_t depth = s.in_channels / s.groups, columns = s.out_channels / s.groups;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.out_h * s.out_w; ++i) {
      for (int64_t o = 0; o < s.out_channels; ++o) {
        for (int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
          const int64_t y = i / s.out_w * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
          const int64_t x = i % s.out_w * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
          if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) continue;
          for (int64_t c = 0; c < depth; ++c) {
            f(((n * s.in_h + y) * s.in_w + x) * s.in_channels + o / columns * depth + c,
              (o * s.kernel_h * s.kernel_w + tap) * depth + c,
              (n * s.out_h * s.out_w + i) * s.out_channels + o);
          }
        }
      }
    }
  }
}

void start(double* to, int64_t rows, int64_t channels, const double* bias) {
  for (int64_t i = 0; i < rows * channels; ++i) to[i] = bias == nullptr ? 0.0 : bias[i % channels];
}

}  // namespace

void conv(const ConvGeometry& s, const double* in, const double* weight, const double* bias,
          double* out) {
  start(out, s.batch * s.out_h * s.out_w, s.out_channels, bias);
  each_product(s, [&](int64_t i, int64_t w, int64_t o) { out[o] += in[i] * weight[w]; });
}

void conv_transposed(const ConvGeometry& s, const double* dout, const double* weight,
                     const double* bias, double* din) {
  start(din, s.batch * s.in_h * s.in_w, s.in_channels, bias);
  each_product(s, [&](int64_t i, int64_t w, int64_t o) { din[i] += dout[o] * weight[w]; });
}

void conv_weight_grad(const ConvGeometry& s, const double* in, const double* dout,
                      double* dweight) {
  const int64_t taps = s.kernel_h * s.kernel_w;
  start(dweight, s.out_channels * taps, s.in_channels / s.groups, nullptr);
  each_product(s, [&](int64_t i, int64_t w, int64_t o) { dweight[w] += dout[o] * in[i]; });
}

}  // namespace ingot::kernels::reference
