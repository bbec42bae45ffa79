// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace ingot::io {
namespace {

constexpr int64_t kMaxHeader = 100'000'000;
constexpr int64_t kAlign = 64;

struct DtypeName {
  std::string_view name;
  DType dtype;
};
constexpr DtypeName kDtypes[] = {{"F32", DType::kF32}, {"BF16", DType::kBF16}, {"F16", DType::kF16},
                                 {"F64", DType::kF64}, {"I64", DType::kI64},   {"I32", DType::kI32},
                                 {"U8", DType::kU8}};

DType dtype_of(const std::string& name, const std::string& where) {
  for (const DtypeName& d : kDtypes) {
    if (d.name == name) return d.dtype;
  }
  fail(Code::kUnsupported, "{}: dtype \"{}\" is not one of F32, BF16, F16, F64, I64, I32, U8",
       where, excerpt(name));
}

int64_t size_field(const Json& value, const std::string& where, const char* key) {
  require(value.is_number_integer() || value.is_number_unsigned(), Code::kCorruptFile,
          "{}: {} must hold whole numbers", where, key);
  if (value.is_number_unsigned()) {
    return checked_cast<int64_t>(value.get<uint64_t>(), where + ": " + key);
  }
  const auto n = value.get<int64_t>();
  require(n >= 0, Code::kCorruptFile, "{}: {} holds {}, which is negative", where, key, n);
  return n;
}

TensorInfo parse_tensor(const std::string& name, const Json& entry, const std::string& what,
                        int64_t data_bytes) {
  const std::string where = what + ": tensor \"" + excerpt(name) + "\"";
  require(entry.is_object() && entry.contains("dtype") && entry.contains("shape") &&
              entry.contains("data_offsets"),
          Code::kCorruptFile, "{}: dtype, shape and data_offsets are needed", where);
  require(entry["dtype"].is_string(), Code::kCorruptFile, "{}: dtype must be a string", where);
  TensorInfo t;
  t.name = name;
  t.dtype = dtype_of(entry["dtype"].get<std::string>(), where);
  const Json& shape = entry["shape"];
  require(shape.is_array() && shape.size() <= static_cast<size_t>(kMaxRank), Code::kCorruptFile,
          "{}: shape must be a list of at most {} sizes", where, kMaxRank);
  int64_t bytes = dtype_size(t.dtype);
  for (const Json& d : shape) {
    t.shape.push(size_field(d, where, "shape"));
    bytes = checked_mul(bytes, t.shape[t.shape.rank() - 1], where + ": size");
  }
  const Json& range = entry["data_offsets"];
  require(range.is_array() && range.size() == 2, Code::kCorruptFile,
          "{}: data_offsets must be [begin, end]", where);
  t.begin = size_field(range[0], where, "data_offsets");
  t.end = size_field(range[1], where, "data_offsets");
  require(t.begin <= t.end && t.end <= data_bytes, Code::kCorruptFile,
          "{}: data_offsets [{}, {}] lie outside the file's {} bytes of data", where, t.begin,
          t.end, data_bytes);
  require(t.end - t.begin == bytes, Code::kCorruptFile,
          "{}: {} of shape {} takes {} bytes, data_offsets give {}", where, dtype_name(t.dtype),
          t.shape.text(), bytes, t.end - t.begin);
  return t;
}

void check_cover(const std::vector<TensorInfo>& tensors, int64_t data_bytes,
                 const std::string& what) {
  int64_t at = 0;
  for (const TensorInfo& t : tensors) {
    require(t.begin == at, Code::kCorruptFile,
            "{}: tensor \"{}\" begins at byte {} of the data, {} was expected ({})", what,
            excerpt(t.name), t.begin, at, t.begin < at ? "ranges overlap" : "a gap");
    at = t.end;
  }
  require(at == data_bytes, Code::kCorruptFile,
          "{}: the tensors take {} bytes, the file holds {} bytes of data", what, at, data_bytes);
}

}  // namespace

SafetensorsHeader parse_safetensors(std::span<const std::byte> bytes, int64_t file_size,
                                    const std::string& what) {
  static_assert(std::endian::native == std::endian::little);
  require(bytes.size() >= 8, Code::kCorruptFile,
          "{}: {} bytes are too few for a safetensors file. Is the copy complete?", what,
          file_size);
  uint64_t n = 0;
  std::memcpy(&n, bytes.data(), 8);
  require(n <= static_cast<uint64_t>(kMaxHeader), Code::kCorruptFile,
          "{}: the header claims {} bytes, at most {} are allowed", what, n, kMaxHeader);
  require(static_cast<int64_t>(n) + 8 <= file_size && n + 8 <= bytes.size(), Code::kCorruptFile,
          "{}: the header claims {} bytes, the file has {}. Is the copy complete?", what, n,
          file_size);
  JsonLimits limits;
  limits.max_bytes = kMaxHeader;
  limits.max_depth = 8;
  limits.code = Code::kCorruptFile;
  const Json json = parse_json({reinterpret_cast<const char*>(bytes.data()) + 8, n}, what, limits);
  require(json.is_object(), Code::kCorruptFile, "{}: the header must be a JSON object", what);
  SafetensorsHeader header;
  header.data_begin = static_cast<int64_t>(n) + 8;
  const int64_t data_bytes = file_size - header.data_begin;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") {
      require(entry.is_object(), Code::kCorruptFile, "{}: __metadata__ must be an object", what);
      for (const auto& [key, value] : entry.items()) {
        require(value.is_string(), Code::kCorruptFile, "{}: __metadata__ \"{}\" must be a string",
                what, excerpt(key));
        header.metadata[key] = value.get<std::string>();
      }
      continue;
    }
    header.tensors.push_back(parse_tensor(name, entry, what, data_bytes));
  }
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const TensorInfo& a, const TensorInfo& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
                   });
  check_cover(header.tensors, data_bytes, what);
  return header;
}

Safetensors::Safetensors(const std::string& path)
    : file_(path), header_(parse_safetensors(file_.bytes(), file_.size(), path)) {}

const TensorInfo* Safetensors::find(const std::string& name) const {
  for (const TensorInfo& t : header_.tensors) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

const TensorInfo& Safetensors::at(const std::string& name) const {
  if (const TensorInfo* t = find(name)) return *t;
  std::vector<std::string> names;
  for (const TensorInfo& t : header_.tensors) names.push_back(t.name);
  fail(Code::kNotFound, "{}: there is no tensor \"{}\".{}", path(), name,
       did_you_mean(name, names));
}

std::span<const std::byte> Safetensors::bytes(const TensorInfo& info) const {
  return file_.bytes().subspan(static_cast<size_t>(header_.data_begin + info.begin),
                               static_cast<size_t>(info.end - info.begin));
}

void write_safetensors(FileSystem& files, const std::string& path,
                       const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
  int64_t at = 0;
  for (const TensorToWrite& t : tensors) {
    const auto bytes = static_cast<int64_t>(t.bytes.size());
    INGOT_ASSERT(bytes == t.shape.size() * dtype_size(t.dtype));
    Json shape = Json::array();
    for (int i = 0; i < t.shape.rank(); ++i) shape.push_back(t.shape[i]);
    const auto* name = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                    [&](const DtypeName& d) { return d.dtype == t.dtype; });
    INGOT_ASSERT(name != std::end(kDtypes) && !json.contains(t.name));
    json[t.name] = {{"dtype", name->name}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string header = json.dump();
  header.append(static_cast<size_t>((kAlign - (8 + header.size()) % kAlign) % kAlign), ' ');
  write_atomically(files, path, [&](WritableFile& file) {
    const uint64_t n = header.size();
    file.write(std::as_bytes(std::span(&n, 1)));
    file.write_text(header);
    for (const TensorToWrite& t : tensors) file.write(t.bytes);
  });
}

}  // namespace ingot::io
