// SPDX-License-Identifier: Apache-2.0
// The pictures are streamed, the labels (a few bytes each) are read whole.
#include "data/formats/array_pictures.h"

#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/files.h"
#include "data/formats/idx.h"
#include "data/formats/npy.h"
#include "data/formats/picture_table.h"

namespace ingot::data {
namespace {

struct ArrayFormat {
  const char* verb;
  ArrayHead (*head)(io::ByteSource&);
  Array (*read)(io::ByteSource&);
};
constexpr ArrayFormat kIdx{"idx", &read_idx_head, &read_idx};
constexpr ArrayFormat kNpy{"npy", &read_npy_head, &read_npy};

PictureShape shape_of(const ArrayHead& head, const char* verb, const std::string& name) {
  const int rank = head.shape.rank();
  const int64_t channels = rank == 4 ? head.shape[3] : 1;
  require(head.dtype == DType::kU8 && (rank == 3 || rank == 4) && (channels == 1 || channels == 3),
          Code::kCorruptFile,
          "{}: \"{}\" holds {} {}; pictures are uint8 [count, height, width] or [count, height, "
          "width, 3]",
          verb, name, dtype_name(head.dtype), head.shape.text());
  const PictureShape shape{head.shape[1], head.shape[2], channels};
  const int64_t size = checked_mul(checked_mul(shape.height, shape.width, verb), channels, verb);
  constexpr int64_t kMost = int64_t{1} << 30;
  require(size > 0 && size <= kMost, Code::kCorruptFile,
          "{}: \"{}\" holds pictures of {} x {} pixels", verb, name, shape.width, shape.height);
  return shape;
}

template <class T>
void append(const Array& array, std::vector<int32_t>& labels) {
  for (const T value : array.values<T>()) {
    labels.push_back(static_cast<int32_t>(value));
  }
}

std::vector<int32_t> labels_of(const ArrayFormat& format, const std::string& path) {
  const Array array = format.read(*io::open_source(path));
  const int rank = array.shape.rank();
  std::vector<int32_t> labels;
  if (array.dtype == DType::kU8) append<uint8_t>(array, labels);
  if (array.dtype == DType::kI32) append<int32_t>(array, labels);
  if (array.dtype == DType::kI64) append<int64_t>(array, labels);
  require((rank == 1 || (rank == 2 && array.shape[1] == 1)) &&
              (!labels.empty() || array.shape.size() == 0),
          Code::kCorruptFile, "{}: \"{}\" holds {} {}; labels are whole numbers [count]",
          format.verb, path, dtype_name(array.dtype), array.shape.text());
  return labels;
}

class ArraySource final : public PictureSource {
 public:
  ArraySource(std::unique_ptr<io::ByteSource> source, const ArrayFormat& format)
      : source_(std::move(source)), format_(format), head_(format.head(*source_)) {
    shape_ = shape_of(head_, format.verb, name());
    const std::string path = labels_beside(name());
    if (path.empty()) return;
    labels_ = labels_of(format, path);
    has_labels_ = true;
    require(static_cast<int64_t>(labels_.size()) == head_.shape[0], Code::kCorruptFile,
            "{}: \"{}\" holds {} pictures but \"{}\" {} labels; are they of one split?",
            format.verb, name(), head_.shape[0], path, labels_.size());
  }

  [[nodiscard]] PictureShape shape() const override { return shape_; }
  [[nodiscard]] bool has_labels() const override { return has_labels_; }
  bool next(std::span<std::byte> pixels, int32_t& label) override {
    if (next_ == head_.shape[0]) {
      require_end(*source_, format_.verb);
      return false;
    }
    const int64_t got = io::read_fully(*source_, pixels);
    require(got == static_cast<int64_t>(pixels.size()), Code::kCorruptFile,
            "{}: \"{}\": ends in picture {} of {}; fetch the file again", format_.verb, name(),
            next_ + 1, head_.shape[0]);
    if (has_labels_) label = labels_[static_cast<size_t>(next_)];
    ++next_;
    return true;
  }
  void rewind() override {
    source_->rewind();
    (void)format_.head(*source_);
    next_ = 0;
  }
  [[nodiscard]] const std::string& name() const override { return source_->name(); }

 private:
  std::unique_ptr<io::ByteSource> source_;
  const ArrayFormat& format_;
  ArrayHead head_;
  PictureShape shape_;
  std::vector<int32_t> labels_;
  bool has_labels_ = false;
  int64_t next_ = 0;
};

/// `text` with the last `from` in it replaced, or "" when there is none.
std::string with(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.rfind(from);
  return at == std::string::npos ? std::string() : text.replace(at, from.size(), to);
}

}  // namespace

std::string labels_beside(const std::string& images) {
  const std::string folder = parent_path(images);
  const std::string name = base_name(images);
  const std::string idx = with(with(name, "images", "labels"), "idx3", "idx1");
  const std::string bare = idx.ends_with(".gz") ? idx.substr(0, idx.size() - 3) : idx;
  const std::string names[] = {idx, bare, bare.empty() ? "" : bare + ".gz",
                               name.ends_with(".npy") ? with(name, "images", "labels") : "",
                               name.starts_with("x_") ? "y_" + name.substr(2) : ""};
  for (const std::string& candidate : names) {
    const std::string path = join_path(folder, candidate);
    if (!candidate.empty() && candidate != name && file_exists(path)) return path;
  }
  return {};
}

std::unique_ptr<TableReader> open_idx_pictures(std::unique_ptr<io::ByteSource> source) {
  return picture_table(std::make_unique<ArraySource>(std::move(source), kIdx), {});
}

std::unique_ptr<TableReader> open_npy_pictures(std::unique_ptr<io::ByteSource> source) {
  return picture_table(std::make_unique<ArraySource>(std::move(source), kNpy), {});
}

}  // namespace ingot::data
