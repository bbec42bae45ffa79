// SPDX-License-Identifier: Apache-2.0
// Seats and pages alone: no thread, no decoder; a text is paused by saying so.
#include "serve/seats.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/fake_model.h"

namespace ingot::serve::seats_test {
namespace {

using testing::FakeTokenizer;

const FakeTokenizer kTokenizer;

/// Pages of 4 tokens, `pages` of them; a full context has 4.
class Room {
 public:
  explicit Room(int64_t max_batch, int64_t pages = 64)
      : spec_{}, seats(make_spec(pages), max_batch, 10.0, metrics) {}

  /// Waits with a prompt of `tokens` and asks for 2 more.
  Work& add(int64_t tokens) {
    models::GenerateOptions options;
    options.max_tokens = 2;
    models::Sequence text(std::vector<int32_t>(static_cast<size_t>(tokens), 'p'), options,
                          kTokenizer, spec_);
    auto work = std::make_unique<Work>(std::move(text), nullptr);
    work->order = next_++;
    Work& added = *work;
    seats.add(std::move(work));
    return added;
  }
  /// Runs the pending tokens of a seated text.
  void compute(Work& work) { work.text.append_rows(work.slot, work.text.pending(), 1, rows_); }
  static std::string orders(const auto& works) {
    std::string all;
    for (const WorkPtr& work : works) all += std::to_string(work->order);
    return all;
  }
  [[nodiscard]] std::string running() { return orders(seats.running()); }
  [[nodiscard]] std::string waiting() { return orders(seats.waiting()); }

 private:
  const models::DecoderSpec& make_spec(int64_t pages) {
    spec_.vocab = 264;
    spec_.context = 16;
    spec_.page_tokens = 4;
    spec_.pages = pages;
    spec_.max_sequences = 8;
    spec_.max_rows = 64;
    return spec_;
  }
  models::DecoderSpec spec_;
  std::vector<models::DecodeRow> rows_;
  int64_t next_ = 0;

 public:
  Metrics metrics;
  Seats seats;
};

TEST(Seats, APausedTextGivesItsSeatUpAndComesBackInItsOrder) {
  Room room(2);
  Work& first = room.add(5);
  Work& second = room.add(5);
  room.add(5);
  room.add(5);
  room.seats.admit();
  room.compute(second);
  EXPECT_EQ(room.running() + " " + room.waiting(), "01 23");
  second.paused_s = 7.0;
  const std::vector<int32_t> pages = second.pages;
  room.seats.admit();
  EXPECT_EQ(room.running() + " " + room.waiting(), "02 13");
  second.paused_s = -1.0;
  room.seats.admit();
  EXPECT_EQ(room.running() + " " + room.waiting(), "02 13") << "no seat is free";
  first.text.cancel(models::FinishReason::kCancelled);
  room.seats.sweep();
  room.seats.admit();
  EXPECT_EQ(room.running() + " " + room.waiting(), "12 3");
  EXPECT_EQ(second.pages, pages);
  EXPECT_EQ(second.text.cached(), 5) << "nobody needed its pages";
  EXPECT_EQ(&room.seats.owner(second.slot), &second);
  EXPECT_EQ(room.metrics.preemptions, 0);
}

TEST(Seats, APausedTextKeepsItsSeatWhileNobodyReadyWaits) {
  Room room(2);
  Work& first = room.add(5);
  room.add(5);
  Work& third = room.add(5);
  room.seats.admit();
  first.paused_s = 7.0;
  third.paused_s = 7.0;  // another choice of the same request
  room.seats.admit();
  EXPECT_EQ(room.running() + " " + room.waiting(), "01 2");
}

TEST(Seats, WhoIsSetAsidePaysForThoseWhoRun) {
  Room room(1, 4);
  Work& paused = room.add(10);  // 3 pages
  room.seats.admit();
  room.compute(paused);
  paused.paused_s = 7.0;
  Work& other = room.add(4);  // 1 page
  room.seats.admit();
  EXPECT_EQ(room.running() + " " + room.waiting(), "1 0");
  EXPECT_EQ(room.seats.pages_used(), 4);
  EXPECT_EQ(paused.text.cached(), 10);
  room.compute(other);
  EXPECT_TRUE(room.seats.grow(0));
  EXPECT_EQ(room.seats.pages_used(), 2);
  EXPECT_EQ(paused.text.cached(), 0);
  EXPECT_EQ(room.metrics.recomputed_tokens, 10);
  paused.paused_s = -1.0;
  other.text.cancel(models::FinishReason::kCancelled);
  EXPECT_EQ(room.seats.sweep(), 1) << "the engine never said that it ran";
  room.seats.admit();
  EXPECT_EQ(room.running(), "0");
  EXPECT_EQ(paused.pages.size(), 3U);
}

TEST(Seats, ATextThatEndsWhileSetAsideGivesItsPagesBack) {
  Room room(1);
  Work& paused = room.add(10);
  room.seats.admit();
  paused.paused_s = 7.0;
  room.add(4);
  room.seats.admit();
  EXPECT_EQ(room.seats.pages_used(), 4);
  paused.text.cancel(models::FinishReason::kCancelled);
  room.seats.sweep();
  EXPECT_EQ(room.seats.pages_used(), 1);
  EXPECT_EQ(room.running() + room.waiting(), "1");
}

}  // namespace
}  // namespace ingot::serve::seats_test
