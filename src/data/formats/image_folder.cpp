// SPDX-License-Identifier: Apache-2.0
#include "data/formats/image_folder.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/core.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/formats/picture_table.h"

namespace ingot::data {
namespace {

void add_other(const std::string& path, ImageFolder& folder) {
  ++folder.other_files;
  if (is_unread_picture_name(path) && folder.unread.count++ == 0) folder.unread.first = path;
}

bool ends_in(std::string_view name, std::span<const std::string_view> endings) {
  constexpr size_t kLongest = 5;
  const std::string end =
      lower_ascii(name.substr(name.size() - std::min<size_t>(name.size(), kLongest)));
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return end.ends_with(ending); });
}

/// Adds the pictures of root/name as the next class.
void add_class(const std::string& name, ImageFolder& folder) {
  const std::string path = join_path(folder.root, name);
  const auto label = static_cast<int32_t>(folder.classes.size());
  int64_t count = 0;
  const int64_t unread = folder.unread.count;
  for (const FileEntry& file : list_files(path).files) {
    if (is_image_name(file.path)) {
      folder.images.push_back({join_path(name, file.path), label});
      ++count;
    } else {
      add_other(join_path(path, file.path), folder);
    }
  }
  require(count > 0, Code::kInvalidArgument,
          "images: the class folder \"{}\" holds no .png, .jpg or .jpeg file; {} or remove it",
          path, folder.unread.count > unread ? "convert its pictures to one of them," : "fill it");
  folder.classes.push_back(name);
  folder.counts.push_back(count);
}

class FolderTable final : public TableReader {
 public:
  /// `columns`: that of the paths, and that of the classes where there are any.
  FolderTable(ImageFolder folder, std::vector<std::string> columns)
      : folder_(std::move(folder)), columns_(std::move(columns)) {}

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  bool next(std::vector<std::string_view>& cells) override {
    cells.clear();
    if (next_ == folder_.images.size()) return false;
    const FolderImage& image = folder_.images[next_++];
    cells.emplace_back(image.path);
    if (columns_.size() > 1) {
      cells.emplace_back(folder_.classes[static_cast<size_t>(image.label)]);
    }
    return true;
  }
  [[nodiscard]] int64_t line() const override { return static_cast<int64_t>(next_); }
  void rewind() override { next_ = 0; }
  [[nodiscard]] const std::string& name() const override { return folder_.root; }
  [[nodiscard]] int64_t skipped() const override { return 0; }
  [[nodiscard]] UnreadPictures unread() const override { return folder_.unread; }

 private:
  ImageFolder folder_;
  std::vector<std::string> columns_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<TableReader> open_image_folder(const std::string& root) {
  return std::make_unique<FolderTable>(list_image_folder(root),
                                       std::vector<std::string>{kImageColumn, kClassColumn});
}

std::unique_ptr<TableReader> open_pictures(const std::string& path, const std::string& column) {
  ImageFolder folder;
  folder.root = path;
  if (!directory_exists(path)) {
    require(file_exists(path), Code::kNotFound, "images: \"{}\" is not there", path);
    folder.images.push_back({base_name(path), 0});
    return std::make_unique<FolderTable>(std::move(folder), std::vector<std::string>{column});
  }
  for (const FileEntry& file : list_files(path).files) {
    if (is_image_name(file.path)) {
      folder.images.push_back({file.path, 0});
    } else {
      add_other(join_path(path, file.path), folder);
    }
  }
  require(!folder.images.empty(), Code::kInvalidArgument,
          "images: \"{}\" holds no .png, .jpg or .jpeg file, nor do its folders; {}", path,
          folder.unread.count > 0 ? "convert its pictures to one of them" : "fill it");
  return std::make_unique<FolderTable>(std::move(folder), std::vector<std::string>{column});
}

bool is_image_name(std::string_view name) {
  constexpr std::array<std::string_view, 3> kEndings{".png", ".jpg", ".jpeg"};
  return ends_in(name, kEndings);
}

bool is_unread_picture_name(std::string_view name) {
  constexpr std::array<std::string_view, 12> kEndings{".webp", ".gif",  ".bmp",  ".tif",
                                                      ".tiff", ".heic", ".heif", ".avif",
                                                      ".jfif", ".jp2",  ".ppm",  ".pgm"};
  return ends_in(name, kEndings);
}

ImageFolder list_image_folder(const std::string& root) {
  require(directory_exists(root), Code::kNotFound, "images: \"{}\" is no folder", root);
  ImageFolder folder;
  folder.root = root;
  int64_t loose = 0;
  std::string first_loose;
  for (const std::string& name : real_files()->list(root)) {
    if (name.starts_with('.')) continue;
    const std::string path = join_path(root, name);
    if (directory_exists(path)) {
      add_class(name, folder);
    } else if (!is_image_name(name)) {
      add_other(path, folder);
    } else if (loose++ == 0) {
      first_loose = name;
    }
  }
  require(
      loose == 0, Code::kInvalidArgument,
      "images: {} pictures lie in \"{}\" itself (the first is \"{}\"); put each into the folder "
      "of its class",
      loose, root, first_loose);
  require(folder.classes.size() >= 2, Code::kInvalidArgument,
          "images: \"{}\" has {} class folders{}; two or more are needed, one per class", root,
          folder.classes.size(),
          folder.classes.empty() ? std::string() : fmt::format(" (\"{}\")", folder.classes[0]));
  return folder;
}

}  // namespace ingot::data
