// SPDX-License-Identifier: Apache-2.0
#include "serve/input_tensor.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/image.h"
#include "serve/binary_tensor.h"
#include "serve/pixels.h"

namespace ingot::serve {
namespace {

constexpr size_t kMaxSizes = 4;                                             // of a shape
constexpr auto kMaxValues = uint64_t{std::numeric_limits<int32_t>::max()};  // of a tensor
constexpr std::string_view kPixelType = "UINT8";

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
                                   Datatype{"FP16", Json::value_t::number_float},
                                   Datatype{"FP32", Json::value_t::number_float},
                                   Datatype{"FP64", Json::value_t::number_float},
                                   Datatype{"BYTES", Json::value_t::string}};

const Datatype* find_datatype(std::string_view name) {
  const auto* found = std::find_if(kDatatypes.begin(), kDatatypes.end(),
                                   [&](const Datatype& type) { return type.name == name; });
  return found == kDatatypes.end() ? nullptr : found;
}

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

void read_datatype(InstanceReader& in, const Json& entry, InputTensor& tensor) {
  const Json* datatype = member_of(entry, "datatype");
  const bool is_text = datatype != nullptr && datatype->is_string();
  const Datatype* found =
      is_text ? find_datatype(datatype->get_ref<const std::string&>()) : nullptr;
  if (found != nullptr) {
    tensor.datatype = found->name;
    return;
  }
  std::vector<std::string> names;
  for (const Datatype& type : kDatatypes) names.emplace_back(type.name);
  in.reject("input \"{}\": \"datatype\" must be one of {}, but is {}", excerpt(tensor.name),
            join(names, ", "), datatype == nullptr ? "absent" : excerpt(dump_json(*datatype)));
}

bool has_pictures(const InstanceReader& in) {
  const auto inputs = in.inputs();
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const PredictorInput& input) { return input.kind == InputKind::kImage; });
}

/// `found` is the shape, as JSON.
void reject_sizes(InstanceReader& in, std::string_view name, std::string_view found) {
  std::string more;
  const size_t columns = in.inputs().size();
  if (columns > 1 && has_only_numbers(in.inputs())) {
    more = fmt::format(", or [n, {}] of the only input of a request", columns);
  } else if (has_pictures(in)) {
    more =
        ", or of the pixels of pictures [n, height, width, channels] or [height, width, channels] "
        "with 1 channel (gray) or 3 (red, green, blue)";
  }
  in.reject("input \"{}\": \"shape\" must be [n] or [n, 1] for n >= 1 instances{}, but is {}",
            excerpt(name), more, found);
}

/// False unless they are sizes, of a tensor that a request could hold.
bool read_sizes(const Json& sizes, InputTensor& tensor) {
  if (!sizes.is_array() || sizes.empty() || sizes.size() > kMaxSizes) return false;
  uint64_t count = 1;
  for (const Json& size : sizes) {
    const uint64_t value = size.is_number_unsigned() ? size.get<uint64_t>() : 0;
    if (value == 0 || value > kMaxValues / count) return false;
    tensor.shape.push_back(static_cast<int64_t>(value));
    count *= value;
  }
  tensor.size = static_cast<int64_t>(count);
  return true;
}

/// Whether the model can take such a shape at all.
bool is_shape_taken(const InstanceReader& in, const std::vector<int64_t>& shape) {
  if (shape.size() > 2) return has_pictures(in) && has_picture_channels(shape.back());
  return shape.size() == 1 || shape[1] == 1 || has_only_numbers(in.inputs());
}

void read_shape(InstanceReader& in, const Json& entry, InputTensor& tensor) {
  const Json* shape = member_of(entry, "shape");
  if (shape == nullptr) return reject_sizes(in, tensor.name, "absent");
  if (!read_sizes(*shape, tensor) || !is_shape_taken(in, tensor.shape)) {
    return reject_sizes(in, tensor.name, excerpt(dump_json(*shape)));
  }
  if (tensor.is_pictures() && tensor.datatype != kPixelType) {
    in.reject("input \"{}\": pixels must be {}, {}, but \"datatype\" is {}", excerpt(tensor.name),
              kPixelType, kPixelValue, tensor.datatype);
  }
}

/// Takes the tensor's bytes off the front of `raw`.
void read_raw(InstanceReader& in, const Json& size, std::string_view& raw, InputTensor& tensor) {
  const bool is_there = size.is_number_unsigned() && size.get<uint64_t>() <= raw.size();
  if (!is_there) {
    return in.reject("input \"{}\": \"binary_data_size\" is {} but {} bytes are left in the body",
                     excerpt(tensor.name), excerpt(dump_json(size)), raw.size());
  }
  const std::string_view bytes = raw.substr(0, static_cast<size_t>(size.get<uint64_t>()));
  raw.remove_prefix(bytes.size());
  if (!tensor.is_pictures()) {
    tensor.cells = read_binary_tensor(tensor.datatype, tensor.size, bytes);
  } else if (bytes.size() == static_cast<size_t>(tensor.size)) {
    tensor.pixels = bytes;
  }
  if (!tensor.cells && !tensor.pixels) {
    in.reject("input \"{}\": {} bytes are not {} values of {}", excerpt(tensor.name), bytes.size(),
              tensor.size, tensor.datatype);
  }
}

/// The values of nested lists in row-major order; the parser bounds the depth.
void flatten(const Json& data, std::vector<const Json*>& to) {
  if (!data.is_array()) {
    to.push_back(&data);
    return;
  }
  for (const Json& item : data) flatten(item, to);
}

bool is_nested_as(const Json& data, std::span<const int64_t> shape) {
  if (shape.empty()) return !data.is_array();
  if (!data.is_array() || data.size() != static_cast<size_t>(shape[0])) return false;
  return std::all_of(data.begin(), data.end(),
                     [&](const Json& item) { return is_nested_as(item, shape.subspan(1)); });
}

/// Lists of other lengths than the shape's would put values into wrong places.
bool is_laid_out(const Json& data, const InputTensor& tensor) {
  if (tensor.size == tensor.shape[0]) return true;  // a value per instance: any nesting is right
  const bool is_flat =
      std::none_of(data.begin(), data.end(), [](const Json& item) { return item.is_array(); });
  return is_flat || is_nested_as(data, tensor.shape);
}

void read_data(InstanceReader& in, const Json& entry, std::string_view& raw, InputTensor& tensor) {
  if (const Json* size = parameter_of(entry, "binary_data_size")) {
    return read_raw(in, *size, raw, tensor);
  }
  const Json* data = member_of(entry, "data");
  if (data == nullptr || !data->is_array()) {
    return in.reject("input \"{}\": \"data\" must be a list, but is {}", excerpt(tensor.name),
                     data == nullptr ? "absent" : excerpt(dump_json(*data)));
  }
  flatten(*data, tensor.values);
  if (tensor.values.size() != static_cast<size_t>(tensor.size)) {
    in.reject("input \"{}\" has {} values but its shape holds {}", excerpt(tensor.name),
              tensor.values.size(), tensor.size);
  } else if (!is_laid_out(*data, tensor)) {
    in.reject(
        "input \"{}\": \"data\" must be one list of {} values, or lists in lists of the "
        "lengths of \"shape\"",
        excerpt(tensor.name), tensor.size);
  }
}

void put_value(InstanceReader& in, const Datatype& type, const Json& value, int64_t instance,
               size_t input) {
  const PredictorInput& column = in.inputs()[input];
  if (!value.is_null() && !holds(type, value)) {
    return in.reject("instance {}: column \"{}\" must be {}, but is {}", instance, column.name,
                     type.name, excerpt(dump_json(value)));
  }
  const bool is_float_cell =
      column.kind == InputKind::kText && type.kind == Json::value_t::number_float;
  if (is_float_cell && value.is_number()) {
    in.put_text(instance, input, float_cell(type.name, value.get<double>()));
  } else {
    in.put(instance, input, value);
  }
}

}  // namespace

const Json* member_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json* parameter_of(const Json& entry, const char* key) {
  const Json* parameters = member_of(entry, "parameters");
  return parameters == nullptr || !parameters->is_object() ? nullptr : member_of(*parameters, key);
}

InputTensor read_input_tensor(InstanceReader& in, const Json& entry, std::string_view& raw) {
  InputTensor tensor;
  const Json* name = entry.is_object() ? member_of(entry, "name") : nullptr;
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

void reject_shape(InstanceReader& in, const InputTensor& tensor) {
  reject_sizes(in, tensor.name, dump_json(Json(tensor.shape)));
}

void put_cells(InstanceReader& in, InputTensor& tensor, size_t first, size_t width) {
  const Datatype& type = *find_datatype(tensor.datatype);
  const auto count = static_cast<size_t>(tensor.size);
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    const auto instance = static_cast<int64_t>(i / width);
    const size_t input = first + i % width;
    if (tensor.cells) {
      in.put_text(instance, input, std::move((*tensor.cells)[i]));
    } else {
      put_value(in, type, *tensor.values[i], instance, input);
    }
  }
}

void put_pictures(InstanceReader& in, const InputTensor& tensor, size_t input) {
  const std::span<const int64_t> sizes = std::span(tensor.shape).last(3);
  const auto count = static_cast<size_t>(sizes[0] * sizes[1] * sizes[2]);
  const std::string head = io::pnm_head(sizes[0], sizes[1], sizes[2]);
  for (int64_t row = 0; row < tensor.rows(); ++row) {
    const size_t from = static_cast<size_t>(row) * count;
    std::string file = head;
    if (tensor.pixels) file += tensor.pixels->substr(from, count);
    for (size_t i = from; !tensor.pixels && i < from + count; ++i) {
      const Json& value = *tensor.values[i];
      if (append_pixel(value, file)) continue;
      return in.reject("instance {}: column \"{}\" must have pixels of {}, but one is {}", row,
                       in.inputs()[input].name, kPixelValue, excerpt(dump_json(value)));
    }
    in.put_text(row, input, std::move(file));
  }
}

}  // namespace ingot::serve
