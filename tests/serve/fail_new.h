// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ingot::testing {

/// The next allocation of `size` bytes or more on another thread than the caller's throws
/// std::bad_alloc, once. 0: none does any more.
void fail_next_new(size_t size);
/// True when that has happened.
[[nodiscard]] bool has_failed_new();

}  // namespace ingot::testing
