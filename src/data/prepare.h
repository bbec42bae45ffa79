// SPDX-License-Identifier: Apache-2.0
// The data stages in a row: clean, mask, group, split, write, check for leakage. Reads like the
// table of contents of this folder. Called by `ingot data clean`, `ingot data split`, `ingot run`.
#pragma once

#include <string>

#include "base/files.h"
#include "base/json.h"
#include "data/clean.h"
#include "data/config.h"
#include "data/split.h"

namespace ingot::data {

/// Wall time of the parts; all of it is masking, splitting (grouping and writing) or cleaning.
struct PrepareSeconds {
  double clean = 0.0, mask = 0.0, split = 0.0;
};

struct PrepareReport {
  std::string root;
  CleanReport clean;
  SplitReport split;
  PrepareSeconds seconds;  ///< zeros without a clock

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] std::string table() const;
};

/// "<folder>/train.jsonl" and so on.
[[nodiscard]] std::string corpus_path(const std::string& folder, Split split);

/// Writes train.jsonl, validation.jsonl and test.jsonl into `folder` (created), each whole or not
/// at all. Throws kInvalidArgument (bad config, empty corpus, too few files), kNotFound, kIo (a
/// file changed while it was read), kCancelled (between files; no split is half written).
PrepareReport prepare_corpus(FileSystem& files, const DataConfig& config, const std::string& folder,
                             const StopFlag* stop = nullptr, const Clock* clock = nullptr);

}  // namespace ingot::data
