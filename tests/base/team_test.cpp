// SPDX-License-Identifier: Apache-2.0
#include "base/team.h"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numeric>

#include <sys/resource.h>

#include "base/message_of.h"

namespace ingot::team_test {
namespace {

using testing::message_of;

TEST(Team, RunCallsEveryWorkerOnce) {
  for (const int workers : {1, 2, 3, 8}) {
    Team team(workers);
    EXPECT_EQ(team.size(), workers);
    std::vector<int> calls(static_cast<size_t>(workers), 0);
    team.run([&](int worker) { ++calls[static_cast<size_t>(worker)]; });
    EXPECT_EQ(calls, std::vector<int>(static_cast<size_t>(workers), 1));
  }
}

TEST(Team, TilesAreEachDoneOnceForAnyCount) {
  for (const int workers : {1, 2, 3, 8}) {
    Team team(workers);
    for (const int64_t tiles : {0, 1, 2, 7, 100}) {
      std::vector<int> done(static_cast<size_t>(tiles), 0);
      team.tiles(tiles, false, [&](int64_t tile) { ++done[static_cast<size_t>(tile)]; });
      EXPECT_EQ(done, std::vector<int>(static_cast<size_t>(tiles), 1)) << workers << " workers";
    }
  }
}

TEST(Team, SerialTilesStayOnTheCallingThread) {
  Team team(3);
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<int64_t> order;
  team.tiles(5, true, [&](int64_t tile) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    order.push_back(tile);
  });
  EXPECT_EQ(order, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST(Team, ResultsOfARunAreVisibleAfterIt) {
  Team team(4);
  std::vector<int64_t> cells(4, 0);
  constexpr int64_t kRounds = 2000;
  for (int64_t round = 1; round <= kRounds; ++round) {
    team.run([&](int worker) { cells[static_cast<size_t>(worker)] += round; });
    ASSERT_EQ(std::accumulate(cells.begin(), cells.end(), int64_t{0}), 4 * round * (round + 1) / 2);
  }
}

TEST(Team, BarrierSeparatesPhases) {
  for (const int workers : {1, 2, 3, 8}) {
    Team team(workers);
    const auto count = static_cast<size_t>(workers);
    std::vector<int> first(count, 0);
    std::atomic<int> wrong{0};
    for (int round = 1; round <= 200; ++round) {
      team.run([&](int worker) {
        first[static_cast<size_t>(worker)] = round;
        team.barrier();
        for (const int value : first) wrong += value != round;
        team.barrier();
      });
    }
    EXPECT_EQ(wrong.load(), 0) << workers << " workers";
  }
}

TEST(Team, SleepingWorkersWakeUp) {
  // Far more pause than the spin: the workers are asleep when the next region starts.
  Team team(2);
  std::atomic<int64_t> sum{0};
  for (int round = 0; round < 20; ++round) {
    std::atomic<int64_t> burn{0};
    for (int64_t i = 0; i < 200'000; ++i) burn.fetch_add(i, std::memory_order_relaxed);
    team.run([&](int worker) { sum += worker + 1; });
  }
  EXPECT_EQ(sum.load(), 20 * 3);
}

TEST(Team, FlushesDenormalsOnEveryWorker) {
  Team team(3);
  std::vector<float> halves(3, 1.0F);
  team.run([&](int worker) {
    volatile float tiny = std::numeric_limits<float>::min();
    halves[static_cast<size_t>(worker)] = tiny * 0.5F;
  });
#if defined(__SSE2__) || defined(__aarch64__)
  EXPECT_EQ(halves, (std::vector<float>{0.0F, 0.0F, 0.0F}));
#endif
}

TEST(Team, CountsPageFaultsOfItsThreads) {
  Team team(2);
  const int64_t before = team.page_faults();
  constexpr size_t kBytes = size_t{8} << 20;
  std::unique_ptr<volatile char[]> memory(new volatile char[kBytes]);
  team.run([&](int worker) {
    const size_t half = kBytes / 2;
    for (size_t i = 0; i < half; i += 4096) memory[static_cast<size_t>(worker) * half + i] = 1;
  });
  EXPECT_GT(team.page_faults(), before);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// A team larger than the address space left has room for.
[[noreturn]] void start_too_many() {
  const rlimit limit{int64_t{256} << 20, int64_t{256} << 20};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
  const std::string message = message_of([] { Team team(1024); });
  std::fprintf(stderr, "%s\n", message.c_str());
  std::_Exit(0);
}

TEST(TeamDeathTest, AThreadThatCannotStartEndsInAnError) {
  EXPECT_EXIT(start_too_many(), ::testing::ExitedWithCode(0),
              "threads: the system started [0-9]+ of 1024 workers .*ulimit -v allows 262144 KiB of "
              "addresses.*threads=[0-9]+ would do");
}
#endif

TEST(Team, RefusesImpossibleSizes) {
  EXPECT_EQ(message_of([] { Team team(0); }),
            "threads: 0 workers asked for, 1 to 1024 are possible");
  EXPECT_EQ(message_of([] { Team team(1025); }),
            "threads: 1025 workers asked for, 1 to 1024 are possible");
}

}  // namespace
}  // namespace ingot::team_test
