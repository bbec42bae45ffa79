// SPDX-License-Identifier: Apache-2.0
// The report of a run: reads what a run directory holds (docs/formats/run_directory.md) and
// composes one HTML page that needs no script, no network and no second file. What is missing is
// left out, so a half-finished run reports too. Everything that came from the run is escaped. Not a
// dashboard, and it measures nothing. Called by the verbs `run` and `report`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "ledger/metrics.h"

namespace ingot::report {

/// One file stages/<name>.json.
struct StageRecord {
  std::string name;
  std::string state;   ///< "done", "running", "failed", "stopped", "skipped"
  double seconds = 0;  ///< wall time; < 0 when unknown
  Json numbers;        ///< an object; keys in docs/formats/run_directory.md
};

/// What a run directory holds. Every part may be empty.
struct RunRecord {
  std::string directory_name;
  std::string recipe;               ///< the text of recipe.yaml
  std::string recipe_hash;          ///< of run.json: the hash that checkpoints carry
  Json run;                         ///< run.json: name, version, started, finished, machine
  Json plan;                        ///< plan.json
  Json evaluation;                  ///< evaluation.json
  std::vector<StageRecord> stages;  ///< in the order of the pipeline, unknown names last
  ledger::Metrics metrics;
  std::vector<std::string> problems;  ///< files that could not be read; printed in the report
};

/// Error{kNotFound} when `directory` is no directory; everything else is a line in `problems`.
[[nodiscard]] RunRecord read_run(const std::filesystem::path& directory);

/// The whole page.
[[nodiscard]] std::string render(const RunRecord& run);

/// Writes render(read_run(directory)) to <directory>/report.html, atomically; returns its path.
std::filesystem::path write_report(FileSystem& files, const std::filesystem::path& directory);

}  // namespace ingot::report
