// SPDX-License-Identifier: Apache-2.0
// `ingot serve RUN`: the OpenAI-compatible HTTP server, until SIGTERM or Ctrl-C drains it.
#include <thread>

#include <fmt/format.h>

#include "cli/help_text.h"
#include "cli/serving.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kSections = {"serve."};

class ServeVerb : public Verb {
 public:
  std::string_view name() const override { return "serve"; }
  std::string_view summary() const override { return "serve a model over HTTP (OpenAI's API)"; }
  std::string help() const override {
    return verb_help("usage: ingot serve RUN [serve.port=8080] [serve.api_key_file=FILE]\n\n"
                     "RUN is a run directory or a model folder. Loopback only, unless a key is set.\n"
                     "SIGTERM drains: running completions finish, new ones are refused.",
                     kSections);
  }
  std::vector<std::string> keys() const override { return verb_keys(kSections); }

  int run(Invocation& invocation) override {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "serve: give one run directory or model folder");
    Invocation rest = invocation;
    rest.words.clear();
    Recipe recipe = load_recipe(rest);
    if (print_config(invocation, recipe)) return 0;
    serve::load_api_key(recipe.serve);
    Runtime runtime(recipe);
    Serving serving(runtime, recipe.serve, model_folder(invocation.words[0]), *invocation.clock);
    std::atomic<bool> done{false};
    std::thread watcher([&] {  // turns the signal flag into a drain request
      while (!done.load() && !invocation.stop->requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
      if (!done.load()) serving.server().request_stop();
    });
    const int64_t cut = serving.server().run([&](int port) {
      invocation.console.note(fmt::format("serve: http://{}:{}/v1 (model \"{}\"); Ctrl-C drains",
                                          recipe.serve.host, port, recipe.serve.model_name));
    });
    done.store(true);
    watcher.join();
    invocation.console.note(fmt::format("serve: stopped, {} completions were cut off", cut));
    return 0;
  }
};

}  // namespace

Verb* serve_verb() {
  static ServeVerb verb;
  return &verb;
}

}  // namespace ingot::cli
