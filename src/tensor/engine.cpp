// SPDX-License-Identifier: Apache-2.0
#include "tensor/engine.h"

#include <algorithm>

#include <sys/mman.h>

namespace ingot {
namespace {

constexpr int64_t kReserve = int64_t{1} << 38;  // addresses, not memory
constexpr int64_t kPage = 4096;

}  // namespace

Engine::Engine(Team& team, Options options)
    : team_(team), options_(options), allocator_(options.memory_bytes) {
  step_counter_ = reinterpret_cast<int64_t*>(allocator_.allocate(sizeof(int64_t)));
  *step_counter_ = 0;
}

Engine::~Engine() {
  allocator_.release(reinterpret_cast<std::byte*>(step_counter_), sizeof(int64_t));
  if (slab_ != nullptr) unmap_pages(slab_, slab_reserved_);
}

void Engine::begin_trace(Trace& trace) {
  require(trace_ == nullptr, Code::kInternal, "engine: a step is already being recorded");
  trace_ = &trace;
}

void Engine::end_trace() { trace_ = nullptr; }

void Engine::trim() {
  allocator_.trim();
  if (slab_ != nullptr) madvise(slab_, static_cast<size_t>(slab_used_), MADV_DONTNEED);
  slab_used_ = 0;
  allocator_.set_outside_bytes(0);
}

std::byte* Engine::slab(int64_t bytes) {
  const int64_t cap = options_.memory_bytes;
  if (cap > 0 && allocator_.held_bytes() + bytes > cap) allocator_.trim();
  require(cap == 0 || allocator_.held_bytes() + bytes <= cap, Code::kOutOfMemory,
          "memory: the step needs a slab of {} bytes beside {} bytes of parameters and state; the "
          "cap is {}. Raise it to memory={} at least (in C++ RuntimeOptions::memory_bytes), or "
          "lower the batch (train.micro_batch, FitOptions::batch)",
          bytes, allocator_.held_bytes(), cap, allocator_.held_bytes() + bytes);
  if (slab_ == nullptr) {
    // No plan takes more than the cap; strict systems, and a limit of addresses, give less.
    int64_t size = std::max(cap > 0 ? std::min(cap, kReserve) : kReserve, bytes);
    while (slab_ == nullptr) {
      try {
        slab_ = map_pages(size);
        slab_reserved_ = size;
      } catch (const Error&) {
        if (size == bytes) throw;
        size = std::max(size / 2, bytes);
      }
    }
  }
  require(bytes <= slab_reserved_, Code::kOutOfMemory, "memory: a slab of {} bytes is too large",
          bytes);
  if (bytes > slab_used_) {
#ifdef MADV_POPULATE_WRITE
    const int64_t from = slab_used_ / kPage * kPage;
    const int64_t to = (bytes + kPage - 1) / kPage * kPage;
    madvise(slab_ + from, static_cast<size_t>(to - from), MADV_POPULATE_WRITE);
#endif
    slab_used_ = bytes;
    allocator_.set_outside_bytes(bytes);
  }
  return slab_;
}

}  // namespace ingot
