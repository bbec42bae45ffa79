// SPDX-License-Identifier: Apache-2.0
// From records to answers: the only way, so that `ingot predict`, :predict and infer give the same
// numbers. An ExampleRunner costs its whole batch, so there is one per power of two, made when it
// is first needed, and the smallest that holds the records runs; a row is the same bytes in all of
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/network_model.h"
#include "data/examples.h"
#include "serve/answer.h"
#include "train/example_runner.h"

namespace ingot::cli {

class NetworkAnswers {
 public:
  /// Engine and model must outlive it. Throws as train::ExampleRunner, naming `what`, when records
  /// of this layout do not hold the network's inputs. max_batch >= 1.
  NetworkAnswers(Engine& engine, NetworkModel& model, const data::ExampleLayout& layout,
                 const std::string& what, int64_t max_batch, train::Tta tta);
  NetworkAnswers(const NetworkAnswers&) = delete;
  NetworkAnswers& operator=(const NetworkAnswers&) = delete;

  [[nodiscard]] const serve::AnswerForm& form() const { return form_; }
  [[nodiscard]] int64_t max_batch() const { return max_batch_; }
  [[nodiscard]] int64_t record_bytes() const { return layout_.record_bytes(); }
  /// One row of form().width() values per record; records.size() <= max_batch().
  void run(std::span<const std::byte* const> records, std::span<float> answers);

 private:
  [[nodiscard]] train::ExampleRunner& runner_for(int64_t rows);
  void decode(std::span<const float> numbers, std::span<float> answer) const;

  Engine& engine_;
  NetworkModel& model_;
  serve::AnswerForm form_;
  const data::ExampleLayout layout_;
  const int64_t max_batch_;
  const train::Tta tta_;
  const std::string what_;
  std::map<int64_t, std::unique_ptr<train::ExampleRunner>> runners_;  // by batch
};

}  // namespace ingot::cli
