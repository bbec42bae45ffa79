// SPDX-License-Identifier: Apache-2.0
#include "train/run_files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"

namespace ingot::train {
namespace {

using ledger::Fields;
using ledger::Kind;

}  // namespace

RunFiles::RunFiles(FileSystem& files, const Clock& clock, std::string out, std::string recipe_hash,
                   int64_t keep)
    : files_(files),
      clock_(clock),
      out_(std::move(out)),
      recipe_hash_(std::move(recipe_hash)),
      checkpoints_(files, join_path(out_, "checkpoints"), keep) {}

RunState RunFiles::begin(nn::ParameterStore& store, optim::Optimizer& optimizer,
                         const std::function<int64_t()>& steps) {
  std::string warning;
  std::optional<RunState> state = checkpoints_.load(recipe_hash_, store, optimizer, &warning);
  if (!warning.empty()) note("train: skipped a damaged checkpoint: " + warning);
  const std::string metrics_path = join_path(out_, "metrics.jsonl");
  const bool is_continued = state.has_value();
  if (is_continued) {
    note(fmt::format("train: continues at step {} of {}", state->step, state->total_steps));
    metrics_.emplace(metrics_path, state->step, state->metrics_lines);
  } else {
    state.emplace();
    state->recipe_hash = recipe_hash_;
    state->total_steps = horizon(steps);
    metrics_.emplace(metrics_path);
  }
  ledger::EventSource source;
  source.start_time = clock_.wall_s();
  source.process = getpid();
  events_.emplace(out_, source, is_continued ? state->step : -1);
  return *state;
}

/// Minutes are turned into steps once, by measuring; the number is kept in horizon.json so that a
/// run killed before its first checkpoint starts again with the same one.
int64_t RunFiles::horizon(const std::function<int64_t()>& steps) const {
  const std::string path = join_path(out_, "horizon.json");
  if (file_exists(path)) {
    JsonLimits limits;
    limits.code = Code::kCorruptFile;
    const Json json = parse_json(read_file(path, 1 << 16), path, limits);
    const bool is_whole = json.is_object() && json.contains("recipe_hash") &&
                          json["recipe_hash"].is_string() && json.contains("total_steps") &&
                          json["total_steps"].is_number_integer() && json["total_steps"] > 0;
    require(is_whole, Code::kCorruptFile,
            "train: {} does not hold a recipe_hash and the total_steps. Remove it; the number of "
            "steps is then decided again",
            path);
    if (json["recipe_hash"] == recipe_hash_) return json["total_steps"].get<int64_t>();
  }
  const int64_t decided = steps();
  const Json json = {{"recipe_hash", recipe_hash_}, {"total_steps", decided}};
  write_atomically(files_, path, dump_json(json) + "\n");
  return decided;
}

std::string RunFiles::what_is_left() const {
  const std::optional<std::string> folder = checkpoints_.newest_whole();
  return folder
             ? fmt::format("The checkpoint {} is whole: the same command goes on from it.", *folder)
             : "No checkpoint is whole yet: the same command begins the training again.";
}

void RunFiles::attempt(const std::function<void()>& write) const {
  try {
    write();
  } catch (const Error& error) {
    if (error.code() != Code::kIo) throw;
    const std::string_view text = error.what();
    fail(Code::kIo, "{}{} {}", text, text.ends_with('.') ? "" : ".", what_is_left());
  }
}

void RunFiles::record(const RunRecord& record) {
  attempt([&] {
    std::visit([&](const auto& what) { write(record.step, record.seconds, what); }, record.what);
  });
}

void RunFiles::write(int64_t step, double seconds, const StepLog& log) {
  const auto items_per_s = static_cast<float>(log.items_per_s);
  const std::string speed = std::string(log.item) + "_per_second";
  Fields fields, clock;
  fields.add("loss", log.loss).add("learning_rate", log.learning_rate);
  fields.add("gradient_norm", log.gradient_norm).add(log.item, log.items);
  clock.add("seconds", static_cast<float>(seconds)).add(speed, items_per_s);
  metrics_->write(step, Kind::kTrain, fields, clock);
  const double wall = clock_.wall_s();
  events_->scalar("train/loss", step, log.loss, wall);
  events_->scalar("train/learning_rate", step, log.learning_rate, wall);
  events_->scalar("train/gradient_norm", step, log.gradient_norm, wall);
  events_->scalar("train/" + speed, step, items_per_s, wall);
}

/// An epoch of one step has that step's record.
void RunFiles::write(int64_t step, double seconds, const EpochLog& log) {
  if (log.steps == 1) return;
  Fields fields, clock;
  fields.add("epoch", log.epoch).add("mean_loss", log.mean_loss);
  clock.add("seconds", static_cast<float>(seconds));
  metrics_->write(step, Kind::kEpoch, fields, clock);
  events_->scalar("train/epoch_mean_loss", step, static_cast<float>(log.mean_loss),
                  clock_.wall_s());
}

void RunFiles::write(int64_t step, double seconds, const Evaluation& validation) {
  Fields fields, clock;
  fields.add("loss", validation.loss);
  const double wall = clock_.wall_s();
  events_->scalar("validation/loss", step, static_cast<float>(validation.loss), wall);
  for (const auto& [name, value] : validation.metrics) {
    fields.add(name, value);
    events_->scalar("validation/" + name, step, static_cast<float>(value), wall);
  }
  clock.add("seconds", static_cast<float>(seconds));
  metrics_->write(step, Kind::kValidation, fields, clock);
}

void RunFiles::write(int64_t step, double /*seconds*/, const Sample& sample) {
  metrics_->write(step, Kind::kSample,
                  Fields()
                      .add("prompt", std::string_view(sample.prompt))
                      .add("text", std::string_view(sample.text)));
  events_->text("sample", step, sample.prompt + sample.text, clock_.wall_s());
}

void RunFiles::save(RunState state, const nn::ParameterStore& store,
                    const optim::Optimizer& optimizer) {
  attempt([&] {
    metrics_->sync();
    events_->sync();
    state.metrics_lines = metrics_->lines();
    checkpoints_.save(state, store, optimizer);
  });
}

std::string RunFiles::save_best(const nn::ParameterStore& store) {
  std::string digest;
  attempt([&] { digest = checkpoints_.save_best(store); });
  return digest;
}

}  // namespace ingot::train
