// SPDX-License-Identifier: Apache-2.0
// `ingot eval RUN`: the model of a run on one of its splits, the test split unless told otherwise,
// or, of a table, on the labelled rows of another file.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/network_model.h"
#include "cli/pipeline/table_evaluation.h"
#include "cli/run_tokens.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

constexpr std::string_view kFileKey = "table.split.test_file";
constexpr std::string_view kMissingKey = "table.target.missing";

const std::vector<std::string> kEvalSections = {
    "eval.",         "pack.",       std::string(kFileKey), std::string(kMissingKey),
    "table.format.", "table.keep.", "predict.batch",       "predict.tta"};

std::string key_of(std::string_view override_text) {
  return std::string(override_text.substr(0, override_text.find('=')));
}

bool is_given(const Invocation& invocation, std::string_view key) {
  const std::vector<std::string>& all = invocation.overrides;
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& text) { return key_of(text) == key; });
}

/// Whether a folder is no model of any kind, beside a run on a table: one of pictures by class.
bool is_pictures(const std::string& run, const std::string& folder) {
  const bool is_language_model = file_exists(join_path(folder, "config.json")) ||
                                 file_exists(join_path(folder, "model/config.json"));
  return holds_network(run) && !holds_network(folder) && !is_language_model &&
         !is_run_directory(folder);
}

/// A table in place of a model: `ingot eval RUN new.csv`, `ingot eval RUN pictures`.
void take_file(Invocation& invocation) {
  std::vector<std::string>& words = invocation.words;
  if (words.size() != 2 || (directory_exists(words[1]) && !is_pictures(words[0], words[1]))) return;
  if (!file_exists(words[1]) && !directory_exists(words[1]) && !data::is_table_name(words[1])) {
    return;
  }
  invocation.overrides.push_back(fmt::format("{}={}", kFileKey, words[1]));
  words.pop_back();
}

/// Keys of the data, which was made when the run was.
bool is_of_data(const std::string& key) {
  const std::string section = key.substr(0, key.find('.'));
  return section == "data" || section == "table" || section == "tokenizer";
}

/// Those that say how the rows of a file are read.
bool is_of_file(const std::string& key) {
  return key == kFileKey || key == kMissingKey || key.starts_with("table.format") ||
         key.starts_with("table.keep");
}

/// Refuses keys that would be taken and change nothing.
void require_effect(const Invocation& invocation, const Recipe& recipe) {
  const bool is_table = is_tabular(recipe);
  const bool has_file = is_table && is_given(invocation, kFileKey);
  for (const std::string& text : invocation.overrides) {
    const std::string key = key_of(text);
    require(!is_of_data(key) || (has_file && is_of_file(key)), Code::kInvalidArgument,
            "eval: {} would change nothing: the data of {} was made with the run. {}", key,
            recipe.out,
            has_file   ? "Of the rows of another file table.format, table.keep and "
                         "table.target.missing are taken"
            : is_table ? "Rows of another file are judged by table.split.test_file=FILE"
                       : "A split of it is judged by eval.split=train, validation or test");
  }
  if (!has_file) return;
  require(!recipe.table.split.test_file.empty(), Code::kInvalidArgument,
          "eval: {}= names no file. Give one, or leave the key out", kFileKey);
  require(
      !is_given(invocation, "eval.split") || recipe.eval.split == data::Split::kTest,
      Code::kInvalidArgument,
      "eval: the file {} is judged whole, eval.split={} is of the run's own data. Leave one out",
      recipe.table.split.test_file, data::split_name(recipe.eval.split));
}

class EvalVerb : public Verb {
 public:
  std::string_view name() const override { return "eval"; }
  std::string_view summary() const override { return "how good a model is on held-out data"; }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot eval RUN [MODEL] [eval.split=test] [key=value ...]\n"
        "       ingot eval RUN [MODEL] table.split.test_file=FILE\n"
        "       ingot eval RUN FILE\n\n"
        "RUN is a run directory; MODEL another model folder, such as RUN/model-q4: of a language\n"
        "model one of the same tokenizer, of a table one of the same training rows and features.\n"
        "FILE is a table with the columns of training, its target too, or a folder of pictures by\n"
        "class: its rows go through the transforms that were fitted in training, and the run "
        "stays\n"
        "as it is. Rows without target: table.target.missing=drop_row leaves them out.",
        kEvalSections, keys);
  }
  VerbTakes takes() const override { return {verb_keys(kEvalSections), {"--print-config"}}; }

  int run(Invocation& invocation) override {
    require(!invocation.words.empty() && invocation.words.size() <= 2, Code::kInvalidArgument,
            "eval: give a run directory, for example `ingot eval runs/quickstart`");
    const std::string out = invocation.words[0];
    take_file(invocation);
    const Recipe recipe = load_run_recipe(out, invocation);
    if (print_config(invocation, recipe)) return 0;
    require_effect(invocation, recipe);
    if (is_tabular(recipe)) {
      Runtime runtime(recipe);
      const std::string model = invocation.words.size() > 1 ? invocation.words[1] : out;
      invocation.console.result(
          is_given(invocation, kFileKey)
              ? evaluate_file(invocation, runtime, recipe, model)
              : evaluate_table(invocation, runtime, recipe, model, false).numbers);
      return 0;
    }
    const std::string folder =
        model_folder(invocation.words.size() > 1 ? invocation.words[1] : out);
    Runtime runtime(recipe);
    const std::string split(data::split_name(recipe.eval.split));
    const data::ShardReader shard = open_shard(out, recipe.eval.split, invocation.stop);
    require(shard.tokens() > 0, Code::kInvalidArgument,
            "eval: the {} split of {} is empty. Another one: eval.split=train, validation or test",
            split, out);
    require_evaluating_memory(runtime, recipe, folder);
    const train::Evaluation e = evaluate_folder(invocation, runtime, recipe, folder, shard);
    Json json = {{"model", folder}, {"split", split}, {"loss", e.loss}};
    for (const auto& [key, value] : e.metrics) json[key] = value;
    invocation.console.line(fmt::format("{}: loss {:.5f}, perplexity {:.4f}, {:.5f} bits per byte",
                                        folder, e.loss, e.metrics.at("perplexity"),
                                        e.metrics.at("bits_per_byte")));
    invocation.console.result(json);
    return 0;
  }
};

}  // namespace

Verb* eval_verb() {
  static EvalVerb verb;
  return &verb;
}

}  // namespace ingot::cli
