// SPDX-License-Identifier: Apache-2.0
// The folder of published data sets that tests may read. Used by the tests of data/formats only.
#pragma once

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

/// Declares `name`, the folder, or skips the test when the environment names none.
#define INGOT_NEED_DATA(name)                                                \
  const char* const name##_value = std::getenv("INGOT_DATA_DIR");            \
  if (name##_value == nullptr) {                                             \
    GTEST_SKIP() << "INGOT_DATA_DIR names no folder of published data sets"; \
  }                                                                          \
  const std::string name(name##_value)
