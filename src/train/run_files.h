// SPDX-License-Identifier: Apache-2.0
// The files of a run: checkpoints, the best weights, metrics.jsonl, TensorBoard events and the
// number of steps, in one run directory (docs/formats/run_directory.md). Continues what is there. A
// write that fails names the checkpoint from which the same command goes on.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "ledger/event_file.h"
#include "ledger/metrics.h"
#include "train/checkpoint.h"
#include "train/keeper.h"

namespace ingot::train {

class RunFiles : public Keeper {
 public:
  /// `out` is the run directory; `recipe_hash` says what a state must belong to; at most `keep`
  /// checkpoints stay. files and clock must outlive it.
  RunFiles(FileSystem& files, const Clock& clock, std::string out, std::string recipe_hash,
           int64_t keep);

  /// Remarks, such as a damaged checkpoint that was skipped.
  std::function<void(const std::string&)> note = [](const std::string&) {};

  [[nodiscard]] RunState begin(nn::ParameterStore& store, optim::Optimizer& optimizer,
                               const std::function<int64_t()>& steps) override;
  void record(const RunRecord& record) override;
  void save(RunState state, const nn::ParameterStore& store,
            const optim::Optimizer& optimizer) override;
  [[nodiscard]] std::string save_best(const nn::ParameterStore& store) override;
  void load_best(const BestState& best, nn::ParameterStore& store) override {
    checkpoints_.load_best(best, store);
  }

 private:
  [[nodiscard]] int64_t horizon(const std::function<int64_t()>& steps) const;
  /// Does `write`; an error of it also says what is left.
  void attempt(const std::function<void()>& write) const;
  [[nodiscard]] std::string what_is_left() const;
  void write(int64_t step, double seconds, const StepLog& log);
  void write(int64_t step, double seconds, const EpochLog& log);
  void write(int64_t step, double seconds, const Evaluation& validation);
  void write(int64_t step, double seconds, const Sample& sample);

  FileSystem& files_;
  const Clock& clock_;
  std::string out_;
  std::string recipe_hash_;
  Checkpoints checkpoints_;
  std::optional<ledger::MetricsWriter> metrics_;
  std::optional<ledger::EventWriter> events_;
};

}  // namespace ingot::train
