// SPDX-License-Identifier: Apache-2.0
#include "data/formats/cifar.h"

#include <vector>

namespace ingot::data {
namespace {

constexpr int64_t kSide = 32;
constexpr size_t kPlane = kSide * kSide;
constexpr size_t kChannels = 3;

}  // namespace

void append_cifar(io::ByteSource& source, CifarKind kind, ImageSet& set) {
  const bool is_fine = kind == CifarKind::kCifar100;
  const size_t label_bytes = is_fine ? 2 : 1;
  const int classes = is_fine ? 100 : 10;
  set.height = set.width = kSide;
  set.channels = kChannels;
  std::vector<std::byte> record(label_bytes + kChannels * kPlane);
  for (int64_t number = 0;; ++number) {
    const int64_t got = io::read_fully(source, record);
    require(got > 0 || number > 0, Code::kCorruptFile, "cifar: \"{}\": the file is empty",
            source.name());
    if (got == 0) return;
    require(got == static_cast<int64_t>(record.size()), Code::kCorruptFile,
            "cifar: \"{}\": ends after {} of the {} bytes of record {}; {}", source.name(), got,
            record.size(), number + 1, "is it the binary version, and whole?");
    const auto label = std::to_integer<int32_t>(record[label_bytes - 1]);
    require(label < classes, Code::kCorruptFile,
            "cifar: \"{}\": record {} has the label {}, of {} classes; is it the binary version?",
            source.name(), number + 1, label, classes);
    set.labels.push_back(label);
    ++set.count;
    const size_t start = set.pixels.size();
    set.pixels.resize(start + kChannels * kPlane);
    for (size_t c = 0; c < kChannels; ++c) {
      const std::byte* plane = record.data() + label_bytes + c * kPlane;
      for (size_t i = 0; i < kPlane; ++i) {
        set.pixels[start + kChannels * i + c] = std::to_integer<uint8_t>(plane[i]);
      }
    }
  }
}

ImageSet read_cifar(std::span<const std::string> paths, CifarKind kind) {
  require(!paths.empty(), Code::kInvalidArgument, "cifar: no files are named");
  ImageSet set;
  for (const std::string& path : paths) append_cifar(*io::open_source(path), kind, set);
  return set;
}

}  // namespace ingot::data
