// SPDX-License-Identifier: Apache-2.0
// How often this test program called operator new so far (count_new_cases.cpp counts). Used to
// prove that a loop allocates nothing.
#pragma once

#include <cstdint>

namespace ingot::data {
int64_t allocation_count();
}  // namespace ingot::data
