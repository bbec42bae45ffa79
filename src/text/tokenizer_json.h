// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of Hugging Face <-> BpeModel. Reads model type BPE with the ByteLevel
// pre-tokenizer and decoder, merges as "a b" or ["a", "b"], added tokens. A feature that would
// change the ids and is not built (normaliser, other pre-tokenizers, unk_token, dropout ...) is
// refused by name, never ignored. Nothing is allocated by a number from the file. Bytes are spelled
// with GPT-2's alphabet of 256 printable characters. Called by load_tokenizer, ByteBpe::save and
// the fuzz target.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/bpe.h"

namespace ingot::text {

/// Longer files are refused: the largest published tokenizer.json have about 35 MB.
inline constexpr int64_t kMaxTokenizerJsonBytes = int64_t{64} << 20;

/// Parses the text of a tokenizer.json; `name` (its path) appears in errors. A pure function.
/// Throws kCorruptFile or kUnsupported, each with name, key and cause.
[[nodiscard]] BpeModel parse_tokenizer(std::string_view json, std::string_view name);

/// Takes eos_token, bos_token and pad_token from the text of a tokenizer_config.json.
void apply_tokenizer_config(std::string_view json, std::string_view name, BpeModel& model);

/// The text of tokenizer.json and of a minimal tokenizer_config.json for this model.
[[nodiscard]] std::string tokenizer_json(const BpeModel& model);
[[nodiscard]] std::string tokenizer_config_json(const BpeModel& model);

}  // namespace ingot::text
