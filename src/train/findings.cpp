// SPDX-License-Identifier: Apache-2.0
#include "train/findings.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace ingot::train {
namespace {

constexpr double kSmallest = 0x1p-52;  // as the log loss of classification.h

/// True when `a` is the worse of two, which is what a heap with the mildest on top asks for.
bool is_worse(const WorstFindings::Entry& a, const WorstFindings::Entry& b) {
  if (a.finding.loss != b.finding.loss) return a.finding.loss > b.finding.loss;
  return a.finding.example < b.finding.example;
}

}  // namespace

Finding judge(const Objective& objective, const Answered& answered) {
  Finding f;
  f.example = answered.example;
  if (objective.classes == 0) {
    f.truth = objective.decode(static_cast<double>(answered.number));
    f.predicted = objective.decode(static_cast<double>(answered.answer[0]));
    f.loss = (f.predicted - f.truth) * (f.predicted - f.truth);
    return f;
  }
  const auto label = static_cast<size_t>(answered.label);
  f.truth = static_cast<double>(label);
  double of_label = 0.0;
  if (answered.answer.size() == 1) {  // the probability of class 1
    const auto p = static_cast<double>(answered.answer[0]);
    f.predicted = p > 0.5 ? 1.0 : 0.0;
    f.probability = std::max(p, 1.0 - p);
    of_label = label == 1 ? p : 1.0 - p;
  } else {
    const auto best = std::max_element(answered.answer.begin(), answered.answer.end());
    f.predicted = static_cast<double>(best - answered.answer.begin());
    f.probability = static_cast<double>(*best);
    of_label = static_cast<double>(answered.answer[label]);
  }
  f.loss = -std::log(std::max(of_label, kSmallest));
  return f;
}

void WorstFindings::add(const Finding& finding,
                        const std::function<std::vector<std::string>()>& cells) {
  if (keep_ == 0) return;
  Entry entry{finding, {}};
  if (heap_.size() == keep_) {
    if (!is_worse(entry, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), is_worse);
    heap_.pop_back();
  }
  entry.cells = cells();
  heap_.push_back(std::move(entry));
  std::push_heap(heap_.begin(), heap_.end(), is_worse);
}

std::vector<WorstFindings::Entry> WorstFindings::take() {
  std::sort(heap_.begin(), heap_.end(), is_worse);
  return std::move(heap_);
}

void FindingSample::add(const Finding& finding) {
  const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  const uint64_t place = mix64(static_cast<uint64_t>(finding.example));
  if (heap_.size() == keep_) {
    if (heap_.empty() || place >= heap_.front().first) return;
    std::pop_heap(heap_.begin(), heap_.end(), less);
    heap_.pop_back();
  }
  heap_.emplace_back(place, finding);
  std::push_heap(heap_.begin(), heap_.end(), less);
}

std::vector<Finding> FindingSample::take() {
  std::vector<Finding> findings;
  for (const auto& [place, finding] : heap_) findings.push_back(finding);
  std::sort(findings.begin(), findings.end(),
            [](const Finding& a, const Finding& b) { return a.example < b.example; });
  heap_.clear();
  return findings;
}

}  // namespace ingot::train
