// SPDX-License-Identifier: Apache-2.0
// What single examples say about a model: how each was answered, which went worst, a sample to
// plot, and how groups of them fare. Fed example by example while a split is scored, in bounded
// memory. Used by the evaluation of tables.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "train/supervised_task.h"

namespace ingot::train {

/// How one example was answered.
struct Finding {
  int64_t example = 0;       ///< its number in the split
  double loss = 0.0;         ///< −ln p(label), or the squared error
  double truth = 0.0;        ///< class id, or number
  double predicted = 0.0;    ///< the likeliest class, or number
  double probability = 0.0;  ///< of the predicted class
  [[nodiscard]] bool is_wrong() const { return truth != predicted; }
};

/// Judges an answer of the model; numbers are decoded.
[[nodiscard]] Finding judge(const Objective& objective, const Answered& answered);

/// The examples of the largest loss, the earlier first among equals.
class WorstFindings {
 public:
  explicit WorstFindings(size_t keep) : keep_(keep) {}
  struct Entry {
    Finding finding;
    std::vector<std::string> cells;  ///< what the example was made from
  };
  /// `cells` is asked for only when the finding is among the worst so far.
  void add(const Finding& finding, const std::function<std::vector<std::string>()>& cells);
  /// The worst first.
  [[nodiscard]] std::vector<Entry> take();

 private:
  size_t keep_;
  std::vector<Entry> heap_;  // the mildest on top
};

/// A uniform sample, a function of the examples' numbers alone; all of them while they fit.
class FindingSample {
 public:
  explicit FindingSample(size_t keep) : keep_(keep) {}
  void add(const Finding& finding);
  /// In the order of the examples.
  [[nodiscard]] std::vector<Finding> take();

 private:
  size_t keep_;
  std::vector<std::pair<uint64_t, Finding>> heap_;  // by hash of the number, the largest on top
};

/// Errors of the examples that share a value, such as one category of a column.
struct GroupError {
  int64_t count = 0;
  double loss = 0.0;  ///< sum
  int64_t wrong = 0;  ///< classes: predicted another one
  void add(const Finding& finding) {
    ++count;
    loss += finding.loss;
    wrong += finding.is_wrong() ? 1 : 0;
  }
};

}  // namespace ingot::train
