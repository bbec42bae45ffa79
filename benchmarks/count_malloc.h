// SPDX-License-Identifier: Apache-2.0
// Counts every heap allocation of the process (malloc, calloc, realloc, aligned forms, and so
// operator new, which calls malloc), by standing in front of the C library's. Linking
// count_malloc.cpp into a program turns it on; glibc only.
#pragma once

#include <cstdint>

namespace ingot::bench {

/// Allocations since the program started, all threads.
[[nodiscard]] int64_t malloc_calls();

}  // namespace ingot::bench
