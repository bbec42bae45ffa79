// SPDX-License-Identifier: Apache-2.0
// Forgiving access to JSON that may lack any part: a dotted path, or nothing. Used by the sections.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "report/report.h"
#include "report/strings.h"

namespace ingot::report {

/// The member at "a.b.c", or nullptr when it is missing or null.
[[nodiscard]] const Json* find(const Json& value, std::string_view path);
/// The finite number at `path`.
[[nodiscard]] std::optional<double> number(const Json& value, std::string_view path);
/// The string at `path`, or "".
[[nodiscard]] std::string text(const Json& value, std::string_view path);
/// The stage's numbers, or an empty object.
[[nodiscard]] const Json& stage_numbers(const RunRecord& run, std::string_view name);
[[nodiscard]] const StageRecord* find_stage(const RunRecord& run, std::string_view name);

/// The words for `key`, or the key with spaces for underscores.
[[nodiscard]] std::string word(std::span<const words::Word> words, std::string_view key);

/// "12,345" at `path`, or "".
[[nodiscard]] std::string count_at(const Json& value, std::string_view path);
/// "7.2 MiB" at `path`, or "".
[[nodiscard]] std::string bytes_at(const Json& value, std::string_view path);
/// Fixed decimals at `path`, or "".
[[nodiscard]] std::string fixed_at(const Json& value, std::string_view path, int decimals);
/// The members of the list at `path`; none when it is no list.
[[nodiscard]] std::vector<const Json*> members(const Json& value, std::string_view path);
/// A value as one line of text; numbers with thousands or six significant digits.
[[nodiscard]] std::string value_text(const Json& value);

}  // namespace ingot::report
