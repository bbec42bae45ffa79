// SPDX-License-Identifier: Apache-2.0
#include "base/signals.h"

#include <csignal>
#include <cstdlib>

#include "base/message_of.h"

namespace ingot::signals_test {
namespace {

TEST(StopFlag, IsSetAndCleared) {
  StopFlag flag;
  EXPECT_FALSE(flag.requested());
  flag.request();
  EXPECT_TRUE(flag.requested());
  flag.clear();
  EXPECT_FALSE(flag.requested());
}

TEST(StopFlag, EndsLongWorkBetweenItsPieces) {
  StopFlag flag;
  throw_if_stopped(nullptr);
  throw_if_stopped(&flag);
  flag.request();
  const auto stop = [&] { throw_if_stopped(&flag); };
  EXPECT_EQ(testing::message_of(stop), "stopped by a signal");
  EXPECT_EQ(testing::code_of(stop), "cancelled");
}

TEST(StopSignals, FirstSignalSetsTheFlag) {
  for (const int number : {SIGINT, SIGTERM}) {
    StopFlag flag;
    StopSignals signals(flag);
    EXPECT_EQ(signals.signal_number(), 0);
    std::raise(number);
    EXPECT_TRUE(flag.requested());
    EXPECT_EQ(signals.signal_number(), number);
  }
}

TEST(StopSignalsDeathTest, SecondSignalOfAnyKindKills) {
  const auto two_signals = [] {
    StopFlag flag;
    StopSignals signals(flag);
    std::raise(SIGINT);
    std::raise(SIGTERM);
  };
  EXPECT_EXIT(two_signals(), ::testing::KilledBySignal(SIGTERM), "");
}

TEST(StopSignalsDeathTest, DefaultActionsComeBack) {
  {
    StopFlag flag;
    StopSignals signals(flag);
  }
  EXPECT_EXIT(std::raise(SIGTERM), ::testing::KilledBySignal(SIGTERM), "");
}

TEST(StopSignalsDeathTest, AFileThatGrowsTooLargeEndsAWriteAlone) {
  EXPECT_EXIT(std::raise(SIGXFSZ), ::testing::KilledBySignal(SIGXFSZ), "");
  const auto outlived = [] {
    ignore_file_size_signal();
    {
      StopFlag flag;
      StopSignals signals(flag);
    }
    std::raise(SIGXFSZ);
    std::_Exit(7);
  };
  EXPECT_EXIT(outlived(), ::testing::ExitedWithCode(7), "");
}

TEST(StopSignals, OnlyOneAtATime) {
  StopFlag flag;
  StopSignals signals(flag);
  EXPECT_EQ(testing::message_of([&] { StopSignals second(flag); }),
            "signals: the handlers are already installed; use the one StopSignals of the process");
}

}  // namespace
}  // namespace ingot::signals_test
