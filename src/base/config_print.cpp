// SPDX-License-Identifier: Apache-2.0
// Type-erased fields as YAML, JSON, help and key lists (see config.h). Lists of scalars are written
// on one line, lists of maps as blocks, so a resolved recipe reads like a written one. In a map of
// a list, optional values that are not set are left out: each layer of a network would name every
// key that any layer takes.
#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "base/config.h"
#include "base/config_scalar.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace ingot {
namespace {

constexpr size_t kWidestPath = 40;
constexpr size_t kWidestType = 24;
constexpr size_t kWidestDefault = 16;

bool is_container(const FieldOps& ops) {
  return ops.kind == FieldKind::kList || ops.kind == FieldKind::kObject;
}

// The type without its optional layers.
const FieldOps& bare(const FieldOps& ops) {
  return ops.kind == FieldKind::kOptional ? bare(*ops.element) : ops;
}

// A list that has no map inside, however deep.
bool is_flow_list(const FieldOps& ops) {
  if (ops.kind != FieldKind::kList) return false;
  const FieldOps& element = bare(*ops.element);
  return element.kind == FieldKind::kList ? is_flow_list(element)
                                          : element.kind != FieldKind::kObject;
}

std::string flow_text(const FieldOps& ops, void* value) {
  if (ops.kind == FieldKind::kOptional) {
    return ops.size(value) == 0 ? "null" : flow_text(*ops.element, ops.at(value, 0));
  }
  if (ops.kind != FieldKind::kList) return format_scalar(ops, value);
  std::string text = "[";
  for (size_t i = 0; i < ops.size(value); ++i) {
    if (i > 0) text += ", ";
    text += flow_text(*ops.element, ops.at(value, i));
  }
  return text + ']';
}

std::string block_text(const FieldOps& ops, void* value, size_t indent, bool with_unset = true);

// A value on the line of its key or dash (" 3\n"), or below it ("\n  a: 3\n").
std::string behind_key(const FieldOps& ops, void* value, size_t indent, bool with_unset = true) {
  if (ops.kind == FieldKind::kOptional) {
    return ops.size(value) == 0 ? " null\n" : behind_key(*ops.element, ops.at(value, 0), indent);
  }
  if (!is_container(ops) || is_flow_list(ops)) return fmt::format(" {}\n", flow_text(ops, value));
  const std::string block = block_text(ops, value, indent + 2, with_unset);
  if (block.empty()) return ops.kind == FieldKind::kList ? " []\n" : " {}\n";
  return fmt::format("\n{}", block);
}

std::string list_block(const FieldOps& ops, void* value, size_t indent) {
  std::string text;
  const std::string spaces(indent, ' ');
  for (size_t i = 0; i < ops.size(value); ++i) {
    std::string item = behind_key(*ops.element, ops.at(value, i), indent, false);
    // The first line of a block moves up beside its dash.
    if (item.starts_with('\n')) item = fmt::format(" {}", item.substr(indent + 3));
    text += fmt::format("{}-{}", spaces, item);
  }
  return text;
}

std::string block_text(const FieldOps& ops, void* value, size_t indent, bool with_unset) {
  if (ops.kind == FieldKind::kList) return list_block(ops, value, indent);
  std::string text;
  const std::string spaces(indent, ' ');
  for (const Field& field : ops.fields(value)) {
    const bool is_unset =
        field.ops->kind == FieldKind::kOptional && field.ops->size(field.value) == 0;
    if (is_unset && !with_unset) continue;
    text += fmt::format("{}{}:{}", spaces, field.name, behind_key(*field.ops, field.value, indent));
  }
  return text;
}

std::string json_text(const FieldOps& ops, void* value) {
  if (ops.kind == FieldKind::kOptional) {
    return ops.size(value) == 0 ? "null" : json_text(*ops.element, ops.at(value, 0));
  }
  if (!is_container(ops)) return format_scalar_json(ops, value);
  const bool list = ops.kind == FieldKind::kList;
  std::string text(1, list ? '[' : '{');
  if (list) {
    for (size_t i = 0; i < ops.size(value); ++i) {
      text += fmt::format("{}{}", i > 0 ? "," : "", json_text(*ops.element, ops.at(value, i)));
    }
  } else {
    for (const Field& field : ops.fields(value)) {
      text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", quote_json(field.name),
                          json_text(*field.ops, field.value));
    }
  }
  return text + (list ? ']' : '}');
}

// A list of what the list itself stands in (the layers of a layer) is one key: its keys are known.
// `around`: the maps that the field lies in.
void collect_keys(const Field& field, const std::string& path, std::vector<const FieldOps*>& around,
                  std::vector<KeyInfo>& out) {
  const FieldOps& ops = *field.ops;
  const FieldOps& inner = bare(ops);
  const bool is_own_kind = inner.kind == FieldKind::kList &&
                           std::find(around.begin(), around.end(), inner.element) != around.end();
  if (is_own_kind) {
    out.push_back({path, "list", "null", std::string(field.help)});
  } else if (inner.kind != FieldKind::kObject &&
             (inner.kind != FieldKind::kList || is_flow_list(inner))) {
    out.push_back({path, type_text(ops), flow_text(ops, field.value), std::string(field.help)});
  } else if (ops.kind == FieldKind::kObject) {
    around.push_back(&ops);
    for (const Field& member : ops.fields(field.value)) {
      const std::string name(member.name);
      collect_keys(member, path.empty() ? name : fmt::format("{}.{}", path, name), around, out);
    }
    around.pop_back();
  } else {
    if (ops.size(field.value) == 0) ops.resize(field.value, 1);
    const Field element{field.name, field.help, ops.at(field.value, 0), ops.element};
    const bool list = ops.kind == FieldKind::kList;
    collect_keys(element, list ? fmt::format("{}.N", path) : path, around, out);
  }
}

}  // namespace

std::string fields_to_yaml(const Field& root) {
  const std::string text = block_text(*root.ops, root.value, 0);
  return text.empty() ? "{}\n" : text;
}

std::string fields_to_json(const Field& root) { return json_text(*root.ops, root.value); }

std::vector<KeyInfo> field_keys(const Field& scratch) {
  std::vector<KeyInfo> keys;
  std::vector<const FieldOps*> around;
  collect_keys(scratch, "", around, keys);
  return keys;
}

std::string fields_help(const Field& scratch) {
  const std::vector<KeyInfo> keys = field_keys(scratch);
  size_t path = 0;
  size_t type = 0;
  size_t value = 0;
  for (const KeyInfo& key : keys) {
    path = std::max(path, std::min(key.path.size(), kWidestPath));
    type = std::max(type, std::min(key.type.size(), kWidestType));
    value = std::max(value, std::min(key.default_value.size(), kWidestDefault));
  }
  std::string text;
  for (const KeyInfo& key : keys) {
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", key.path, path, key.type, type,
                        key.default_value, value, key.help);
  }
  return text;
}

std::string fields_hash(const Field& root) {
  return sha256_hex(fields_to_yaml(root)).substr(0, 16);
}

}  // namespace ingot
