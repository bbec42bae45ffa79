// SPDX-License-Identifier: Apache-2.0
// `ingot serve RUN`: a language model or a network behind HTTP, until SIGTERM or Ctrl-C drains it.
#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/help_text.h"
#include "cli/serving.h"
#include "cli/verbs/verbs.h"
#include "cost/inference.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kServeSections = {"serve.", "predict.tta"};

class ServeVerb : public Verb {
 public:
  std::string_view name() const override { return "serve"; }
  std::string_view summary() const override { return "serve a model over HTTP"; }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot serve RUN [serve.port=8080] [serve.api_key_file=FILE]\n\n"
        "RUN is a run directory, whose recipe is taken, or a model folder. Loopback only,\n"
        "unless a key is set. A language model answers OpenAI's completions, a network\n"
        "TensorFlow Serving's :predict and the Open Inference Protocol (KServe V2).\n"
        "SIGTERM drains: running answers get serve.drain_timeout_s to finish, new requests are\n"
        "refused.",
        kServeSections, keys);
  }
  VerbTakes takes() const override { return {verb_keys(kServeSections), {"--print-config"}}; }

  int run(Invocation& invocation) override {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "serve: give one run directory or model folder");
    Recipe recipe = load_model_recipe(invocation.words[0], invocation);
    if (print_config(invocation, recipe)) return 0;
    serve::load_api_key(recipe.serve);
    const Logger logger(LogLevel::kInfo,
                        [&](LogLevel, std::string_view text) { invocation.console.note(text); });
    const std::string& run = invocation.words[0];
    const std::string folder = holds_network(run) ? network_folder(run) : model_folder(run);
    logger.info("serve: opens {}", folder);
    Runtime runtime(recipe);
    if (recipe.memory.bytes > 0 && !holds_network(folder)) {
      cost::require_cap("serve", serving_bytes(runtime.team, recipe.serve, folder),
                        recipe.memory.bytes);
    }
    Serving serving(runtime, recipe, folder, *invocation.clock, logger);
    // Turns the signal flag into a drain request; ends with this scope.
    const std::jthread watcher([&](const std::stop_token& ended) {
      while (!ended.stop_requested() && !invocation.stop->requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
      if (!ended.stop_requested()) serving.server().request_stop();
    });
    const int64_t cut = serving.server().run([&](int port) {
      logger.info("serve: http://{}:{}/{} (model \"{}\"); Ctrl-C drains", recipe.serve.host, port,
                  serving.entry(), recipe.serve.model_name);
    });
    logger.info("serve: stopped, {} answers were cut off", cut);
    invocation.console.result({{"model", folder}, {"cut_off", cut}});
    return 0;
  }
};

}  // namespace

Verb* serve_verb() {
  static ServeVerb verb;
  return &verb;
}

}  // namespace ingot::cli
