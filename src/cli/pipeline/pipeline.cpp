// SPDX-License-Identifier: Apache-2.0
// How stages are kept: keys, records, skipping. The stages themselves are in the files beside this.
#include "cli/pipeline/pipeline.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "models/hugging_face.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxStage = 1 << 26;

}  // namespace

Pipeline::Pipeline(Invocation& invocation, const Recipe& recipe)
    : invocation_(invocation), recipe_(recipe), results_(std::make_unique<Json>(Json::object())) {
  recipe_.train.check();
  if (recipe_.memory.bytes == 0) recipe_.memory.bytes = memory_limit();
  FileSystem& files = *invocation_.files;
  if (invocation_.is_fresh && directory_exists(recipe_.out)) {
    require(file_exists(path("recipe.yaml")), Code::kInvalidArgument,
            "run: {} is not a run directory (no recipe.yaml); --fresh does not empty it",
            recipe_.out);
    remove_tree(files, recipe_.out);
  }
  require_same_run();
  make_directories(files, path("stages"));
  write_atomically(files, path("recipe.yaml"), to_yaml(recipe));
  const Json run = {{"name", recipe_.name},
                    {"version", INGOT_VERSION},
                    {"started", utc_text(invocation_.clock->wall_s())},
                    {"recipe_hash", recipe_hash(recipe)},
                    {"machine",
                     {{"cpu", cpu_model()},
                      {"cores", thread_count(recipe)},
                      {"memory_bytes", memory_limit()},
                      {"instruction_set", instruction_set()}}}};
  write_atomically(files, path("run.json"), dump_json(run, 1) + "\n");
  runtime_ = std::make_unique<Runtime>(recipe_);
}

void Pipeline::require_same_run() const {
  const std::string file = path("recipe.yaml");
  if (!directory_exists(path("checkpoints")) || !file_exists(file)) return;
  const std::vector<std::string> names = invocation_.files->list(path("checkpoints"));
  if (std::none_of(names.begin(), names.end(),
                   [](const std::string& name) { return name.starts_with("step-"); })) {
    return;
  }
  Recipe before;
  bind_text(read_file(file, kMaxStage), file, before);
  require(recipe_hash(before) == recipe_hash(recipe_), Code::kInvalidArgument,
          "run: {} holds checkpoints of another recipe (hash {}, this one is {}). Continue it with "
          "`ingot train {}`, or use another out=DIR or --fresh",
          recipe_.out, recipe_hash(before), recipe_hash(recipe_), recipe_.out);
}

Json Pipeline::read_stage(const std::string& name) const {
  const std::string file = path("stages/" + name + ".json");
  if (!file_exists(file)) return Json::object();
  try {
    return parse_json(read_file(file, kMaxStage), file);
  } catch (const Error&) {
    return Json::object();  // a damaged record: the stage runs again
  }
}

void Pipeline::write_stage(const std::string& name, const std::string& key, const char* state,
                           double seconds, const Json& numbers) {
  const Json record = {{"name", name},
                       {"state", state},
                       {"key", key},
                       {"seconds", seconds},
                       {"numbers", numbers}};
  write_atomically(*invocation_.files, path("stages/" + name + ".json"),
                   dump_json(record, 1) + "\n");
}

const Json& Pipeline::stage(const std::string& name, const std::string& key,
                            const std::function<Json()>& work) {
  const Json before = read_stage(name);
  double spent = 0.0;
  if (before.value("key", "") == key) {
    spent = before.value("seconds", 0.0);
    if (before.value("state", "") == "done" && before.contains("numbers")) {
      invocation_.console.note(fmt::format("{:<10} done before", name));
      return (*results_)[name] = before["numbers"];
    }
  }
  write_stage(name, key, "running", spent, Json::object());
  const double start = invocation_.clock->now_s();
  const auto seconds = [&] { return spent + invocation_.clock->now_s() - start; };
  try {
    Json numbers = work();
    const bool stopped = numbers.is_null();
    write_stage(name, key, stopped ? "stopped" : "done", seconds(), numbers);
    invocation_.console.note(
        fmt::format("{:<10} {} in {}", name, stopped ? "stopped" : "done", human_duration(seconds())));
    return (*results_)[name] = std::move(numbers);
  } catch (const Error& error) {
    write_stage(name, key, "failed", seconds(), {{"error", error.what()}});
    throw;
  }
}

std::string Pipeline::data_key() const {
  return sha256_hex(to_yaml(recipe_.data) + to_yaml(recipe_.tokenizer)).substr(0, 16);
}

std::string Pipeline::train_key() const {
  return sha256_hex(data_key() + recipe_hash(recipe_)).substr(0, 16);
}

models::TransformerConfig Pipeline::model_config() const {
  models::TransformerConfig config = recipe_.model;
  if (config.vocab == 0) {
    config.vocab = tokenizer_ != nullptr ? tokenizer_->vocab_size() : recipe_.tokenizer.vocab_size;
  }
  require(config.context >= recipe_.train.seq, Code::kInvalidArgument,
          "recipe: train.seq {} is longer than model.context {}. model.context={} would fit",
          recipe_.train.seq, config.context, recipe_.train.seq);
  config.check();
  return config;
}

}  // namespace ingot::cli
