// SPDX-License-Identifier: Apache-2.0
// The pictures are streamed, the labels (a few bytes each) are read whole.
#include "data/formats/array_pictures.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/files.h"
#include "base/text.h"
#include "data/formats/idx.h"
#include "data/formats/npy.h"
#include "data/formats/picture_table.h"

namespace ingot::data {
namespace {

/// Pictures are streamed in the order of the file.
ArrayHead npy_picture_head(io::ByteSource& source) {
  const NpyHead head = read_npy_head(source);
  require(!head.is_fortran, Code::kUnsupported,
          "npy: \"{}\": pictures in Fortran order; save numpy.ascontiguousarray(arr)",
          source.name());
  return head;
}

struct ArrayFormat {
  const char* verb;
  ArrayHead (*head)(io::ByteSource&);
  Array (*read)(io::ByteSource&);
};
constexpr ArrayFormat kIdx{"idx", &read_idx_head, &read_idx};
constexpr ArrayFormat kNpy{"npy", &npy_picture_head, &read_npy};

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
void append(const Array& array, const std::string& where, std::vector<int32_t>& labels) {
  for (const T value : array.values<T>()) {
    const auto label = static_cast<int32_t>(value);
    require(static_cast<T>(label) == value, Code::kCorruptFile,
            "{}: label {} of picture {} does not fit 32 bits; classes are numbered from 0", where,
            value, labels.size() + 1);
    labels.push_back(label);
  }
}

std::vector<int32_t> labels_of(const ArrayFormat& format, const std::string& path) {
  const Array array = format.read(*io::open_source(path));
  const int rank = array.shape.rank();
  std::vector<int32_t> labels;
  const std::string where = fmt::format("{}: \"{}\"", format.verb, path);
  if (array.dtype == DType::kU8) append<uint8_t>(array, where, labels);
  if (array.dtype == DType::kI32) append<int32_t>(array, where, labels);
  if (array.dtype == DType::kI64) append<int64_t>(array, where, labels);
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
  bool next(std::string& cell, int32_t& label) override {
    if (next_ == head_.shape[0]) {
      require_end(*source_, format_.verb);
      return false;
    }
    require(append_pixels(*source_, shape_.size(), cell), Code::kCorruptFile,
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

constexpr std::string_view kPacked[] = {"", ".gz", ".xz"};

/// What `name` ends in of kPacked.
std::string_view packing_of(std::string_view name) {
  for (const std::string_view ending : {kPacked[1], kPacked[2]}) {
    if (lower_ascii(name).ends_with(ending)) return name.substr(name.size() - ending.size());
  }
  return "";
}

}  // namespace

namespace {

/// The names that the labels of a file of pictures may have, unpacked.
std::vector<std::string> label_names(const std::string& bare) {
  const bool is_npy = bare.ends_with(".npy");
  const std::string labels = with(bare, "images", "labels");
  std::vector<std::string> names = {is_npy ? labels : with(labels, "idx3", "idx1"),
                                    is_npy && bare.starts_with("x_") ? "y_" + bare.substr(2) : ""};
  std::erase(names, "");
  return names;
}

std::string without_packing(const std::string& name) {
  return name.substr(0, name.size() - packing_of(name).size());
}

}  // namespace

std::string labels_wanted(const std::string& images) {
  const std::vector<std::string> names = label_names(without_packing(base_name(images)));
  if (names.empty() || !labels_beside(images).empty()) return {};
  return join_path(parent_path(images), names.front() + std::string(packing_of(images)));
}

std::string labels_beside(const std::string& images) {
  const std::string folder = parent_path(images);
  const std::string name = base_name(images);
  const std::string packing(packing_of(name));
  for (const std::string& candidate : label_names(without_packing(name))) {
    for (const std::string_view ending :
         {std::string_view(packing), kPacked[0], kPacked[1], kPacked[2]}) {
      const std::string path = join_path(folder, candidate + std::string(ending));
      if (file_exists(path)) return path;
    }
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
