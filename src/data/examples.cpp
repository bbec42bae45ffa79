// SPDX-License-Identifier: Apache-2.0
// Layout (little-endian; docs/formats/examples.md):
//   0        rows x record, each record_bytes long
//   then     JSON {"rows": n, "record_bytes": b, "fields": [{"name", "dtype", "shape"}, …]}
//   size-24  u64 bytes of the JSON, u32 CRC-32C of it, u32 version, "INGOTEXS"
#include "data/examples.h"

#include <array>
#include <bit>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/checked.h"
#include "base/hash.h"
#include "base/json.h"

namespace ingot::data {
namespace {

static_assert(std::endian::native == std::endian::little, "examples are read without swapping");

constexpr std::string_view kMagic = "INGOTEXS";
constexpr uint32_t kVersion = 1;
constexpr int64_t kTailBytes = 24;
constexpr int64_t kMaxFooter = int64_t{1} << 24;
constexpr size_t kRecordBlock = size_t{1} << 20;
constexpr int64_t kMaxRecord = int64_t{1} << 30;

bool is_allowed(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kI32 || dtype == DType::kU8;
}

DType dtype_of(const std::string& name) {
  for (const DType dtype : {DType::kF32, DType::kI32, DType::kU8}) {
    if (dtype_name(dtype) == name) return dtype;
  }
  fail(Code::kCorruptFile, "unknown dtype \"{}\"", name);
}

Json to_json(const ExampleLayout& layout, int64_t rows) {
  Json fields = Json::array();
  for (const ExampleField& field : layout.fields()) {
    Json shape = Json::array();
    for (int i = 0; i < field.shape.rank(); ++i) shape.push_back(field.shape[i]);
    fields.push_back(
        {{"name", field.name}, {"dtype", std::string(dtype_name(field.dtype))}, {"shape", shape}});
  }
  return {{"rows", rows}, {"record_bytes", layout.record_bytes()}, {"fields", fields}};
}

ExampleLayout layout_of(const Json& json) {
  std::vector<ExampleField> fields;
  for (const Json& entry : json.at("fields")) {
    ExampleField field;
    field.name = entry.at("name").get<std::string>();
    field.dtype = dtype_of(entry.at("dtype").get<std::string>());
    int64_t size = 1;
    for (const Json& dim : entry.at("shape")) {
      const auto d = dim.get<int64_t>();
      size = d >= 1 ? checked_mul(size, d, "shape") : 0;
      require(size >= 1 && size <= kMaxRecord, Code::kCorruptFile, "field \"{}\" has an axis of {}",
              field.name, d);
      field.shape.push(d);
    }
    fields.push_back(std::move(field));
  }
  return ExampleLayout(std::move(fields));
}

}  // namespace

ExampleLayout::ExampleLayout(std::vector<ExampleField> fields) : fields_(std::move(fields)) {
  require(!fields_.empty(), Code::kInvalidArgument, "examples: a record without fields");
  for (ExampleField& field : fields_) {
    require(is_allowed(field.dtype), Code::kInvalidArgument,
            "examples: field \"{}\" is {}; float32, int32 and uint8 are possible", field.name,
            dtype_name(field.dtype));
    require(find(field.name) == &field, Code::kInvalidArgument,
            "examples: two fields are called \"{}\"", field.name);
    field.offset = record_bytes_;
    record_bytes_ += (field.bytes() + 3) / 4 * 4;
    require(record_bytes_ <= kMaxRecord, Code::kInvalidArgument,
            "examples: a record of more than {} bytes", kMaxRecord);
  }
}

const ExampleField* ExampleLayout::find(std::string_view name) const {
  for (const ExampleField& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

ExampleWriter::ExampleWriter(WritableFile& file, ExampleLayout layout)
    : file_(file), layout_(std::move(layout)) {}

void ExampleWriter::flush() {
  file_.write(buffer_);
  buffer_.clear();
}

void ExampleWriter::add(std::span<const std::byte> record) {
  INGOT_ASSERT(static_cast<int64_t>(record.size()) == layout_.record_bytes());
  buffer_.insert(buffer_.end(), record.begin(), record.end());
  ++rows_;
  if (buffer_.size() >= kRecordBlock) flush();
}

int64_t ExampleWriter::finish() {
  flush();
  const std::string footer = dump_json(to_json(layout_, rows_));
  const uint64_t size = footer.size();
  const uint32_t crc = crc32c(std::as_bytes(std::span(footer.data(), footer.size())));
  std::array<std::byte, static_cast<size_t>(kTailBytes)> tail{};
  std::memcpy(tail.data(), &size, sizeof(size));
  std::memcpy(tail.data() + 8, &crc, sizeof(crc));
  std::memcpy(tail.data() + 12, &kVersion, sizeof(kVersion));
  std::memcpy(tail.data() + 16, kMagic.data(), kMagic.size());
  file_.write_text(footer);
  file_.write(tail);
  return rows_;
}

ExampleReader::ExampleReader(const std::string& path)
    : path_(path), file_(path), records_(file_.data()) {
  const int64_t size = file_.size();
  require(size >= kTailBytes, Code::kCorruptFile, "{}: {} bytes are too few for a file of examples",
          path, size);
  const std::byte* tail = file_.data() + size - kTailBytes;
  uint64_t footer_bytes = 0;
  uint32_t crc = 0, version = 0;
  std::memcpy(&footer_bytes, tail, sizeof(footer_bytes));
  std::memcpy(&crc, tail + 8, sizeof(crc));
  std::memcpy(&version, tail + 12, sizeof(version));
  require(std::memcmp(tail + 16, kMagic.data(), kMagic.size()) == 0, Code::kCorruptFile,
          "{}: does not end like a file of examples. Is the copy complete?", path);
  require(version == kVersion, Code::kCorruptFile, "{}: format {}, this program reads {}", path,
          version, kVersion);
  const int64_t room = size - kTailBytes;
  require(footer_bytes <= static_cast<uint64_t>(std::min(room, kMaxFooter)), Code::kCorruptFile,
          "{}: a footer of {} bytes in a file of {}", path, footer_bytes, size);
  const int64_t data_bytes = room - static_cast<int64_t>(footer_bytes);
  const std::string_view footer =
      file_.text().substr(static_cast<size_t>(data_bytes), static_cast<size_t>(footer_bytes));
  require(crc32c(std::as_bytes(std::span(footer.data(), footer.size()))) == crc, Code::kCorruptFile,
          "{}: the checksum of the footer does not match", path);
  int64_t record_bytes = 0;
  try {
    const Json json = parse_json(footer, path);
    layout_ = layout_of(json);
    rows_ = json.at("rows").get<int64_t>();
    record_bytes = json.at("record_bytes").get<int64_t>();
  } catch (const Json::exception& error) {
    fail(Code::kCorruptFile, "{}: footer: {}", path, error.what());
  } catch (const Error& error) {
    fail(Code::kCorruptFile, "{}: footer: {}", path, error.what());
  }
  require(rows_ >= 0 && record_bytes == layout_.record_bytes() &&
              checked_mul(rows_, record_bytes, path) == data_bytes,
          Code::kCorruptFile, "{}: {} examples of {} bytes are claimed, {} bytes are there", path,
          rows_, record_bytes, data_bytes);
}

ExampleReader::ExampleReader(std::string name, ExampleLayout layout, std::vector<std::byte> records)
    : path_(std::move(name)),
      memory_(std::move(records)),
      records_(memory_.data()),
      layout_(std::move(layout)),
      rows_(static_cast<int64_t>(memory_.size()) / layout_.record_bytes()) {
  INGOT_ASSERT(rows_ * layout_.record_bytes() == static_cast<int64_t>(memory_.size()));
}

}  // namespace ingot::data
