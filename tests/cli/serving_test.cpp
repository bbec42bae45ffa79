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

TEST(CacheNote, SaysWhatACapHasMadeOfTheCache) {
  EXPECT_EQ(cache_note(7 * kMib, 64 * kMib, 32 * kMib), "KV cache: 7.0 of 64.0 MiB (memory=32MiB)");
  EXPECT_EQ(cache_note(kMib / 2, kMib, 28 * kMib + kMib / 2),
            "KV cache: 0.5 of 1.0 MiB (memory=28.5MiB)");
  EXPECT_EQ(cache_note(64 * kMib, 64 * kMib, 32 * kMib), "");
}

}  // namespace
}  // namespace ingot::cli::serving_test
