// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "serve/binary_tensor.h"
#include "serve/input_tensor.h"

namespace ingot::serve {
namespace {

constexpr const char* kOneTensor =
    "Inference-Header-Content-Length is 0: a body of one raw tensor is not supported; send the "
    "JSON header with \"inputs\" before it";

/// Of a column of pictures in the metadata: the base64 of files, or pixels.
constexpr std::string_view kPictureForms =
    R"(,"parameters":{"content_type":"base64",)"
    R"("pixels":{"datatype":"UINT8","shape":[-1,-1,-1,-1]}})";

/// Whether the request is one table of numbers, [n, columns], for all columns: then its name says
/// nothing.
bool is_matrix(InstanceReader& in, const std::vector<InputTensor>& tensors) {
  if (tensors.size() != 1 || !has_only_numbers(in.inputs())) return false;
  const InputTensor& tensor = tensors[0];
  if (tensor.shape.size() != 2) return false;
  return tensor.shape[1] > 1 || (in.inputs().size() == 1 && !in.knows(tensor.name));
}

void put_matrix(InstanceReader& in, InputTensor& tensor) {
  const size_t columns = in.inputs().size();
  if (tensor.shape[1] != static_cast<int64_t>(columns)) {
    return in.reject("input \"{}\" has {} columns but the model takes {}: {}", excerpt(tensor.name),
                     tensor.shape[1], columns, in.names());
  }
  in.add_rows(tensor.rows());
  put_cells(in, tensor, 0, columns);
}

/// The input that a tensor is for, by its name; the pictures of a model of nothing else need none.
std::optional<size_t> input_of(InstanceReader& in, const InputTensor& tensor, bool is_only) {
  const bool is_nameless = is_only && in.inputs().size() == 1 && tensor.is_pictures();
  if (is_nameless && !in.knows(tensor.name)) return 0;
  return in.find(tensor.name, -1);
}

/// A flat list of numbers under another name is a row, or rows, of a table.
void require_known(InstanceReader& in, const InputTensor& tensor) {
  const size_t columns = in.inputs().size();
  const bool is_row = tensor.shape.size() == 1 && columns > 1 &&
                      tensor.size % static_cast<int64_t>(columns) == 0 &&
                      has_only_numbers(in.inputs());
  if (!is_row || in.knows(tensor.name)) return;
  in.reject(
      "the model has no input \"{}\"; it takes {}, or all of them in one tensor of shape [n, {}]: "
      "these {} values are [{}, {}]",
      excerpt(tensor.name), in.names(), columns, tensor.size,
      tensor.size / static_cast<int64_t>(columns), columns);
}

bool suits(const PredictorInput& input, const InputTensor& tensor) {
  if (tensor.is_pictures()) return input.kind == InputKind::kImage;
  return tensor.shape.size() == 1 || tensor.shape[1] == 1;
}

/// A tensor per input, in their order; of no use after an error.
std::vector<InputTensor*> find_tensors(InstanceReader& in, std::vector<InputTensor>& tensors) {
  std::vector<InputTensor*> found(in.inputs().size(), nullptr);
  if (tensors.size() == 1) require_known(in, tensors[0]);
  if (in.failed()) return found;
  for (InputTensor& tensor : tensors) {
    const std::optional<size_t> input = input_of(in, tensor, tensors.size() == 1);
    if (in.failed()) return found;
    if (!input) continue;
    if (found[*input] != nullptr) in.reject("input \"{}\" is given twice", tensor.name);
    if (!suits(in.inputs()[*input], tensor)) reject_shape(in, tensor);
    found[*input] = &tensor;
  }
  const InputTensor* first = found[0];
  for (size_t i = 0; i < found.size() && !in.failed(); ++i) {
    const std::string& name = in.inputs()[i].name;
    if (found[i] == nullptr) {
      in.reject("the input \"{}\" is missing; the model takes {}", name, in.names());
    } else if (found[i]->rows() != first->rows()) {
      in.reject("input \"{}\" has {} instances but \"{}\" has {}", name, found[i]->rows(),
                in.inputs()[0].name, first->rows());
    }
  }
  return found;
}

void read_inputs(InstanceReader& in, const Json& root, std::string_view raw) {
  const Json* list = member_of(root, "inputs");
  if (list == nullptr || !list->is_array() || list->empty()) {
    return in.reject("\"inputs\" must be a list with a tensor per column: {}", in.names());
  }
  std::vector<InputTensor> tensors;
  for (const Json& entry : *list) {
    tensors.push_back(read_input_tensor(in, entry, raw));
    if (in.failed()) return;
  }
  if (!raw.empty()) return in.reject("{} bytes of the body belong to no tensor", raw.size());
  if (is_matrix(in, tensors)) return put_matrix(in, tensors[0]);
  const std::vector<InputTensor*> found = find_tensors(in, tensors);
  if (in.failed()) return;
  in.add_rows(found[0]->rows());
  for (size_t input = 0; input < found.size(); ++input) {
    if (found[input]->is_pictures()) {
      put_pictures(in, *found[input], input);
    } else {
      put_cells(in, *found[input], input, 1);
    }
  }
}

std::vector<std::string> output_names(const AnswerForm& form) {
  if (form.is_number()) return {"prediction"};
  return {"prediction", "probabilities"};
}

bool is_true(const Json* value) { return value != nullptr && *value == true; }

void read_output(InstanceReader& in, const Json& entry, const AnswerForm& form, bool is_binary) {
  const std::vector<std::string> known = output_names(form);
  const Json* name = entry.is_object() ? member_of(entry, "name") : nullptr;
  if (name == nullptr || !name->is_string()) {
    return in.reject("every entry of \"outputs\" needs a \"name\"");
  }
  WantedOutput wanted{name->get<std::string>(), is_binary};
  if (std::find(known.begin(), known.end(), wanted.name) == known.end()) {
    return in.reject("the model has no output \"{}\", only {}", excerpt(wanted.name),
                     join(known, ", "));
  }
  for (const WantedOutput& other : in.request.outputs) {
    if (other.name == wanted.name) in.reject("the output \"{}\" is asked for twice", wanted.name);
  }
  if (parameter_of(entry, "classification") != nullptr) {
    return in.reject("the output parameter \"classification\" is not supported");
  }
  const Json* binary = parameter_of(entry, "binary_data");
  if (binary != nullptr) wanted.is_binary = is_true(binary);
  in.request.outputs.push_back(std::move(wanted));
}

void read_outputs(InstanceReader& in, const Json& root, const AnswerForm& form) {
  const bool is_binary = is_true(parameter_of(root, "binary_data_output"));
  const Json* list = member_of(root, "outputs");
  if (list == nullptr || (list->is_array() && list->empty())) {
    for (const std::string& name : output_names(form)) {
      in.request.outputs.push_back({name, is_binary});
    }
    return;
  }
  if (!list->is_array()) {
    return in.reject("\"outputs\" must be a list, but is {}", excerpt(dump_json(*list)));
  }
  for (const Json& entry : *list) {
    if (!in.failed()) read_output(in, entry, form, is_binary);
  }
}

void read_body(InstanceReader& in, const Json& root, std::string_view raw, const AnswerForm& form) {
  static const std::vector<std::string> kKnown = {"id", "parameters", "inputs", "outputs"};
  for (const auto& [key, value] : root.items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) in.unknown_field(key, kKnown);
  }
  if (const Json* id = member_of(root, "id")) {
    if (!id->is_string()) {
      return in.reject("\"id\" must be a string, but is {}", excerpt(dump_json(*id)));
    }
    in.request.id = id->get<std::string>();
  }
  if (!in.failed()) read_outputs(in, root, form);
  if (!in.failed()) read_inputs(in, root, raw);
}

/// One tensor of the answer or of the metadata.
struct Output {
  std::string_view datatype;
  std::string shape;
};

Output describe(const AnswerForm& form, std::string_view name, int64_t rows) {
  if (name == "probabilities") return {"FP32", fmt::format("[{},{}]", rows, form.width())};
  return {form.is_number() ? "FP32" : "BYTES", fmt::format("[{}]", rows)};
}

std::string json_data(const AnswerForm& form, std::string_view name, const AnswerRows& rows) {
  std::string out;
  const auto add = [&](const std::string& value) {
    if (!out.empty()) out += ',';
    out += value;
  };
  for (const std::span<const float> row : rows) {
    if (name == "prediction") {
      add(form.prediction_json(row));
      continue;
    }
    for (size_t i = 0; i < form.classes().size(); ++i) {
      add(row.empty() ? "null" : number_json(row[i]));
    }
  }
  return out;
}

/// NaN, or an empty text, for an instance that was left out.
std::string raw_data(const AnswerForm& form, std::string_view name, const AnswerRows& rows) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const bool is_class = name == "prediction" && !form.is_number();
  std::string out;
  for (const std::span<const float> row : rows) {
    if (is_class) {
      append_binary(row.empty() ? std::string_view() : form.classes()[form.best(row)], out);
      continue;
    }
    for (int64_t i = 0; i < form.width(); ++i) {
      append_binary(row.empty() ? kNaN : row[static_cast<size_t>(i)], out);
    }
  }
  return out;
}

}  // namespace

std::variant<InferBody, ApiError> split_infer_body(std::string_view body, std::string_view header) {
  if (header.empty()) return InferBody{body, {}};
  uint64_t size = 0;
  const auto [end, problem] = std::from_chars(header.data(), header.data() + header.size(), size);
  if (problem != std::errc() || end != header.data() + header.size() || size > body.size()) {
    return request_error(
        400,
        fmt::format(
            "Inference-Header-Content-Length is {} but must be the bytes of JSON in a body of {}",
            excerpt(header), body.size()));
  }
  if (size == 0) return request_error(400, kOneTensor);
  return InferBody{body.substr(0, size), body.substr(size)};
}

std::variant<PredictRequest, ApiError> parse_open_inference(const InferBody& body,
                                                            std::span<const PredictorInput> inputs,
                                                            const AnswerForm& form,
                                                            const PredictLimits& limits) noexcept {
  try {
    InstanceReader in(inputs, limits);
    Json root;
    if (in.parse(body.json, root, true)) read_body(in, root, body.raw, form);
    if (in.failed()) return in.error();
    return std::move(in.request);
  } catch (const std::exception&) {  // memory: the only thing left that can go wrong
    return own_fault_error();
  }
}

Reply open_inference_answer(std::string_view model, std::string_view version,
                            const AnswerForm& form, const AnswerRows& rows,
                            const PredictRequest& request) {
  std::string tensors;
  std::string raw;
  const auto count = static_cast<int64_t>(rows.size());
  for (const auto& [name, is_binary] : request.outputs) {
    const Output output = describe(form, name, count);
    const std::string bytes = is_binary ? raw_data(form, name, rows) : "";
    const std::string data =
        is_binary ? fmt::format(R"("parameters":{{"binary_data_size":{}}})", bytes.size())
                  : fmt::format(R"("data":[{}])", json_data(form, name, rows));
    tensors += fmt::format(R"({}{{"name":"{}","shape":{},"datatype":"{}",{}}})",
                           tensors.empty() ? "" : ",", name, output.shape, output.datatype, data);
    raw += bytes;
  }
  const std::string id = request.id.empty() ? "" : ",\"id\":" + quote_json(request.id);
  Reply reply = json_reply(fmt::format(R"({{"model_name":{},"model_version":{}{},"outputs":[{}]}})",
                                       quote_json(model), quote_json(version), id, tensors));
  if (raw.empty()) return reply;
  reply.content_type = "application/octet-stream";
  reply.more_lines = fmt::format("Inference-Header-Content-Length: {}\r\n", reply.body.size());
  reply.body += raw;
  return reply;
}

std::string open_inference_metadata(std::string_view model, std::string_view version,
                                    std::span<const PredictorInput> inputs,
                                    const AnswerForm& form) {
  std::string columns;
  for (const PredictorInput& input : inputs) {
    const std::string_view parameters = input.kind == InputKind::kImage ? kPictureForms : "";
    columns += fmt::format(R"({}{{"name":{},"datatype":"{}","shape":[-1]{}}})",
                           columns.empty() ? "" : ",", quote_json(input.name),
                           input.kind == InputKind::kNumber ? "FP32" : "BYTES", parameters);
  }
  std::string outputs;
  for (const std::string& name : output_names(form)) {
    const Output output = describe(form, name, -1);
    outputs += fmt::format(R"({}{{"name":"{}","datatype":"{}","shape":{}}})",
                           outputs.empty() ? "" : ",", name, output.datatype, output.shape);
  }
  // A table of numbers may come in one tensor of any name.
  const std::string one_input =
      has_only_numbers(inputs)
          ? fmt::format(R"(,"one_input":{{"datatype":"FP32","shape":[-1,{}]}})", inputs.size())
          : "";
  std::string classes;
  for (size_t i = 0; i < form.classes().size(); ++i) {
    classes += (i == 0 ? "" : ",") + form.class_json(i);
  }
  return fmt::format(
      R"({{"name":{},"versions":[{}],"platform":"ingot_network","inputs":[{}],"outputs":[{}],)"
      R"("parameters":{{"classes":[{}]{}}}}})",
      quote_json(model), quote_json(version), columns, outputs, classes, one_input);
}

}  // namespace ingot::serve
