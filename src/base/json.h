// SPDX-License-Identifier: Apache-2.0
// Strict JSON in, safe JSON out, on nlohmann::ordered_json (members keep the order of the text).
// The parser refuses what a hostile or broken file may hold: NaN, numbers beyond double, duplicate
// keys, invalid UTF-8, NUL bytes, trailing bytes, more than max_depth levels or max_bytes bytes.
// Objects of any size are built in linear time; looking a key up in one is linear, so iterate over
// big objects (a vocabulary) instead. Files that use Json values include <nlohmann/json.hpp>
// themselves; this header stays light. Called by readers of safetensors, tokenizer.json, requests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"

namespace ingot {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  int64_t max_bytes = int64_t{1} << 30;
  int max_depth = 64;
  Code code = Code::kInvalidArgument;  ///< of the errors; kCorruptFile suits files of our own
};

/// Parses one document. Error{limits.code} "<what>:<line>:<column>: <reason> (byte <offset>)";
/// line and column count from 1, the offset from 0.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view what,
                              const JsonLimits& limits = {});

/// One line of JSON; invalid UTF-8 becomes U+FFFD, NaN and infinities become null. indent >= 0
/// gives many lines.
[[nodiscard]] std::string dump_json(const Json& value, int indent = -1);

/// `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
[[nodiscard]] std::string quote_json(std::string_view text);

/// What a value is, for messages: "an object", "a number", "null".
[[nodiscard]] std::string_view json_kind(const Json& value);

/// A value that is no list and no object as the text of a table's cell: a string as it is, null as
/// nothing, the others as JSON writes them.
[[nodiscard]] std::string json_cell(const Json& value);

/// Typed members of an object. Error{kInvalidArgument}: `<what>: "<key>" is missing` or
/// `<what>: "<key>" must be a string, is a number`.
[[nodiscard]] const Json& json_member(const Json& object, std::string_view key,
                                      std::string_view what);
[[nodiscard]] std::string json_string(const Json& object, std::string_view key,
                                      std::string_view what);
[[nodiscard]] int64_t json_int(const Json& object, std::string_view key, std::string_view what);
[[nodiscard]] double json_number(const Json& object, std::string_view key, std::string_view what);
[[nodiscard]] bool json_bool(const Json& object, std::string_view key, std::string_view what);

/// The member, or nullptr when it is missing or null.
[[nodiscard]] const Json* json_optional(const Json& object, std::string_view key,
                                        std::string_view what);

}  // namespace ingot
