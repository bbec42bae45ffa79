// SPDX-License-Identifier: Apache-2.0
// How tokenizer.json spells bytes (GPT-2's bytes_to_unicode): '!'..'~', U+00A1..U+00AC and
// U+00AE..U+00FF stand for themselves, the other 68 bytes take U+0100, U+0101, ... in order, so
// that every token is printable text. Called by the trainer and by tokenizer_json.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ingot::text {

/// The code point that spells each byte.
[[nodiscard]] const std::array<uint32_t, 256>& byte_alphabet();
/// The spelling of `bytes`, in UTF-8.
[[nodiscard]] std::string spell_bytes(std::string_view bytes);
/// The bytes that `spelled` stands for; absent where a character is not of the alphabet.
[[nodiscard]] std::optional<std::string> unspell_bytes(std::string_view spelled);

}  // namespace ingot::text
