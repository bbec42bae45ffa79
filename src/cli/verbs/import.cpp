// SPDX-License-Identifier: Apache-2.0
// `ingot import FILE recipe.yaml`: weights that were trained elsewhere, as a model of ours.
#include "cli/help_text.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kImportSections = {"table."};

class ImportVerb : public Verb {
 public:
  std::string_view name() const override { return "import"; }
  std::string_view summary() const override { return "weights of PyTorch as a model of a recipe"; }
  std::string help() const override {
    return verb_help(
        "usage: ingot import FILE recipe.yaml [out=DIR] [key=value ...]\n\n"
        "FILE is a checkpoint of torch.save. The recipe's data stages run, then the tensors of\n"
        "the file are given to its layers in their order (names differ between programs, the\n"
        "order of layers does not) and DIR/model is written: `ingot eval DIR` and `ingot\n"
        "predict DIR` take it as one that was trained here. The recipe must make the numbers of\n"
        "a picture as the training did: scale: given, with its mean and deviation. Code in a\n"
        "checkpoint is refused, never run.",
        kImportSections);
  }
  VerbTakes takes() const override {
    return {verb_keys(kImportSections), {"--fresh", "--print-config"}, {}, true};
  }

  int run(Invocation& invocation) override {
    require(invocation.words.size() == 2, Code::kInvalidArgument,
            "import: give a checkpoint and a recipe: ingot import weights.pt recipe.yaml");
    const std::string file = invocation.words[0];
    invocation.words.erase(invocation.words.begin());
    const Recipe recipe = load_recipe(invocation);
    if (print_config(invocation, recipe)) return 0;
    require(is_tabular(recipe), Code::kInvalidArgument,
            "import: the recipe names no table, so there is nothing to answer for. Set table.path");
    TablePipeline pipeline(invocation, recipe, FolderUse::kTrain);
    pipeline.examples();
    pipeline.import_weights(file);
    invocation.console.line("import: done; the model is in " + pipeline.path("model"));
    invocation.console.result(pipeline.results());
    return 0;
  }
};

}  // namespace

Verb* import_verb() {
  static ImportVerb verb;
  return &verb;
}

}  // namespace ingot::cli
