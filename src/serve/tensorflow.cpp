// SPDX-License-Identifier: Apache-2.0
#include "serve/tensorflow.h"

#include <algorithm>
#include <exception>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace ingot::serve {
namespace {

constexpr const char* kSignature = "serving_default";

void read_rows(InstanceReader& in, const Json& list) {
  for (size_t i = 0; i < list.size() && !in.failed(); ++i) {
    in.add_rows(1);
    in.put_instance(static_cast<int64_t>(i), list[i]);
  }
}

void read_instances(InstanceReader& in, const Json& list) {
  if (!list.is_array() || list.empty()) {
    return in.reject("\"instances\" must be a list of at least one instance");
  }
  read_rows(in, list);
}

/// Whether "inputs" is one table [n][columns] for several columns of numbers.
bool is_number_table(std::span<const PredictorInput> inputs, const Json& value) {
  return inputs.size() > 1 && has_only_numbers(inputs) && value.is_array() && !value.empty() &&
         value.front().is_array();
}

/// A bare value is one instance.
size_t count_of(const Json& column) { return column.is_array() ? column.size() : 1; }

/// The values of every input, in their order; empty after an error.
std::vector<const Json*> find_columns(InstanceReader& in, const Json& value) {
  std::vector<const Json*> columns(in.inputs().size(), nullptr);
  const bool is_object = value.is_object() && !(columns.size() == 1 && value.contains("b64"));
  if (!is_object && columns.size() == 1) return {&value};
  if (!is_object) {
    in.reject("\"inputs\" must be an object of the columns {}", in.names());
    return {};
  }
  for (const auto& [name, values] : value.items()) {
    const std::optional<size_t> input = in.find(name, -1);
    if (in.failed()) return {};
    if (!input) continue;
    columns[*input] = &values;
  }
  const auto absent = std::find(columns.begin(), columns.end(), nullptr);
  if (absent == columns.end()) return columns;
  in.reject("\"inputs\" lacks the column \"{}\"",
            in.inputs()[static_cast<size_t>(absent - columns.begin())].name);
  return {};
}

void read_inputs(InstanceReader& in, const Json& value) {
  in.request.by_column = true;
  if (is_number_table(in.inputs(), value)) return read_rows(in, value);
  const std::vector<const Json*> columns = find_columns(in, value);
  if (in.failed()) return;
  const size_t rows = count_of(*columns[0]);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (count_of(*columns[i]) == rows && rows > 0) continue;
    return in.reject(
        "column \"{}\" of \"inputs\" has {} values but must have at least one, and as many as "
        "column \"{}\" ({})",
        in.inputs()[i].name, count_of(*columns[i]), in.inputs()[0].name, rows);
  }
  in.add_rows(static_cast<int64_t>(rows));
  for (size_t input = 0; input < columns.size(); ++input) {
    const Json& column = *columns[input];
    for (size_t i = 0; i < rows && !in.failed(); ++i) {
      in.put(static_cast<int64_t>(i), input, column.is_array() ? column[i] : column);
    }
  }
}

void read_body(InstanceReader& in, const Json& root) {
  static const std::vector<std::string> kKnown = {"instances", "inputs", "signature_name"};
  const Json* instances = nullptr;
  const Json* inputs = nullptr;
  for (const auto& [key, value] : root.items()) {
    if (key == "instances") {
      instances = &value;
    } else if (key == "inputs") {
      inputs = &value;
    } else if (key == "signature_name") {
      const bool known = value.is_string() && (value == kSignature || value == "");
      if (!known) {
        in.reject("\"signature_name\" must be \"{}\", the only one, but is {}", kSignature,
                  excerpt(dump_json(value)));
      }
    } else {
      in.unknown_field(key, kKnown);
    }
  }
  if ((instances == nullptr) == (inputs == nullptr)) {
    return in.reject("give either \"instances\" (a list of rows) or \"inputs\" (columns)");
  }
  if (instances != nullptr) return read_instances(in, *instances);
  read_inputs(in, *inputs);
}

template <class Write>
std::string list_of(const AnswerRows& rows, const Write& write) {
  std::string out = "[";
  for (const std::span<const float> row : rows) {
    if (out.size() > 1) out += ',';
    out += write(row);
  }
  return out + ']';
}

std::string tensor_info(std::string_view name, bool is_number, std::string_view dims) {
  return fmt::format(
      R"({}:{{"dtype":"{}","tensor_shape":{{"dim":[{}],"unknown_rank":false}},"name":{}}})",
      quote_json(name), is_number ? "DT_FLOAT" : "DT_STRING", dims, quote_json(name));
}

}  // namespace

std::variant<PredictRequest, ApiError> parse_tensorflow(std::string_view body,
                                                        std::span<const PredictorInput> inputs,
                                                        const PredictLimits& limits) noexcept {
  try {
    InstanceReader in(inputs, limits);
    Json root;
    if (in.parse(body, root)) read_body(in, root);
    if (in.failed()) return in.error();
    return std::move(in.request);
  } catch (const std::exception&) {  // memory: the only thing left that can go wrong
    return own_fault_error();
  }
}

std::string tensorflow_answer(const AnswerForm& form, const AnswerRows& rows, bool by_column) {
  const auto prediction = [&](std::span<const float> row) { return form.prediction_json(row); };
  if (form.is_number()) {
    return fmt::format(R"({{"{}":{}}})", by_column ? "outputs" : "predictions",
                       list_of(rows, prediction));
  }
  if (!by_column) {
    return "{\"predictions\":" +
           list_of(rows, [&](std::span<const float> row) { return form.json(row); }) + '}';
  }
  std::string out =
      "{\"outputs\":{\"prediction\":" + list_of(rows, prediction) + ",\"probabilities\":{";
  for (size_t i = 0; i < form.classes().size(); ++i) {
    const auto probability = [i](std::span<const float> row) {
      return row.empty() ? std::string("null") : number_json(row[i]);
    };
    out += (i == 0 ? "" : ",") + form.class_json(i) + ':' + list_of(rows, probability);
  }
  return out + "}}}";
}

std::string tensorflow_status(std::string_view version) {
  return fmt::format(R"({{"model_version_status":[{{"version":{},"state":"AVAILABLE",)"
                     R"("status":{{"error_code":"OK","error_message":""}}}}]}})",
                     quote_json(version));
}

std::string tensorflow_metadata(std::string_view model, std::string_view version,
                                std::span<const PredictorInput> inputs, const AnswerForm& form) {
  constexpr std::string_view kBatch = R"({"size":"-1","name":""})";
  std::string columns;
  for (const PredictorInput& input : inputs) {
    if (!columns.empty()) columns += ',';
    columns += tensor_info(input.name, input.kind == InputKind::kNumber, kBatch);
  }
  std::string outputs = tensor_info("prediction", form.is_number(), kBatch);
  if (!form.is_number()) {
    outputs += ',' + tensor_info("probabilities", true,
                                 fmt::format(R"({},{{"size":"{}","name":""}})", kBatch,
                                             form.classes().size()));
  }
  return fmt::format(R"({{"model_spec":{{"name":{},"signature_name":"","version":{}}},)"
                     R"("metadata":{{"signature_def":{{"signature_def":{{"{}":{{"inputs":{{{}}},)"
                     R"("outputs":{{{}}},"method_name":"tensorflow/serving/predict"}}}}}}}}}})",
                     quote_json(model), quote_json(version), kSignature, columns, outputs);
}

}  // namespace ingot::serve
