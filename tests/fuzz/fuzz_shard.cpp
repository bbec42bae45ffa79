// SPDX-License-Identifier: Apache-2.0
// data/shard.h on a file in memory, as it is and with its two check sums made right: behind those
// lie the checks that hostile numbers must meet. Layout: docs/formats/shard.md.
#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "data/shard.h"
#include "fuzz/fuzz.h"

namespace {

constexpr size_t kFooter = 128;

template <class T>
T load(const std::vector<uint8_t>& file, size_t from_end) {
  T value;
  std::memcpy(&value, file.data() + file.size() - from_end, sizeof(T));
  return value;
}

void store(std::vector<uint8_t>& file, size_t from_end, uint32_t value) {
  std::memcpy(file.data() + file.size() - from_end, &value, sizeof(value));
}

uint32_t checksum(const std::vector<uint8_t>& file, size_t from_end, size_t bytes) {
  return ingot::crc32c(std::as_bytes(std::span(file)).subspan(file.size() - from_end, bytes));
}

void mend(std::vector<uint8_t>& file) {
  const auto documents = load<uint64_t>(file, 104);
  if (documents <= (file.size() - kFooter) / 16) {
    const auto tables = static_cast<size_t>(documents) * 16;
    store(file, 76, checksum(file, kFooter + tables, tables));
  }
  store(file, 4, checksum(file, kFooter, kFooter - 4));
}

void read_all(const std::string& path) {
  const ingot::data::ShardReader shard(path);
  const int64_t documents = shard.info().documents;
  for (int64_t i = 0; i < documents; ++i) {
    const int64_t start = shard.document_start(i);
    ingot::fuzz::demand(start >= 0 && start < shard.document_start(i + 1));
    ingot::fuzz::demand(shard.document_of(start) == i && shard.document_bytes(i) >= 0);
  }
  std::vector<int32_t> ids(static_cast<size_t>(std::min<int64_t>(shard.tokens(), 1024)));
  shard.read(shard.tokens() - static_cast<int64_t>(ids.size()), ids);
  for (const int32_t id : ids) ingot::fuzz::demand(id >= 0 && id < shard.info().vocab_size);
}

// Not opened through a descriptor of its own: the reader takes a path.
void try_file(const std::vector<uint8_t>& file) {
  static const int descriptor = memfd_create("shard", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const auto size = static_cast<ssize_t>(file.size());
  ingot::fuzz::demand(ftruncate(descriptor, 0) == 0);
  ingot::fuzz::demand(pwrite(descriptor, file.data(), file.size(), 0) == size);
  ingot::fuzz::accepts([] { read_all(path); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  try_file(file);
  if (file.size() < kFooter) return 0;
  mend(file);
  try_file(file);
  return 0;
}
