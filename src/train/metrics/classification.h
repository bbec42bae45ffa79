// SPDX-License-Identifier: Apache-2.0
// Everything that is usually asked of a classifier, from a stream of probabilities and labels:
// accuracy, top-k, precision, recall and F1 (micro, macro, weighted, per class), confusion matrix,
// ROC-AUC, average precision, log loss, Brier score, expected calibration error. Sums are in double
// and equal scikit-learn's.
// State: three counts per class, the matrix and the bins. The two ranking areas need every
// probability in order: 4·classes + 4 bytes per example (8 for two classes) are kept up to
// max_ranking_bytes; beyond it all of them are dropped and both areas are NaN. Bootstrap intervals
// keep 20 bytes per example more, without limit, and sort some classes at a time (kOrderBytes).
// Called by training tasks, the evaluate verb and the report; knows no tensors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/metrics/bootstrap.h"
#include "train/metrics/ranking.h"

namespace ingot::train {

struct ClassificationOptions {
  int64_t classes = 2;
  int64_t top_k = 5;  ///< left out when classes <= top_k
  int64_t bins = 15;  ///< of the calibration error, equally wide
  int64_t ignore_label = -100;
  bool ranking = true;  ///< ROC-AUC and average precision
  /// Beyond this the scores are dropped and both areas are NaN.
  int64_t max_ranking_bytes = int64_t{1} << 30;
  BootstrapOptions bootstrap;
};

struct ClassValues {
  double precision = 0.0;  ///< 0 when the class is never predicted
  double recall = 0.0;     ///< 0 when there is no example of it
  double f1 = 0.0;
  double roc_auc = 0.0;  ///< against the rest; NaN when undefined
  double average_precision = 0.0;
  int64_t support = 0;  ///< examples
};

/// Examples whose largest probability lies in (i / bins, (i + 1) / bins].
struct CalibrationBin {
  int64_t count = 0;
  double confidence = 0.0;  ///< mean of the largest probability
  double accuracy = 0.0;
};

struct ClassificationResult {
  int64_t count = 0;
  int64_t ignored = 0;
  int64_t replicates = 0;  ///< behind the intervals; 0: there are none
  /// Why both areas are NaN where max_ranking_bytes was reached: a sentence without its stop.
  std::string ranking_dropped;
  std::vector<int64_t> confusion;  ///< [label, prediction]; empty beyond kMaxConfusionClasses
  std::vector<ClassValues> per_class;
  std::vector<CalibrationBin> calibration;
  std::vector<RankingPoint> curve;  ///< of class 1; two classes only
  std::vector<MetricValue> values;  ///< in the order of metric_names
  [[nodiscard]] double operator[](std::string_view name) const {
    return find_metric(values, name).value;
  }
};

inline constexpr int64_t kMaxConfusionClasses = 1024;
inline constexpr int64_t kCurveResolution = 200;          ///< of ClassificationResult::curve
inline constexpr size_t kOrderBytes = size_t{256} << 20;  ///< of the orders that intervals hold

/// accuracy, top_<k>_accuracy, for two classes precision, recall, f1 (of class 1), then
/// {precision, recall, f1}_{micro, macro, weighted}, roc_auc, pr_auc, log_loss, brier,
/// calibration_error.
[[nodiscard]] std::vector<std::string> metric_names(const ClassificationOptions& options);

class ClassificationMetrics {
 public:
  explicit ClassificationMetrics(const ClassificationOptions& options);

  /// probabilities [rows, classes] row-major, or [rows] of class 1 when there are two; labels
  /// [rows], rows of ignore_label do not count. The prediction is the first largest.
  /// Throws kShapeMismatch, kInvalidArgument for a label out of range, kNumeric for rows that are
  /// no probabilities, naming the row counted from the first add; then nothing of the call counts.
  void add(std::span<const float> probabilities, std::span<const int64_t> labels);
  void add(std::span<const float> probabilities, std::span<const int32_t> labels);

  /// Macro means go over the classes that were seen or predicted, the areas over those that have
  /// examples for and against; log loss clips to [2^-52, 1 − 2^-52]; the Brier score of two classes
  /// is that of class 1, of more the sum over classes. All NaN without examples. A replicate's
  /// weights are drawn once for all classes that are in order at a time. Throws kCancelled when
  /// asked to stop.
  [[nodiscard]] ClassificationResult result() const;

  [[nodiscard]] int64_t bytes_per_example() const;

 private:
  struct Example {  // what one example adds, kept for the intervals
    int32_t label;
    int32_t predicted;  // bits inverted when the label is not among the top k
    float log_loss;
    float brier;
    float confidence;
  };
  struct Tally;
  template <class Label>
  void add_rows(std::span<const float> probabilities, std::span<const Label> labels);
  void check_row(std::span<const float> row, int64_t number) const;
  void add_row(const float* row, size_t width, int64_t label);
  [[nodiscard]] size_t ranked_columns() const;
  [[nodiscard]] std::string why_dropped() const;
  std::vector<ScoreOrder> order_columns(size_t first, size_t end, ClassificationResult& out) const;
  std::vector<std::vector<double>> rank(ClassificationResult& out) const;
  [[nodiscard]] Tally drawn(std::span<const uint8_t> weights) const;
  [[nodiscard]] std::vector<double> values_of(const Tally& tally, double roc, double pr) const;

  struct Bin {
    double count = 0.0, correct = 0.0, confidence = 0.0;
  };
  struct Tally {
    std::vector<double> hits, predicted, support;  // per class
    std::vector<Bin> bins;
    double count = 0.0, correct = 0.0, top_k = 0.0, log_loss = 0.0, brier = 0.0;
    Tally(int64_t classes, int64_t bin_count);
    void add(int64_t label, int64_t prediction, double weight);
    void add_confidence(double confidence, bool is_right, double weight);
  };

  ClassificationOptions options_;
  Tally tally_;
  std::vector<int64_t> confusion_;
  std::vector<Example> examples_;  // with intervals only
  std::vector<float> scores_;      // [count, columns], with ranking only
  std::vector<int32_t> labels_;    // beside scores_
  int64_t rows_ = 0;
  int64_t ignored_ = 0;
  bool ranking_dropped_ = false;
};

}  // namespace ingot::train
