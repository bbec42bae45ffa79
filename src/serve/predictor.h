// SPDX-License-Identifier: Apache-2.0
// A model of fixed-size examples as the server sees it: cells in, records, answers out. The server
// knows no columns, transforms or networks but through this; src/cli hands it in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/answer.h"

namespace ingot::serve {

enum class InputKind : uint8_t {
  kNumber,
  kText,   ///< texts and categories
  kImage,  ///< the bytes of a file
};

/// A column that a client sends.
struct PredictorInput {
  std::string name;
  InputKind kind = InputKind::kNumber;
};

/// So that one table of numbers can stand for all columns.
[[nodiscard]] inline bool has_only_numbers(std::span<const PredictorInput> inputs) {
  return std::all_of(inputs.begin(), inputs.end(),
                     [](const PredictorInput& input) { return input.kind == InputKind::kNumber; });
}

class Predictor {
 public:
  virtual ~Predictor() = default;
  [[nodiscard]] virtual std::span<const PredictorInput> inputs() const = 0;
  /// Columns that the model was trained beside and does not use, such as its target: a client may
  /// send them, as it may leave them out.
  [[nodiscard]] virtual std::span<const std::string> unused() const { return {}; }
  [[nodiscard]] virtual const AnswerForm& form() const = 0;
  [[nodiscard]] virtual int64_t record_bytes() const = 0;
  /// A cell per input, as a table would hold it (for kImage the bytes themselves) → `record`. False
  /// when policy leaves the example out. Throws kInvalidArgument naming column and value. Called by
  /// one thread per lane (route.h).
  virtual bool encode(std::span<const std::string_view> cells, size_t lane,
                      std::span<std::byte> record) = 0;
  /// Why the example encoded last on this lane was left out.
  [[nodiscard]] virtual std::string reason(size_t lane) const = 0;
  /// Categories in the cells encoded last on this lane that no training row had.
  [[nodiscard]] virtual int64_t unseen(size_t lane) const = 0;
  /// One row of form().width() values per record; at most as many records as the model was opened
  /// for. A row depends on its record alone. Only on the batcher's thread.
  virtual void run(std::span<const std::byte* const> records, std::span<float> answers) = 0;
};

}  // namespace ingot::serve
