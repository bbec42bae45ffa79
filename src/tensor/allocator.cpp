// SPDX-License-Identifier: Apache-2.0
#include "tensor/allocator.h"

#include <algorithm>
#include <cstring>

#include <sys/mman.h>

#include "base/error.h"
#include "base/machine.h"

namespace ingot {
namespace {

constexpr int64_t kAlign = 64;
constexpr int64_t kHugePage = 2 << 20;
#ifdef INGOT_POISON
constexpr int64_t kRedZone = 64;
constexpr int kRedByte = 0xA5;
#else
constexpr int64_t kRedZone = 0;
#endif

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

}  // namespace

void fail_refused(int64_t bytes) {
  fail(Code::kOutOfMemory,
       "memory: the system refused {} bytes ({}). Set memory= below what it has, so that what fits "
       "is known before, or lower what takes it: train.micro_batch, threads, predict.batch, "
       "serve.kv_mib",
       bytes, scarcity());
}

std::byte* map_pages(int64_t bytes) {
  void* p = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) fail_refused(bytes);
  madvise(p, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  return static_cast<std::byte*>(p);
}

void unmap_pages(std::byte* data, int64_t bytes) { munmap(data, static_cast<size_t>(bytes)); }

// Quarter steps between powers of two up to 1 MiB, then 2 MiB steps.
int64_t Allocator::block_bytes(int64_t bytes) {
  if (bytes <= kAlign) return kAlign;
  if (bytes > (1 << 20)) return round_up(bytes, kHugePage);
  int64_t power = kAlign;
  while (power * 2 < bytes) power *= 2;
  return round_up(bytes, std::max<int64_t>(kAlign, power / 4));
}

std::byte* Allocator::allocate(int64_t bytes) {
  INGOT_ASSERT(bytes >= 0);
  ++calls_;
  const int64_t size = block_bytes(bytes + kRedZone);
  std::byte* data = nullptr;
  if (auto& blocks = free_[size]; !blocks.empty()) {
    data = blocks.back();
    blocks.pop_back();
  } else {
    if (limit_ > 0 && held_ + outside_ + size > limit_) trim();
    require(
        limit_ == 0 || held_ + outside_ + size <= limit_, Code::kOutOfMemory,
        "memory: {} bytes are held and {} more are needed, the cap is {}. Raise it, to go on from "
        "here to memory={} at least (in C++ RuntimeOptions::memory_bytes), or lower what takes it: "
        "the batch (train.micro_batch, predict.batch, FitOptions::batch) or serve.kv_mib",
        held_ + outside_, size, limit_, held_ + outside_ + size);
    if (size >= kHugePage) {
      data = map_pages(size);
    } else {
      data = static_cast<std::byte*>(std::aligned_alloc(kAlign, static_cast<size_t>(size)));
      if (data == nullptr) fail_refused(size);
    }
    held_ += size;
  }
  live_ += size;
  peak_ = std::max(peak_, live_);
#ifdef INGOT_POISON
  std::memset(data, 0xFF, static_cast<size_t>(bytes));  // a NaN in every float dtype
  std::memset(data + bytes, kRedByte, static_cast<size_t>(kRedZone));
#endif
  return data;
}

void Allocator::release(std::byte* data, int64_t bytes) {
#ifdef INGOT_POISON
  for (int64_t i = 0; i < kRedZone; ++i) {
    INGOT_ASSERT(data[bytes + i] == std::byte{kRedByte});
  }
#endif
  const int64_t size = block_bytes(bytes + kRedZone);
  free_[size].push_back(data);
  live_ -= size;
}

void Allocator::trim() {
  for (auto& [size, blocks] : free_) {
    for (std::byte* data : blocks) {
      if (size >= kHugePage) {
        unmap_pages(data, size);
      } else {
        std::free(data);
      }
    }
    held_ -= size * static_cast<int64_t>(blocks.size());
    blocks.clear();
  }
}

Allocator::~Allocator() { trim(); }

}  // namespace ingot
