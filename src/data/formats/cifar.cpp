// SPDX-License-Identifier: Apache-2.0
#include "data/formats/cifar.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "data/formats/picture_table.h"

namespace ingot::data {
namespace {

constexpr int64_t kSide = 32;
constexpr size_t kPlane = kSide * kSide;
constexpr size_t kChannels = 3;
constexpr size_t kLooked = 64;  // records that tell the kind

struct CifarKind {
  size_t label_bytes;  // the last of them counts
  int32_t classes;
  const char* names;

  [[nodiscard]] size_t record() const { return label_bytes + kChannels * kPlane; }
};
constexpr CifarKind kKinds[] = {{1, 10, "batches.meta.txt"}, {2, 100, "fine_label_names.txt"}};

/// Whether `front`, the first bytes of a file, can be whole records of this kind.
bool fits(const CifarKind& kind, std::span<const std::byte> front, bool is_whole_file) {
  if (is_whole_file && front.size() % kind.record() != 0) return false;
  for (size_t at = kind.label_bytes - 1; at < front.size(); at += kind.record()) {
    if (std::to_integer<int32_t>(front[at]) >= kind.classes) return false;
  }
  return true;
}

const CifarKind& kind_of(io::ByteSource& source) {
  std::vector<std::byte> front(kLooked * kKinds[1].record());
  const auto got = static_cast<size_t>(io::read_fully(source, front));
  source.rewind();
  require(got > 0, Code::kCorruptFile, "cifar: \"{}\": the file is empty", source.name());
  const bool is_whole_file = got < front.size();
  front.resize(got);
  for (const CifarKind& kind : kKinds) {
    if (fits(kind, front, is_whole_file)) return kind;
  }
  return kKinds[0];  // reading it names the record that does not fit
}

class CifarSource final : public PictureSource {
 public:
  explicit CifarSource(std::unique_ptr<io::ByteSource> source)
      : source_(std::move(source)), kind_(kind_of(*source_)), record_(kind_.record()) {}

  [[nodiscard]] const char* names() const { return kind_.names; }
  [[nodiscard]] PictureShape shape() const override { return {kSide, kSide, kChannels}; }
  [[nodiscard]] bool has_labels() const override { return true; }
  bool next(std::string& cell, int32_t& label) override {
    const int64_t got = io::read_fully(*source_, record_);
    if (got == 0) return false;
    ++number_;
    require(got == static_cast<int64_t>(record_.size()), Code::kCorruptFile,
            "cifar: \"{}\": ends after {} of the {} bytes of record {}; is it the binary version, "
            "and whole?",
            name(), got, record_.size(), number_);
    label = std::to_integer<int32_t>(record_[kind_.label_bytes - 1]);
    require(label < kind_.classes, Code::kCorruptFile,
            "cifar: \"{}\": record {} has the label {}, of {} classes; is it the binary version?",
            name(), number_, label, kind_.classes);
    const size_t front = cell.size();
    cell.resize(front + kChannels * kPlane);
    char* const pixels = cell.data() + front;
    for (size_t c = 0; c < kChannels; ++c) {
      const std::byte* plane = record_.data() + kind_.label_bytes + c * kPlane;
      for (size_t i = 0; i < kPlane; ++i) pixels[kChannels * i + c] = static_cast<char>(plane[i]);
    }
    return true;
  }
  void rewind() override {
    source_->rewind();
    number_ = 0;
  }
  [[nodiscard]] const std::string& name() const override { return source_->name(); }

 private:
  std::unique_ptr<io::ByteSource> source_;
  const CifarKind& kind_;
  std::vector<std::byte> record_;
  int64_t number_ = 0;
};

}  // namespace

std::unique_ptr<TableReader> open_cifar(std::unique_ptr<io::ByteSource> source) {
  auto cifar = std::make_unique<CifarSource>(std::move(source));
  std::vector<std::string> classes =
      class_names(join_path(parent_path(cifar->name()), cifar->names()));
  return picture_table(std::move(cifar), std::move(classes));
}

}  // namespace ingot::data
