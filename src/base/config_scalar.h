// SPDX-License-Identifier: Apache-2.0
// Text to scalar and back, for base/config*.cpp only. Numbers never depend on the locale, and what
// format_scalar writes, store_scalar reads back as the same bits.
#pragma once

#include <string>
#include <string_view>

#include "base/config_fields.h"

namespace ingot {

/// Stores text into the value. Returns "" or what would have been right: "expected a number".
[[nodiscard]] std::string store_scalar(const FieldOps& ops, void* value, std::string_view text,
                                       bool quoted);
/// `. Did you mean "cosine"?` when the text is near a name of the enum, else (and for other kinds)
/// nothing.
[[nodiscard]] std::string scalar_hint(const FieldOps& ops, std::string_view text);

/// The value as plain YAML, quoted where needed.
[[nodiscard]] std::string format_scalar(const FieldOps& ops, const void* value);
/// The value as JSON: Size in bytes, Duration in seconds, infinities and NaN as null.
[[nodiscard]] std::string format_scalar_json(const FieldOps& ops, const void* value);

/// "float", "int", "one of a, b", "list of text".
[[nodiscard]] std::string type_text(const FieldOps& ops);

/// A string as YAML: plain if it can be nothing else, else in double quotes.
[[nodiscard]] std::string yaml_text(std::string_view text);

}  // namespace ingot
