// SPDX-License-Identifier: Apache-2.0
#include "base/faulty_files.h"

#include <utility>

#include "base/error.h"

namespace ingot {

class FaultyFile final : public WritableFile {
 public:
  FaultyFile(FaultyFiles& files, std::string path, std::unique_ptr<WritableFile> inner)
      : files_(files), path_(std::move(path)), inner_(std::move(inner)) {}

  void write(std::span<const std::byte> bytes) override {
    if (const Fault* fault = files_.strike(FileOp::kWrite)) {
      if (fault->tear) put(bytes.first(bytes.size() / 2));
      fail_system("write", path_, fault->error);
    }
    put(bytes);
  }

  void sync() override {
    files_.check(FileOp::kSync, "sync", path_);
    inner_->sync();
  }

 private:
  void put(std::span<const std::byte> bytes) {
    inner_->write(bytes);
    files_.bytes_written_ += static_cast<int64_t>(bytes.size());
  }

  FaultyFiles& files_;
  std::string path_;
  std::unique_ptr<WritableFile> inner_;
};

FaultyFiles::FaultyFiles(FileSystem& inner, std::vector<Fault> faults)
    : inner_(inner), faults_(std::move(faults)) {
  after_crash_.error = EIO;
}

const Fault* FaultyFiles::strike(FileOp op) {
  const int64_t nth = ++counts_[static_cast<size_t>(op)];
  if (crashed_) return &after_crash_;
  for (const Fault& fault : faults_) {
    if (fault.op != op || fault.nth != nth) continue;
    crashed_ = fault.crash;
    return &fault;
  }
  return nullptr;
}

void FaultyFiles::check(FileOp op, std::string_view verb, const std::string& path) {
  if (const Fault* fault = strike(op)) fail_system(verb, path, fault->error);
}

std::unique_ptr<WritableFile> FaultyFiles::open(const std::string& path, OpenMode mode) {
  check(FileOp::kOpen, "write", path);
  return std::make_unique<FaultyFile>(*this, path, inner_.open(path, mode));
}

void FaultyFiles::rename(const std::string& from, const std::string& to) {
  check(FileOp::kRename, "rename to", to);
  inner_.rename(from, to);
}

void FaultyFiles::remove(const std::string& path) {
  check(FileOp::kRemove, "remove", path);
  inner_.remove(path);
}

void FaultyFiles::sync_directory(const std::string& path) {
  check(FileOp::kSyncDirectory, "sync", path);
  inner_.sync_directory(path);
}

void FaultyFiles::make_directory(const std::string& path) {
  check(FileOp::kMakeDirectory, "make folder", path);
  inner_.make_directory(path);
}

std::vector<std::string> FaultyFiles::list(const std::string& path) { return inner_.list(path); }

}  // namespace ingot
