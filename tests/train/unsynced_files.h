// SPDX-License-Identifier: Apache-2.0
// The real file system without fsync. What a killed process wrote stays in the page cache, so tests
// that kill processes (not machines) lose nothing by it, and are not as slow as the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/files.h"

namespace ingot::testing {

class UnsyncedFiles final : public FileSystem {
 public:
  std::unique_ptr<WritableFile> open(const std::string& path, OpenMode mode) override {
    return std::make_unique<File>(real_->open(path, mode));
  }
  void rename(const std::string& from, const std::string& to) override { real_->rename(from, to); }
  void remove(const std::string& path) override { real_->remove(path); }
  void sync_directory(const std::string& /*path*/) override {}
  void make_directory(const std::string& path) override { real_->make_directory(path); }
  std::vector<std::string> list(const std::string& path) override { return real_->list(path); }

 private:
  class File final : public WritableFile {
   public:
    explicit File(std::unique_ptr<WritableFile> inner) : inner_(std::move(inner)) {}
    void write(std::span<const std::byte> bytes) override { inner_->write(bytes); }
    void sync() override {}

   private:
    std::unique_ptr<WritableFile> inner_;
  };

  std::unique_ptr<FileSystem> real_ = real_files();
};

}  // namespace ingot::testing
