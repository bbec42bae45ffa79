// SPDX-License-Identifier: Apache-2.0
// What a network answers for one example, and its text. Every way out (`ingot predict`, :predict,
// infer) writes numbers through number_text, so that they are the same bytes everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ingot::serve {

/// The shortest decimal that reads back as this float32: 8, 0.1, 1e-05.
[[nodiscard]] std::string number_text(float value);
/// The same as JSON, which has no infinities: null for those and for NaN.
[[nodiscard]] std::string number_json(float value);

/// A number, or the probability of each class. An answer is a row of width() values; an empty row
/// stands for an example that was left out by policy (missing=drop_row).
class AnswerForm {
 public:
  /// No class: a number.
  explicit AnswerForm(std::vector<std::string> classes);

  [[nodiscard]] const std::vector<std::string>& classes() const { return classes_; }
  [[nodiscard]] bool is_number() const { return classes_.empty(); }
  [[nodiscard]] int64_t width() const {
    return is_number() ? 1 : static_cast<int64_t>(classes_.size());
  }

  /// The most probable class, the first among equals.
  [[nodiscard]] size_t best(std::span<const float> answer) const;
  /// The number, or the name of the best class, as JSON; null for an empty row.
  [[nodiscard]] std::string prediction_json(std::span<const float> answer) const;
  /// {"prediction":…} and, for classes, "probabilities":{class:…}, in the order of classes().
  [[nodiscard]] std::string json(std::span<const float> answer) const;
  /// Class `i` as a JSON string.
  [[nodiscard]] const std::string& class_json(size_t i) const { return quoted_[i]; }

 private:
  std::vector<std::string> classes_;
  std::vector<std::string> quoted_;
};

}  // namespace ingot::serve
