// SPDX-License-Identifier: Apache-2.0
// The queue between engine and client, alone.
#include "serve/stream.h"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace ingot::serve::stream_test {
namespace {

TEST(Stream, NotifiesWhenItTurnsFromEmptyToNotEmpty) {
  int calls = 0;
  Stream stream(1, 1 << 20, std::make_shared<Doorbell>(), [&] { ++calls; });
  stream.push({});
  stream.push({});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(stream.drain().size(), 2U);
  stream.push({});
  EXPECT_EQ(calls, 2);
  stream.detach();
  EXPECT_EQ(stream.drain().size(), 1U);
  stream.push({});
  EXPECT_EQ(calls, 2);
}

TEST(Stream, IsFullAtItsBoundAndRingsWhenReadAgain) {
  const auto bell = std::make_shared<Doorbell>();
  Stream stream(1, 1000, bell, nullptr);
  EXPECT_FALSE(stream.full());
  Event event;
  event.piece.text.assign(2000, 'x');
  stream.push(std::move(event));
  EXPECT_TRUE(stream.full());
  EXPECT_EQ(stream.drain().size(), 1U);
  EXPECT_FALSE(stream.full());
  bell->wait(-1.0);  // returns at once: drain has rung
}

TEST(Stream, CancelRingsTheEngine) {
  const auto bell = std::make_shared<Doorbell>();
  Stream stream(1, 1000, bell, nullptr);
  std::thread other([&] { stream.cancel(); });
  bell->wait(-1.0);
  EXPECT_TRUE(stream.cancelled());
  other.join();
}

}  // namespace
}  // namespace ingot::serve::stream_test
