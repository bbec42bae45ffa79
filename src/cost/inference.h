// SPDX-License-Identifier: Apache-2.0
// What the verbs that take a finished language model need under memory=, before it is loaded. As in
// planner.h the work is recorded without running: weights, their packed copies, cache and one
// forward pass of the most rows. Quantised matrices stay in the mapped file, whose pages the system
// may drop, and are not counted. All sums hold the process itself, and what it touches later.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/team.h"
#include "kernels/quant.h"
#include "models/transformer.h"
#include "train/config.h"

namespace ingot::cost {

/// A model folder by its config.json and the header of its weights.
struct StoredModel {
  models::TransformerConfig config;
  int64_t loaded_bytes = 0;   ///< of the tensors that are loaded, as float32
  int64_t largest_bytes = 0;  ///< of one of them
  bool is_quantized = false;  ///< the others are matrices in the mapped file
};
/// Throws what reading the two files throws.
[[nodiscard]] StoredModel look_at_model(const std::string& folder);

/// As in models::PagedDecoderOptions.
struct DecodeSizes {
  int64_t pages = 1;
  int64_t rows = 256;       ///< of one forward pass, at most
  int64_t logits_rows = 1;  ///< of those that are asked for logits
};
/// To generate and to serve.
[[nodiscard]] int64_t decoding_bytes(Team& team, const StoredModel& model,
                                     const DecodeSizes& sizes);

/// To evaluate on batches of train.micro_batch windows of train.seq tokens.
[[nodiscard]] int64_t evaluation_bytes(Team& team, const StoredModel& model,
                                       const train::TrainConfig& config);

/// To write the model of `folder` in a format: what is written, and one matrix on its way.
[[nodiscard]] int64_t quantizing_bytes(const std::string& folder, kernels::QuantFormat format);

/// Throws kOutOfMemory naming need, cap (0: none) and a cap that is enough, in another process too.
void require_cap(std::string_view verb, int64_t need, int64_t cap);

}  // namespace ingot::cost
