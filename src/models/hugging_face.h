// SPDX-License-Identifier: Apache-2.0
// A model as a Hugging Face directory: config.json and model.safetensors with the names and layouts
// that `transformers` uses (GPT2LMHeadModel, LlamaForCausalLM), so weights go in and out.
// Quantised matrices are stored as bytes with their format in the metadata
// (docs/formats/quantized.md).
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/files.h"
#include "io/safetensors.h"
#include "models/transformer.h"

namespace ingot::models {

/// config.json for a configuration, as text. eos: id of the end-of-text token, -1: none.
/// tokenizer_sha256: of the tokenizer.json that belongs to the weights, empty: not known.
[[nodiscard]] std::string config_json(const TransformerConfig& config, int64_t eos,
                                      const std::string& tokenizer_sha256 = {});
/// Reads config.json; keys that change the computation and are not supported here are an error, as
/// are sizes that are none or do not go together.
/// Throws kCorruptFile, kUnsupported naming the key.
[[nodiscard]] TransformerConfig parse_config_json(const std::string& text,
                                                  const std::string& where);

/// The tokenizer_sha256 of a directory's config.json, "" where it has none: those of other programs
/// and of earlier versions. Throws kNotFound, kCorruptFile.
[[nodiscard]] std::string tokenizer_digest(const std::string& directory);

/// Writes config.json and model.safetensors into `directory` (made when needed); eos and digest as
/// in config_json.
void save_model(FileSystem& files, Transformer& model, const std::string& directory, int64_t eos,
                const std::string& tokenizer_sha256 = {});

/// Opens a directory. Parameters are float32 tensors of their own (bf16 and f16 files are widened).
/// Throws kNotFound, kCorruptFile, kShapeMismatch naming the tensor.
[[nodiscard]] std::unique_ptr<Transformer> load_model(Engine& engine, const std::string& directory);

/// True for GPT-2's linears, which are stored [in_features, out_features] there.
[[nodiscard]] bool is_transposed(const TransformerConfig& config, const std::string& name);
/// Copies one parameter from its file (names and layouts of `transformers`; bf16 and f16 are
/// widened) into `target`, float32 in our layout. Returns the name it has in the file. Throws
/// kNotFound, kShapeMismatch, kDtypeMismatch naming the tensor.
std::string load_weight(const TransformerConfig& config, const io::Safetensors& file,
                        const std::string& name, const Tensor& target);
/// Throws kCorruptFile naming a tensor of the file that is not in `used` and no known buffer.
void require_all_used(const TransformerConfig& config, const io::Safetensors& file,
                      const std::set<std::string>& used);

/// Copies weights from a safetensors file into parameters that already have memory. Names that the
/// file has and the model lacks, or the other way round, are an error that lists them.
void load_weights(Transformer& model, const std::string& path);

}  // namespace ingot::models
