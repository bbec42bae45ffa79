// SPDX-License-Identifier: Apache-2.0
// A network's answers for stored examples, a batch at a time: what evaluation, prediction and
// serving share. With test-time augmentation a picture is answered for in several versions and the
// numbers of the last layer are averaged before they become probabilities:
//   flip            as it is and mirrored, half and half
//   flip_translate  half of that, and a quarter each of the same moved by one pixel up and left,
//                   and down and right, the edge pixels mirrored (airbench)
// An answer depends on its example alone, never on what else is in the batch.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/config_fields.h"
#include "data/batch_filler.h"
#include "models/network/runner.h"

namespace ingot::train {

enum class Tta : uint8_t { kNone, kFlip, kFlipTranslate };
inline constexpr EnumName kTtaNames[] = {
    {"none", Tta::kNone}, {"flip", Tta::kFlip}, {"flip_translate", Tta::kFlipTranslate}};
constexpr std::span<const EnumName> enum_names(Tta /*tag*/) { return kTtaNames; }

/// The fields of a record that are the network's inputs, in its order; bytes stand for numbers.
/// Throws kInvalidArgument and kShapeMismatch naming `what` and the input.
[[nodiscard]] std::vector<const data::ExampleField*> input_fields(const data::ExampleLayout& layout,
                                                                  const models::Network& network,
                                                                  const std::string& what);

struct ExampleRunnerOptions {
  models::Link link = models::Link::kNone;
  int64_t batch = 1;
  Tta tta = Tta::kNone;
  bool replay = true;
};

class ExampleRunner {
 public:
  /// All must outlive it. `what` names the examples in messages. Throws as input_fields;
  /// kInvalidArgument for test-time augmentation without a picture of two pixels or more a side.
  ExampleRunner(Engine& engine, models::Network& network, const data::ExampleLayout& layout,
                const data::RowFiller& filler, const ExampleRunnerOptions& options,
                const std::string& what);

  [[nodiscard]] int64_t batch() const { return runner_.batch(); }
  [[nodiscard]] int64_t width() const { return runner_.width(); }
  /// What a batch takes, found by recording it without memory.
  [[nodiscard]] Forecast forecast() { return runner_.forecast(); }
  /// Answers [count, width] for the records record(0) .. record(count - 1), count <= batch(); valid
  /// until the next run of any plan.
  [[nodiscard]] std::span<const float> run(
      int64_t count, const std::function<std::span<const std::byte>(int64_t i)>& record);

 private:
  struct WeightedView {
    float weight = 1.0F;
    data::RowView view;
  };
  [[nodiscard]] static std::vector<WeightedView> views_of(Tta tta);
  void add(std::span<const float> numbers, float weight);

  Engine& engine_;
  models::NetworkRunner runner_;
  data::BatchFiller filler_;
  models::Link link_;
  std::vector<WeightedView> views_;
  Tensor sum_;      // of the views, [batch, width]
  Tensor answers_;  // sum_ through the link
};

}  // namespace ingot::train
