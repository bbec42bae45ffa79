// SPDX-License-Identifier: Apache-2.0
// Initial values of parameters. Each parameter draws from its own counter-based stream, keyed by
// the seed and its name, so adding a layer changes no other layer's weights.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/config_fields.h"
#include "base/team.h"
#include "tensor/shape.h"

namespace ingot::nn {

enum class InitKind : uint8_t {
  kZeros,
  kOnes,
  kNormal,           ///< N(0, scale²)
  kTruncatedNormal,  ///< N(0, scale²) redrawn outside ±2·scale
  kUniform,          ///< U(−scale, scale)
  kGlorotUniform,    ///< U(±√(6/(fan_in + fan_out)))·scale   (Glorot 2010)
  kGlorotNormal,     ///< N(0, 2/(fan_in + fan_out))·scale
  kHeUniform,        ///< U(±√(6/fan_in))·scale   (He 2015)
  kHeNormal,         ///< N(0, 2/fan_in)·scale
  kOrthogonal,       ///< orthonormal rows or columns, times scale   (Saxe 2014)
  kDirac,            ///< convolution: filter i < in_channels passes channel i on; the others are
                     ///< U(±√(1/fan_in))·scale
  kWhiten,           ///< from the training images (nn/whiten.h); zeros until they are known
  kForgetGate,       ///< scale in the second quarter, else 0: LSTM gates i f g o (Jozefowicz 2015)
};
inline constexpr EnumName kInitKindNames[] = {
    {"zeros", InitKind::kZeros},
    {"ones", InitKind::kOnes},
    {"normal", InitKind::kNormal},
    {"truncated_normal", InitKind::kTruncatedNormal},
    {"uniform", InitKind::kUniform},
    {"glorot_uniform", InitKind::kGlorotUniform},
    {"glorot_normal", InitKind::kGlorotNormal},
    {"he_uniform", InitKind::kHeUniform},
    {"he_normal", InitKind::kHeNormal},
    {"orthogonal", InitKind::kOrthogonal},
    {"dirac", InitKind::kDirac},
    {"whiten", InitKind::kWhiten},
};
constexpr std::span<const EnumName> enum_names(InitKind /*tag*/) { return kInitKindNames; }

struct Init {
  InitKind kind = InitKind::kZeros;
  float scale = 1.0F;
};

/// Fills `values` (shape.size() floats, row-major). Weights [out_features, in_features]: fan_in and
/// fan_out are these two. Of a convolution, [out_channels, kernel_h, kernel_w, in_channels], fan_in
/// is kernel_h · kernel_w · in_channels and fan_out kernel_h · kernel_w · out_channels, as in
/// PyTorch and Keras.
void initialise(std::span<float> values, const Shape& shape, Init init, uint64_t seed,
                std::string_view name, Team& team);

}  // namespace ingot::nn
