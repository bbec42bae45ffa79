// SPDX-License-Identifier: Apache-2.0
// Compresses a float model directory into an 8- or 4-bit one (quant_format.h draws it) by rounding
// weights group by group; no data is needed. Linears, the token table and the head become blocks;
// norms, biases and learned positions stay float32. One float matrix, and its copy as read, is in
// memory at a time, beside what will be written. Called by the compress verb and the compress stage
// of run.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/signals.h"
#include "compress/quant_format.h"
#include "tensor/engine.h"

namespace ingot::compress {

struct QuantizeConfig {
  QuantFormat format = QuantFormat::kQ8;
  bool embeddings = true;
  std::vector<std::string> skip;

  void visit(auto& field) {
    field("format", format, "q8 (0.27 of float32's bytes, hardly any loss) or q4 (0.14)");
    field("embeddings", embeddings, "quantise the token table and the output layer too");
    field("skip", skip, "layers that stay float32, by a part of their names: \"layers.0.\"");
  }
};

struct TensorReport {
  std::string name;
  Shape shape;  ///< in the model's order, [out_features, in_features]
  bool is_quantized = false;
  int64_t float_bytes = 0;  ///< as float32
  int64_t stored_bytes = 0;
  double relative_error = 0;  ///< ‖W − Ŵ‖ / ‖W‖ over all elements; 0 when kept or all zero
};

struct QuantizeReport {
  std::vector<TensorReport> tensors;  ///< in the order of the file
  int64_t float_bytes = 0;            ///< all tensors as float32
  int64_t quantized_bytes = 0;        ///< all tensors as written
  [[nodiscard]] double ratio() const {
    return float_bytes == 0
               ? 0.0
               : static_cast<double>(quantized_bytes) / static_cast<double>(float_bytes);
  }
};

/// Reads `model_dir`, writes `out_dir` (made when needed; config.json last), tokenizer files
/// copied. Throws kNumeric naming a tensor with NaN or infinity; kInvalidArgument when the folders
/// are the same or a skip entry matches no layer; kUnsupported when the model is quantised already;
/// kCancelled (between tensors, before anything is written); and what reading a model throws. Cost:
/// 2 ns (q8) to 10 ns (q4) per weight and core.
[[nodiscard]] QuantizeReport quantize_model(Engine& engine, const std::string& model_dir,
                                            const std::string& out_dir,
                                            const QuantizeConfig& config, FileSystem& files,
                                            const StopFlag* stop = nullptr);

}  // namespace ingot::compress
