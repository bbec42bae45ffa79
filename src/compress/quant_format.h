// SPDX-License-Identifier: Apache-2.0
// A compressed model directory: what is written and what is believed when it is read back.
//   config.json         as before, plus
//                       "quantization_config": {"quant_method": "ingot", "format": "q8",
//                                               "group_size": 32}
//   model.safetensors   quantised matrices first, as U8 [bytes] in the block layout of
//                       kernels/quant.h, each at a multiple of 64 in the file, with one line of
//                       metadata "quant.<name>" = "q8 [out_features, in_features]" (GPT-2's too,
//                       although its float files are transposed); then float32 tensors as before.
// Called by quantize.cpp (writer) and load_quantized.cpp (reader).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/config_fields.h"
#include "base/json.h"
#include "io/safetensors.h"
#include "kernels/quant.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace ingot::kernels {

// Beside the enum's namespace, where the config visitor looks for it.
inline constexpr EnumName kQuantFormatNames[] = {{"q8", QuantFormat::kQ8},
                                                 {"q4", QuantFormat::kQ4}};
constexpr std::span<const EnumName> enum_names(QuantFormat /*tag*/) { return kQuantFormatNames; }

}  // namespace ingot::kernels

namespace ingot::compress {

using kernels::QuantFormat;

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kQuantPrefix = "quant.";

[[nodiscard]] constexpr DType dtype_of(QuantFormat format) {
  return format == QuantFormat::kQ8 ? DType::kQ8 : DType::kQ4;
}

/// The token table's layer, among the embeddings of a model.
[[nodiscard]] constexpr bool is_token_table(std::string_view layer) {
  return layer.ends_with("embed_tokens") || layer.ends_with("wte");
}

/// "q8 [768, 2048]", and back. Throws kCorruptFile naming `where`.
[[nodiscard]] std::string describe_matrix(QuantFormat format, const Shape& shape);
struct MatrixDescription {
  QuantFormat format = QuantFormat::kQ8;
  Shape shape;
};
[[nodiscard]] MatrixDescription parse_matrix(const std::string& text, const std::string& where);

/// The "quantization_config" member for a format.
[[nodiscard]] Json quantization_json(QuantFormat format);
/// What a parsed config.json says: empty for a float model. Throws kUnsupported for the methods and
/// group sizes of other programs, kCorruptFile for wrong types.
[[nodiscard]] std::optional<QuantFormat> quantization_of(const Json& config,
                                                         const std::string& where);
/// Reads and parses <directory>/config.json. Throws kNotFound, kCorruptFile.
[[nodiscard]] Json read_config(const std::string& directory);

}  // namespace ingot::compress
