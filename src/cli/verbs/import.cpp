// SPDX-License-Identifier: Apache-2.0
// `ingot import FILE recipe.yaml`: weights that were trained elsewhere, as a model of ours.
#include "cli/help_text.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kImportSections = {"table.", "layers.", "objective."};

constexpr std::string_view kNoImport =
    "a language model needs no import: `ingot generate FOLDER` and `ingot serve FOLDER` take a "
    "Hugging Face folder of GPT-2 or Llama as it is";

class ImportVerb : public Verb {
 public:
  std::string_view name() const override { return "import"; }
  std::string_view summary() const override {
    return "weights of PyTorch for the network of a table or of pictures";
  }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot import FILE recipe.yaml [out=DIR] [key=value ...]\n\n"
        "Takes the networks of a recipe with table: and layers:, of numbers, pictures and texts:\n"
        "dense, embedding, convolutions, norms, lstm and gru, alone or in blocks. FILE is a\n"
        "checkpoint of torch.save. The recipe's data stages run, then the tensors of the file are\n"
        "given to its layers in their order (names differ between programs, the order of layers\n"
        "does not) and DIR/model is written: `ingot eval DIR` and `ingot predict DIR` take it as\n"
        "one that was trained here. The recipe must make the numbers of a picture as the training\n"
        "did: scale: given, with its mean and deviation. Code in a checkpoint is refused, never\n"
        "run. Language models are not imported: `ingot generate FOLDER` and `ingot serve FOLDER`\n"
        "take a Hugging Face folder of GPT-2 or Llama as it is.",
        kImportSections, keys);
  }
  VerbTakes takes() const override {
    return {verb_keys(kImportSections), {"--fresh", "--print-config"}};
  }
  bool continues(const Invocation& /*invocation*/) const override { return true; }

  int run(Invocation& invocation) override {
    require(invocation.words.size() == 2, Code::kInvalidArgument,
            "import: give a checkpoint and a recipe: ingot import weights.pt recipe.yaml");
    const std::string file = invocation.words[0];
    invocation.words.erase(invocation.words.begin());
    const Recipe recipe = load_recipe(invocation);
    if (print_config(invocation, recipe)) return 0;
    require(
        is_tabular(recipe), Code::kInvalidArgument,
        "import: the recipe describes a language model, and import makes the network of a table "
        "or of pictures. Set table.path=FILE and layers; {}",
        kNoImport);
    require(!directory_exists(file) && !file.ends_with(".safetensors"), Code::kUnsupported,
            "import: {} is no checkpoint of torch.save, as torch.save(model.state_dict(), "
            "\"weights.pt\") writes; {}",
            file, kNoImport);
    TablePipeline pipeline(invocation, recipe, FolderUse::kImport);
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
