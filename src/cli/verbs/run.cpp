// SPDX-License-Identifier: Apache-2.0
// `ingot run`: every stage of a recipe, from raw files to a served model and a report.
#include "base/text.h"
#include "cli/help_text.h"
#include "cli/pipeline/pipeline.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kRunSections = {
    "data.",     "tokenizer.", "pack.",         "model.",      "train.",
    "table.",    "layers.",    "objective.",    "eval.",       "compress.",
    "generate.", "serve.",     "predict.batch", "predict.tta", "price."};

class RunVerb : public Verb {
 public:
  std::string_view name() const override { return "run"; }
  std::string_view summary() const override {
    return "every stage of a recipe: data, plan, train, test, compress, serve, report";
  }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot run recipe.yaml [key=value ...]\n       ingot run RUN\n\n"
        "Stages that are done for the same settings are not run again; the same command\n"
        "continues a run that was stopped. A table has no stages compress and serve: `ingot\n"
        "predict` and `ingot serve` take its model as it is.",
        kRunSections, keys);
  }
  VerbTakes takes() const override {
    return {verb_keys(kRunSections), {"--fresh", "--print-config"}};
  }
  bool continues(const Invocation& /*invocation*/) const override { return true; }

  int run(Invocation& invocation) override {
    require_recipe(invocation, name());
    const Recipe recipe = load_recipe(invocation);
    if (print_config(invocation, recipe)) return 0;
    recipe.train.check();  // before any of the work
    if (is_tabular(recipe)) {
      serve::check_settings(recipe.serve);
      train_table(invocation, recipe, true);
      return 0;
    }
    const double start = invocation.clock->now_s();
    Pipeline pipeline(invocation, recipe, FolderUse::kTrain);
    pipeline.check();
    try {
      pipeline.inspect();
      pipeline.clean();
      pipeline.tokenizer();
      pipeline.plan();
      pipeline.train();
      pipeline.evaluate();
      pipeline.compress();
      pipeline.serve_check();
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled) pipeline.report_stop();
      throw;
    }
    pipeline.finish();
    pipeline.report();
    invocation.console.line("run: done in " + human_duration(invocation.clock->now_s() - start) +
                            "; serve it with: " + "ingot serve " + pipeline.out());
    invocation.console.result(pipeline.results());
    return 0;
  }
};

}  // namespace

Verb* run_verb() {
  static RunVerb verb;
  return &verb;
}

}  // namespace ingot::cli
