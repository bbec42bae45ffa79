// SPDX-License-Identifier: Apache-2.0
// Binding YAML and key=value overrides to type-erased fields (see config.h). A failed bind may
// leave the fields half set: the templates in the header bind a copy and keep it only on success.
#include "base/config.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/core.h>

#include "base/config_scalar.h"
#include "base/error.h"
#include "base/text.h"

namespace ingot {
namespace {

std::string dotted(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

std::string prefixed(std::string_view path, std::string_view text) {
  return path.empty() ? std::string(text) : fmt::format("{}: {}", path, text);
}

const Field* find_field(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

/// A key or section of this name in another place: below the section `path`, else one of two words;
/// for the top (`path` empty) any. The one nearest to the top, or "".
std::string same_name_elsewhere(const Field& root, std::string_view path, std::string_view name) {
  const std::string part = fmt::format(".{}.", name);
  const std::string room = path.empty() ? "" : fmt::format("{}.", path);
  const auto depth = [](std::string_view key) { return std::count(key.begin(), key.end(), '.'); };
  std::string best;
  for (const KeyInfo& key : field_keys(root)) {
    const size_t at = (key.path + ".").find(part);
    const std::string found =
        key.path.substr(0, at == std::string::npos ? 0 : at + name.size() + 1);
    if (found.empty() || (!found.starts_with(room) && depth(found) > 1)) continue;
    const bool is_nearer =
        found.starts_with(room) > best.starts_with(room) ||
        (found.starts_with(room) == best.starts_with(room) && depth(found) < depth(best));
    if (best.empty() || is_nearer) best = found;
  }
  return best;
}

// `unknown key "x". Did you mean "y"?`: first a sibling, then that name in another place.
std::string unknown_key(const Field& root, std::string_view path,
                        const std::vector<Field>& siblings, std::string_view name) {
  constexpr size_t kLeast = 2;  // a letter alone is the name of too much
  std::vector<std::string> names;
  bool is_held = false;  // by several siblings, which are nearer than anything elsewhere
  for (const Field& field : siblings) {
    names.emplace_back(field.name);
    is_held |= field.name.find(name) != std::string_view::npos;
  }
  std::string hint = did_you_mean(name, names);
  if (nearest_name(name, names).empty() && !is_held && name.size() >= kLeast) {
    const std::string elsewhere = same_name_elsewhere(root, path, name);
    if (!elsewhere.empty()) hint = fmt::format(" Did you mean \"{}\"?", elsewhere);
  }
  return fmt::format("unknown key \"{}\".{}", excerpt(name), hint);
}

bool is_scalar(const FieldOps& ops) {
  return ops.kind != FieldKind::kObject && ops.kind != FieldKind::kList &&
         ops.kind != FieldKind::kOptional;
}

class Binder {
 public:
  // Errors start with "<name>:<line>:<column>: ", or with `prefix` when there is one.
  Binder(const Field& root, std::string_view name, std::string_view prefix)
      : root_(root), name_(name), prefix_(prefix) {}

  void bind(const FieldOps& ops, void* value, const YamlNode& node, const std::string& path) const {
    switch (ops.kind) {
      case FieldKind::kObject:
        return bind_object(ops, value, node, path);
      case FieldKind::kList:
        return bind_list(ops, value, node, path);
      case FieldKind::kOptional:
        return bind_optional(ops, value, node, path);
      default:
        return bind_scalar(ops, value, node, path);
    }
  }

 private:
  [[noreturn]] void error(int line, int column, std::string_view text) const {
    if (!prefix_.empty()) fail(Code::kInvalidArgument, "{}: {}", prefix_, text);
    fail(Code::kInvalidArgument, "{}:{}:{}: {}", name_, line, column, text);
  }

  [[noreturn]] void wrong(const YamlNode& node, const std::string& path, std::string_view expected,
                          std::string_view hint = {}) const {
    error(node.line, node.column,
          prefixed(path, fmt::format("{}, got {}{}", expected, describe(node), hint)));
  }

  void bind_object(const FieldOps& ops, void* value, const YamlNode& node,
                   const std::string& path) const {
    if (node.kind == YamlNode::Kind::kNull) return;  // a heading with nothing below it
    if (node.kind != YamlNode::Kind::kMap) {
      const bool lacks_space = node.scalar.find(':') != std::string::npos;
      wrong(node, path, "expected a map of keys",
            lacks_space ? ". A space parts key and value: \"key: value\"" : "");
    }
    const std::vector<Field> fields = ops.fields(value);
    for (const YamlMember& member : node.members) {
      const Field* field = find_field(fields, member.key);
      if (field == nullptr) {
        error(member.line, member.column,
              prefixed(path, unknown_key(root_, path, fields, member.key)));
      }
      bind(*field->ops, field->value, member.value, dotted(path, member.key));
    }
  }

  void bind_list(const FieldOps& ops, void* value, const YamlNode& node,
                 const std::string& path) const {
    ops.resize(value, 0);  // so that every element starts from its defaults
    if (node.kind == YamlNode::Kind::kScalar && is_scalar(*ops.element)) {  // a list of one
      ops.resize(value, 1);
      return bind_scalar(*ops.element, ops.at(value, 0), node, path);
    }
    if (node.kind != YamlNode::Kind::kSequence) wrong(node, path, "expected a list");
    ops.resize(value, node.items.size());
    for (size_t i = 0; i < node.items.size(); ++i) {
      bind(*ops.element, ops.at(value, i), node.items[i], dotted(path, fmt::format("{}", i)));
    }
  }

  void bind_optional(const FieldOps& ops, void* value, const YamlNode& node,
                     const std::string& path) const {
    if (node.kind == YamlNode::Kind::kNull) return ops.resize(value, 0);
    if (ops.size(value) == 0) ops.resize(value, 1);
    bind(*ops.element, ops.at(value, 0), node, path);
  }

  void bind_scalar(const FieldOps& ops, void* value, const YamlNode& node,
                   const std::string& path) const {
    if (node.kind != YamlNode::Kind::kScalar) {
      // The empty text asks the parser for the words of its complaint; a string takes any text.
      const bool text = ops.kind == FieldKind::kString;
      wrong(node, path, text ? "expected text" : store_scalar(ops, value, "", false));
    }
    const std::string expected = store_scalar(ops, value, node.scalar, node.quoted);
    if (!expected.empty()) wrong(node, path, expected, scalar_hint(ops, node.scalar));
  }

  const Field& root_;
  std::string_view name_;
  std::string_view prefix_;
};

// Walks "groups.0.lr" down from the root; optional values on the way come into being.
class Descent {
 public:
  Descent(const Field& root, std::string_view prefix) : root_(root), at_(root), prefix_(prefix) {}

  Field find(std::string_view key) {
    for (const std::string_view part : split(key, '.')) step(part);
    return at_;
  }

 private:
  [[noreturn]] void error(std::string_view text) const {
    fail(Code::kInvalidArgument, "{}: {}", prefix_, prefixed(path_, text));
  }

  void step(std::string_view part) {
    while (at_.ops->kind == FieldKind::kOptional) {
      if (at_.ops->size(at_.value) == 0) at_.ops->resize(at_.value, 1);
      at_ = {at_.name, at_.help, at_.ops->at(at_.value, 0), at_.ops->element};
    }
    if (at_.ops->kind == FieldKind::kObject) {
      const std::vector<Field> fields = at_.ops->fields(at_.value);
      const Field* field = find_field(fields, part);
      if (field == nullptr) error(unknown_key(root_, path_, fields, part));
      at_ = *field;
    } else if (at_.ops->kind == FieldKind::kList) {
      at_ = {part, at_.help, at_.ops->at(at_.value, index(part)), at_.ops->element};
    } else {
      error(fmt::format("is a single value and has no key \"{}\"", excerpt(part)));
    }
    path_ = dotted(path_, part);
  }

  size_t index(std::string_view part) const {
    const size_t size = at_.ops->size(at_.value);
    size_t i = 0;
    const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), i);
    const bool number = code == std::errc() && end == part.data() + part.size();
    if (!number || i >= size) {
      error(
          fmt::format("has {} elements, numbered from 0; there is no \"{}\"", size, excerpt(part)));
    }
    return i;
  }

  const Field& root_;
  Field at_;
  std::string_view prefix_;
  std::string path_;
};

// Text that YAML must not interpret: "a: b" or "#3" is a fine string.
bool takes_raw_text(const FieldOps& ops) {
  if (ops.kind == FieldKind::kOptional) return takes_raw_text(*ops.element);
  return ops.kind == FieldKind::kString || ops.kind == FieldKind::kEnum;
}

YamlNode raw_node(const FieldOps& ops, std::string_view text) {
  YamlNode node;
  if (ops.kind == FieldKind::kOptional && (text == "null" || text == "~")) return node;
  node.kind = YamlNode::Kind::kScalar;
  node.scalar = text;
  return node;
}

}  // namespace

void bind_fields(const Field& root, const YamlNode& node, std::string_view name) {
  Binder(root, name, "").bind(*root.ops, root.value, node, "");
}

namespace {

/// A list or map that lacks its end was most likely taken apart by the shell, at a space.
void require_closed(std::string_view assignment, std::string_view value, std::string_view prefix) {
  const std::string_view text = trim(value);
  const bool is_open = (text.starts_with('[') && !text.ends_with(']')) ||
                       (text.starts_with('{') && !text.ends_with('}'));
  std::string_view begin = trim(assignment);
  while (begin.ends_with(',')) begin.remove_suffix(1);
  require(!is_open, Code::kInvalidArgument,
          "{}: the bracket is not closed. Put the whole word in quotes: '{}, ...{}'", prefix, begin,
          text.starts_with('[') ? ']' : '}');
}

YamlNode parse_value(std::string_view assignment, std::string_view value, std::string_view key,
                     std::string_view prefix) {
  try {
    return parse_yaml(value, fmt::format("{}: {}: value", prefix, key));
  } catch (const Error&) {
    require_closed(assignment, value, prefix);
    throw;
  }
}

}  // namespace

void override_field(const Field& root, std::string_view assignment) {
  const std::string prefix = fmt::format("override \"{}\"", excerpt(assignment, 200));
  const size_t equals = assignment.find('=');
  require(equals != assignment.npos && equals > 0, Code::kInvalidArgument,
          "{}: expected key=value, such as train.lr=3e-4", prefix);
  const std::string_view key = trim(assignment.substr(0, equals));
  const std::string_view text = assignment.substr(equals + 1);
  const Field field = Descent(root, prefix).find(key);
  const YamlNode node = takes_raw_text(*field.ops) ? raw_node(*field.ops, text)
                                                   : parse_value(assignment, text, key, prefix);
  Binder(root, "", prefix).bind(*field.ops, field.value, node, std::string(key));
}

}  // namespace ingot
