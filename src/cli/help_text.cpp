// SPDX-License-Identifier: Apache-2.0
#include "cli/help_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "autograd/op_table.h"
#include "base/text.h"
#include "cli/recipe.h"
#include "models/network/node.h"

namespace ingot::cli {
namespace {

bool is_shown(const std::string& path, const std::vector<std::string>& sections) {
  if (path.find('.') == std::string::npos) return true;
  return std::any_of(sections.begin(), sections.end(),
                     [&](const std::string& s) { return path.starts_with(s); });
}

constexpr std::string_view kChoice = "one of ";

/// One line of the table of keys. What can be chosen stands at the end, where it may be long.
struct Row {
  std::string key, type, value, help;
};

Row row_of(const KeyInfo& key) {
  if (!key.type.starts_with(kChoice)) return {key.path, key.type, key.default_value, key.help};
  return {key.path, "choice", key.default_value,
          key.help + " [" + key.type.substr(kChoice.size()) + "]"};
}

std::string table(const std::vector<Row>& rows) {
  size_t key = 0, type = 0, value = 0;
  for (const Row& row : rows) {
    key = std::max(key, row.key.size());
    type = std::max(type, row.type.size());
    value = std::max(value, row.value.size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += fmt::format("  {:<{}}  {:<{}}  {:<{}}  {}\n", row.key, key, row.type, type, row.value,
                        value, row.help);
  }
  return text;
}

}  // namespace

std::string verb_help(std::string_view usage, const std::vector<std::string>& sections) {
  std::vector<Row> rows;
  const Recipe defaults;
  for (const KeyInfo& key : list_keys(defaults)) {
    if (is_shown(key.path, sections)) rows.push_back(row_of(key));
  }
  return std::string(usage) + "\n\nkeys (recipe file or key=value):\n" + table(rows);
}

std::string verb_page(const Verb& verb) {
  constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
      {"--json", "one JSON object on standard output"},
      {"--print-config", "the resolved recipe"},
      {"--fresh", "start anew"},
      {"--graph", "layers and diagrams"},
      {"--from", "the table, as from="},
      {"--target", "the column, as target="},
      {"--yes", "the licence is accepted"}};
  std::vector<std::string> known = verb.takes().flags;
  known.emplace_back("--json");
  std::string text = verb.help() + "\nflags: ";
  for (const auto& [flag, meaning] : kFlags) {
    if (std::find(known.begin(), known.end(), flag) == known.end()) continue;
    text += fmt::format("{} {}, ", flag, meaning);
  }
  return text + "--help\n";
}

std::vector<std::string> verb_keys(const std::vector<std::string>& sections) {
  std::vector<std::string> keys;
  for (const std::string& key : recipe_keys()) {
    if (is_shown(key, sections)) keys.push_back(key);
  }
  return keys;
}

std::string ops_help() {
  std::string text =
      "# Ops\n\nPrinted by `ingot help ops` from the table in src/autograd/op_table.cpp; a test "
      "compares "
      "them.\nEvery row is checked against a float64 truth, finite differences, odd shapes, views, "
      "1 to 8 threads and replay (tests/autograd).\nRow-invariant: the bytes of a row depend on "
      "that row alone, so a batch gives what its rows give one by one.\n\n"
      "| op | arguments | result | gradient | row-invariant | notes |\n|---|---|---|---|---|---|\n";
  for (const OpRow& row : op_table()) {
    std::string formula = row.formula;
    for (size_t at = 0; (at = formula.find('|', at)) != std::string::npos; at += 2) {
      formula.insert(at, "\\");  // a bar ends a cell of Markdown
    }
    const char* note = (row.flags & kView) != 0     ? "a view"
                       : (row.flags & kRandom) != 0 ? "random by seed and step"
                                                    : "";
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", row.name, row.signature, formula,
                        (row.flags & kDifferentiable) != 0 ? "yes" : "",
                        (row.flags & kRowInvariant) != 0 ? "yes" : "", note);
  }
  return text;
}

std::string layers_help() {
  std::string text =
      "# Layers\n\nPrinted by `ingot help layers` from src/models/network/catalog.cpp; a test "
      "compares them.\nAn entry of `layers:` is a map with `type`, an optional `name` and `inputs` "
      "(the layer before, when empty) and the keys below; those in bold must be given. Layers with "
      "weights also take `" +
      std::string(models::kWeightKeys) + "`.\n\n| layer | inputs | keys |\n|---|---|---|\n";
  for (const models::LayerRow& row : models::layer_rows()) {
    std::string keys;
    for (const std::string_view key : split(row.keys, ' ')) {
      if (key.empty()) continue;
      const std::vector<std::string_view> required = split(row.required, ' ');
      const bool is_bold = std::find(required.begin(), required.end(), key) != required.end();
      if (!keys.empty()) keys += ", ";
      keys += is_bold ? fmt::format("**{}**", key) : std::string(key);
    }
    text += fmt::format("| `{}` | {} | {} |\n", enum_name(row.type),
                        row.min_inputs == row.max_inputs ? std::to_string(row.min_inputs)
                                                         : fmt::format("{}+", row.min_inputs),
                        keys);
  }
  text += "\n| key | type | meaning |\n|---|---|---|\n";
  for (const KeyInfo& key : list_keys(models::LayerConfig{})) {
    text += fmt::format("| `{}` | {} | {} |\n", key.path, key.type, key.help);
  }
  return text;
}

}  // namespace ingot::cli
