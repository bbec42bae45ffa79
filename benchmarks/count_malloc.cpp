// SPDX-License-Identifier: Apache-2.0
#include "count_malloc.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
// The C library's own names for what is replaced below.
void* __libc_malloc(size_t size) noexcept;
void* __libc_calloc(size_t count, size_t size) noexcept;
void* __libc_realloc(void* old, size_t size) noexcept;
void* __libc_memalign(size_t alignment, size_t size) noexcept;
}

namespace {

constinit std::atomic<int64_t> calls{0};

void count() { calls.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

extern "C" {

void* malloc(size_t size) noexcept {
  count();
  return __libc_malloc(size);
}

void* calloc(size_t number, size_t size) noexcept {
  count();
  return __libc_calloc(number, size);
}

void* realloc(void* old, size_t size) noexcept {
  count();
  return __libc_realloc(old, size);
}

void* memalign(size_t alignment, size_t size) noexcept {
  count();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) noexcept {
  count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  count();
  void* memory = __libc_memalign(alignment, size);
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}

}  // extern "C"

namespace ingot::bench {

int64_t malloc_calls() { return calls.load(std::memory_order_relaxed); }

}  // namespace ingot::bench
