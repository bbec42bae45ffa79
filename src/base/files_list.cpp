// SPDX-License-Identifier: Apache-2.0
// list_files and names_beside (see files.h). The first is a walk without recursion: real folders
// are entered before linked ones, and each folder once by its device and inode, so loops end and
// the result does not depend on the order in which the disk stores names.
#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <set>
#include <utility>

#include <dirent.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot {
namespace {

class Walk {
 public:
  Walk(const std::string& root, const ListOptions& options) : root_(root), options_(options) {}

  Listing run() {
    struct stat status {};
    if (stat(root_.c_str(), &status) != 0) fail_system("list", root_, errno);
    require(S_ISDIR(status.st_mode), Code::kNotFound, "list: \"{}\" is a file, a folder is needed",
            root_);
    enter_once(status);
    folders_.push_back("");
    while (!folders_.empty() || !linked_.empty()) {
      if (folders_.empty()) take_link();
      if (folders_.empty()) continue;
      const std::string folder = std::move(folders_.front());
      folders_.pop_front();
      scan(folder);
    }
    const auto by_path = [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; };
    std::sort(listing_.files.begin(), listing_.files.end(), by_path);
    std::sort(listing_.unreadable_paths.begin(), listing_.unreadable_paths.end());
    return std::move(listing_);
  }

 private:
  [[nodiscard]] std::string full(const std::string& relative) const {
    return relative.empty() ? root_ : join_path(root_, relative);
  }

  bool enter_once(const struct stat& status) {
    return entered_.insert({status.st_dev, status.st_ino}).second;
  }

  void take_link() {
    const auto first = linked_.begin();
    struct stat status {};
    const std::string path = *first;
    linked_.erase(first);
    if (stat(full(path).c_str(), &status) == 0 && enter_once(status)) folders_.push_back(path);
  }

  void add_unreadable(const std::string& path) {
    ++listing_.unreadable;
    listing_.unreadable_paths.push_back(path);
  }

  void scan(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(full(folder).c_str()), closedir);
    if (!open) {
      require(!folder.empty(), Code::kIo, "list: \"{}\" may not be read. Check its permissions.",
              root_);
      return add_unreadable(folder);
    }
    errno = 0;
    while (const dirent* entry = readdir(open.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == ".." || (!options_.hidden && name.front() == '.')) continue;
      visit(join_path(folder, name));
      errno = 0;
    }
    if (errno != 0) add_unreadable(folder);  // the rest of it is not known
  }

  void visit(const std::string& path) {
    struct stat status {};
    if (lstat(full(path).c_str(), &status) != 0) return add_unreadable(path);
    const bool link = S_ISLNK(status.st_mode);
    if (link && !options_.follow_links) {
      ++listing_.links_skipped;
      return;
    }
    if (link && stat(full(path).c_str(), &status) != 0) {
      return add_unreadable(path);  // points to nothing
    }
    if (S_ISDIR(status.st_mode)) {
      if (link) {
        linked_.insert(path);
      } else if (enter_once(status)) {
        folders_.push_back(path);
      }
    } else if (S_ISREG(status.st_mode) && wanted(path)) {
      add(path, status.st_size);
    }
  }

  [[nodiscard]] bool wanted(const std::string& path) const {
    if (options_.extensions.empty()) return true;
    return std::any_of(options_.extensions.begin(), options_.extensions.end(),
                       [&](const std::string& extension) { return path.ends_with(extension); });
  }

  void add(const std::string& path, int64_t size) {
    require(static_cast<int64_t>(listing_.files.size()) < options_.max_files,
            Code::kInvalidArgument,
            "list: \"{}\" holds more than {} files. Choose a smaller folder or raise the limit.",
            root_, options_.max_files);
    listing_.files.push_back({path, size});
  }

  const std::string root_;
  const ListOptions& options_;
  Listing listing_;
  std::deque<std::string> folders_;
  std::set<std::string> linked_;  // folders behind links, entered after all real ones
  std::set<std::pair<dev_t, ino_t>> entered_;
};

}  // namespace

std::string names_beside(const std::string& path, const PathFilter& fits) {
  std::string_view bare = path;
  while (bare.size() > 1 && bare.ends_with('/')) bare.remove_suffix(1);
  const std::string name = base_name(bare);
  const std::string before(bare.substr(0, bare.size() - name.size()));
  const std::string folder = parent_path(bare);
  if (!directory_exists(folder)) return fmt::format(" There is no folder \"{}\".", folder);
  std::vector<std::string> names;
  try {
    for (std::string& other : real_files()->list(folder)) {
      if (other.starts_with('.') || (fits && !fits(before + other))) continue;
      names.push_back(std::move(other));
    }
  } catch (const Error&) {  // a folder that may not be read has no names to offer
  }
  const std::string nearest = nearest_name(name, names);
  return nearest.empty() ? did_you_mean(name, names)
                         : fmt::format(" Did you mean \"{}\"?", before + nearest);
}

Listing list_files(const std::string& root, const ListOptions& options) {
  return Walk(root, options).run();
}

}  // namespace ingot
