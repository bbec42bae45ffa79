// SPDX-License-Identifier: Apache-2.0
#include "data/formats/image_folder.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>
#include <string_view>

#include <fmt/core.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/formats/picture_table.h"

namespace ingot::data {
namespace {

constexpr std::string_view kReadEndings = ".png, .jpg, .jpeg, .pgm or .ppm";

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

/// A class folder whose pictures all lie in folders of it, and the names of these.
struct NestedClass {
  std::string name;
  std::set<std::string> folders;
};

/// Adds the pictures of root/name as the next class. What its folders are called, where all of
/// them lie in some.
NestedClass add_class(const std::string& name, ImageFolder& folder) {
  const std::string path = join_path(folder.root, name);
  const auto label = static_cast<int32_t>(folder.classes.size());
  const int64_t unread = folder.unread.count;
  int64_t count = 0;
  bool has_own = false;
  NestedClass nested{name, {}};
  for (const FileEntry& file : list_files(path).files) {
    if (!is_image_name(file.path)) {
      add_other(join_path(path, file.path), folder);
      continue;
    }
    folder.images.push_back({join_path(name, file.path), label});
    ++count;
    const size_t slash = file.path.find('/');
    has_own |= slash == std::string::npos;
    if (!has_own) nested.folders.insert(file.path.substr(0, slash));
  }
  require(count > 0, Code::kInvalidArgument,
          "images: the class folder \"{}\" holds no {} file; {} or remove it", path, kReadEndings,
          folder.unread.count > unread ? "convert its pictures to one of them," : "fill it");
  folder.classes.push_back(name);
  folder.counts.push_back(count);
  if (has_own) nested.folders.clear();
  return nested;
}

/// The first of `parts` whose name has `word` in it; "" when none has.
std::string part_with(std::string_view word, const std::vector<std::string>& parts) {
  for (const std::string& name : parts) {
    if (lower_ascii(name).find(word) != std::string::npos) return name;
  }
  return {};
}

/// The keys that take each part for what its name says it is.
std::string cure_of_parts(const std::string& root, const std::vector<std::string>& parts) {
  const std::string train = part_with("train", parts);
  if (train.empty()) {
    return fmt::format(
        "set table.path={0} (--from {0} of `ingot new`), or table.path=\"{1}\", which takes all of "
        "them as one table",
        join_path(root, parts.front()), join_path(root, "*"));
  }
  std::string cure =
      fmt::format("set table.path={0} (--from {0} of `ingot new`)", join_path(root, train));
  const std::string test = part_with("test", parts);
  std::string validation = part_with("val", parts);
  if (validation.empty()) {
    const auto is_dev = [](const std::string& name) { return lower_ascii(name) == "dev"; };
    const auto dev = std::find_if(parts.begin(), parts.end(), is_dev);
    if (dev != parts.end()) validation = *dev;
  }
  if (!validation.empty() && validation != train) {
    cure += fmt::format(" table.split.validation_file={} table.split.validation=0",
                        join_path(root, validation));
  }
  if (!test.empty() && test != train) {
    cure += fmt::format(" table.split.test_file={} table.split.test=0", join_path(root, test));
  }
  return cure;
}

/// The parts of a data set, each with the same classes in it (root/train/cat, root/train/dog,
/// root/test/cat, …), would be learned as if they were the classes. One folder in each, as in
/// root/cat/images and root/dog/images, is no sign of it.
void require_no_parts(const std::string& root, const std::vector<NestedClass>& classes) {
  const auto widest = std::max_element(classes.begin(), classes.end(),
                                       [](const NestedClass& a, const NestedClass& b) {
                                         return a.folders.size() < b.folders.size();
                                       });
  if (widest == classes.end()) return;
  const std::set<std::string>& all = widest->folders;
  std::vector<std::string> parts;
  for (const auto& [name, folders] : classes) {
    const bool is_part = folders.size() >= 2 &&
                         std::includes(all.begin(), all.end(), folders.begin(), folders.end());
    if (is_part) parts.push_back(name);
  }
  if (parts.size() < 2) return;
  const std::string& first = *all.begin();
  const std::string& second = *std::next(all.begin());
  fail(Code::kInvalidArgument,
       "images: \"{}\" and \"{}\" in \"{}\" hold no pictures but folders of the same names "
       "(\"{}\", \"{}\"{}): they look like parts of a data set, not like classes; {}. Where they "
       "are classes, put their pictures into them directly",
       parts[0], parts[1], root, first, second, all.size() > 2 ? ", ..." : "",
       cure_of_parts(root, parts));
}

/// Whether a folder is called as parts of data sets are.
bool is_part_name(std::string_view name) {
  constexpr std::array<std::string_view, 8> kParts{"train", "training", "test",       "testing",
                                                   "val",   "valid",    "validation", "dev"};
  return std::find(kParts.begin(), kParts.end(), lower_ascii(name)) != kParts.end();
}

/// The names of the folders in one, without those that start with a dot, sorted.
std::vector<std::string> folders_in(const std::string& path) {
  std::vector<std::string> folders;
  for (const std::string& name : real_files()->list(path)) {
    if (!name.starts_with('.') && directory_exists(join_path(path, name))) folders.push_back(name);
  }
  return folders;
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
          "images: \"{}\" holds no {} file, nor do its folders; {}", path, kReadEndings,
          folder.unread.count > 0 ? "convert its pictures to one of them" : "fill it");
  return std::make_unique<FolderTable>(std::move(folder), std::vector<std::string>{column});
}

std::string note_of_parts(const std::string& root) {
  const std::vector<std::string> classes = folders_in(root);
  if (classes.size() < 2 || !std::all_of(classes.begin(), classes.end(), is_part_name)) return {};
  std::vector<std::string> parts;  // that have class folders of their own
  std::string flat;                // one that has none
  for (const std::string& name : classes) {
    const bool has_classes = folders_in(join_path(root, name)).size() >= 2;
    if (has_classes) parts.push_back(name);
    if (!has_classes && flat.empty()) flat = name;
  }
  std::string note = fmt::format(
      "\"{}\" and \"{}\" in \"{}\" are taken for classes and look like parts of the data; ",
      excerpt(classes[0]), excerpt(classes[1]), root);
  note += "where they are parts, ";
  const std::string train = part_with("train", parts);
  if (parts.empty() || train != part_with("train", classes)) {
    return note + "put the pictures in each into a folder per class";
  }
  note += !train.empty() ? cure_of_parts(root, parts)
                         : fmt::format("set table.path={0} (--from {0} of `ingot new`)",
                                       join_path(root, parts.front()));
  if (flat.empty()) return note;
  return note + fmt::format(
                    "; \"{0}\" has no class folders: `ingot predict RUN {0}` answers for "
                    "its pictures",
                    join_path(root, flat));
}

bool is_image_name(std::string_view name) {
  constexpr std::array<std::string_view, 5> kEndings{".png", ".jpg", ".jpeg", ".pgm", ".ppm"};
  return ends_in(name, kEndings);
}

bool is_unread_picture_name(std::string_view name) {
  constexpr std::array<std::string_view, 10> kEndings{".webp", ".gif",  ".bmp",  ".tif",  ".tiff",
                                                      ".heic", ".heif", ".avif", ".jfif", ".jp2"};
  return ends_in(name, kEndings);
}

ImageFolder list_image_folder(const std::string& root) {
  require(directory_exists(root), Code::kNotFound, "images: \"{}\" is no folder", root);
  ImageFolder folder;
  folder.root = root;
  int64_t loose = 0;
  std::string first_loose;
  std::vector<NestedClass> classes;
  for (const std::string& name : real_files()->list(root)) {
    if (name.starts_with('.')) continue;
    const std::string path = join_path(root, name);
    if (directory_exists(path)) {
      classes.push_back(add_class(name, folder));
    } else if (!is_image_name(name)) {
      add_other(path, folder);
    } else if (loose++ == 0) {
      first_loose = name;
    }
  }
  require_no_parts(root, classes);
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
