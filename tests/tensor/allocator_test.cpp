// SPDX-License-Identifier: Apache-2.0
// Size classes, reuse, the cap and its message; and, in builds with INGOT_POISON, the patterns that
// catch reads of fresh memory and writes behind a block.
#include "tensor/allocator.h"

#include <cstring>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/message_of.h"
#include "tensor/tensor.h"

namespace ingot::testing::allocator_test {
namespace {

#ifdef INGOT_POISON
constexpr int64_t kRedZone = 64;
#else
constexpr int64_t kRedZone = 0;
#endif

/// What a block of `bytes` takes.
int64_t taken(int64_t bytes) {
  Allocator a;
  std::byte* p = a.allocate(bytes - kRedZone);
  const int64_t live = a.live_bytes();
  a.release(p, bytes - kRedZone);
  return live;
}

TEST(Allocator, SizeClassesAreQuarterStepsThenHugePages) {
  EXPECT_EQ(taken(64), 64);
  EXPECT_EQ(taken(65), 128);
  EXPECT_EQ(taken(128), 128);
  EXPECT_EQ(taken(1024), 1024);
  EXPECT_EQ(taken(1025), 1280);
  EXPECT_EQ(taken(1281), 1536);
  EXPECT_EQ(taken(1 << 20), 1 << 20);
  EXPECT_EQ(taken((1 << 20) + 1), 2 << 20);
  EXPECT_EQ(taken((4 << 20) + 1), 6 << 20);
}

TEST(Allocator, WastesAtMostAQuarterAndAlignsTo64Bytes) {
  Allocator a;
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const auto bytes = static_cast<int64_t>(256 + random() % (1 << 20));
    std::byte* p = a.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 64, 0U);
    EXPECT_GE(a.live_bytes(), bytes);
    EXPECT_LE(a.live_bytes(), (bytes + kRedZone) * 5 / 4 + 64);
    a.release(p, bytes);
  }
  EXPECT_EQ(a.live_bytes(), 0);
}

TEST(Allocator, LiveBlocksNeverOverlap) {
  Allocator a;
  std::mt19937 random(4);
  struct Live {
    std::byte* data;
    int64_t bytes;
    std::byte mark;
  };
  std::vector<Live> live;
  const auto check_and_release = [&](size_t i) {
    const Live b = live[i];
    for (int64_t k = 0; k < b.bytes; ++k) ASSERT_EQ(b.data[k], b.mark);
    a.release(b.data, b.bytes);
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
  };
  for (int i = 0; i < 2000; ++i) {
    if (live.size() > 20 || (!live.empty() && random() % 3 == 0)) {
      check_and_release(random() % live.size());
      continue;
    }
    const auto bytes = static_cast<int64_t>(random() % 3000);
    live.push_back({a.allocate(bytes), bytes, static_cast<std::byte>(random())});
    if (bytes > 0) std::memset(live.back().data, static_cast<int>(live.back().mark), bytes);
  }
  while (!live.empty()) check_and_release(0);
  EXPECT_EQ(a.live_bytes(), 0);
  EXPECT_GT(a.held_bytes(), 0) << "memory is kept for the next step";
}

TEST(Allocator, ReusesReleasedBlocksOfTheSameClass) {
  Allocator a;
  std::byte* first = a.allocate(1000);
  a.release(first, 1000);
  const int64_t held = a.held_bytes();
  std::byte* second = a.allocate(970);
  EXPECT_EQ(second, first);
  EXPECT_EQ(a.held_bytes(), held);
  EXPECT_EQ(a.calls(), 2);
  EXPECT_EQ(a.peak_bytes(), held);
  a.release(second, 970);
}

TEST(Allocator, TheCapIsKeptAndNamed) {
  Allocator a(4096);
  std::byte* p = a.allocate(3072 - kRedZone);
  EXPECT_EQ(code_of([&] { (void)a.allocate(2048 - kRedZone); }), "out_of_memory");
  EXPECT_EQ(
      message_of([&] { (void)a.allocate(2048 - kRedZone); }),
      "memory: 3072 bytes are held and 2048 more are needed, the cap is 4096. Raise it, to go on "
      "from here to memory=5120 at least (in C++ RuntimeOptions::memory_bytes), or lower what "
      "takes it: the batch (train.micro_batch, predict.batch, FitOptions::batch) or serve.kv_mib");
  Allocator enough(5120);
  std::byte* first = enough.allocate(3072 - kRedZone);
  std::byte* second = enough.allocate(2048 - kRedZone);
  enough.release(first, 3072 - kRedZone);
  enough.release(second, 2048 - kRedZone);
  std::byte* q = a.allocate(1024 - kRedZone);  // what still fits is still given
  a.release(p, 3072 - kRedZone);
  a.release(q, 1024 - kRedZone);
}

TEST(Allocator, CachedBlocksGoBackBeforeABlockIsRefused) {
  Allocator a(4096);
  std::byte* p = a.allocate(3072 - kRedZone);
  a.release(p, 3072 - kRedZone);
  EXPECT_EQ(a.held_bytes(), 3072);
  std::byte* q = a.allocate(2048 - kRedZone);  // 3072 cached and 2048 are over the cap
  EXPECT_EQ(a.held_bytes(), 2048);
  a.release(q, 2048 - kRedZone);
  a.trim();
  EXPECT_EQ(a.held_bytes(), 0);
}

TEST(Allocator, TheSlabCountsUnderTheCap) {
  constexpr int64_t kCap = 1 << 20;
  Team team(1);
  Engine engine(team, {1, kCap});
  (void)engine.slab(kCap / 2);
  const std::string message = message_of([&] { (void)Tensor::empty(engine, {kCap / 2 / 4}); });
  EXPECT_NE(message.find("the cap is 1048576"), std::string::npos) << message;
  engine.trim();
  EXPECT_EQ(engine.slab_bytes(), 0);
  (void)Tensor::empty(engine, {kCap / 2 / 4});
  EXPECT_EQ(code_of([&] { (void)engine.slab(kCap * 2); }), "out_of_memory");
  const std::string held = std::to_string(engine.allocator().held_bytes());
  const std::string needed = std::to_string(engine.allocator().held_bytes() + kCap * 2);
  EXPECT_EQ(message_of([&] { (void)engine.slab(kCap * 2); }),
            "memory: the step needs a slab of 2097152 bytes beside " + held +
                " bytes of parameters and state; the cap is 1048576. Raise it to memory=" + needed +
                " at least (in C++ RuntimeOptions::memory_bytes), or lower the batch "
                "(train.micro_batch, FitOptions::batch)");
  (void)engine.slab(kCap - 4096);  // the cached tensor gives way
}

/// Addresses of this process in use, from the kernel.
int64_t address_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  file >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// Under `ulimit -v` addresses are what is scarce.
TEST(Allocator, ACappedSlabReservesNoMoreAddressesThanTheCap) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  constexpr int64_t kCap = 64 << 20, kBeside = 4 << 20;
  Team team(1);
  const int64_t before = address_bytes();
  ASSERT_GT(before, 0);
  Engine capped(team, {1, kCap});
  (void)capped.slab(1 << 20);
  EXPECT_LE(address_bytes() - before, kCap + kBeside);
  Engine open(team, {1, 0});
  (void)open.slab(1 << 20);
  EXPECT_GT(address_bytes() - before, 4 * kCap);
}

TEST(Allocator, ARefusalOfTheSystemSaysWhatToChange) {
  constexpr int64_t kMoreThanAddresses = int64_t{1} << 60;
  const std::string message = message_of([] { (void)map_pages(kMoreThanAddresses); });
  EXPECT_EQ(message, "memory: the system refused 1152921504606846976 bytes (" + scarcity() +
                         "). Set memory= below what it has, so that what fits is known before, or "
                         "lower what takes "
                         "it: train.micro_batch, threads, predict.batch, serve.kv_mib");
  EXPECT_EQ(code_of([] { (void)map_pages(kMoreThanAddresses); }), "out_of_memory");
}

#ifdef INGOT_POISON
TEST(AllocatorPoison, FreshMemoryIsNaNAndRedZonesAreChecked) {
  Team team(1);
  Engine engine(team);
  for (const float x : Tensor::empty(engine, {33}).to_vector<float>()) EXPECT_TRUE(x != x);
  Allocator a;
  std::byte* p = a.allocate(100);
  p[100] = std::byte{0};
  EXPECT_EQ(code_of([&] { a.release(p, 100); }), "internal");
  p[100] = std::byte{0xA5};  // as it was
  a.release(p, 100);
}
#endif

}  // namespace
}  // namespace ingot::testing::allocator_test
