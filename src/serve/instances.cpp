// SPDX-License-Identifier: Apache-2.0
#include "serve/instances.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "serve/pixels.h"

namespace ingot::serve {
namespace {

/// The text of {"b64": text}, or nullptr.
const std::string* base64_of(const Json& value) {
  if (!value.is_object() || value.size() != 1) return nullptr;
  const auto member = value.find("b64");
  if (member == value.end() || !member->is_string()) return nullptr;
  return &member->get_ref<const std::string&>();
}

/// A picture in lists, right or wrong, and not the list around the value of the only column.
bool is_bare_picture(const Json& value) {
  return value.is_array() && (value.size() != 1 || is_pixel_lists(value));
}

/// The text with null in place of every NaN that is no part of a string; empty when it has none.
std::string null_for_nan(std::string_view text) {
  constexpr std::string_view kNaN = "NaN";
  std::string out;
  size_t written = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\') ++i;
    if (in_string || !text.substr(i).starts_with(kNaN)) continue;
    out += text.substr(written, i - written);
    out += "null";
    written = i + kNaN.size();
    i = written - 1;
  }
  if (written == 0) return {};
  out += text.substr(written);
  return out;
}

bool parse_with_nan(std::string_view text, const JsonLimits& limits, Json& root) {
  const std::string strict = null_for_nan(text);
  if (strict.empty()) return false;
  try {
    root = parse_json(strict, "body", limits);
    return true;
  } catch (const Error&) {  // that of the text as it came is told
    return false;
  }
}

constexpr size_t kMaxIgnored = 32;
constexpr size_t kUnused = std::numeric_limits<size_t>::max();

}  // namespace

bool InstanceReader::parse(std::string_view body, Json& root, bool takes_nan) {
  JsonLimits limits;
  limits.max_depth = static_cast<int>(limits_.max_depth);
  try {
    root = parse_json(body, "body", limits);
  } catch (const Error& error) {
    if (!takes_nan || !parse_with_nan(body, limits, root)) {
      reject("the JSON body could not be parsed: {}", error.what());
      return false;
    }
  }
  if (!root.is_object()) reject("the body must be a JSON object, but is {}", json_kind(root));
  return !failed();
}

void InstanceReader::unknown_field(const std::string& key, std::span<const std::string> known) {
  if (limits_.strict) {
    reject("unknown field \"{}\".{}", excerpt(key), did_you_mean(key, known));
  } else {
    ignore(key);
  }
}

void InstanceReader::ignore(std::string_view name) {
  if (request.ignored.size() >= kMaxIgnored) return;
  const std::string shown = excerpt(name);
  std::vector<std::string>& all = request.ignored;
  if (std::find(all.begin(), all.end(), shown) == all.end()) all.push_back(shown);
}

void InstanceReader::add_rows(int64_t count) {
  request.rows += count;
  request.cells.resize(static_cast<size_t>(request.rows) * inputs_.size());
}

std::string InstanceReader::names() const {
  constexpr size_t kListed = 40;
  std::string list;
  for (size_t i = 0; i < std::min(inputs_.size(), kListed); ++i) {
    list += (i == 0 ? "" : ", ") + inputs_[i].name;
  }
  if (inputs_.size() > kListed) list += fmt::format(" and {} more", inputs_.size() - kListed);
  return list;
}

void InstanceReader::place_names() {
  if (!places_.empty()) return;
  for (size_t i = 0; i < inputs_.size(); ++i) places_.emplace(inputs_[i].name, i);
  for (const std::string& column : limits_.unused) places_.emplace(column, kUnused);
}

bool InstanceReader::knows(std::string_view name) {
  place_names();
  return places_.contains(name);
}

std::optional<size_t> InstanceReader::find(std::string_view name, int64_t instance) {
  place_names();
  const auto at = places_.find(name);
  if (at != places_.end() && at->second != kUnused) return at->second;
  if (at != places_.end()) {
    ignore(name);
    return std::nullopt;
  }
  std::vector<std::string> known;
  for (const PredictorInput& input : inputs_) known.push_back(input.name);
  const std::string who = instance < 0 ? std::string() : fmt::format("instance {}: ", instance);
  reject("{}the model has no input \"{}\".{}", who, excerpt(name), did_you_mean(name, known));
  return std::nullopt;
}

std::string InstanceReader::where(int64_t instance, size_t input) const {
  return fmt::format("instance {}: column \"{}\"", instance, inputs_[input].name);
}

void InstanceReader::put_text(int64_t instance, size_t input, std::string text) {
  if (inputs_[input].kind != InputKind::kImage && !is_valid_utf8(text)) {
    return reject("{} holds bytes that are not UTF-8", where(instance, input));
  }
  request.cells[static_cast<size_t>(instance) * inputs_.size() + input] = std::move(text);
}

void InstanceReader::put_bytes(int64_t instance, size_t input, std::string_view base64) {
  std::optional<std::string> bytes = from_base64(base64);
  if (!bytes) return reject("{} is not base64: \"{}\"", where(instance, input), excerpt(base64));
  put_text(instance, input, std::move(*bytes));
}

void InstanceReader::put_pixels(int64_t instance, size_t input, const Json& lists) {
  std::string problem;
  std::optional<std::string> file = read_pixels(lists, problem);
  if (!file) return reject("{} {}", where(instance, input), problem);
  put_text(instance, input, std::move(*file));
}

void InstanceReader::put(int64_t instance, size_t input, const Json& value) {
  const bool is_picture = inputs_[input].kind == InputKind::kImage;
  if (is_picture && is_bare_picture(value)) return put_pixels(instance, input, value);
  const Json& cell = value.is_array() && value.size() == 1 ? value.front() : value;
  if (is_picture && cell.is_array()) return put_pixels(instance, input, cell);
  if (const std::string* bytes = base64_of(cell)) return put_bytes(instance, input, *bytes);
  if (cell.is_structured()) {
    return reject("{} must be a text, a number, true, false, null or {{\"b64\": text}}, but is {}",
                  where(instance, input), excerpt(dump_json(cell)));
  }
  if (is_picture && cell.is_string()) {
    return put_bytes(instance, input, cell.get_ref<const std::string&>());
  }
  put_text(instance, input, json_cell(cell));
}

void InstanceReader::put_instance(int64_t instance, const Json& value) {
  if (inputs_.size() == 1) {
    const bool is_picture = inputs_[0].kind == InputKind::kImage && is_bare_picture(value);
    const bool is_bare = !value.is_structured() || base64_of(value) != nullptr || is_picture;
    if (is_bare) return put(instance, 0, value);
  }
  if (value.is_object()) {
    std::vector<bool> given(inputs_.size(), false);
    for (const auto& [name, cell] : value.items()) {
      const std::optional<size_t> input = find(name, instance);
      if (failed()) return;
      if (!input) continue;
      given[*input] = true;
      put(instance, *input, cell);
    }
    const auto absent = std::find(given.begin(), given.end(), false);
    if (absent == given.end()) return;
    const auto& name = inputs_[static_cast<size_t>(absent - given.begin())].name;
    return reject("instance {} lacks the column \"{}\"; null stands for a missing value", instance,
                  name);
  }
  if (!value.is_array()) {
    return reject("instance {} must be an object of the columns {}, but is {}", instance, names(),
                  excerpt(dump_json(value)));
  }
  if (value.size() != inputs_.size()) {
    return reject("instance {} has {} values but the model takes {}: {}", instance, value.size(),
                  inputs_.size(), names());
  }
  for (size_t i = 0; i < value.size(); ++i) put(instance, i, value[i]);
}

}  // namespace ingot::serve
