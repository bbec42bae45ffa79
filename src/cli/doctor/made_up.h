// SPDX-License-Identifier: Apache-2.0
// A small run without any file of the user's: text made from a word list by counter-based random
// numbers, its token shards, and one training run on them that may be stopped, killed or torn while
// it writes. The recipe has everything that could break exactness: dropout, accumulation, several
// epochs, evaluations with a best checkpoint, early-stopping state, a plateau schedule, clipping.
// Called by the checks beside this and by benchmarks/memory.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "models/transformer.h"
#include "tensor/engine.h"
#include "train/loop.h"

namespace ingot::cli {

/// Paths of the shards and the size of their vocabulary.
struct MadeUpData {
  std::string train, validation;
  int64_t vocab = 0;
};
/// Writes both shards into `folder` (made when needed). Same bytes on every machine.
[[nodiscard]] MadeUpData make_up_data(FileSystem& files, const std::string& folder);

/// How an attempt at the run ends.
enum class Interruption : uint8_t {
  kStop,  ///< after step `at`, as by SIGTERM: a checkpoint is written
  kKill,  ///< after step `at`, as by SIGKILL: nothing more is written
  kTear,  ///< in the middle of write number `at`: half of its bytes arrive, nothing afterwards
};
struct Interrupt {
  Interruption kind = Interruption::kStop;
  int64_t at = 0;
};

struct MadeUpRun {
  models::ModelLayout layout = models::ModelLayout::kLlama;
  int threads = 2;
  bool replay = true;
  std::vector<Interrupt> interrupts;  ///< one per attempt; the run is continued after each
};

struct MadeUpOutcome {
  std::string sha256;                ///< of the exported model.safetensors
  std::vector<std::string> metrics;  ///< lines of metrics.jsonl without their clock
  train::TrainSummary summary;
  double epochs = 0.0;
  int64_t interrupted = 0;      ///< attempts that were cut off
  int64_t tape_records = 0;     ///< between two late steps of the last attempt
  int64_t allocator_calls = 0;  ///< alike
  int64_t conversions = 0;      ///< alike
};

/// Runs in `folder`, which must be new, until the run is over.
[[nodiscard]] MadeUpOutcome run_made_up(FileSystem& files, const Clock& clock,
                                        const MadeUpData& data, const std::string& folder,
                                        const MadeUpRun& run);

[[nodiscard]] models::TransformerConfig made_up_model(models::ModelLayout layout, int64_t vocab);
[[nodiscard]] train::TrainConfig made_up_training(bool replay);

}  // namespace ingot::cli
