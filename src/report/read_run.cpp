// SPDX-License-Identifier: Apache-2.0
// From a run directory to a RunRecord. A file that is missing is an empty part; one that cannot be
// read or parsed is a line in `problems`, and the rest is read all the same.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "report/fields.h"
#include "report/report.h"

namespace ingot::report {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestRecord = int64_t{16} << 20;  // of recipe.yaml and each JSON file

/// Runs `read`; an Error becomes a line in `problems`.
void attempt(RunRecord& run, const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    run.problems.emplace_back(error.what());
  }
}

Json read_json(const fs::path& path) {
  const std::string text = read_file(path.string(), kLargestRecord);
  Json value = parse_json(text, path.filename().string());
  require(value.is_object(), Code::kCorruptFile, "report: {} must hold an object, holds {}",
          path.filename().string(), value.type_name());
  return value;
}

Json read_part(RunRecord& run, const fs::path& path) {
  Json value = Json::object();
  if (file_exists(path.string())) attempt(run, [&] { value = read_json(path); });
  return value;
}

StageRecord stage_of(const fs::path& path) {
  Json value = read_json(path);
  StageRecord stage;
  stage.name = text(value, "name");
  if (stage.name.empty()) stage.name = path.stem().string();
  stage.state = text(value, "state");
  stage.seconds = number(value, "seconds").value_or(-1);
  const Json* numbers = find(value, "numbers");
  stage.numbers = numbers != nullptr && numbers->is_object() ? *numbers : Json::object();
  return stage;
}

size_t place_of(const std::string& name) {
  const auto at = std::find_if(words::kStageNames.begin(), words::kStageNames.end(),
                               [&](const words::Word& word) { return word.first == name; });
  return static_cast<size_t>(at - words::kStageNames.begin());
}

void read_stages(RunRecord& run, const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".json") paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    attempt(run, [&] { run.stages.push_back(stage_of(path)); });
  }
  std::stable_sort(run.stages.begin(), run.stages.end(),
                   [](const StageRecord& a, const StageRecord& b) {
                     return place_of(a.name) < place_of(b.name);
                   });
}

void read_metrics_part(RunRecord& run, const fs::path& path) {
  if (!file_exists(path.string())) return;
  attempt(run, [&] { run.metrics = ledger::read_metrics(path); });
  if (run.metrics.bad_lines == 0) return;
  run.problems.push_back(fmt::format("{}: {} lines are no records, the first is line {}",
                                     path.filename().string(), run.metrics.bad_lines,
                                     run.metrics.first_bad_line));
}

}  // namespace

RunRecord read_run(const fs::path& directory) {
  require(directory_exists(directory.string()), Code::kNotFound,
          "report: {} is not a folder; name the folder that `ingot run` made", directory.string());
  RunRecord run;
  std::error_code error;
  const fs::path full = fs::canonical(directory, error);
  run.directory_name = (error ? directory : full).filename().string();
  const fs::path recipe = directory / "recipe.yaml";
  if (file_exists(recipe.string())) {
    attempt(run, [&] { run.recipe = read_file(recipe.string(), kLargestRecord); });
  }
  run.run = read_part(run, directory / "run.json");
  run.recipe_hash = text(run.run, "recipe_hash");
  run.plan = read_part(run, directory / "plan.json");
  run.evaluation = read_part(run, directory / "evaluation.json");
  read_stages(run, directory / "stages");
  read_metrics_part(run, directory / "metrics.jsonl");
  return run;
}

}  // namespace ingot::report
