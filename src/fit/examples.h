// SPDX-License-Identifier: Apache-2.0
// Arrays of a program as examples: values of every input and the targets, row-major, one row per
// example. What is handed in is looked at during the call and copied once into records, as a file
// of examples has them (data/examples.h). Used by fit/model.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "data/examples.h"
#include "models/network/network.h"

namespace ingot {

/// float32 numbers or int32 ids and labels, not owned.
class Values {
 public:
  Values(std::span<const float> values) : values_(values) {}                  // NOLINT: a view
  Values(std::span<const int32_t> values) : values_(values) {}                // NOLINT
  Values(const std::vector<float>& values) : values_(std::span(values)) {}    // NOLINT
  Values(const std::vector<int32_t>& values) : values_(std::span(values)) {}  // NOLINT

  [[nodiscard]] int64_t size() const {
    return std::visit([](const auto& v) { return static_cast<int64_t>(v.size()); }, values_);
  }
  [[nodiscard]] bool is_float() const { return values_.index() == 0; }
  [[nodiscard]] std::span<const float> floats() const { return std::get<0>(values_); }
  [[nodiscard]] std::span<const int32_t> ids() const { return std::get<1>(values_); }

 private:
  std::variant<std::span<const float>, std::span<const int32_t>> values_;
};

/// The values of one input.
struct Column {
  std::string input;
  Values values;
};

/// The values of a model's inputs: one array for a model of one input, else one per name.
class Inputs {
 public:
  Inputs(Values values) : columns_{{"", values}} {}                       // NOLINT: a view
  Inputs(const std::vector<float>& values) : Inputs(Values(values)) {}    // NOLINT
  Inputs(const std::vector<int32_t>& values) : Inputs(Values(values)) {}  // NOLINT
  Inputs(std::initializer_list<Column> columns) : columns_(columns) {}

  /// Throws kInvalidArgument when an input has no values or too many columns were given,
  /// kDtypeMismatch.
  [[nodiscard]] const Values& of(const models::Network& network, size_t input) const;

 private:
  std::vector<Column> columns_;
};

/// Inputs and targets. Targets: labels from 0 (int32, or float32 that are whole), or numbers.
struct Arrays {
  Inputs x;
  Values y;
};

/// Records of the network's inputs; of the targets too when `y` is given, as labels below `classes`
/// or, with classes 0, as numbers. Throws kShapeMismatch when the counts do not fit, naming both,
/// kInvalidArgument for ids and labels out of range.
[[nodiscard]] data::ExampleReader make_examples(const models::Network& network, const Inputs& x,
                                                const Values* y, int64_t classes);

}  // namespace ingot
