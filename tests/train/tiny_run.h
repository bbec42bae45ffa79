// SPDX-License-Identifier: Apache-2.0
// A whole training run small enough for a test: two transformer layers of width 16 with dropout,
// two micro-batches per step, epochs that end in the middle of the run, a plateau schedule, best
// weights and early stopping. Everything that two runs must share is in its result as digests and
// text. Used by the tests of train/ and cost/.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/message_of.h"
#include "data/shard.h"
#include "models/transformer.h"
#include "train/lm_task.h"
#include "train/loop.h"
#include "train/run_files.h"

namespace ingot::testing {

inline constexpr int64_t kTinyVocab = 300;
inline constexpr int64_t kTinySteps = 24;

/// Made-up words as token ids (bytes; eos is the last id) in a training and a validation shard.
class TinyData {
 public:
  TinyData();
  [[nodiscard]] const data::ShardReader& train() const { return *train_; }
  [[nodiscard]] const data::ShardReader& validation() const { return *validation_; }
  [[nodiscard]] const std::string& folder() const { return dir_.path(); }

 private:
  TempDir dir_;
  std::unique_ptr<data::ShardReader> train_, validation_;
};

[[nodiscard]] models::TransformerConfig tiny_model();
[[nodiscard]] train::TrainConfig tiny_config();

/// Loss hooks of a model for train::LmTask; samples are a fixed text.
[[nodiscard]] train::LanguageModel tiny_hooks(models::Transformer& model);

/// Engine, model, task and step, ready to be stepped one by one.
struct TinyStep {
  TinyStep(const TinyData& data, const train::TrainConfig& config,
           const models::TransformerConfig& model_config = tiny_model(), int threads = 1);
  Team team;
  Engine engine;
  models::Transformer model;
  train::LmTask task;
  train::Step step;

  [[nodiscard]] std::vector<float> weights() { return step.store().values().to_vector<float>(); }
};

struct TinyOptions {
  int threads = 2;
  bool has_validation = true;
  FileSystem* files = nullptr;  ///< null: the real ones without fsync
  std::function<void(Engine&, int64_t step)> after_step = [](Engine&, int64_t) {};
  std::function<bool(int64_t step)> should_stop = [](int64_t) { return false; };
  std::function<void(const std::string&)> note = [](const std::string&) {};
};

struct TinyResult {
  std::string weights;     ///< SHA-256 of the parameters that training leaves (the best ones)
  std::string checkpoint;  ///< SHA-256 of the newest checkpoint's tensors (the last ones)
  std::string metrics;     ///< metrics.jsonl without the clock
  train::TrainSummary summary;
};

/// Trains in `out` until the end or until should_stop; continues what is there.
TinyResult run_tiny(const TinyData& data, const std::string& out, const train::TrainConfig& config,
                    const TinyOptions& options = {});

}  // namespace ingot::testing
