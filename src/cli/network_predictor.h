// SPDX-License-Identifier: Apache-2.0
// A finished model of a table behind the server's Predictor: its features encode the cells of a
// request, NetworkAnswers answers. Used by Serving.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/network_answers.h"
#include "data/formats/decimal_comma.h"
#include "data/table_examples.h"
#include "serve/predictor.h"

namespace ingot::cli {

class NetworkPredictor final : public serve::Predictor {
 public:
  /// Engine and model must outlive it. Runs every size of batch once, so that memory stands still
  /// afterwards. `decimal`: how a request writes numbers in texts.
  NetworkPredictor(Engine& engine, NetworkModel& model, int64_t max_batch, train::Tta tta,
                   data::Decimal decimal);

  [[nodiscard]] std::span<const serve::PredictorInput> inputs() const override { return inputs_; }
  [[nodiscard]] std::span<const std::string> unused() const override { return unused_; }
  [[nodiscard]] const serve::AnswerForm& form() const override { return answers_->form(); }
  [[nodiscard]] int64_t record_bytes() const override { return answers_->record_bytes(); }
  bool encode(std::span<const std::string_view> cells, size_t lane,
              std::span<std::byte> record) override;
  [[nodiscard]] std::string reason(size_t lane) const override { return encoders_[lane].reason(); }
  [[nodiscard]] int64_t unseen(size_t lane) const override {
    return std::ssize(encoders_[lane].unseen());
  }
  void run(std::span<const std::byte* const> records, std::span<float> answers) override {
    answers_->run(records, answers);
  }

 private:
  std::vector<serve::PredictorInput> inputs_;   // the features, in their order
  std::vector<std::string> unused_;             // columns left out by the recipe, and the target
  std::vector<data::ExampleEncoder> encoders_;  // one per lane
  /// What a lane makes of numbers with a decimal comma.
  struct Lane {
    data::DecimalCommas commas;
    std::vector<std::string_view> cells;
  };
  std::vector<Lane> lanes_;  // empty: cells are taken as they are
  std::optional<NetworkAnswers> answers_;
};

}  // namespace ingot::cli
