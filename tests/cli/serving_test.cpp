// SPDX-License-Identifier: Apache-2.0
// What the KV cache may take. Opening, serving and the log: tests/flows/serve.test.
#include "cli/serving.h"

#include <gtest/gtest.h>

namespace ingot::cli::serving_test {
namespace {

constexpr int64_t kMib = 1 << 20;

TEST(CacheBytes, AreThoseAskedForWhereNoMemoryIsGiven) {
  EXPECT_EQ(cache_bytes(512, 0, 0), 512 * kMib);
  EXPECT_EQ(cache_bytes(1 << 20, 0, 4096 * kMib), kMib * kMib) << "however large the machine is";
}

TEST(CacheBytes, AreAtMostAQuarterOfWhatIsLeftUnderACap) {
  EXPECT_EQ(cache_bytes(512, 4096 * kMib, 0), 512 * kMib);
  EXPECT_EQ(cache_bytes(512, 1100 * kMib, 100 * kMib), 250 * kMib);
  EXPECT_EQ(cache_bytes(512, 100 * kMib, 200 * kMib), 0);
}

}  // namespace
}  // namespace ingot::cli::serving_test
