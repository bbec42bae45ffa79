// SPDX-License-Identifier: Apache-2.0
#include "fit/examples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/table_examples.h"

namespace ingot {
namespace {

const char* kind_of(bool is_float) { return is_float ? "float32 numbers" : "int32 ids"; }

/// How many examples an input's values make.
int64_t rows_of(const models::Value& in, const Values& values) {
  const int64_t size = in.shape.size();
  require(values.size() > 0 && values.size() % size == 0, Code::kShapeMismatch,
          "model: {} values for the input \"{}\" {} are no whole number of examples of {}",
          values.size(), in.name, in.shape.text(), size);
  return values.size() / size;
}

void require_ids(const models::Value& in, std::span<const int32_t> ids) {
  const auto bad =
      std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id < 0 || id >= in.vocab; });
  require(bad == ids.end(), Code::kInvalidArgument,
          "model: value {} of the input \"{}\" is {}, ids are from 0 to {}", bad - ids.begin(),
          in.name, bad == ids.end() ? 0 : *bad, in.vocab - 1);
}

int32_t label_of(const Values& y, int64_t i, int64_t classes) {
  const auto at = static_cast<size_t>(i);
  const double value = y.is_float() ? static_cast<double>(y.floats()[at]) : y.ids()[at];
  require(value >= 0.0 && value < static_cast<double>(classes) && value == std::floor(value),
          Code::kInvalidArgument, "model: target {} is {}, labels of {} classes are 0 to {}", i,
          value, classes, classes - 1);
  return static_cast<int32_t>(value);
}

float number_of(const Values& y, int64_t i) {
  const auto at = static_cast<size_t>(i);
  const float value = y.is_float() ? y.floats()[at] : static_cast<float>(y.ids()[at]);
  require(std::isfinite(value), Code::kInvalidArgument, "model: target {} is {}", i, value);
  return value;
}

data::ExampleLayout layout_of(const models::Network& network, bool has_target, int64_t classes) {
  std::vector<data::ExampleField> fields;
  for (const models::Value& in : network.inputs()) {
    fields.push_back({in.name, in.dtype, in.shape, 0});
  }
  if (has_target) {
    fields.push_back(
        {std::string(data::kTargetField), classes > 0 ? DType::kI32 : DType::kF32, {1}, 0});
  }
  return data::ExampleLayout(std::move(fields));
}

}  // namespace

const Values& Inputs::of(const models::Network& network, size_t input) const {
  const std::vector<models::Value>& inputs = network.inputs();
  require(columns_.size() == inputs.size(), Code::kInvalidArgument,
          "model: values for {} input{} were given, the model has {}", columns_.size(),
          columns_.size() == 1 ? "" : "s", inputs.size());
  const models::Value& wanted = inputs[input];
  const bool is_only = inputs.size() == 1 && columns_[0].input.empty();
  const auto column = std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) {
    return is_only || c.input == wanted.name;
  });
  require(column != columns_.end(), Code::kInvalidArgument,
          "model: no values were given for the input \"{}\"", wanted.name);
  require(column->values.is_float() == (wanted.dtype == DType::kF32), Code::kDtypeMismatch,
          "model: the input \"{}\" takes {}, {} were given", wanted.name,
          kind_of(wanted.dtype == DType::kF32), kind_of(column->values.is_float()));
  return column->values;
}

data::ExampleReader make_examples(const models::Network& network, const Inputs& x, const Values* y,
                                  int64_t classes) {
  const data::ExampleLayout layout = layout_of(network, y != nullptr, classes);
  const std::vector<models::Value>& inputs = network.inputs();
  const int64_t rows = rows_of(inputs[0], x.of(network, 0));
  require(y == nullptr || y->size() == rows, Code::kShapeMismatch,
          "model: {} examples and {} targets", rows, y == nullptr ? 0 : y->size());
  const int64_t stride = layout.record_bytes();
  std::vector<std::byte> records(static_cast<size_t>(rows * stride));
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Values& values = x.of(network, k);
    require(rows_of(inputs[k], values) == rows, Code::kShapeMismatch,
            "model: {} examples of \"{}\" and {} of \"{}\"", rows, inputs[0].name,
            rows_of(inputs[k], values), inputs[k].name);
    if (!values.is_float()) require_ids(inputs[k], values.ids());
    const std::byte* from = values.is_float() ? std::as_bytes(values.floats()).data()
                                              : std::as_bytes(values.ids()).data();
    const data::ExampleField& field = layout.fields()[k];
    for (int64_t i = 0; i < rows; ++i) {
      std::memcpy(records.data() + i * stride + field.offset, from + i * field.bytes(),
                  static_cast<size_t>(field.bytes()));
    }
  }
  for (int64_t i = 0; y != nullptr && i < rows; ++i) {
    std::byte* to = records.data() + i * stride + layout.fields().back().offset;
    if (classes > 0) {
      const int32_t label = label_of(*y, i, classes);
      std::memcpy(to, &label, sizeof(label));
    } else {
      const float number = number_of(*y, i);
      std::memcpy(to, &number, sizeof(number));
    }
  }
  return {"arrays", layout, std::move(records)};
}

}  // namespace ingot
