// SPDX-License-Identifier: Apache-2.0
// YAML text to a plain tree with line and column on every value. Built from yaml-cpp's events, not
// its Node, so every cap (size, depth, aliases, values) holds while parsing and an alias bomb never
// unfolds. Duplicate keys are an error. Not a schema: base/config.h gives values their types.
// Called by config.h for recipes and by the readers of small YAML files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot {

struct YamlMember;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  std::string scalar;               ///< text of a scalar
  bool quoted = false;              ///< the scalar was quoted, a block text or tagged !!str
  int line = 1;                     ///< from 1
  int column = 1;                   ///< from 1, in characters
  std::vector<YamlNode> items;      ///< of a sequence
  std::vector<YamlMember> members;  ///< of a map, in the order of the text

  /// The value of a key of a map, or nullptr.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlMember {
  std::string key;
  int line = 1;
  int column = 1;
  YamlNode value;
};

struct YamlLimits {
  int64_t max_bytes = int64_t{1} << 20;
  int max_depth = 32;
  int max_aliases = 64;      ///< anchors and aliases together
  int max_values = 100'000;  ///< after aliases are unfolded
};

/// Parses one document; empty text gives a null node.
/// Error{kInvalidArgument} "<name>:<line>:<column>: <reason>".
[[nodiscard]] YamlNode parse_yaml(std::string_view text, std::string_view name,
                                  const YamlLimits& limits = {});

/// "null", "a list", "a map" or the quoted text, cut to a readable length: for messages.
[[nodiscard]] std::string describe(const YamlNode& node);

}  // namespace ingot
