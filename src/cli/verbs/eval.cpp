// SPDX-License-Identifier: Apache-2.0
// `ingot eval RUN`: the model of a run on one of its splits, the test split unless told otherwise.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/pipeline/table_evaluation.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kEvalSections = {"eval.", "pack."};

class EvalVerb : public Verb {
 public:
  std::string_view name() const override { return "eval"; }
  std::string_view summary() const override { return "how good a model is on held-out data"; }
  std::string help() const override {
    return verb_help(
        "usage: ingot eval RUN [MODEL] [eval.split=test] [key=value ...]\n\n"
        "RUN is a run directory; MODEL another model folder, such as RUN/model-q4: of a language\n"
        "model one of the same tokenizer, of a table one of the same training rows and features.",
        kEvalSections);
  }
  VerbTakes takes() const override { return {verb_keys(kEvalSections), {"--print-config"}}; }

  int run(Invocation& invocation) override {
    require(!invocation.words.empty() && invocation.words.size() <= 2, Code::kInvalidArgument,
            "eval: give a run directory, for example `ingot eval runs/quickstart`");
    const std::string out = invocation.words[0];
    const Recipe recipe = load_run_recipe(out, invocation);
    if (print_config(invocation, recipe)) return 0;
    if (is_tabular(recipe)) {
      Runtime runtime(recipe);
      const std::string model = invocation.words.size() > 1 ? invocation.words[1] : out;
      invocation.console.result(evaluate_table(invocation, runtime, recipe, model, false).numbers);
      return 0;
    }
    const std::string folder =
        model_folder(invocation.words.size() > 1 ? invocation.words[1] : out);
    Runtime runtime(recipe);
    const std::string split(data::split_name(recipe.eval.split));
    const data::ShardReader shard(join_path(out, "data/" + split + ".shard"));
    require(shard.tokens() > 0, Code::kInvalidArgument,
            "eval: the {} split of {} is empty. Another one: eval.split=train, validation or test",
            split, out);
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
