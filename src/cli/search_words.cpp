// SPDX-License-Identifier: Apache-2.0
#include "cli/search_words.h"

#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cli/recipe.h"

namespace ingot::cli {
namespace {

/// The keys that take a list: "layers.N.kernel", and "layers" itself, a list of maps.
std::set<std::string, std::less<>> keys_of_lists() {
  constexpr std::string_view kMaps = ".N.";
  std::set<std::string, std::less<>> keys;
  for (const KeyInfo& key : list_keys(Recipe{})) {
    if (key.type.starts_with("list")) keys.insert(key.path);
    for (size_t at = key.path.find(kMaps); at != std::string::npos;
         at = key.path.find(kMaps, at + 1)) {
      keys.insert(key.path.substr(0, at));
    }
  }
  return keys;
}

/// As an override takes it: text without quotes, lists and maps in brackets.
std::string override_value(const YamlNode& node, bool is_inside) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return is_inside && node.quoted ? dump_json(Json(node.scalar)) : node.scalar;
    case YamlNode::Kind::kSequence:
      for (const YamlNode& item : node.items) parts.push_back(override_value(item, true));
      return fmt::format("[{}]", join(parts, ", "));
    case YamlNode::Kind::kMap:
      for (const YamlMember& m : node.members) {
        parts.push_back(fmt::format("{}: {}", m.key, override_value(m.value, true)));
      }
      return fmt::format("{{{}}}", join(parts, ", "));
  }
  return {};
}

/// The candidates, where the value is a list of what the key takes.
std::optional<tune::Axis> axis_of(const std::string& key, std::string_view value,
                                  const std::set<std::string, std::less<>>& keys) {
  if (!trim(value).starts_with('[')) return {};
  if (!trim(value).ends_with(']')) return {};  // a text, or a list that the shell took apart
  const YamlNode node = parse_yaml(value, fmt::format("override \"{}\"", key));
  if (node.kind != YamlNode::Kind::kSequence) return {};
  const bool takes_list = keys.count(key_pattern(key)) > 0;
  const bool has_lists = !node.items.empty() && node.items[0].kind == YamlNode::Kind::kSequence;
  if (takes_list && !has_lists) return {};
  tune::Axis axis{key, {}};
  for (const YamlNode& item : node.items) axis.values.push_back(override_value(item, false));
  return axis;
}

}  // namespace

SearchWords search_words(std::span<const std::string> overrides) {
  const auto keys = keys_of_lists();
  SearchWords words;
  std::map<std::string, bool, std::less<>> is_searched;  // by key
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const std::string_view value =
        equals == std::string::npos ? "" : std::string_view(text).substr(equals + 1);
    std::optional<tune::Axis> axis = axis_of(key, value, keys);
    const auto before = is_searched.find(key);
    require(before == is_searched.end() || (!before->second && !axis), Code::kInvalidArgument,
            "tune search: {} is given twice. Write all its values in one list: {}=[VALUE, VALUE]",
            key, key);
    is_searched.emplace(key, axis.has_value());
    axis ? words.axes.push_back(std::move(*axis)) : words.fixed.push_back(text);
  }
  return words;
}

}  // namespace ingot::cli
