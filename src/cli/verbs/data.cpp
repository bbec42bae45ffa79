// SPDX-License-Identifier: Apache-2.0
// `ingot data inspect | clean | split | tokenize`: the data stages one by one.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/help_text.h"
#include "cli/pipeline/pipeline.h"
#include "cli/verbs/verbs.h"
#include "data/inspect.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kSections = {"data.", "tokenizer."};

class DataVerb : public Verb {
 public:
  std::string_view name() const override { return "data"; }
  std::string_view summary() const override {
    return "inspect, clean, split and tokenize a corpus";
  }
  std::string help() const override {
    return verb_help(
        "usage: ingot data inspect  [recipe.yaml] [data.path=DIR]\n"
        "       ingot data clean    [recipe.yaml] [key=value ...]\n"
        "       ingot data split    [recipe.yaml] [key=value ...]\n"
        "       ingot data tokenize [recipe.yaml] [key=value ...]\n\n"
        "inspect changes nothing. clean and split are two names of one pass over the files,\n"
        "which cleans, masks and splits: it writes out/data/*.jsonl, near duplicates in\n"
        "one split. tokenize adds the tokenizer and the token shards.",
        kSections);
  }
  std::vector<std::string> keys() const override { return verb_keys(kSections); }

  int run(Invocation& invocation) override {
    const std::string known[] = {"inspect", "clean", "split", "tokenize"};
    require(!invocation.words.empty(), Code::kInvalidArgument,
            "data: say what to do: inspect, clean, split or tokenize");
    const std::string what = invocation.words[0];
    require(std::find(std::begin(known), std::end(known), what) != std::end(known),
            Code::kInvalidArgument, "data: unknown action \"{}\".{}", what,
            did_you_mean(what, known));
    Invocation rest = invocation;
    rest.words.erase(rest.words.begin());
    const Recipe recipe = load_recipe(rest);
    if (print_config(invocation, recipe)) return 0;
    if (what == "inspect") {
      const data::CorpusReport report = data::inspect_corpus(recipe.data, invocation.stop);
      invocation.console.line(report.table());
      invocation.console.result(report.to_json());
      return 0;
    }
    Pipeline pipeline(rest, recipe);
    pipeline.clean();
    if (what == "tokenize") pipeline.tokenizer();
    invocation.console.line("data: written to " + pipeline.path("data"));
    invocation.console.result(pipeline.results());
    return 0;
  }
};

}  // namespace

Verb* data_verb() {
  static DataVerb verb;
  return &verb;
}

}  // namespace ingot::cli
