// SPDX-License-Identifier: Apache-2.0
// `ingot compress MODEL`: an 8- or 4-bit copy of a model folder.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/verbs/verbs.h"
#include "compress/quantize.h"
#include "cost/inference.h"
#include "models/hugging_face.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kCompressSections = {"compress."};

/// A copy of a damaged tokenizer would only look like one. Folders that never had one have none.
void require_whole_tokenizer(const std::string& folder) {
  const bool has_one =
      file_exists(join_path(folder, "tokenizer.json")) || !models::tokenizer_digest(folder).empty();
  if (has_one) (void)load_model_tokenizer(folder, cost::look_at_model(folder).config);
}

class CompressVerb : public Verb {
 public:
  std::string_view name() const override { return "compress"; }
  std::string_view summary() const override { return "8- and 4-bit copies of a model"; }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot compress RUN [compress.formats=[q8,q4]]\n\n"
        "Writes MODEL-q8 and MODEL-q4 beside the model folder. `ingot eval RUN FOLDER`\n"
        "measures what a format costs in quality.",
        kCompressSections, keys);
  }
  VerbTakes takes() const override { return {verb_keys(kCompressSections), {"--print-config"}}; }

  int run(Invocation& invocation) override {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "compress: give one run directory or model folder");
    const Recipe recipe = load_model_recipe(invocation.words[0], invocation);
    if (print_config(invocation, recipe)) return 0;
    Runtime runtime(recipe);
    std::string folder = model_folder(invocation.words[0]);
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    require_whole_tokenizer(folder);
    const int64_t whole = weight_file_bytes(folder);
    Json variants = Json::array();
    for (const std::string& format : recipe.compress.formats) {
      compress::QuantizeConfig config;
      config.format = parse_enum<kernels::QuantFormat>(format, "compress.formats");
      const std::string out = folder + "-" + format;
      runtime.engine.trim();  // what the format before left behind
      cost::require_cap("compress", cost::quantizing_bytes(folder, config.format),
                        recipe.memory.bytes);
      (void)compress::quantize_model(runtime.engine, folder, out, config, *invocation.files,
                                     invocation.stop);
      const int64_t bytes = weight_file_bytes(out);
      const double ratio = static_cast<double>(bytes) / static_cast<double>(whole);
      invocation.console.line(fmt::format("compress: {} {} ({:.3f} of the float model)", out,
                                          human_bytes(bytes), ratio));
      variants.push_back({{"folder", out}, {"bytes", bytes}, {"ratio", ratio}});
    }
    invocation.console.result({{"variants", variants}});
    return 0;
  }
};

}  // namespace

Verb* compress_verb() {
  static CompressVerb verb;
  return &verb;
}

}  // namespace ingot::cli
