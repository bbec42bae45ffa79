// SPDX-License-Identifier: Apache-2.0
// Options are aggregates with defaults and one visitor; recipes, key=value, help, printing, hashing
// and completion all come from it (after gemma.cpp's fields):
//   struct TrainConfig {
//     float lr = 3e-4F;
//     Schedule schedule = Schedule::kCosine;      // an enum with enum_names, see below
//     AdamWConfig adamw;                          // nested: has visit
//     void visit(auto& field) {
//       field("lr", lr, "step size, > 0");
//       field("schedule", schedule, "shape of the step size over the run");
//       field("adamw", adamw, "optimiser");
//     }
//   };
// Field types: bool, int32_t, int64_t, uint64_t, float, double, std::string, Size, Duration, enums,
// nested aggregates, std::vector and std::optional of these; a single value stands for a list of
// one. The visit only builds a list of type-erased fields (config_fields.h); the work is in
// config.cpp. Range checks are the owner's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config_fields.h"
#include "base/yaml.h"

namespace ingot {

/// One leaf option, as help and the reference page show it.
struct KeyInfo {
  std::string path;           ///< "train.lr"
  std::string type;           ///< "float", "one of cosine, linear", "list of int"
  std::string default_value;  ///< as YAML
  std::string help;
};

/// Type-erased services; the templates below are what callers use.
void bind_fields(const Field& root, const YamlNode& node, std::string_view name);
void override_field(const Field& root, std::string_view assignment);
[[nodiscard]] std::string fields_to_yaml(const Field& root);
[[nodiscard]] std::string fields_to_json(const Field& root);
[[nodiscard]] std::vector<KeyInfo> field_keys(const Field& scratch);
[[nodiscard]] std::string fields_help(const Field& scratch);
[[nodiscard]] std::string fields_hash(const Field& root);

/// Sets what `node` mentions and leaves the rest. On error `config` is unchanged and
/// Error{kInvalidArgument} reads
///   recipe.yaml:7:3: train: unknown key "learning_rte". Did you mean "learning_rate"?
///   recipe.yaml:4:9: train.lr: expected a number, got "fast"
/// (Not called bind: with a std::string_view among the arguments that would find std::bind.)
template <class Config>
void bind_node(const YamlNode& node, std::string_view name, Config& config) {
  Config changed = config;
  bind_fields(root_field(changed), node, name);
  config = std::move(changed);
}

/// parse_yaml and bind_node.
template <class Config>
void bind_text(std::string_view text, std::string_view name, Config& config) {
  bind_node(parse_yaml(text, name), name, config);
}

/// Sets one key: "train.lr=3e-4", "model.widths=[1, 2]", "groups.0.lr=1". Text for a string or an
/// enum is taken as it is; other values are YAML. Errors quote the override:
///   override "train.lr=fast": train.lr: expected a number, got "fast"
template <class Config>
void apply_override(std::string_view assignment, Config& config) {
  Config changed = config;
  override_field(root_field(changed), assignment);
  config = std::move(changed);
}

/// Every key with its value, but optional values that are not set inside a list's maps; binding it
/// to a default config gives an equal one.
template <class Config>
[[nodiscard]] std::string to_yaml(const Config& config) {
  return fields_to_yaml(root_field(config));
}

/// The same as one JSON object on one line (Size in bytes, Duration in seconds).
template <class Config>
[[nodiscard]] std::string to_json(const Config& config) {
  return fields_to_json(root_field(config));
}

/// Every leaf key; for a vector of aggregates the keys of one element as "groups.N.lr".
template <class Config>
[[nodiscard]] std::vector<KeyInfo> list_keys(const Config& config) {
  Config scratch = config;  // gets an element in every empty list, to list its keys
  return field_keys(root_field(scratch));
}

/// One aligned line per key: name, type, default, text.
template <class Config>
[[nodiscard]] std::string help(const Config& config) {
  Config scratch = config;
  return fields_help(root_field(scratch));
}

/// First 16 hexadecimal digits of the SHA-256 of to_yaml(config).
template <class Config>
[[nodiscard]] std::string config_hash(const Config& config) {
  return fields_hash(root_field(config));
}

}  // namespace ingot
