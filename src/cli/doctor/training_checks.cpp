// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/made_up.h"

namespace ingot::cli {
namespace {

struct Comparison {
  std::string name;
  std::vector<MadeUpRun> runs;
};

std::vector<Interrupt> interrupts(Interruption kind, std::initializer_list<int64_t> moments) {
  std::vector<Interrupt> list;
  for (const int64_t at : moments) list.push_back({kind, at});
  return list;
}

/// What must equal the reference, a run of two threads that is replayed and never stopped.
std::vector<Comparison> comparisons(models::ModelLayout layout) {
  const auto with_threads = [&](int threads) { return MadeUpRun{layout, threads, true, {}}; };
  return {
      {"stopped and continued",
       {{layout, 2, true, interrupts(Interruption::kStop, {1, 13, 14, 29})}}},
      {"killed and continued",
       {{layout, 2, true, interrupts(Interruption::kKill, {2, 9, 17, 23, 24})}}},
      {"torn checkpoint writes",
       {{layout, 2, true, interrupts(Interruption::kTear, {2, 3, 5, 8, 11})}}},
      {"threads 1, 2, 3, 8", {with_threads(1), with_threads(3), with_threads(8)}},
      {"eager and replayed", {{layout, 2, false, {}}}},
  };
}

/// Why two outcomes differ; "" when they do not.
std::string difference(const MadeUpOutcome& got, const MadeUpOutcome& want) {
  if (got.sha256 != want.sha256) {
    return fmt::format("weights {:.12} instead of {:.12}", got.sha256, want.sha256);
  }
  if (got.metrics.size() != want.metrics.size()) {
    return fmt::format("{} lines of metrics instead of {}", got.metrics.size(),
                       want.metrics.size());
  }
  for (size_t i = 0; i < got.metrics.size(); ++i) {
    if (got.metrics[i] != want.metrics[i]) {
      return fmt::format("metrics line {}: {} instead of {}", i + 1, excerpt(got.metrics[i], 120),
                         excerpt(want.metrics[i], 120));
    }
  }
  return "";
}

Check compare(FileSystem& files, const Clock& clock, const MadeUpData& data,
              const std::string& folder, const Comparison& c, const MadeUpOutcome& want) {
  Check check{c.name, true, ""};
  int64_t interrupted = 0;
  for (size_t i = 0; i < c.runs.size(); ++i) {
    const std::string place = fmt::format("{}-{}", folder, i);
    const MadeUpOutcome got = run_made_up(files, clock, data, place, c.runs[i]);
    const std::string why = difference(got, want);
    if (!why.empty()) {
      check.passed = false;
      check.value = why;
      return check;
    }
    interrupted += got.interrupted;
    remove_tree(files, place);
  }
  check.value = fmt::format("{:.12}, {} lines of metrics", want.sha256, want.metrics.size());
  if (interrupted > 0) check.value += fmt::format(", {} interruptions", interrupted);
  const size_t planned = c.runs.front().interrupts.size();
  if (static_cast<size_t>(interrupted) < planned) {
    check.passed = false;
    check.value += fmt::format(" of {}: the run ended before the others", planned);
  }
  return check;
}

Check replay_counts(const MadeUpOutcome& o) {
  return {"replay is free of records", o.tape_records + o.allocator_calls + o.conversions == 0,
          fmt::format("{} tape records, {} allocator calls, {} conversions", o.tape_records,
                      o.allocator_calls, o.conversions)};
}

/// The reference run must really have what exactness is asked of.
Check coverage(const MadeUpOutcome& o) {
  return {"reference run",
          o.epochs > 1.0 && o.summary.steps > 30 && o.summary.best.step > 0 &&
              o.summary.best.step < o.summary.steps,
          fmt::format(
              "{} steps, {:.1f} epochs, best at step {}, {} evaluations without improvement",
              o.summary.steps, o.epochs, o.summary.best.step, o.summary.best.evaluations_since)};
}

}  // namespace

void training_checks(FileSystem& files, const Clock& clock, const std::string& folder,
                     const CheckSink& sink) {
  const MadeUpData data = make_up_data(files, join_path(folder, "data"));
  for (const models::ModelLayout layout :
       {models::ModelLayout::kLlama, models::ModelLayout::kGpt2}) {
    const std::string name = layout == models::ModelLayout::kLlama ? "llama" : "gpt2";
    const auto report = [&](Check check) {
      check.name = name + ": " + check.name;
      sink(check);
    };
    const MadeUpOutcome want =
        run_made_up(files, clock, data, join_path(folder, name), {layout, 2, true, {}});
    report(coverage(want));
    report(replay_counts(want));
    for (const Comparison& c : comparisons(layout)) {
      report(compare(files, clock, data, join_path(folder, name), c, want));
    }
  }
}

}  // namespace ingot::cli
