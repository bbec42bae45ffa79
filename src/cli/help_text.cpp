// SPDX-License-Identifier: Apache-2.0
#include "cli/help_text.h"

#include <algorithm>
#include <iterator>
#include <utility>

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

constexpr size_t kScreen = 40;  // lines

/// What most runs set; the others have defaults that suit.
bool is_main(std::string_view path) {
  constexpr std::string_view kMain[] = {"out",
                                        "threads",
                                        "memory",
                                        "data.path",
                                        "table.path",
                                        "table.target.column",
                                        "tokenizer.vocab_size",
                                        "model.layers",
                                        "model.dim",
                                        "train.steps",
                                        "train.minutes",
                                        "train.micro_batch",
                                        "train.lr",
                                        "compress.formats",
                                        "tune.lr.steps"};
  return std::find(std::begin(kMain), std::end(kMain), path) != std::end(kMain);
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

std::string escaped(std::string text, std::string_view marks) {
  for (size_t at = 0; (at = text.find_first_of(marks, at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

/// A cell of a Markdown table: a bar would end it, a word between < and > would be markup.
std::string cell(std::string text) { return escaped(std::move(text), "|<"); }

/// The same of what is shown as it is, between marks that it does not hold itself.
std::string code_cell(const std::string& text) {
  const char* const mark = text.find('`') == std::string::npos ? "`" : "``";
  return fmt::format("{}{}{}", mark, escaped(text, "|"), mark);
}

}  // namespace

std::string verb_help(std::string_view usage, const std::vector<std::string>& sections,
                      HelpKeys keys) {
  std::vector<Row> all, main;
  const Recipe defaults;
  for (const KeyInfo& key : list_keys(defaults)) {
    if (!is_shown(key.path, sections)) continue;
    all.push_back(row_of(key));
    if (is_main(key.path)) main.push_back(all.back());
  }
  std::string text = std::string(usage) + "\n\nkeys (recipe file or key=value):\n";
  if (keys == HelpKeys::kAll || all.size() <= kScreen) return text + table(all);
  return text + table(main) +
         fmt::format(
             "  and {} more: --help=all lists them, `ingot help keys` those of every verb\n",
             all.size() - main.size());
}

std::string verb_page(const Verb& verb, HelpKeys keys) {
  constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
      {"--json", "one JSON object on standard output"},
      {"--print-config", "the resolved recipe"},
      {"--fresh", "start anew (what a run has made moves to replaced-N in its folder)"},
      {"--graph", "layers and diagrams"},
      {"--from", "the table, as from="},
      {"--target", "the column, as target="},
      {"--yes", "the licence is accepted"}};
  std::vector<std::string> known = verb.takes().flags;
  known.emplace_back("--json");
  std::string text = verb.help(keys) + "\nflags: ";
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
    const char* note = (row.flags & kView) != 0     ? "a view"
                       : (row.flags & kRandom) != 0 ? "random by seed and step"
                                                    : "";
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", row.name, row.signature,
                        cell(row.formula), (row.flags & kDifferentiable) != 0 ? "yes" : "",
                        (row.flags & kRowInvariant) != 0 ? "yes" : "", note);
  }
  return text;
}

std::string keys_help() {
  constexpr std::string_view kLayers = "layers.";
  std::string text =
      "# Keys\n\nPrinted by `ingot help keys` from the recipe in src/cli/recipe.h; a test compares "
      "them.\nEvery key of a recipe, with the value it has when it is not given. In the file the "
      "parts of a key are nested; on the command line it is written as here: "
      "`train.optimizer.name=sgd`. `N` counts the entries of a list from 0. `ingot VERB "
      "--help=all` "
      "lists the keys that a verb reads, `--print-config` a recipe with all of them. The keys of "
      "`layers.N` are in [layers.md](layers.md).\n";
  std::string section = "none yet";
  for (const KeyInfo& key : list_keys(Recipe{})) {
    if (key.path.starts_with(kLayers)) continue;
    const size_t dot = key.path.find('.');
    const std::string of_key = dot == std::string::npos ? "" : key.path.substr(0, dot);
    if (of_key != section) {
      section = of_key;
      text += fmt::format("\n## {}\n\n| key | type | default | meaning |\n|---|---|---|---|\n",
                          section.empty() ? "The run" : section);
    }
    text += fmt::format("| `{}` | {} | {} | {} |\n", key.path, key.type,
                        code_cell(key.default_value), cell(key.help));
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
