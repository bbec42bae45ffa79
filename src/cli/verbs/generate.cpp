// SPDX-License-Identifier: Apache-2.0
// `ingot generate RUN`: continues a prompt, streaming.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/machine.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kGenerateSections = {"generate."};

class GenerateVerb : public Verb {
 public:
  std::string_view name() const override { return "generate"; }
  std::string_view summary() const override { return "continue a prompt with a trained model"; }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot generate RUN [generate.prompt=TEXT] [key=value ...]\n\n"
        "RUN is a run directory, whose recipe is taken, or a model folder (float32, q8, q4).",
        kGenerateSections, keys);
  }
  VerbTakes takes() const override { return {verb_keys(kGenerateSections), {"--print-config"}}; }

  int run(Invocation& invocation) override {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "generate: give one run directory or model folder");
    const Recipe recipe = load_model_recipe(invocation.words[0], invocation);
    if (print_config(invocation, recipe)) return 0;
    recipe.generate.check();
    Runtime runtime(recipe);
    const std::string folder = model_folder(invocation.words[0]);
    require_generating_memory(runtime, recipe, folder);
    const OpenModel open = open_model(runtime, folder, {0, 1, 256});
    std::vector<int32_t> prompt = prompt_ids(*open.tokenizer, recipe.generate.prompt);
    const int64_t context = open.model->config().context;
    const auto length = static_cast<int64_t>(prompt.size());
    require_prompt_fits("generate", length, context);
    models::GenerateOptions options = generate_options(recipe.generate);
    options.max_tokens =
        cut_max_tokens(invocation.console, "generate", options.max_tokens, length, context);
    const double start = invocation.clock->now_s();
    invocation.console.stream(recipe.generate.prompt);
    const models::Generated g = models::generate(*open.decoder, *open.tokenizer, std::move(prompt),
                                                 options, [&](std::string_view text) {
                                                   invocation.console.stream(text);
                                                   return !invocation.stop->requested();
                                                 });
    const double seconds = invocation.clock->now_s() - start;
    const auto tokens = static_cast<double>(g.completion.size());
    invocation.console.line("");
    invocation.console.note(fmt::format("generate: {:.0f} tokens, {:.1f} per second", tokens,
                                        tokens / std::max(seconds, 1e-9)));
    invocation.console.result({{"prompt", recipe.generate.prompt},
                               {"text", g.text},
                               {"tokens", g.completion.size()},
                               {"tokens_per_second", tokens / std::max(seconds, 1e-9)},
                               {"peak_bytes", peak_resident_bytes()}});
    return invocation.stop->requested() ? 3 : 0;
  }
};

}  // namespace

Verb* generate_verb() {
  static GenerateVerb verb;
  return &verb;
}

}  // namespace ingot::cli
