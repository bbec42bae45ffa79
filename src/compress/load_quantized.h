// SPDX-License-Identifier: Apache-2.0
// Opens any model directory for inference: float ones through models::load_model, compressed ones
// (quant_format.h) with their matrices used in place in the mapped file, so that no float copy ever
// exists. Every size is checked before the bytes are believed.
// Called by the verbs that generate, evaluate, serve and compare.
#pragma once

#include <memory>
#include <string>

#include "models/transformer.h"

namespace ingot::compress {

struct LoadOptions {
  bool prepare = true;  ///< pack float linears for speed (Transformer::prepare_inference)
};

/// "float32", "q8" or "q4". Throws kNotFound, kCorruptFile, kUnsupported.
[[nodiscard]] std::string model_format(const std::string& directory);

/// The model, ready for forward and logits; training needs models::load_model. The mapped file
/// lives as long as the model. Throws kNotFound, kCorruptFile, kShapeMismatch naming the tensor,
/// kUnsupported naming a foreign quantisation method.
[[nodiscard]] std::unique_ptr<models::Transformer> load_model(Engine& engine,
                                                              const std::string& directory,
                                                              LoadOptions options = {});

}  // namespace ingot::compress
