// SPDX-License-Identifier: Apache-2.0
#include "cli/network_answers.h"

#include <algorithm>
#include <bit>

namespace ingot::cli {
namespace {

serve::AnswerForm form_of(const NetworkModel& model) {
  if (model.objective.classes == 0) return serve::AnswerForm({});
  const std::span<const std::string> classes = model.features.target()->classes();
  return serve::AnswerForm({classes.begin(), classes.end()});
}

}  // namespace

NetworkAnswers::NetworkAnswers(Engine& engine, NetworkModel& model,
                               const data::ExampleLayout& layout, const std::string& what,
                               int64_t max_batch, train::Tta tta)
    : engine_(engine),
      model_(model),
      form_(form_of(model)),
      layout_(layout),
      max_batch_(max_batch),
      tta_(tta),
      what_(what) {
  INGOT_ASSERT(max_batch >= 1);
  (void)runner_for(max_batch);
}

train::ExampleRunner& NetworkAnswers::runner_for(int64_t rows) {
  const auto power = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  const int64_t batch = std::min(power, max_batch_);
  auto& runner = runners_[batch];
  if (!runner) {
    const train::ExampleRunnerOptions options{model_.objective.link, batch, tta_, true};
    runner = std::make_unique<train::ExampleRunner>(engine_, model_.network(), layout_, model_.rows,
                                                    options, what_);
  }
  return *runner;
}

/// The last layer's numbers, after the link → probabilities of all classes, or the number as people
/// read it.
void NetworkAnswers::decode(std::span<const float> numbers, std::span<float> answer) const {
  if (form_.is_number()) {
    answer[0] = static_cast<float>(model_.objective.decode(double{numbers[0]}));
  } else if (numbers.size() == 1) {  // one output: the probability of the second class
    answer[0] = 1.0F - numbers[0];
    answer[1] = numbers[0];
  } else {
    std::copy(numbers.begin(), numbers.end(), answer.begin());
  }
}

void NetworkAnswers::run(std::span<const std::byte* const> records, std::span<float> answers) {
  const auto rows = static_cast<int64_t>(records.size());
  INGOT_ASSERT(rows <= max_batch_);
  if (rows == 0) return;
  train::ExampleRunner& runner = runner_for(rows);
  const auto bytes = static_cast<size_t>(record_bytes());
  const std::span<const float> numbers = runner.run(rows, [&](int64_t row) {
    return std::span<const std::byte>(records[static_cast<size_t>(row)], bytes);
  });
  const auto from = static_cast<size_t>(runner.width());
  const auto to = static_cast<size_t>(form_.width());
  for (size_t row = 0; row < records.size(); ++row) {
    decode(numbers.subspan(row * from, from), answers.subspan(row * to, to));
  }
}

}  // namespace ingot::cli
