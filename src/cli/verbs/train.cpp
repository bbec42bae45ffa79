// SPDX-License-Identifier: Apache-2.0
// `ingot train`: the data stages when needed, then training; continues what is in the run
// directory.
#include "base/text.h"
#include "cli/help_text.h"
#include "cli/pipeline/pipeline.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kTrainSections = {"data.",  "tokenizer.", "pack.",   "model.",
                                                 "train.", "table.",     "layers.", "objective."};

class TrainVerb : public Verb {
 public:
  std::string_view name() const override { return "train"; }
  std::string_view summary() const override { return "train a model, or go on training it"; }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot train recipe.yaml [key=value ...]\n       ingot train RUN\n\n"
        "Ctrl-C writes an exact checkpoint and stops; the same command continues. A finished\n"
        "training is not lengthened, for its rates lead to its end: a longer one begins anew,\n"
        "`ingot train RUN train.steps=MORE out=DIR`, or with --fresh in place of out=DIR.",
        kTrainSections, keys);
  }
  VerbTakes takes() const override {
    return {verb_keys(kTrainSections), {"--fresh", "--print-config"}};
  }
  bool continues(const Invocation& /*invocation*/) const override { return true; }

  int run(Invocation& invocation) override {
    require_recipe(invocation, name());
    const Recipe recipe = load_recipe(invocation);
    if (print_config(invocation, recipe)) return 0;
    recipe.train.check();  // before any of the work
    if (is_tabular(recipe)) {
      train_table(invocation, recipe, false);
      return 0;
    }
    Pipeline pipeline(invocation, recipe, FolderUse::kTrain);
    pipeline.check();
    pipeline.clean();
    pipeline.tokenizer();
    pipeline.train();
    invocation.console.line("train: done; the model is in " + pipeline.path("model"));
    invocation.console.result(pipeline.results());
    return 0;
  }
};

}  // namespace

Verb* train_verb() {
  static TrainVerb verb;
  return &verb;
}

}  // namespace ingot::cli
