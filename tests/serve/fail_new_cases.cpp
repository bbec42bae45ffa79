// SPDX-License-Identifier: Apache-2.0
// Replaces operator new of this test program by one that can be made to fail, in a file of its own
// so that the compiler does not pair inlined calls of one side with the other.
#include <atomic>
#include <cstdlib>
#include <new>

#include "serve/fail_new.h"

namespace {
std::atomic<size_t> fails_from{0};  // 0: nothing fails
std::atomic<bool> failed{false};
thread_local bool is_spared = false;
}  // namespace

void ingot::testing::fail_next_new(size_t size) {
  is_spared = true;
  failed = false;
  fails_from = size;
}
bool ingot::testing::has_failed_new() { return failed; }

void* operator new(size_t size) {
  size_t from = fails_from.load(std::memory_order_relaxed);
  if (from != 0 && size >= from && !is_spared && fails_from.compare_exchange_strong(from, 0)) {
    failed = true;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// stable_sort asks through this one and frees through the plain delete.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
