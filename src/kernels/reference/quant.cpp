// SPDX-License-Identifier: Apache-2.0
// Plain loops for the quantised matrices of quant.h, written from the layout in its header.
#include "kernels/reference/quant.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ingot::kernels::reference {
namespace {

// Where a weight lives: tile start, group number, row in the tile, k in the group.
struct Place {
  int64_t tile;
  int64_t codes;
  int64_t group;
  int64_t row;
  int64_t k;
};

Place place_of(QuantFormat format, int64_t in_features, int64_t row, int64_t k) {
  const int64_t groups = (in_features + 31) / 32;
  int64_t scales = groups * 32;
  while (scales % 64 != 0) ++scales;
  const int64_t group_bytes = format == QuantFormat::kQ8 ? 512 : 256;
  const int64_t tile_bytes = scales + groups * group_bytes;
  const int64_t tile = row / 16 * tile_bytes;
  const int64_t group = k / 32;
  return {tile, tile + scales + group * group_bytes, group, row % 16, k % 32};
}

}  // namespace

double half_value(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  if (exponent == 31) {
    return mantissa == 0 ? sign * HUGE_VAL : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

double quant_scale(QuantFormat format, const uint8_t* matrix, int64_t in_features, int64_t row,
                   int64_t k) {
  const Place at = place_of(format, in_features, row, k);
  const uint8_t* bytes = matrix + at.tile + at.group * 32 + at.row * 2;
  return half_value(static_cast<uint16_t>(bytes[0] + 256 * bytes[1]));
}

int quant_code(QuantFormat format, const uint8_t* matrix, int64_t in_features, int64_t row,
               int64_t k) {
  const Place at = place_of(format, in_features, row, k);
  if (format == QuantFormat::kQ8) {
    const int byte = matrix[at.codes + at.k / 4 * 64 + at.row * 4 + at.k % 4];
    return byte < 128 ? byte : byte - 256;
  }
  const int byte = matrix[at.codes + at.k / 8 * 64 + at.row * 4 + at.k % 4];
  return at.k % 8 < 4 ? byte % 16 : byte / 16;
}

double quant_weight(QuantFormat format, const uint8_t* matrix, int64_t in_features, int64_t row,
                    int64_t k) {
  const int offset = format == QuantFormat::kQ4 ? 8 : 0;
  return (quant_code(format, matrix, in_features, row, k) - offset) *
         quant_scale(format, matrix, in_features, row, k);
}

QuantizedRow quantize_activation_row(const float* x, int64_t in_features) {
  const int64_t groups = (in_features + 31) / 32;
  QuantizedRow out{std::vector<int>(static_cast<size_t>(groups * 32), 0),
                   std::vector<float>(static_cast<size_t>(groups), 0.0F)};
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t end = std::min(in_features, g * 32 + 32);
    float most = 0.0F;
    bool finite = true;
    for (int64_t k = g * 32; k < end; ++k) {
      finite = finite && std::isfinite(x[k]);
      most = std::max(most, std::fabs(x[k]));
    }
    if (!finite) {
      out.scales[static_cast<size_t>(g)] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    if (most < std::ldexp(1.0F, -100)) continue;
    out.scales[static_cast<size_t>(g)] = most / 127.0F;
    const float inverse = 127.0F / most;
    for (int64_t k = g * 32; k < end; ++k) {
      out.codes[static_cast<size_t>(k)] = static_cast<int>(std::nearbyint(x[k] * inverse));
    }
  }
  return out;
}

float quant_dot_ordered(QuantFormat format, const uint8_t* matrix, int64_t in_features, int64_t row,
                        const QuantizedRow& x) {
  const int offset = format == QuantFormat::kQ4 ? 8 : 0;
  float acc = 0.0F;
  for (size_t g = 0; g < x.scales.size(); ++g) {
    int64_t dot = 0;
    for (size_t i = 0; i < 32; ++i) {
      const auto k = static_cast<int64_t>(g * 32 + i);
      dot +=
          int64_t{quant_code(format, matrix, in_features, row, k) - offset} * x.codes[g * 32 + i];
    }
    const auto first = static_cast<int64_t>(g * 32);
    const auto scale = static_cast<float>(quant_scale(format, matrix, in_features, row, first));
    acc = std::fma(static_cast<float>(dot), scale * x.scales[g], acc);
  }
  return acc;
}

double quant_dot_exact(QuantFormat format, const uint8_t* matrix, int64_t in_features, int64_t row,
                       const float* x) {
  double sum = 0.0;
  for (int64_t k = 0; k < in_features; ++k) {
    sum += static_cast<double>(x[k]) * quant_weight(format, matrix, in_features, row, k);
  }
  return sum;
}

double quant_activation(Activation activation, double v) {
  switch (activation) {
    case Activation::kNone:
      return v;
    case Activation::kRelu:
      return v > 0.0 || std::isnan(v) ? v : 0.0;
    case Activation::kGelu:
      return 0.5 * v * std::erfc(-v / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * v * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (v + 0.044715 * v * v * v)));
    case Activation::kSilu:
      return v / (1.0 + std::exp(-v));
  }
  return v;
}

}  // namespace ingot::kernels::reference
