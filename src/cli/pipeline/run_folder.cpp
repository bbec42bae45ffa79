// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/run_folder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/lm.h"
#include "cli/no_memory.h"
#include "report/report.h"
#include "train/run_files.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxStage = 1 << 26;

/// A JSON object, empty when the file is missing or damaged.
Json read_record(const std::string& file) {
  if (!file_exists(file)) return Json::object();
  try {
    Json record = parse_json(read_file(file, kMaxStage), file);
    return record.is_object() ? record : Json::object();
  } catch (const Error&) {
    return Json::object();
  }
}

/// True for the names that a run gives its files and folders (docs/formats/run_directory.md).
bool is_of_run(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "recipe.yaml",     "run.json",    "stages",      "data",  "tokenizer",
      "horizon.json",    "plan.json",   "checkpoints", "model", "metrics.jsonl",
      "evaluation.json", "report.html", kRunLock};
  if (name.ends_with(".tmp")) name.remove_suffix(4);
  return name.starts_with("model-") || name.starts_with("events.out.tfevents.") ||
         std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

/// What the data stages make is the same, whatever is learned from it.
bool has_same_data(const Recipe& there, const Recipe& here) {
  return to_yaml(there.data) == to_yaml(here.data) && to_yaml(there.table) == to_yaml(here.table) &&
         to_yaml(there.tokenizer) == to_yaml(here.tokenizer);
}

/// Of what the command was told, not of the machine or the time.
bool is_refusal(Code code) {
  return code == Code::kInvalidArgument || code == Code::kNotFound ||
         code == Code::kShapeMismatch || code == Code::kUnsupported || code == Code::kCorruptFile;
}

}  // namespace

bool holds_checkpoints(FileSystem& files, const std::string& run) {
  const std::string folder = join_path(run, "checkpoints");
  if (!directory_exists(folder)) return false;
  const std::vector<std::string> names = files.list(folder);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.starts_with("step-"); });
}

bool holds_model(FileSystem& files, const std::string& run) {
  return holds_checkpoints(files, run) || directory_exists(join_path(run, "model"));
}

RunFolder::RunFolder(Invocation& invocation, const Recipe& recipe, FolderUse use)
    : invocation_(invocation),
      recipe_(recipe),
      use_(use),
      results_(std::make_unique<Json>(Json::object())) {
  FileSystem& files = *invocation_.files;
  const bool is_there = directory_exists(recipe_.out);
  if (is_there) require_own_place();
  if (is_there && invocation_.is_fresh) require_movable();
  made_.emplace(files, recipe_.out, recipe_.name);
  lock();
  made_->own(kRunLock);
  if (is_there && invocation_.is_fresh) set_aside();
  require_same_maker();
  require_same_run();
  make_directories(files, path("stages"));
  if (writes_record()) {
    for (const char* file : {"recipe.yaml", "run.json"}) made_->own(file);
    write_recipe(recipe);
    write_run(false);
  }
  runtime_ = std::make_unique<Runtime>(recipe_);
}

void RunFolder::write_run(bool is_finished) {
  const Json before = read_record(path("run.json"));
  const std::string now = utc_text(invocation_.clock->wall_s());
  const bool is_continued = before.contains("started") && before["started"].is_string();
  Json run = {{"name", recipe_.name},
              {"version", INGOT_VERSION},
              {"started", is_continued ? before["started"].get<std::string>() : now},
              {"recipe_hash", recipe_hash(recipe_)},
              {"machine",
               {{"cpu", cpu_model()},
                {"cores", thread_count(recipe_)},
                {"memory_bytes", memory_limit()},
                {"instruction_set", instruction_set()},
                {"system", system_name()}}}};
  if (before.contains("finished")) run["finished"] = before["finished"];
  if (is_finished) run["finished"] = now;
  write_atomically(*invocation_.files, path("run.json"), dump_json(run, 1) + "\n");
}

/// Other people's files are not mixed with a run's.
void RunFolder::require_own_place() const {
  if (is_run_directory(recipe_.out)) return;
  for (const std::string& name : invocation_.files->list(recipe_.out)) {
    require(is_of_run(name), Code::kInvalidArgument,
            "run: {} is not a run directory and holds \"{}\". Use a new or empty folder: out=DIR",
            recipe_.out, name);
  }
}

/// One process at a time; the system lets go of the lock when the process ends, however it does.
void RunFolder::lock() {
  try {
    lock_ = invocation_.files->open(path(std::string(kRunLock)), OpenMode::kTruncate);
  } catch (const Error& error) {
    const bool is_taken =
        std::string_view(error.what()).find("another process") != std::string_view::npos;
    require(!is_taken, Code::kIo,
            "run: another ingot works in {}. Wait for it, stop it, or use another out=DIR",
            recipe_.out);
    if (error.code() != Code::kIo) throw;
    fail_out(recipe_.out, recipe_.name, error);
  }
}

/// Into the first of replaced-1, replaced-2, … that is not there. What makes it a run directory
/// goes last, so that a --fresh that was cut off can be repeated.
void RunFolder::set_aside() {
  FileSystem& files = *invocation_.files;
  const std::string_view last[] = {"stages", "run.json"};
  std::vector<std::string> names = files.list(recipe_.out);
  std::erase_if(names,
                [](const std::string& name) { return !is_of_run(name) || name == kRunLock; });
  std::stable_partition(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(std::begin(last), std::end(last), name) == std::end(last);
  });
  std::string aside;
  for (int number = 1; aside.empty() || directory_exists(aside) || file_exists(aside); ++number) {
    aside = path(fmt::format("replaced-{}", number));
  }
  make_directories(files, aside);
  for (const std::string& name : names) files.rename(path(name), join_path(aside, name));
  invocation_.console.note(fmt::format(
      "run: what was in {} is in {}, still a run: `mv {} DIR` takes it out whole; remove "
      "it when you need it no more",
      recipe_.out, aside, aside));
}

/// threads and memory are this command's; what the run was made with stays in its recipe.
void RunFolder::write_recipe(const Recipe& recipe) const {
  Recipe kept = recipe;
  const std::string file = path("recipe.yaml");
  if (file_exists(file)) {
    Recipe before;
    bind_text(read_file(file, kMaxStage), file, before);
    kept.threads = before.threads;
    kept.memory = before.memory;
  }
  write_atomically(*invocation_.files, file, to_yaml(kept));
}

void RunFolder::finish() { write_run(true); }

bool RunFolder::writes_record() const {
  const bool is_there = file_exists(path("recipe.yaml")) && file_exists(path("run.json"));
  return makes_model() || !is_there || (use_ == FolderUse::kData && !has_model());
}

/// --fresh sets aside only what a run has made, and a model only for a verb that makes one.
void RunFolder::require_movable() const {
  require(is_run_directory(recipe_.out), Code::kInvalidArgument,
          "run: {} is not a run directory (no run.json and stages/); --fresh does not touch it",
          recipe_.out);
  require(
      makes_model() || !has_model(), Code::kInvalidArgument,
      "run: {} holds a model, which --fresh would set aside; only run, train and import begin anew "
      "there. Leave --fresh out, or use another out=DIR",
      recipe_.out);
  const auto require_outside = [&](const std::string& kept, std::string_view what) {
    require(!is_inside(kept, recipe_.out), Code::kInvalidArgument,
            "run: --fresh would set {} aside, which holds {} ({}). Use another out=DIR",
            recipe_.out, what, kept);
  };
  require_outside(".", "the current folder");
  const data::TableConfig& table = recipe_.table;
  const std::pair<std::string, std::string_view> inputs[] = {
      {recipe_.data.path, "the corpus"},
      {table.path, "the table"},
      {table.schema, "the schema"},
      {table.split.validation_file, "the validation table"},
      {table.split.test_file, "the test table"}};
  for (const auto& [file, what] : inputs) {
    if (!file.empty()) require_outside(file, what);
  }
  const std::string given = invocation_.words.empty() ? "" : invocation_.words[0];
  const bool is_own = given == path("recipe.yaml");  // read already, and written again
  if (file_exists(given) && !is_own) require_outside(given, "the recipe");
  if (has_model()) require_input();
}

/// A model that answers makes room only for one that can be begun.
void RunFolder::require_input() const {
  if (is_tabular(recipe_)) {
    data::require_learnable(recipe_.table);
  } else {
    check_recipe(recipe_);
    (void)data::corpus_root(recipe_.data.path);
  }
}

void RunFolder::require_same_run() const {
  const std::string file = path("recipe.yaml");
  if (!has_model() || !file_exists(file)) return;
  Recipe before;
  bind_text(read_file(file, kMaxStage), file, before);
  if (recipe_hash(before) == recipe_hash(recipe_)) return;
  if (use_ == FolderUse::kData && has_same_data(before, recipe_)) return;
  const std::string differences = recipe_differences(before, recipe_);
  const char* const or_fresh = makes_model() ? " or --fresh" : "";
  const bool is_over = read_stage("train").value("state", "") == "done";
  require(!has_checkpoints(), Code::kInvalidArgument,
          "run: {} holds checkpoints of another recipe ({}). {} another out=DIR{}", recipe_.out,
          differences,
          is_over ? "Its training is over, a longer or other one begins anew: use"
                  : fmt::format("Continue it with `ingot train {}`, or use", recipe_.out),
          or_fresh);
  fail(Code::kInvalidArgument,
       "run: {} holds a model of another recipe ({}). Use another out=DIR{}", recipe_.out,
       differences, or_fresh);
}

/// model/ holds the weights of training or of an import, never of both by turns: what was tested is
/// what answers.
void RunFolder::require_same_maker() const {
  if (!makes_model()) return;
  const std::string other = use_ == FolderUse::kTrain ? "import" : "train";
  const std::string state = read_stage(other).value("state", "failed");
  const bool has_begun = state != "failed" || (other == "train" && has_checkpoints());
  require(!has_begun, Code::kInvalidArgument,
          "run: the model of {} was made by `ingot {}` and would be lost. Use another out=DIR, or "
          "--fresh",
          recipe_.out, other);
}

bool RunFolder::is_done(const std::string& name, const std::string& key) const {
  const Json record = read_stage(name);
  return record.value("key", "") == key && record.value("state", "") == "done";
}

Json RunFolder::read_stage(const std::string& name) const {
  Json record = read_record(path("stages/" + name + ".json"));
  const bool is_whole = record.contains("key") && record["key"].is_string() &&
                        record.contains("state") && record["state"].is_string() &&
                        record.contains("seconds") && record["seconds"].is_number() &&
                        record.contains("numbers") && record["numbers"].is_object();
  return is_whole ? record : Json::object();
}

void RunFolder::write_stage(const std::string& name, const std::string& key, const char* state,
                            double seconds, const Json& numbers, const Json& files) {
  Json record = {{"name", name}, {"state", state}, {"key", key}, {"seconds", seconds}};
  if (!files.is_null()) record["files"] = files;
  record["numbers"] = numbers;
  const std::string file = "stages/" + name + ".json";
  write_atomically(*invocation_.files, path(file), dump_json(record, 1) + "\n");
  const std::string_view now = state;
  now == "running" || now == "failed" ? made_->own(file) : made_->keep();
}

Json RunFolder::sizes_of(const std::vector<std::string>& outputs) const {
  Json sizes = Json::object();
  for (const std::string& output : outputs) {
    if (file_exists(path(output))) sizes[output] = file_size(path(output));
    if (!directory_exists(path(output))) continue;
    for (const FileEntry& file : list_files(path(output)).files) {
      if (!file.path.ends_with(".tmp")) sizes[join_path(output, file.path)] = file.size;
    }
  }
  return sizes;
}

std::string RunFolder::what_is_missing(const Json& record,
                                       const std::vector<std::string>& outputs) const {
  for (const std::string& output : outputs) {  // all that a record of an earlier version can tell
    if (!file_exists(path(output)) && !directory_exists(path(output))) {
      return path(output) + " is not there";
    }
  }
  if (!record.contains("files") || !record["files"].is_object()) return {};
  for (const auto& [name, size] : record["files"].items()) {
    const std::string file = path(name);
    if (!file_exists(file)) return file + " is not there";
    const int64_t found = file_size(file);
    if (size != found)
      return fmt::format("{} has {} bytes, {} were written", file, found, size.dump());
  }
  return {};
}

const Json& RunFolder::stage(const std::string& name, const std::string& key,
                             const std::function<Json()>& work,
                             const std::vector<std::string>& outputs) {
  throw_if_stopped(invocation_.stop);
  const Json before = read_stage(name);
  double spent = 0.0;
  if (before.value("key", "") == key) {
    spent = before.value("seconds", 0.0);
    const bool was_done = before.value("state", "") == "done";
    const std::string missing = was_done ? what_is_missing(before, outputs) : "";
    if (was_done && missing.empty()) {
      invocation_.console.note(fmt::format("{:<10} done before", name));
      if (name == "train") note_how_to_train_on();
      return (*results_)[name] = before["numbers"];
    }
    if (was_done) {
      invocation_.console.note(fmt::format("{:<10} was done, but {}: again", name, missing));
    }
  }
  write_stage(name, key, "running", spent, Json::object());
  runtime_->engine.trim();  // what the stage before left behind
  const double start = invocation_.clock->now_s();
  recorded_s_ = 0.0;
  const auto end = [&](const char* state, const Json& numbers) {
    const double seconds = spent + invocation_.clock->now_s() - start - recorded_s_;
    const bool has_files = !outputs.empty() && std::string_view(state) == "done";
    write_stage(name, key, state, seconds, numbers, has_files ? sizes_of(outputs) : Json());
    if (std::string_view(state) == "failed") return;
    invocation_.console.note(fmt::format("{:<10} {} in {}", name, state, human_duration(seconds)));
  };
  try {
    Json numbers = with_named_memory(name, work);
    end("done", numbers);
    return (*results_)[name] = std::move(numbers);
  } catch (const Error& error) {
    if (!is_refusal(error.code())) made_->keep();
    const bool is_stop = error.code() == Code::kCancelled;
    try {
      end(is_stop ? "stopped" : "failed", is_stop ? Json::object() : Json{{"error", error.what()}});
    } catch (const Error&) {
      // A disk that is full takes no record either; what ended the work is what is told.
    }
    throw;
  } catch (...) {
    made_->keep();
    throw;
  }
}

/// The rates of a training lead to its end, so its last checkpoint is not the middle of a longer
/// one.
void RunFolder::note_how_to_train_on() const {
  const train::TrainConfig& t = recipe_.train;
  const std::string_view key = t.epochs > 0.0 ? "train.epochs"
                               : t.tokens > 0 ? "train.tokens"
                               : t.steps > 0  ? "train.steps"
                                              : "train.minutes";
  invocation_.console.note(
      fmt::format("train: to train longer begin anew: `ingot train {} {}=MORE out=DIR`, or --fresh "
                  "in place of out=DIR",
                  recipe_.out, key));
}

void RunFolder::report() {
  report::write_report(*invocation_.files, recipe_.out);
  invocation_.console.note("report:    " + path("report.html"));
}

void RunFolder::report_stop() {
  try {
    report();
  } catch (const Error& error) {
    invocation_.console.note(fmt::format("report:    {}", error.what()));
  }
}

Json RunFolder::run_training(train::Task& task, const std::function<void()>& save) {
  const bool is_peak_fresh = reset_peak_resident();
  const auto progress = invocation_.console.progress(*invocation_.clock, "train");
  train::RunFiles kept(*invocation_.files, *invocation_.clock, recipe_.out, recipe_hash(recipe_),
                       recipe_.train.keep);
  kept.note = [&](const std::string& text) { invocation_.console.note(text); };
  train::LoopContext context{runtime_->engine, task, *invocation_.clock, kept};
  context.should_stop = [&] { return invocation_.stop->requested(); };
  context.progress = progress.get();
  const train::TrainSummary summary = train::train(context, recipe_.train);
  require(summary.end != train::EndReason::kStopped, Code::kCancelled,
          "train: stopped at step {} of {}", summary.steps, summary.total_steps);
  save();
  Json numbers = train_numbers(summary, task.items() * recipe_.train.accumulate,
                               std::string(task.item_name().plural));
  if (summary.best.step >= 0) numbers["kept"] = recipe_.train.keep_best ? "best" : "last";
  if (is_peak_fresh) numbers["peak_bytes"] = peak_resident_bytes();
  return numbers;
}

Json RunFolder::train_numbers(const train::TrainSummary& s, int64_t per_step,
                              const std::string& item) {
  Json numbers = {{"parameters", s.parameters},
                  {"steps", s.steps},
                  {"planned_steps", s.total_steps},
                  {item, s.steps * per_step},
                  {"seconds", s.seconds},
                  {item + "_per_second", s.items_per_s},
                  {"flops_per_second", static_cast<double>(s.flops_per_step) * s.items_per_s /
                                           static_cast<double>(per_step)},
                  {"loss", s.loss},
                  {"slab_bytes", s.slab_bytes},
                  {"early_stop", s.end == train::EndReason::kEarlyStop}};
  if (s.first_step_s > 0.0) numbers["first_step_seconds"] = s.first_step_s;
  if (s.best.step >= 0) {  // there was a validation split
    numbers["validation_loss"] = s.validation.loss;
    numbers["best_validation_loss"] = s.best.loss;
    numbers["best_step"] = s.best.step;
  }
  return numbers;
}

}  // namespace ingot::cli
