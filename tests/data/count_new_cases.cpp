// SPDX-License-Identifier: Apache-2.0
// Replaces operator new of this test program by one that counts, in a file of its own so that the
// compiler does not pair inlined calls of one side with the other.
#include <atomic>
#include <cstdlib>
#include <new>

#include "data/count_new.h"

namespace {
std::atomic<int64_t> allocations{0};
}

int64_t ingot::data::allocation_count() { return allocations; }

void* operator new(size_t size) {
  allocations += 1;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// stable_sort asks through this one and frees through the plain delete.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  allocations += 1;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
