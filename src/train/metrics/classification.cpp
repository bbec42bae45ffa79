// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"

namespace ingot::train {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr double kClip = 0x1.0p-52;  // of probabilities under a logarithm, as scikit-learn
constexpr double kSumTolerance =
    1e-3;  // a float32 or half-precision softmax adds up to 1 this well
constexpr int64_t kExampleBytes = 20;

double ratio(double a, double b) { return b > 0.0 ? a / b : 0.0; }

double f1_of(double precision, double recall) {
  return ratio(2.0 * precision * recall, precision + recall);
}

int64_t columns_of(int64_t classes) { return classes == 2 ? 1 : classes; }

/// Mean of the values that are numbers, NaN for none.
double mean_defined(const std::vector<double>& values) {
  double sum = 0.0, count = 0.0;
  for (const double v : values) {
    if (std::isnan(v)) continue;
    sum += v;
    ++count;
  }
  return count > 0.0 ? sum / count : kNoValue;
}

}  // namespace

std::vector<std::string> metric_names(const ClassificationOptions& options) {
  std::vector<std::string> names = {"accuracy"};
  if (options.classes > options.top_k)
    names.push_back(fmt::format("top_{}_accuracy", options.top_k));
  if (options.classes == 2) names.insert(names.end(), {"precision", "recall", "f1"});
  for (const char* kind : {"micro", "macro", "weighted"}) {
    for (const char* value : {"precision", "recall", "f1"}) {
      names.push_back(fmt::format("{}_{}", value, kind));
    }
  }
  names.insert(names.end(), {"roc_auc", "pr_auc", "log_loss", "brier", "calibration_error"});
  return names;
}

ClassificationMetrics::Tally::Tally(int64_t classes, int64_t bin_count)
    : hits(static_cast<size_t>(classes)),
      predicted(hits.size()),
      support(hits.size()),
      bins(static_cast<size_t>(bin_count)) {}

void ClassificationMetrics::Tally::add(int64_t label, int64_t prediction, double weight) {
  count += weight;
  support[static_cast<size_t>(label)] += weight;
  predicted[static_cast<size_t>(prediction)] += weight;
  if (label != prediction) return;
  correct += weight;
  hits[static_cast<size_t>(label)] += weight;
}

void ClassificationMetrics::Tally::add_confidence(double confidence, bool is_right, double weight) {
  const double last = static_cast<double>(bins.size() - 1);
  const double at = std::ceil(confidence * static_cast<double>(bins.size())) - 1.0;
  Bin& bin = bins[static_cast<size_t>(std::clamp(at, 0.0, last))];
  bin.count += weight;
  bin.confidence += weight * confidence;
  if (is_right) bin.correct += weight;
}

ClassificationMetrics::ClassificationMetrics(const ClassificationOptions& options)
    : options_(options),
      tally_(std::max<int64_t>(options.classes, 0), std::max<int64_t>(options.bins, 0)) {
  require(options.classes >= 2 && options.top_k >= 1 && options.bins >= 1, Code::kInvalidArgument,
          "metrics: classes {}, top_k {} and bins {} must be at least 2, 1 and 1", options.classes,
          options.top_k, options.bins);
  check(options.bootstrap);
  if (options.classes <= kMaxConfusionClasses) {
    confusion_.resize(static_cast<size_t>(options.classes * options.classes));
  }
}

int64_t ClassificationMetrics::bytes_per_example() const {
  return (options_.ranking ? 4 * columns_of(options_.classes) + 4 : 0) +
         (options_.bootstrap.replicates > 0 ? kExampleBytes : 0);
}

void ClassificationMetrics::check_row(std::span<const float> row, int64_t number) const {
  double sum = 0.0;
  for (const float p : row) {
    require(p >= 0.0F && static_cast<double>(p) <= 1.0 + kSumTolerance, Code::kNumeric,
            "metrics: row {}: {} is no probability; apply softmax or sigmoid first", number, p);
    sum += static_cast<double>(p);
  }
  require(row.size() == 1 || std::abs(sum - 1.0) <= kSumTolerance, Code::kNumeric,
          "metrics: row {}: the probabilities add up to {}, not 1; apply softmax first", number,
          sum);
}

template <class Label>
void ClassificationMetrics::add_rows(std::span<const float> probabilities,
                                     std::span<const Label> labels) {
  const int64_t classes = options_.classes;
  const size_t rows = labels.size();
  const bool one_column = classes == 2 && probabilities.size() == rows;
  const size_t width = one_column ? 1 : static_cast<size_t>(classes);
  require(probabilities.size() == rows * width, Code::kShapeMismatch,
          "metrics: {} probabilities for {} labels, {} per label are needed", probabilities.size(),
          rows, classes);
  for (size_t r = 0; r < rows; ++r) {
    const auto label = static_cast<int64_t>(labels[r]);
    const int64_t number = rows_ + static_cast<int64_t>(r);
    if (label == options_.ignore_label) continue;
    require(label >= 0 && label < classes, Code::kInvalidArgument,
            "metrics: row {}: label {} is outside [0, {}) and not ignore_label {}", number, label,
            classes, options_.ignore_label);
    check_row(probabilities.subspan(r * width, width), number);
  }
  for (size_t r = 0; r < rows; ++r) {
    const auto label = static_cast<int64_t>(labels[r]);
    if (label == options_.ignore_label) {
      ++ignored_;
    } else {
      add_row(probabilities.data() + r * width, width, label);
    }
  }
  rows_ += static_cast<int64_t>(rows);
}

void ClassificationMetrics::add(std::span<const float> probabilities,
                                std::span<const int64_t> labels) {
  add_rows(probabilities, labels);
}

void ClassificationMetrics::add(std::span<const float> probabilities,
                                std::span<const int32_t> labels) {
  add_rows(probabilities, labels);
}

void ClassificationMetrics::add_row(const float* row, size_t width, int64_t label) {
  const auto classes = static_cast<size_t>(options_.classes);
  const auto target = static_cast<size_t>(label);
  const auto p = [&](size_t c) {
    if (width == 1 && c == 0) return 1.0 - static_cast<double>(row[0]);
    return static_cast<double>(row[width == 1 ? 0 : c]);
  };
  size_t best = 0;
  double brier = 0.0;
  int64_t ahead = 0;  // classes ranked before the label; of equal ones the first comes first
  for (size_t c = 0; c < classes; ++c) {
    const double value = p(c), wanted = c == target ? 1.0 : 0.0;
    if (value > p(best)) best = c;
    if (value > p(target) || (value == p(target) && c < target)) ++ahead;
    if (classes > 2 || c == 1) brier += (value - wanted) * (value - wanted);
  }
  const bool in_top = ahead < options_.top_k;
  const double log_loss = -std::log(std::clamp(p(target), kClip, 1.0 - kClip));
  tally_.add(label, static_cast<int64_t>(best), 1.0);
  tally_.add_confidence(p(best), best == target, 1.0);
  tally_.top_k += in_top ? 1.0 : 0.0;
  tally_.log_loss += log_loss;
  tally_.brier += brier;
  if (!confusion_.empty()) ++confusion_[target * classes + best];
  if (options_.bootstrap.replicates > 0) {
    const auto predicted = static_cast<int32_t>(best);
    examples_.push_back({static_cast<int32_t>(label), in_top ? predicted : ~predicted,
                         static_cast<float>(log_loss), static_cast<float>(brier),
                         static_cast<float>(p(best))});
  }
  if (!options_.ranking || ranking_dropped_) return;
  const auto columns = static_cast<size_t>(columns_of(options_.classes));
  const size_t bytes = 4 * (labels_.size() + 1) * (columns + 1);
  if (bytes > static_cast<size_t>(std::max<int64_t>(options_.max_ranking_bytes, 0))) {
    ranking_dropped_ = true;
    scores_ = {};
    labels_ = {};
    return;
  }
  labels_.push_back(static_cast<int32_t>(label));
  if (columns == 1) {
    scores_.push_back(row[width - 1]);
  } else {
    scores_.insert(scores_.end(), row, row + columns);
  }
}

std::vector<double> ClassificationMetrics::values_of(const Tally& t, double roc, double pr) const {
  const double n = t.count;
  if (n == 0.0) return std::vector<double>(metric_names(options_).size(), kNoValue);
  const double accuracy = t.correct / n;
  std::vector<double> values = {accuracy};
  if (options_.classes > options_.top_k) values.push_back(t.top_k / n);
  double macro[3] = {0.0, 0.0, 0.0}, weighted[3] = {0.0, 0.0, 0.0}, seen = 0.0;
  for (size_t c = 0; c < t.support.size(); ++c) {
    const double precision = ratio(t.hits[c], t.predicted[c]);
    const double recall = ratio(t.hits[c], t.support[c]);
    const double each[3] = {precision, recall, f1_of(precision, recall)};
    if (options_.classes == 2 && c == 1) values.insert(values.end(), each, each + 3);
    if (t.support[c] == 0.0 && t.predicted[c] == 0.0) continue;
    ++seen;
    for (size_t k = 0; k < 3; ++k) {
      macro[k] += each[k];
      weighted[k] += each[k] * t.support[c];
    }
  }
  values.insert(values.end(), 3, accuracy);  // micro: every example is one label and one prediction
  for (const double m : macro) values.push_back(m / seen);
  for (const double w : weighted) values.push_back(w / n);
  double gap = 0.0;
  for (const Bin& bin : t.bins) gap += std::abs(bin.correct - bin.confidence);
  values.insert(values.end(), {roc, pr, t.log_loss / n, t.brier / n, gap / n});
  return values;
}

/// Areas per class into `out`, and those of every replicate's mean over classes: [0] ROC, [1] PR.
void ClassificationMetrics::rank(ClassificationResult& out,
                                 std::vector<std::vector<double>>& replicates) const {
  const auto columns = static_cast<size_t>(columns_of(options_.classes));
  const size_t n = labels_.size();
  const auto count = static_cast<size_t>(options_.bootstrap.replicates);
  std::vector<float> scores(n);
  std::vector<uint8_t> is_positive(n), weights(count > 0 ? n : 0);
  std::vector<std::vector<double>> roc(count), pr(count);  // [replicate][class]
  for (size_t column = 0; column < columns; ++column) {
    const size_t c = columns == 1 ? 1 : column;
    for (size_t i = 0; i < n; ++i) {
      scores[i] = scores_[i * columns + column];
      is_positive[i] = static_cast<size_t>(labels_[i]) == c ? 1 : 0;
    }
    const ScoreOrder order(scores, is_positive);
    const RankingAreas areas = order.areas();
    out.per_class[c].roc_auc = areas.roc_auc;
    out.per_class[c].average_precision = areas.average_precision;
    if (options_.classes == 2 && c == 1) out.curve = order.curve(kCurveResolution);
    for (size_t r = 0; r < count; ++r) {
      poisson_weights(options_.bootstrap.seed, static_cast<int64_t>(r), weights);
      const RankingAreas drawn = order.areas(weights);
      roc[r].push_back(drawn.roc_auc);
      pr[r].push_back(drawn.average_precision);
    }
  }
  for (size_t r = 0; r < count; ++r) {
    replicates[0].push_back(mean_defined(roc[r]));
    replicates[1].push_back(mean_defined(pr[r]));
  }
}

ClassificationResult ClassificationMetrics::result() const {
  ClassificationResult out;
  out.count = static_cast<int64_t>(tally_.count);
  out.ignored = ignored_;
  out.ranking_dropped = ranking_dropped_;
  out.confusion = confusion_;
  std::vector<double> roc, pr;
  for (size_t c = 0; c < tally_.support.size(); ++c) {
    const double precision = ratio(tally_.hits[c], tally_.predicted[c]);
    const double recall = ratio(tally_.hits[c], tally_.support[c]);
    out.per_class.push_back({precision, recall, f1_of(precision, recall), kNoValue, kNoValue,
                             static_cast<int64_t>(tally_.support[c])});
  }
  for (const Bin& bin : tally_.bins) {
    out.calibration.push_back({static_cast<int64_t>(bin.count), ratio(bin.confidence, bin.count),
                               ratio(bin.correct, bin.count)});
  }
  const auto count = static_cast<size_t>(options_.bootstrap.replicates);
  std::vector<std::vector<double>> areas(2);
  if (!labels_.empty()) rank(out, areas);
  for (std::vector<double>& a : areas) a.resize(count, kNoValue);
  for (const ClassValues& c : out.per_class) {
    roc.push_back(c.roc_auc);
    pr.push_back(c.average_precision);
  }
  const std::vector<std::string> names = metric_names(options_);
  const std::vector<double> values = values_of(tally_, mean_defined(roc), mean_defined(pr));
  for (size_t k = 0; k < names.size(); ++k)
    out.values.push_back({names[k], values[k], kNoValue, kNoValue});
  std::vector<std::vector<double>> replicates(names.size());
  std::vector<uint8_t> weights(examples_.size());
  for (size_t r = 0; r < count && !examples_.empty(); ++r) {
    poisson_weights(options_.bootstrap.seed, static_cast<int64_t>(r), weights);
    Tally drawn(options_.classes, options_.bins);
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] == 0) continue;
      const Example& e = examples_[i];
      const double w = static_cast<double>(weights[i]);
      const int32_t predicted = e.predicted < 0 ? ~e.predicted : e.predicted;
      drawn.add(e.label, predicted, w);
      drawn.add_confidence(static_cast<double>(e.confidence), predicted == e.label, w);
      drawn.top_k += e.predicted >= 0 ? w : 0.0;
      drawn.log_loss += w * static_cast<double>(e.log_loss);
      drawn.brier += w * static_cast<double>(e.brier);
    }
    const std::vector<double> one = values_of(drawn, areas[0][r], areas[1][r]);
    for (size_t k = 0; k < names.size(); ++k) replicates[k].push_back(one[k]);
  }
  for (size_t k = 0; k < names.size(); ++k) {
    if (count > 0)
      set_interval(out.values[k], std::move(replicates[k]), options_.bootstrap.confidence);
  }
  return out;
}

}  // namespace ingot::train
