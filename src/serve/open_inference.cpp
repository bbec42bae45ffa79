// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "serve/binary_tensor.h"

namespace ingot::serve {
namespace {

constexpr const char* kOneTensor =
    "Inference-Header-Content-Length is 0: a body of one raw tensor is not supported; send the "
    "JSON header with \"inputs\" before it";

/// What a value of a datatype may be.
struct Datatype {
  std::string_view name;
  Json::value_t kind;  ///< number_integer, number_float, boolean or string
  int64_t low = 0;     ///< number_integer
  uint64_t high = 0;
};

template <class Integer>
constexpr Datatype integer(std::string_view name) {
  return {name, Json::value_t::number_integer, int64_t{std::numeric_limits<Integer>::min()},
          uint64_t{std::numeric_limits<Integer>::max()}};
}

constexpr std::array kDatatypes = {Datatype{"BOOL", Json::value_t::boolean},
                                   integer<uint8_t>("UINT8"),
                                   integer<uint16_t>("UINT16"),
                                   integer<uint32_t>("UINT32"),
                                   integer<uint64_t>("UINT64"),
                                   integer<int8_t>("INT8"),
                                   integer<int16_t>("INT16"),
                                   integer<int32_t>("INT32"),
                                   integer<int64_t>("INT64"),
                                   Datatype{"FP32", Json::value_t::number_float},
                                   Datatype{"FP64", Json::value_t::number_float},
                                   Datatype{"BYTES", Json::value_t::string}};

bool holds(const Datatype& type, const Json& value) {
  switch (type.kind) {
    case Json::value_t::boolean:
      return value.is_boolean();
    case Json::value_t::number_float:
      return value.is_number();
    case Json::value_t::string:
      return value.is_string() || value.is_object();
    default:
      break;
  }
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= type.high;
  return value.is_number_integer() && value.get<int64_t>() >= type.low &&
         (value.get<int64_t>() < 0 || static_cast<uint64_t>(value.get<int64_t>()) <= type.high);
}

/// One entry of the request's "inputs".
struct Tensor {
  std::string name;
  const Datatype* type = nullptr;
  int64_t rows = -1;
  std::vector<const Json*> values;              // of JSON
  std::optional<std::vector<std::string>> raw;  // of a binary tensor, as cells
};

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// The values of nested lists in row-major order; the parser bounds the depth.
void flatten(const Json& data, std::vector<const Json*>& to) {
  if (!data.is_array()) {
    to.push_back(&data);
    return;
  }
  for (const Json& item : data) flatten(item, to);
}

void read_datatype(InstanceReader& in, const Json& entry, Tensor& tensor) {
  const Json* datatype = member(entry, "datatype");
  const std::string name =
      datatype != nullptr && datatype->is_string() ? datatype->get<std::string>() : std::string();
  const auto* found = std::find_if(kDatatypes.begin(), kDatatypes.end(),
                                   [&](const Datatype& type) { return type.name == name; });
  if (found != kDatatypes.end()) {
    tensor.type = found;
    return;
  }
  std::vector<std::string> names;
  for (const Datatype& type : kDatatypes) names.emplace_back(type.name);
  in.reject("input \"{}\": \"datatype\" must be one of {}, but is {}", excerpt(tensor.name),
            join(names, ", "), datatype == nullptr ? "absent" : excerpt(dump_json(*datatype)));
}

/// [n] or [n, 1].
void read_shape(InstanceReader& in, const Json& entry, Tensor& tensor) {
  const Json* shape = member(entry, "shape");
  const bool fits = shape != nullptr && shape->is_array() && !shape->empty() &&
                    shape->size() <= 2 && (*shape)[0].is_number_unsigned() &&
                    (shape->size() == 1 || (*shape)[1] == 1);
  const uint64_t rows = fits ? (*shape)[0].get<uint64_t>() : 0;
  if (rows == 0 || rows > uint64_t{std::numeric_limits<int32_t>::max()}) {
    return in.reject(
        "input \"{}\": \"shape\" must be [n] or [n, 1] for n >= 1 instances, but is {}",
        excerpt(tensor.name), shape == nullptr ? "absent" : excerpt(dump_json(*shape)));
  }
  tensor.rows = static_cast<int64_t>(rows);
}

/// The member of an entry's "parameters".
const Json* parameter(const Json& entry, const char* key) {
  const Json* parameters = member(entry, "parameters");
  return parameters == nullptr || !parameters->is_object() ? nullptr : member(*parameters, key);
}

/// Takes the tensor's bytes off the front of `raw`.
void read_raw(InstanceReader& in, const Json& size, std::string_view& raw, Tensor& tensor) {
  const bool fits = size.is_number_unsigned() && size.get<uint64_t>() <= raw.size();
  if (!fits) {
    return in.reject("input \"{}\": \"binary_data_size\" is {} but {} bytes are left in the body",
                     excerpt(tensor.name), excerpt(dump_json(size)), raw.size());
  }
  const auto bytes = static_cast<size_t>(size.get<uint64_t>());
  tensor.raw = read_binary_tensor(tensor.type->name, tensor.rows, raw.substr(0, bytes));
  raw.remove_prefix(bytes);
  if (!tensor.raw) {
    in.reject("input \"{}\": {} bytes are not {} values of {}", excerpt(tensor.name), bytes,
              tensor.rows, tensor.type->name);
  }
}

void read_data(InstanceReader& in, const Json& entry, std::string_view& raw, Tensor& tensor) {
  if (const Json* size = parameter(entry, "binary_data_size")) {
    return read_raw(in, *size, raw, tensor);
  }
  const Json* data = member(entry, "data");
  if (data == nullptr || !data->is_array()) {
    return in.reject("input \"{}\": \"data\" must be a list, but is {}", excerpt(tensor.name),
                     data == nullptr ? "absent" : excerpt(dump_json(*data)));
  }
  flatten(*data, tensor.values);
  if (tensor.values.size() != static_cast<size_t>(tensor.rows)) {
    in.reject("input \"{}\" has {} values but its shape holds {}", excerpt(tensor.name),
              tensor.values.size(), tensor.rows);
  }
}

Tensor read_tensor(InstanceReader& in, const Json& entry, std::string_view& raw) {
  Tensor tensor;
  const Json* name = entry.is_object() ? member(entry, "name") : nullptr;
  if (name == nullptr || !name->is_string()) {
    in.reject("every input needs a \"name\", \"shape\", \"datatype\" and \"data\"");
    return tensor;
  }
  tensor.name = name->get<std::string>();
  read_datatype(in, entry, tensor);
  if (!in.failed()) read_shape(in, entry, tensor);
  if (!in.failed()) read_data(in, entry, raw, tensor);
  return tensor;
}

/// A tensor per input, in their order; empty after an error.
std::vector<Tensor> read_tensors(InstanceReader& in, const Json& list, std::string_view raw) {
  std::vector<Tensor> tensors(in.inputs().size());
  for (const Json& entry : list) {
    Tensor tensor = read_tensor(in, entry, raw);
    if (in.failed()) return {};
    const std::optional<size_t> input = in.find(tensor.name, -1);
    if (in.failed()) return {};
    if (!input) continue;
    if (tensors[*input].type != nullptr) in.reject("input \"{}\" is given twice", tensor.name);
    tensors[*input] = std::move(tensor);
  }
  if (!raw.empty()) in.reject("{} bytes of the body belong to no tensor", raw.size());
  const Tensor* first = nullptr;
  for (size_t i = 0; i < tensors.size() && !in.failed(); ++i) {
    if (tensors[i].type == nullptr) {
      in.reject("the input \"{}\" is missing; the model takes {}", in.inputs()[i].name, in.names());
    } else if (first == nullptr) {
      first = &tensors[i];
    } else if (tensors[i].rows != first->rows) {
      in.reject("input \"{}\" has {} instances but \"{}\" has {}", tensors[i].name, tensors[i].rows,
                first->name, first->rows);
    }
  }
  return in.failed() ? std::vector<Tensor>() : tensors;
}

void put_values(InstanceReader& in, size_t input, const Tensor& tensor) {
  const bool has_float_cells = in.inputs()[input].kind == InputKind::kText &&
                               tensor.type->kind == Json::value_t::number_float;
  for (size_t i = 0; i < tensor.values.size() && !in.failed(); ++i) {
    const Json& value = *tensor.values[i];
    const auto instance = static_cast<int64_t>(i);
    if (!value.is_null() && !holds(*tensor.type, value)) {
      return in.reject("instance {}: column \"{}\" must be {}, but is {}", i, tensor.name,
                       tensor.type->name, excerpt(dump_json(value)));
    }
    if (has_float_cells && value.is_number()) {
      in.put_text(instance, input, float_cell(tensor.type->name, value.get<double>()));
    } else {
      in.put(instance, input, value);
    }
  }
}

void read_inputs(InstanceReader& in, const Json& root, std::string_view raw) {
  const Json* list = member(root, "inputs");
  if (list == nullptr || !list->is_array() || list->empty()) {
    return in.reject("\"inputs\" must be a list with a tensor per column: {}", in.names());
  }
  std::vector<Tensor> tensors = read_tensors(in, *list, raw);
  if (in.failed()) return;
  in.add_rows(tensors[0].rows);
  for (size_t input = 0; input < tensors.size(); ++input) {
    Tensor& tensor = tensors[input];
    put_values(in, input, tensor);
    for (size_t i = 0; tensor.raw && i < tensor.raw->size() && !in.failed(); ++i) {
      in.put_text(static_cast<int64_t>(i), input, std::move((*tensor.raw)[i]));
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
  const Json* name = entry.is_object() ? member(entry, "name") : nullptr;
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
  if (parameter(entry, "classification") != nullptr) {
    return in.reject("the output parameter \"classification\" is not supported");
  }
  const Json* binary = parameter(entry, "binary_data");
  if (binary != nullptr) wanted.is_binary = is_true(binary);
  in.request.outputs.push_back(std::move(wanted));
}

void read_outputs(InstanceReader& in, const Json& root, const AnswerForm& form) {
  const bool is_binary = is_true(parameter(root, "binary_data_output"));
  const Json* list = member(root, "outputs");
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
  if (const Json* id = member(root, "id")) {
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
    if (in.parse(body.json, root)) read_body(in, root, body.raw, form);
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
    const std::string_view parameters =
        input.kind == InputKind::kImage ? R"(,"parameters":{"content_type":"base64"})" : "";
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
  std::string classes;
  for (size_t i = 0; i < form.classes().size(); ++i) {
    classes += (i == 0 ? "" : ",") + form.class_json(i);
  }
  return fmt::format(
      R"({{"name":{},"versions":[{}],"platform":"ingot_network","inputs":[{}],"outputs":[{}],)"
      R"("parameters":{{"classes":[{}]}}}})",
      quote_json(model), quote_json(version), columns, outputs, classes);
}

}  // namespace ingot::serve
