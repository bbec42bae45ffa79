// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ingot::train {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr double kClip = 0x1.0p-52;  // of probabilities under a logarithm, as scikit-learn
constexpr double kSumTolerance =
    1e-3;  // a float32 or half-precision softmax adds up to 1 this well
constexpr int64_t kExampleBytes = 20;
constexpr size_t kOrderedBytes = 5;        // of an example in a ScoreOrder
constexpr int64_t kSerialLooks = 1 << 14;  // some ten microseconds of work

double ratio(double a, double b) { return b > 0.0 ? a / b : 0.0; }

double f1_of(double precision, double recall) {
  return ratio(2.0 * precision * recall, precision + recall);
}

int64_t columns_of(int64_t classes) { return classes == 2 ? 1 : classes; }

/// Mean of the values that are numbers, NaN for none.
class DefinedMean {
 public:
  void add(double value) {
    if (std::isnan(value)) return;
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] double value() const { return count_ > 0.0 ? sum_ / count_ : kNoValue; }

 private:
  double sum_ = 0.0, count_ = 0.0;
};

/// Both areas of a replicate, over the classes.
struct AreaMeans {
  DefinedMean roc, pr;
};

/// The areas of every order, each by one thread.
void weigh(const std::vector<ScoreOrder>& orders, std::span<const uint8_t> weights, Team* team,
           std::vector<RankingAreas>& areas) {
  areas.resize(orders.size());
  const auto one = [&](int64_t k) {
    areas[static_cast<size_t>(k)] = orders[static_cast<size_t>(k)].areas(weights);
  };
  const int64_t count = std::ssize(orders);
  if (team != nullptr) {
    team->tiles(count, count * std::ssize(weights) < kSerialLooks, one);
  } else {
    for (int64_t k = 0; k < count; ++k) one(k);
  }
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

size_t ClassificationMetrics::ranked_columns() const {
  return labels_.empty() ? 0 : static_cast<size_t>(columns_of(options_.classes));
}

std::string ClassificationMetrics::why_dropped() const {
  const int64_t bytes = 4 * columns_of(options_.classes) + 4;
  return fmt::format(
      "roc_auc and pr_auc need every probability in order, {} bytes of a row, which are kept of up "
      "to {} rows ({}); there are {}",
      bytes, with_thousands(options_.max_ranking_bytes / bytes),
      human_bytes(options_.max_ranking_bytes), with_thousands(static_cast<int64_t>(tally_.count)));
}

/// Examples in the order of each column's scores, whose areas go into `out`.
std::vector<ScoreOrder> ClassificationMetrics::order_columns(size_t first, size_t end,
                                                             ClassificationResult& out) const {
  const size_t columns = ranked_columns();
  std::vector<ScoreOrder> orders;
  std::vector<float> scores(labels_.size());
  std::vector<uint8_t> is_positive(labels_.size());
  for (size_t column = first; column < end; ++column) {
    throw_if_stopped(options_.bootstrap.stop);
    const size_t c = columns == 1 ? 1 : column;
    for (size_t i = 0; i < labels_.size(); ++i) {
      scores[i] = scores_[i * columns + column];
      is_positive[i] = static_cast<size_t>(labels_[i]) == c ? 1 : 0;
    }
    const ScoreOrder& order = orders.emplace_back(scores, is_positive);
    const RankingAreas areas = order.areas();
    out.per_class[c].roc_auc = areas.roc_auc;
    out.per_class[c].average_precision = areas.average_precision;
    if (options_.classes == 2 && c == 1) out.curve = order.curve(kCurveResolution);
  }
  return orders;
}

/// Areas per class into `out`, and the values of every replicate: [replicate][metric]. As many
/// columns at a time as there is room for their orders; the last ones complete a replicate.
std::vector<std::vector<double>> ClassificationMetrics::rank(ClassificationResult& out) const {
  const BootstrapOptions& b = options_.bootstrap;
  const size_t columns = ranked_columns();
  const auto count = static_cast<size_t>(out.replicates);
  const size_t room = kOrderBytes / (kOrderedBytes * std::max<size_t>(1, labels_.size()));
  const size_t most = count == 0 ? 1 : std::max<size_t>(1, room);
  std::vector<uint8_t> weights(examples_.size());
  std::vector<AreaMeans> means(count);
  std::vector<RankingAreas> areas;
  std::vector<std::vector<double>> values;
  size_t first = 0;
  do {
    const size_t end = std::min(columns, first + most);
    const std::vector<ScoreOrder> orders = order_columns(first, end, out);
    for (size_t r = 0; r < count; ++r) {
      throw_if_stopped(b.stop);
      poisson_weights(b.seed, static_cast<int64_t>(r), weights);
      weigh(orders, weights, b.team, areas);
      for (const RankingAreas& a : areas) {
        means[r].roc.add(a.roc_auc);
        means[r].pr.add(a.average_precision);
      }
      if (end < columns) continue;
      values.push_back(values_of(drawn(weights), means[r].roc.value(), means[r].pr.value()));
    }
    first = end;
  } while (first < columns);
  return values;
}

ClassificationMetrics::Tally ClassificationMetrics::drawn(std::span<const uint8_t> weights) const {
  Tally tally(options_.classes, options_.bins);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    const Example& e = examples_[i];
    const double w = static_cast<double>(weights[i]);
    const int32_t predicted = e.predicted < 0 ? ~e.predicted : e.predicted;
    tally.add(e.label, predicted, w);
    tally.add_confidence(static_cast<double>(e.confidence), predicted == e.label, w);
    tally.top_k += e.predicted >= 0 ? w : 0.0;
    tally.log_loss += w * static_cast<double>(e.log_loss);
    tally.brier += w * static_cast<double>(e.brier);
  }
  return tally;
}

ClassificationResult ClassificationMetrics::result() const {
  const BootstrapOptions& b = options_.bootstrap;
  ClassificationResult out;
  out.count = static_cast<int64_t>(tally_.count);
  out.ignored = ignored_;
  const auto looked_at = static_cast<int64_t>(std::max<size_t>(1, ranked_columns()));
  out.replicates = affordable_replicates(b.replicates, out.count, looked_at);
  if (ranking_dropped_) out.ranking_dropped = why_dropped();
  out.confusion = confusion_;
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
  const std::vector<std::vector<double>> replicates = rank(out);
  AreaMeans means;
  for (const ClassValues& c : out.per_class) {
    means.roc.add(c.roc_auc);
    means.pr.add(c.average_precision);
  }
  const std::vector<std::string> names = metric_names(options_);
  const std::vector<double> values = values_of(tally_, means.roc.value(), means.pr.value());
  for (size_t k = 0; k < names.size(); ++k) {
    std::vector<double> of_replicates;
    for (const std::vector<double>& one : replicates) of_replicates.push_back(one[k]);
    out.values.push_back({names[k], values[k], kNoValue, kNoValue});
    set_interval(out.values[k], std::move(of_replicates), b.confidence);
  }
  return out;
}

}  // namespace ingot::train
