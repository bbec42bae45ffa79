// SPDX-License-Identifier: Apache-2.0
// Every function takes any JSON and answers with nothing rather than an error.
#include "report/fields.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/html.h"

namespace ingot::report {
namespace {

constexpr int64_t kLongestValue = 300;
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

}  // namespace

const Json* find(const Json& value, std::string_view path) {
  const Json* at = &value;
  for (const std::string_view part : split(path, '.')) {
    if (!at->is_object()) return nullptr;
    const auto member = at->find(std::string(part));
    if (member == at->end() || member->is_null()) return nullptr;
    at = &*member;
  }
  return at;
}

std::optional<double> number(const Json& value, std::string_view path) {
  const Json* at = find(value, path);
  if (at == nullptr || !at->is_number()) return std::nullopt;
  const auto number = at->get<double>();
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::string text(const Json& value, std::string_view path) {
  const Json* at = find(value, path);
  return at != nullptr && at->is_string() ? at->get<std::string>() : std::string();
}

const StageRecord* find_stage(const RunRecord& run, std::string_view name) {
  const auto at = std::find_if(run.stages.begin(), run.stages.end(),
                               [&](const StageRecord& stage) { return stage.name == name; });
  return at == run.stages.end() ? nullptr : &*at;
}

const Json& stage_numbers(const RunRecord& run, std::string_view name) {
  static const Json kNothing = Json::object();
  const StageRecord* stage = find_stage(run, name);
  return stage == nullptr ? kNothing : stage->numbers;
}

std::string word(std::span<const words::Word> words, std::string_view key) {
  for (const auto& [known, meaning] : words) {
    if (known == key) return std::string(meaning);
  }
  std::string plain(key);
  std::replace(plain.begin(), plain.end(), '_', ' ');
  return plain;
}

std::string count_at(const Json& value, std::string_view path) {
  const auto found = number(value, path);
  if (!found || std::abs(*found) > kExactIntegers) return {};
  return with_thousands(std::llround(*found));
}

std::string bytes_at(const Json& value, std::string_view path) {
  const auto found = number(value, path);
  if (!found || std::abs(*found) > kExactIntegers) return {};
  return human_bytes(std::llround(*found));
}

std::string fixed_at(const Json& value, std::string_view path, int decimals) {
  const auto found = number(value, path);
  return found ? fixed(*found, decimals) : std::string();
}

std::vector<const Json*> members(const Json& value, std::string_view path) {
  std::vector<const Json*> found;
  const Json* list = find(value, path);
  if (list == nullptr || !list->is_array()) return found;
  for (const Json& member : *list) found.push_back(&member);
  return found;
}

std::string value_text(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{1} << 62U) {
    return std::to_string(value.get<uint64_t>());
  }
  if (value.is_number_integer()) return with_thousands(value.get<int64_t>());
  if (value.is_number()) return significant(value.get<double>(), 6);
  if (value.is_string()) return excerpt(value.get<std::string>(), kLongestValue);
  return excerpt(dump_json(value), kLongestValue);
}

}  // namespace ingot::report
