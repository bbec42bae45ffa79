// SPDX-License-Identifier: Apache-2.0
// A folder of pictures whose folders are the classes (torchvision's ImageFolder, Keras's
// image_dataset_from_directory): root/cat/1.png, root/dog/2.jpg. Lists, decodes nothing. Classes
// are sorted by their bytes and numbered from 0, files by class and path, so the list does not
// depend on the file system. As a table its cells are paths, relative to the folder. Called by
// table.cpp and the data verbs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/table.h"

namespace ingot::data {

struct FolderImage {
  std::string path;  ///< relative to the root, parts joined by '/'
  int32_t label = 0;
};

struct ImageFolder {
  std::string root;
  std::vector<std::string> classes;
  std::vector<FolderImage> images;
  std::vector<int64_t> counts;  ///< pictures per class
  int64_t other_files = 0;      ///< that is_image_name does not take
  UnreadPictures unread;        ///< of them, those that are pictures all the same
};

/// Names that start with a dot are left out; links below the root are not followed. Throws
/// kNotFound without the root; kInvalidArgument when it has no class folder or one only, when
/// pictures lie beside the class folders, a class holds none, or two of them hold no pictures of
/// their own but two or more folders of the same names (parts of a data set, as train and test):
/// each naming what was found.
[[nodiscard]] ImageFolder list_image_folder(const std::string& root);

/// A note about a folder all of whose classes are called train, training, test, testing, val,
/// valid, validation or dev, in any case; "" for others. With the keys that take each part for what
/// it is:
///   "test" and "train" in "pets" are taken for classes and look like parts of the data; where they
///   are parts, set table.path=pets/train (--from pets/train of `ingot new`) …
[[nodiscard]] std::string note_of_parts(const std::string& root);

/// The same as a table: columns "image" (path below the root) and "class".
[[nodiscard]] std::unique_ptr<TableReader> open_image_folder(const std::string& root);

/// Pictures without classes, to be answered for: those of the folder `path` and of its folders, in
/// the order of their paths, or, where it is a file, this one. A table of the one column `column`.
/// Throws kNotFound when nothing is there, kInvalidArgument for a folder that holds none.
[[nodiscard]] std::unique_ptr<TableReader> open_pictures(const std::string& path,
                                                         const std::string& column);

/// Whether a name ends in .png, .jpg, .jpeg, .pgm or .ppm, in any case.
[[nodiscard]] bool is_image_name(std::string_view name);
/// Whether it ends as pictures do that no reader takes by their name: .webp, .gif, .heic and
/// others.
[[nodiscard]] bool is_unread_picture_name(std::string_view name);

}  // namespace ingot::data
