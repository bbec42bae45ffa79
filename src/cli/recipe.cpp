// SPDX-License-Identifier: Apache-2.0
#include "cli/recipe.h"

#include "base/hash.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxRecipe = 1 << 20;

void apply_overrides(const Invocation& invocation, Recipe& recipe) {
  for (const std::string& text : invocation.overrides) apply_override(text, recipe);
  if (recipe.out.empty()) recipe.out = "runs/" + recipe.name;
  require(recipe.name.find('/') == std::string::npos && !recipe.name.empty(),
          Code::kInvalidArgument, "recipe: name \"{}\" must be a plain file name", recipe.name);
  require(recipe.threads >= 0 && recipe.threads <= 1024, Code::kInvalidArgument,
          "recipe: threads {} must be 0 (all) to 1024", recipe.threads);
  require(recipe.memory.bytes >= 0, Code::kInvalidArgument,
          "recipe: memory {} must not be negative, for example memory=4GiB", recipe.memory.bytes);
}

Recipe load_from(const std::string& path, const Invocation& invocation) {
  Recipe recipe;
  if (!path.empty()) bind_text(read_file(path, kMaxRecipe), path, recipe);
  apply_overrides(invocation, recipe);
  return recipe;
}

}  // namespace

Recipe load_recipe(const Invocation& invocation) {
  require(invocation.words.size() <= 1, Code::kInvalidArgument,
          "recipe: one file is taken, \"{}\" is left over. Options are written key=value",
          invocation.words.size() > 1 ? invocation.words[1] : "");
  std::string path = invocation.words.empty() ? "" : invocation.words[0];
  if (directory_exists(path)) path = join_path(path, "recipe.yaml");
  return load_from(path, invocation);
}

Recipe load_run_recipe(const std::string& run, const Invocation& invocation) {
  const std::string path = join_path(run, "recipe.yaml");
  require(file_exists(path), Code::kNotFound,
          "run: {} has no recipe.yaml. Give a run directory, as made by `ingot train`", run);
  Recipe recipe = load_from(path, invocation);
  recipe.out = run;
  return recipe;
}

std::string recipe_hash(const Recipe& recipe) {
  const Recipe defaults;
  Recipe core = recipe;
  core.out = defaults.out;
  core.threads = defaults.threads;
  core.memory = defaults.memory;
  core.serve = defaults.serve;
  core.generate = defaults.generate;
  core.price = defaults.price;
  core.compress = defaults.compress;
  core.eval = defaults.eval;
  core.train.replay = true;  // the same bytes either way
  core.train.checkpoint_every = 0;
  core.train.keep = 1;
  return config_hash(core);
}

std::vector<std::string> recipe_keys() {
  std::vector<std::string> keys;
  for (const KeyInfo& k : list_keys(Recipe{})) keys.push_back(k.path);
  return keys;
}

bool print_config(const Invocation& invocation, const Recipe& recipe) {
  if (!invocation.prints_config) return false;
  invocation.console.line(to_yaml(recipe) + "# hash " + recipe_hash(recipe));
  return true;
}

}  // namespace ingot::cli
