// SPDX-License-Identifier: Apache-2.0
// Learning from examples with a target: batches in a random order per epoch, the loss that suits
// the target, and metrics on held-out examples. The network is given; nothing here knows tables or
// texts.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "data/examples.h"
#include "models/network/runner.h"
#include "train/config.h"
#include "train/example_runner.h"
#include "train/metrics/classification.h"
#include "train/metrics/regression.h"
#include "train/objective.h"
#include "train/task.h"

namespace ingot::train {

/// What there is to say about a model on a file of examples.
struct Scores {
  double loss = 0.0;  ///< log loss or mean squared error
  std::vector<MetricValue> values;
  int64_t replicates = 0;  ///< behind the intervals; 0: there are none
  // Of classes only; see ClassificationResult.
  std::string ranking_dropped;
  std::vector<int64_t> confusion;  ///< [label, prediction]
  std::vector<ClassValues> per_class;
  std::vector<CalibrationBin> calibration;
  std::vector<RankingPoint> curve;
  /// A figure by its name. Throws kNotFound listing the names there are.
  [[nodiscard]] double operator[](std::string_view name) const {
    return find_metric(values, name).value;
  }
};

/// Accumulates what there is to say about predictions; classification or regression by objective.
class Scorer {
 public:
  Scorer(const Objective& objective, const BootstrapOptions& bootstrap = {},
         int64_t top_k = ClassificationOptions{}.top_k);
  /// Answers of a NetworkRunner for `targets.size()` examples: int32 classes or float32 numbers.
  void add(std::span<const float> answers, std::span<const int32_t> labels);
  void add(std::span<const float> answers, std::span<const float> numbers);
  [[nodiscard]] Scores result() const;

 private:
  const Objective objective_;
  std::optional<ClassificationMetrics> classes_;
  std::optional<RegressionMetrics> numbers_;
  std::vector<float> decoded_, truth_;
};

/// Answers for every example of a file, in order, batch after batch: `take` gets the first row's
/// number and the answers. batches 0: all of the file.
void run_examples(const data::ExampleReader& examples, ExampleRunner& runner, int64_t batches,
                  const std::function<void(int64_t first, std::span<const float> answers)>& take);

/// An example and what the model said to it.
struct Answered {
  int64_t example = 0;
  std::span<const float> answer;  ///< probabilities, that of class 1 alone, or a number
  int32_t label = 0;              ///< classes
  float number = 0.0F;            ///< numbers, as the model is trained on them
};

struct ScoreOptions {
  int64_t batches = 0;  ///< 0: all of the file
  BootstrapOptions bootstrap;
  std::function<void(const Answered&)> each;  ///< when given, called per example, in order
  int64_t top_k = ClassificationOptions{}.top_k;
  const StopFlag* stop = nullptr;  ///< looked at between batches
};

/// Throws kCancelled when asked to stop, there or by the flag of the bootstrap.
[[nodiscard]] Scores score(ExampleRunner& runner, const Objective& objective,
                           const data::ExampleReader& examples, const ScoreOptions& options = {});

/// What is learned from, and how its examples reach the network. All must outlive the task.
struct SupervisedData {
  const data::ExampleReader& train;
  const data::ExampleReader* validation;  ///< may be null
  const data::RowFiller& filler;
};

class SupervisedTask : public Task {
 public:
  /// Throws kInvalidArgument when the training examples are fewer than a batch, lack an input of
  /// the network, or shall be mixed and hold ids.
  SupervisedTask(Engine& engine, const TrainConfig& config, const Objective& objective,
                 models::Network& network, const SupervisedData& data);

  [[nodiscard]] nn::Module& module() override { return network_; }
  int64_t load(int64_t index, int64_t slot) override;
  [[nodiscard]] Tensor loss(int64_t slot, const Tensor& count) override;
  [[nodiscard]] bool has_validation() const override {
    return data_.validation != nullptr && data_.validation->rows() > 0;
  }
  [[nodiscard]] Evaluation evaluate() override;
  [[nodiscard]] double loss_scale() const override { return objective_.loss_scale; }
  [[nodiscard]] int64_t items() const override { return config_.micro_batch; }
  [[nodiscard]] ItemName item_name() const override { return {"examples", "rows"}; }
  [[nodiscard]] int64_t items_per_epoch() const override { return data_.train.rows(); }

 private:
  struct Examples {
    std::vector<Tensor> inputs;
    ObjectiveBatch target;
  };
  struct Buffers {
    Examples own;
    // With mixup: what own is mixed with, and in which shares.
    Examples partner;
    Tensor share, rest;  // [batch]
  };
  [[nodiscard]] Examples make_examples() const;
  void start_network();
  [[nodiscard]] data::RowView view_of(int64_t place) const;
  void fill(const Examples& to);  // as views_ says
  void mix(const Buffers& b);
  void blend(const Tensor& own, const Tensor& partner, const Tensor& share);
  [[nodiscard]] bool is_mixed() const { return objective_.mixup > 0.0; }

  Engine& engine_;
  TrainConfig config_;
  Objective objective_;
  models::Network& network_;
  SupervisedData data_;
  data::BatchFiller filler_;  // of the training examples
  std::vector<Buffers> buffers_;
  std::vector<data::RowView> views_;  // of the micro-batch being loaded
  std::optional<ExampleRunner> runner_;
};

}  // namespace ingot::train
