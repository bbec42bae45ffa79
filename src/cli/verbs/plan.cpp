// SPDX-License-Identifier: Apache-2.0
// `ingot plan`: what training will take in memory, time and money, before it starts.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/run_tokens.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kPlanSections = {"model.", "train.",  "tokenizer.", "pack.",
                                                "table.", "layers.", "objective.", "price."};

class PlanVerb : public Verb {
 public:
  std::string_view name() const override { return "plan"; }
  std::string_view summary() const override {
    return "memory, time and money of a run before it starts";
  }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot plan recipe.yaml [--graph] [memory=4GiB] [key=value ...]\n\n"
        "Memory is exact for the step's tensors (the step is recorded without running);\n"
        "time is measured for about two seconds, less for a run that is short itself. A run\n"
        "that does not fit under memory= is refused, with the change that would fit. Of a\n"
        "table the rows are encoded first, since they decide what the network takes; mapped\n"
        "rows are not held against memory=. --graph adds the table of layers and, as\n"
        "Mermaid, the network and the road from data to deployment.",
        kPlanSections, keys);
  }
  VerbTakes takes() const override {
    return {verb_keys(kPlanSections), {"--graph", "--fresh", "--print-config"}};
  }

  int run(Invocation& invocation) override {
    require_recipe(invocation, name());
    const Recipe recipe = load_recipe(invocation);
    if (print_config(invocation, recipe)) return 0;
    recipe.train.check();
    if (is_tabular(recipe)) {
      serve::check_settings(recipe.serve);
      plan_table(invocation, recipe);
      return 0;
    }
    check_recipe(recipe);
    cost::PlanRequest r = plan_request(recipe);
    r.is_alone = true;
    r.watch = plan_watch(invocation);
    count_tokens(recipe, r);
    require(recipe.train.epochs == 0.0 || r.tokens_per_epoch > 0, Code::kInvalidArgument,
            "plan: train.epochs needs the size of the corpus. Run `ingot data tokenize` with this "
            "recipe first, or give train.steps or train.tokens");
    Team team(thread_count(recipe));
    const cost::TrainPlan plan = cost::plan_training(team, r);
    throw_if_stopped(invocation.stop);
    cost::require_fits(team, r, plan.peak_bytes);
    invocation.console.line(plan_text(plan, recipe.price));
    Json result = plan_json(plan, recipe.price);
    if (invocation.wants_graph) {
      Engine engine(team, {r.seed, 0});
      const Graph graph = language_graph(engine, recipe, r.model);
      invocation.console.line(graph.text());
      result["graph"] = graph.to_json();
    }
    invocation.console.result(result);
    return 0;
  }

 private:
  /// Sizes of the splits, where the run directory has shards already.
  static void count_tokens(const Recipe& recipe, cost::PlanRequest& r) {
    const std::string train = shard_path(recipe.out, data::Split::kTrain);
    const std::string validation = shard_path(recipe.out, data::Split::kValidation);
    if (!file_exists(train) || !file_exists(validation)) return;
    r.tokens_per_epoch = data::ShardReader(train).tokens();
    r.validation_tokens = data::ShardReader(validation).tokens();
  }
};

}  // namespace

Verb* plan_verb() {
  static PlanVerb verb;
  return &verb;
}

}  // namespace ingot::cli
