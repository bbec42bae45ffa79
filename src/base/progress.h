// SPDX-License-Identifier: Apache-2.0
// The progress line. On a terminal one line is rewritten at most ten times a second; elsewhere
// (a log file, CI) a whole line appears every few seconds or percent. Prints nothing itself: text
// goes to the sink of the command line. Not a metrics store (that is the ledger).
// Called by the training loop and by long data stages.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace ingot {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

/// What a line may show; absent fields are left out.
struct ProgressState {
  int64_t step = 0;
  int64_t total = 0;  ///< 0: not known, so no percent and no ETA
  double loss = kAbsent;
  double val = kAbsent;
  double lr = kAbsent;
  double items_per_s = kAbsent;
  std::string_view item = "tok";  ///< unit of items_per_s
  int64_t memory_bytes = 0;
  double eta_s = kAbsent;  ///< absent: estimated from the pace since the first update
  double money = kAbsent;
  std::string_view currency = "EUR";
  std::string_view note;  ///< short text at the end
};

struct ProgressOptions {
  std::string label{};  ///< "train"
  bool terminal = false;
  int width = 80;            ///< columns of the terminal
  double refresh_s = 0.1;    ///< terminal: least time between two rewrites
  double plain_s = 10;       ///< plain: a line after this many seconds
  double plain_percent = 5;  ///< plain: or after this share of the total, but not within a second
};

/// The line without control characters, cut to `width` columns (0: not cut).
[[nodiscard]] std::string format_progress(std::string_view label, const ProgressState& state,
                                          int width);

class Progress {
 public:
  using Sink = std::function<void(std::string_view)>;
  /// `clock` must outlive this object.
  Progress(const Clock& clock, ProgressOptions options, Sink sink);

  /// Shows the state if it is time to.
  void update(const ProgressState& state);
  /// Shows the state in any case and ends the line.
  void finish(const ProgressState& state);
  /// Puts a whole line of other text above the progress line (plain: just the line).
  void message(std::string_view line);

 private:
  [[nodiscard]] ProgressState with_eta(const ProgressState& state);
  [[nodiscard]] bool due(const ProgressState& state) const;
  void show(const ProgressState& state);

  const Clock& clock_;
  ProgressOptions options_;
  Sink sink_;
  bool started_ = false;
  double start_s_ = 0;
  int64_t start_step_ = 0;
  double shown_s_ = 0;
  int64_t shown_step_ = 0;
  std::string line_;  // what the terminal shows now
};

}  // namespace ingot
