// SPDX-License-Identifier: Apache-2.0
#include "cli/recipe.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/machine.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cli/recipe_places.h"
#include "data/formats/npy_table.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxRecipe = 1 << 20;
constexpr const char* kRecipeFile = "recipe.yaml";
constexpr const char* kRecipes = "recipes";

void check_globals(const Recipe& recipe) {
  require(recipe.threads >= 0 && recipe.threads <= 1024, Code::kInvalidArgument,
          "recipe: threads {} must be 0 (all) to 1024", recipe.threads);
  require(recipe.memory.bytes >= 0, Code::kInvalidArgument,
          "recipe: memory {} must not be negative, for example memory=4GiB", recipe.memory.bytes);
  require(
      recipe.memory.bytes == 0 || recipe.memory.bytes >= 1024, Code::kInvalidArgument,
      "recipe: memory {} is a number of bytes, in which nothing fits. Write the unit, for example "
      "memory=4GiB",
      recipe.memory.bytes);
}

void apply_overrides(const Invocation& invocation, std::span<const std::string> overrides,
                     Recipe& recipe) {
  for (const std::string& text : overrides) apply_override(text, recipe);
  if (recipe.out.empty()) recipe.out = "runs/" + recipe.name;
  require(recipe.name.find('/') == std::string::npos && !recipe.name.empty(),
          Code::kInvalidArgument, "recipe: name \"{}\" must be a plain file name", recipe.name);
  check_globals(recipe);
  require(recipe.eval.context >= -1, Code::kInvalidArgument,
          "eval.context: {} must be at least -1, which takes half of the window",
          recipe.eval.context);
  require(recipe.eval.top_k >= 1, Code::kInvalidArgument,
          "eval.top_k: {} must be at least 1, for example 5", recipe.eval.top_k);
  require(recipe.price.per_hour >= 0.0 && std::isfinite(recipe.price.per_hour),
          Code::kInvalidArgument, "price.per_hour: {} must be 0 or more; 0: the price is not known",
          recipe.price.per_hour);
  // Sorts of a table's rows, at most four at once, take a quarter of the memory or less, and means
  // of the target as much as one sort.
  const int64_t memory = recipe.memory.bytes > 0 ? recipe.memory.bytes : memory_limit();
  recipe.data.memory_bytes = memory;
  recipe.table.format.joins_target = data::joins_target(recipe.table.target.column);
  recipe.table.space.stop = invocation.stop;
  recipe.table.space.bytes = std::clamp(memory / 16, int64_t{1} << 20, data::SortSpace{}.bytes);
}

bool may_be_recipe(const std::string& path) {
  return path.ends_with(".yaml") || path.ends_with(".yml") || is_run_directory(path);
}

/// A pipe that the shell has opened for this program, which has a writer, unlike one of a folder.
bool is_open_pipe(const std::string& path) {
  return path == "/dev/stdin" || path.starts_with("/dev/fd/");
}

/// Opening a named pipe waits for its writer, and reading a terminal for somebody who types.
void require_file(const std::string& path) {
  std::error_code unknown;  // not there, or not to be looked at: reading it says why
  const auto type = std::filesystem::status(path, unknown).type();
  using Type = std::filesystem::file_type;
  const bool is_other =
      type == Type::fifo || type == Type::character || type == Type::block || type == Type::socket;
  require(!is_other || is_open_pipe(path), Code::kInvalidArgument,
          "recipe: \"{}\" is a pipe or device, a regular file is needed, or /dev/stdin", path);
}

/// The recipes in the folder where those of ingot lie; empty where there is none.
std::vector<std::string> recipes_here() {
  std::vector<std::string> names;
  if (!directory_exists(kRecipes)) return names;
  for (std::string& name : real_files()->list(kRecipes)) {
    if (name.ends_with(".yaml")) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// For a recipe that is not there: one beside it, else one of recipes/ by its bare name.
std::string other_recipes(const std::string& path) {
  const std::string beside = names_beside(path, may_be_recipe);
  if (beside.starts_with(" Did") || path.find('/') != std::string::npos) return beside;
  const std::vector<std::string> names = recipes_here();
  std::string nearest = nearest_name(path, names);
  if (nearest.empty()) nearest = nearest_name(path + ".yaml", names);
  return nearest.empty() ? beside : fmt::format(" Did you mean \"{}/{}\"?", kRecipes, nearest);
}

std::string read_recipe(const std::string& path) {
  require_file(path);
  try {
    return read_file(path, kMaxRecipe);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    fail(Code::kNotFound, "recipe: \"{}\" is not there.{}", path, other_recipes(path));
  }
}

void bind_recipe(const std::string& path, const Invocation& invocation, Recipe& recipe) {
  std::string text = read_recipe(path);
  require(!trim(text).empty() || !invocation.overrides.empty(), Code::kInvalidArgument,
          "recipe: \"{}\" is empty; name a table or corpus in it: table: {{path: FILE.csv}}, or "
          "begin with `ingot new NAME --from FILE.csv`",
          path);
  bind_text(text, path, recipe);
  if (invocation.places == nullptr) return;
  invocation.places->set(path, std::move(text), invocation.overrides);
}

Recipe load_from(const std::string& path, const Invocation& invocation) {
  Recipe recipe;
  if (!path.empty()) bind_recipe(path, invocation, recipe);
  apply_overrides(invocation, invocation.overrides, recipe);
  return recipe;
}

/// The recipe of a run directory works on that directory: it may have been copied or renamed since.
Recipe load_from_run(const std::string& run, const Invocation& invocation) {
  const std::string path = join_path(run, kRecipeFile);
  Recipe recipe;
  bind_recipe(path, invocation, recipe);
  recipe.out = run;
  apply_overrides(invocation, invocation.overrides, recipe);
  return recipe;
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

void GenerateConfig::check() const {
  require(max_tokens >= 0, Code::kInvalidArgument,
          "generate.max_tokens: {} must not be negative; 100 is usual", max_tokens);
  const auto within = [](const char* key, float value, bool is_within, const char* range) {
    require(is_within, Code::kInvalidArgument, "generate.{}: {} must be {}", key, value, range);
  };
  within("temperature", temperature, temperature >= 0.0F && temperature <= 2.0F,
         "from 0 to 2; 0.8 is usual");
  within("top_p", top_p, top_p > 0.0F && top_p <= 1.0F, "above 0, at most 1; 0.95 is usual");
  within("repetition_penalty", repetition_penalty,
         repetition_penalty >= 0.01F && repetition_penalty <= 10.0F,
         "from 0.01 to 10; 1 turns it off");
  require(top_k >= 0, Code::kInvalidArgument,
          "generate.top_k: {} must not be negative; 0 takes all", top_k);
}

Recipe load_recipe(const Invocation& invocation) {
  const std::string extra = invocation.words.size() > 1 ? invocation.words[1] : "";
  require(
      !extra.ends_with(']') && !extra.ends_with('}'), Code::kInvalidArgument,
      "recipe: \"{}\" is the end of a list or map that the shell took apart at a space. Put the "
      "whole word in quotes: 'KEY=[A, B]'",
      extra);
  require(extra.empty(), Code::kInvalidArgument,
          "recipe: one file is taken, \"{}\" is left over. Options are written key=value", extra);
  const std::string path = invocation.words.empty() ? "" : invocation.words[0];
  if (directory_exists(path)) return load_from_run(without_slashes(path), invocation);
  return load_from(path, invocation);
}

Recipe with_overrides(const Invocation& invocation, Recipe recipe,
                      std::span<const std::string> overrides) {
  if (invocation.places != nullptr) invocation.places->add(overrides);
  apply_overrides(invocation, overrides, recipe);
  return recipe;
}

void require_recipe(const Invocation& invocation, std::string_view verb) {
  const bool says_something =
      !invocation.words.empty() || invocation.prints_config || !own_overrides(invocation).empty();
  if (says_something) return;
  const std::string here = join(recipes_here(), ", ");
  fail(
      Code::kInvalidArgument,
      "{0}: give a recipe, such as `ingot {0} recipes/quickstart.yaml`, or the folder of a run. {1}"
      "`ingot new NAME --from FILE.csv` writes one for a table",
      verb, here.empty() ? "" : fmt::format("In {}/ are {}. ", kRecipes, here));
}

Recipe load_run_recipe(const std::string& run, const Invocation& invocation) {
  require(file_exists(join_path(run, kRecipeFile)), Code::kNotFound,
          "run: {} has no recipe.yaml. Give a run directory, as made by `ingot train`", run);
  return load_from_run(without_slashes(run), invocation);
}

Recipe load_model_recipe(const std::string& folder, const Invocation& invocation) {
  const std::string inner = without_slashes(folder);
  for (const std::string& run : {inner, parent_path(inner)}) {
    if (is_run_directory(run) && file_exists(join_path(run, kRecipeFile))) {
      return load_from_run(run, invocation);
    }
  }
  return load_from("", invocation);
}

std::vector<std::string> own_overrides(const Invocation& invocation) {
  std::vector<std::string> own;
  Recipe globals;
  for (const std::string& text : invocation.overrides) {
    const std::string key = text.substr(0, text.find('='));
    if (key == "threads" || key == "seed" || key == "memory") {
      apply_override(text, globals);
    } else {
      own.push_back(text);
    }
  }
  check_globals(globals);
  return own;
}

namespace {

Recipe byte_deciding(const Recipe& recipe) {
  const Recipe defaults;
  Recipe core = recipe;
  core.out = defaults.out;
  core.threads = defaults.threads;
  core.memory = defaults.memory;
  core.serve = defaults.serve;
  core.generate = defaults.generate;
  core.predict = defaults.predict;
  core.tune = defaults.tune;
  core.price = defaults.price;
  core.compress = defaults.compress;
  core.eval = defaults.eval;
  core.train.replay = true;  // the same bytes either way
  core.train.checkpoint_every = 0;
  core.train.keep = 1;
  return core;
}

/// A value as one writes it: lists of maps by their size.
std::string value_text(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kScalar) return node.scalar.empty() ? "empty" : node.scalar;
  if (node.kind != YamlNode::Kind::kSequence) return "not set";
  std::vector<std::string> items;
  for (const YamlNode& item : node.items) {
    if (item.kind == YamlNode::Kind::kMap) return fmt::format("a list of {}", node.items.size());
    items.push_back(value_text(item));
  }
  return fmt::format("[{}]", join(items, ", "));
}

bool is_maps(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kSequence && !node.items.empty() &&
         node.items[0].kind == YamlNode::Kind::kMap;
}

/// Walks two recipes side by side; optional keys of a list's maps may be in one of them only.
void list_differences(const YamlNode& there, const YamlNode& here, const std::string& path,
                      std::vector<std::string>& found) {
  const auto below = [&](std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  };
  if (there.kind == YamlNode::Kind::kMap || here.kind == YamlNode::Kind::kMap) {
    const YamlNode unset;
    for (const YamlMember& m : there.members) {
      const YamlNode* other = here.find(m.key);
      list_differences(m.value, other != nullptr ? *other : unset, below(m.key), found);
    }
    for (const YamlMember& m : here.members) {
      if (there.find(m.key) == nullptr) list_differences(unset, m.value, below(m.key), found);
    }
    return;
  }
  if (is_maps(there) && is_maps(here) && there.items.size() == here.items.size()) {
    for (size_t i = 0; i < there.items.size(); ++i) {
      list_differences(there.items[i], here.items[i], below(std::to_string(i)), found);
    }
    return;
  }
  const std::string before = value_text(there), now = value_text(here);
  if (before == now) return;
  found.push_back(fmt::format("{} is {} there, {} here", path, excerpt(before), excerpt(now)));
}

}  // namespace

std::string recipe_hash(const Recipe& recipe) { return config_hash(byte_deciding(recipe)); }

std::string recipe_differences(const Recipe& there, const Recipe& here) {
  constexpr size_t kShown = 3;
  std::vector<std::string> found;
  list_differences(parse_yaml(to_yaml(byte_deciding(there)), "there"),
                   parse_yaml(to_yaml(byte_deciding(here)), "here"), "", found);
  const size_t more = found.size() - std::min(found.size(), kShown);
  found.resize(found.size() - more);
  return join(found, "; ") + (more > 0 ? fmt::format("; and {} more", more) : "");
}

std::vector<std::string> recipe_keys() {
  std::vector<std::string> keys;
  const Recipe defaults;
  for (const KeyInfo& k : list_keys(defaults)) keys.push_back(k.path);
  return keys;
}

std::string key_pattern(std::string_view key) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(key, '.')) {
    const bool is_number =
        !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    parts.emplace_back(is_number ? "N" : part);
  }
  return join(parts, ".");
}

bool print_config(const Invocation& invocation, const Recipe& recipe) {
  if (!invocation.prints_config) return false;
  invocation.console.line(to_yaml(recipe) + "# hash " + recipe_hash(recipe));
  return true;
}

Recipe by_rows(Recipe recipe) {
  recipe.train.seq = 1;
  return recipe;
}

}  // namespace ingot::cli
