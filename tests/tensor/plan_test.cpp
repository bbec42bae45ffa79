// SPDX-License-Identifier: Apache-2.0
// Recording and replaying: packing by lifetimes against brute force, parts, forecasts, profiles,
// values after the run, and what a step being recorded refuses.
#include "tensor/plan.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/message_of.h"
#include "base/signals.h"
#include "kernels/elementwise.h"
#include "tensor/tensor.h"

namespace ingot::testing::plan_test {
namespace {

bool alive_at(const Block& b, int64_t call) {
  return b.born <= call && (b.died < 0 || call < b.died);
}

TEST(PackBlocks, BlocksAliveTogetherNeverOverlapAndTheSlabIsTight) {
  constexpr int64_t kCalls = 30;
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<Block> blocks;
    const auto count = static_cast<int64_t>(random() % 40);
    for (int64_t i = 0; i < count; ++i) {
      const auto born = static_cast<int64_t>(random() % kCalls);
      const auto life = static_cast<int64_t>(random() % 8);
      const int64_t died = random() % 10 == 0 ? -1 : std::min(born + life, kCalls);
      blocks.push_back({static_cast<int64_t>(random() % 20) * 64, born, died, 0, nullptr});
    }
    const int64_t total = pack_blocks(blocks);
    int64_t needed = 0, end = 0, sum = 0;
    for (int64_t call = 0; call < kCalls; ++call) {
      int64_t live = 0;
      for (size_t i = 0; i < blocks.size(); ++i) {
        if (!alive_at(blocks[i], call)) continue;
        live += blocks[i].bytes;
        const auto a = static_cast<int64_t>(blocks[i].address);
        for (size_t j = 0; j < i; ++j) {
          if (!alive_at(blocks[j], call)) continue;
          const auto b = static_cast<int64_t>(blocks[j].address);
          ASSERT_TRUE(a + blocks[i].bytes <= b || b + blocks[j].bytes <= a)
              << "blocks " << j << " and " << i << " at call " << call;
        }
      }
      needed = std::max(needed, live);
    }
    for (const Block& b : blocks) {
      end = std::max(end, static_cast<int64_t>(b.address) + b.bytes);
      sum += b.bytes;
      ASSERT_EQ(b.address % 64, 0U);
    }
    EXPECT_EQ(total, end);
    EXPECT_GE(total, needed);
    EXPECT_LE(total, sum);
  }
}

TEST(PackBlocks, MemoryOfTheDeadIsUsedAgain) {
  std::vector<Block> blocks = {
      {128, 0, 2, 0, nullptr}, {128, 2, 4, 0, nullptr}, {64, 1, 3, 0, nullptr}};
  EXPECT_EQ(pack_blocks(blocks), 192);
  EXPECT_EQ(blocks[0].address, blocks[1].address);
}

class PlanTest : public ::testing::Test {
 protected:
  /// x·alpha as a launch of its own.
  Tensor scaled(const Tensor& x, float alpha) {
    Tensor y = Tensor::empty(engine_, x.shape());
    kernels::ScaleAddArgs args;
    args.x = x.data<float>();
    args.dst = y.data<float>();
    args.n = x.size();
    args.alpha = alpha;
    engine_.launch("scale", &kernels::scale_add, args, x.size());
    return y;
  }

  Team team_{1};
  Engine engine_{team_};
  Tensor input_ = Tensor::full(engine_, {1000}, 1.0F);
};

TEST_F(PlanTest, RunsNothingWhileRecordingAndEverythingAtEachRun) {
  Tensor out;
  Plan plan(engine_, [&] { out = scaled(scaled(scaled(input_, 2.0F), 3.0F), 5.0F); });
  EXPECT_EQ(plan.calls(), 3);
  EXPECT_EQ(plan.flops(), 3000);
  const int64_t calls = engine_.allocator().calls();
  plan.run();
  EXPECT_EQ(out.to_vector<float>(), std::vector<float>(1000, 30.0F));
  std::fill_n(input_.data<float>(), 1000, -1.0F);
  plan.run();
  EXPECT_EQ(out.to_vector<float>(), std::vector<float>(1000, -30.0F));
  EXPECT_EQ(engine_.allocator().calls(), calls);
}

TEST_F(PlanTest, AStopIsLookedAtBeforeEveryKernel) {
  StopFlag stop;
  engine_.stop = &stop;
  Tensor out;
  Plan plan(engine_, [&] { out = scaled(input_, 2.0F); });
  plan.run();
  stop.request();
  std::fill_n(input_.data<float>(), 1000, 7.0F);
  EXPECT_EQ(code_of([&] { plan.run(); }), "cancelled");
  EXPECT_EQ(out.to_vector<float>()[0], 2.0F) << "of the run before";
  EXPECT_EQ(code_of([&] { (void)scaled(input_, 2.0F); }), "cancelled");
  EXPECT_EQ(code_of([&] { (void)forecast(engine_, [&] { (void)scaled(input_, 2.0F); }); }),
            "cancelled");
  stop.clear();
  plan.run();
  EXPECT_EQ(out.to_vector<float>()[0], 14.0F);
}

TEST_F(PlanTest, TheSlabHoldsWhatIsAliveTogetherOnly) {
  Tensor out;
  const Plan chain(engine_, [&] {
    out = input_;
    for (int i = 0; i < 50; ++i) out = scaled(out, 1.0F);
  });
  EXPECT_EQ(chain.slab_bytes(), 2 * 4032) << "two of the 51 blocks at any time";
}

TEST_F(PlanTest, PartsRunApart) {
  Tensor a, b, c;
  Plan plan(engine_, [&] {
    a = scaled(input_, 2.0F);
    engine_.trace()->mark();
    b = scaled(a, 3.0F);
    engine_.trace()->mark();
    c = scaled(b, 5.0F);
  });
  plan.run();
  std::fill_n(input_.data<float>(), 1000, 10.0F);
  plan.run(0);
  EXPECT_EQ(a.to_vector<float>()[0], 20.0F);
  EXPECT_EQ(b.to_vector<float>()[0], 6.0F) << "of the first run";
  plan.run(1);
  EXPECT_EQ(b.to_vector<float>()[0], 60.0F);
  EXPECT_EQ(c.to_vector<float>()[0], 30.0F);
  plan.run(2);
  EXPECT_EQ(c.to_vector<float>()[0], 300.0F);
}

TEST_F(PlanTest, AForecastIsWhatThePlanTakesAndTouchesNoMemory) {
  Tensor kept;
  const auto step = [&] {
    Tensor x = scaled(input_, 2.0F);
    for (int i = 0; i < 5; ++i) x = scaled(x, 0.5F);
    kept = x;
  };
  const int64_t calls = engine_.allocator().calls(), slab = engine_.slab_bytes();
  const Forecast f = forecast(engine_, step);
  EXPECT_EQ(engine_.allocator().calls(), calls);
  EXPECT_EQ(engine_.slab_bytes(), slab);
  const Plan plan(engine_, step);
  EXPECT_EQ(f.slab_bytes, plan.slab_bytes());
  EXPECT_EQ(f.flops, plan.flops());
  EXPECT_EQ(f.calls, plan.calls());
}

TEST_F(PlanTest, ViewsOfPlannedMemoryPointIntoIt) {
  Tensor out, tail;
  Plan plan(engine_, [&] {
    const Tensor x = scaled(input_, 3.0F);
    out = scaled(x.strided({10}, {1}, 990), 2.0F);
    tail = x.strided({10}, {1}, 990);
  });
  for (int i = 0; i < 1000; ++i) input_.data<float>()[i] = static_cast<float>(i);
  plan.run();
  EXPECT_EQ(out.to_vector<float>()[9], 999.0F * 6.0F);
  EXPECT_EQ(tail.to_vector<float>()[0], 990.0F * 3.0F);
}

TEST_F(PlanTest, ProfileAndFlopsAreByName) {
  Tensor out;
  Plan plan(engine_, [&] { out = scaled(scaled(input_, 2.0F), 2.0F); });
  EXPECT_EQ(plan.flops_by_name(), (std::map<std::string, int64_t>{{"scale", 2000}}));
  const auto seconds = plan.profile();
  ASSERT_EQ(seconds.size(), 1U);
  EXPECT_GE(seconds.at("scale"), 0.0);
  EXPECT_EQ(out.to_vector<float>()[0], 4.0F) << "a profile is a run";
}

TEST_F(PlanTest, ValuesAreRefusedWhileAStepIsBeingRecorded) {
  const std::string rest =
      ": a tensor's values were asked for while a step is being recorded. Read them after the step "
      "has run";
  const auto inside = [&](const std::function<void()>& body) {
    return message_of([&] { Plan(engine_, body); });
  };
  EXPECT_EQ(inside([&] { (void)input_.to_vector<float>(); }), "to_vector" + rest);
  EXPECT_EQ(inside([&] { (void)Tensor::zeros(engine_, {2}); }), "zeros" + rest);
  EXPECT_EQ(inside([&] { (void)Tensor::full(engine_, {2}, 1.0F); }), "full" + rest);
  EXPECT_EQ(inside([&] { Plan(engine_, [] {}); }), "engine: a step is already being recorded");
  EXPECT_EQ(engine_.trace(), nullptr) << "a failed recording ends";
  EXPECT_EQ(scaled(input_, 2.0F).to_vector<float>()[0], 2.0F);
}

TEST_F(PlanTest, AFailedRecordingLeavesSurvivorsHarmless) {
  Tensor survivor;
  EXPECT_EQ(message_of([&] {
              Plan(engine_, [&] {
                survivor = scaled(input_, 2.0F);
                fail(Code::kNumeric, "stop");
              });
            }),
            "stop");
  const int64_t live = engine_.allocator().live_bytes();
  survivor = Tensor();
  EXPECT_EQ(engine_.allocator().live_bytes(), live);
}

TEST_F(PlanTest, TwoPlansShareOneSlab) {
  Tensor a, b;
  Plan first(engine_, [&] { a = scaled(input_, 2.0F); });
  Plan second(engine_, [&] { b = scaled(scaled(input_, 3.0F), 3.0F); });
  EXPECT_EQ(engine_.slab_bytes(), std::max(first.slab_bytes(), second.slab_bytes()));
  first.run();
  EXPECT_EQ(a.to_vector<float>()[7], 2.0F);
  second.run();
  EXPECT_EQ(b.to_vector<float>()[7], 9.0F);
  first.run();
  EXPECT_EQ(a.to_vector<float>()[7], 2.0F);
}

/// A limit of addresses, so much above those that are taken, for as long as it lives.
class AddressLimit {
 public:
  explicit AddressLimit(rlim_t bytes) {
    getrlimit(RLIMIT_AS, &before_);
    int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE)) + bytes;
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  }
  ~AddressLimit() { setrlimit(RLIMIT_AS, &before_); }
  AddressLimit(const AddressLimit&) = delete;
  AddressLimit& operator=(const AddressLimit&) = delete;

 private:
  rlimit before_{};
};

// The cap is too much, half of it too little.
TEST_F(PlanTest, UnderALimitOfAddressesTheSlabIsWhatIsNeeded) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer takes all addresses for itself";
  constexpr int64_t kMebibyte = int64_t{1} << 20;
  Engine capped(team_, {42, 64 * kMebibyte});
  const AddressLimit limit(50 * kMebibyte);
  EXPECT_EQ(message_of([&] {
              (void)capped.slab(60 * kMebibyte);
            }).substr(0, std::string_view("memory: the system refused 62914560 bytes (").size()),
            "memory: the system refused 62914560 bytes (");
  std::byte* const slab = capped.slab(40 * kMebibyte);
  ASSERT_NE(slab, nullptr);
  slab[40 * kMebibyte - 1] = std::byte{7};
  EXPECT_EQ(capped.slab_bytes(), 40 * kMebibyte);
}

TEST_F(PlanTest, TheCapNamesTheSlab) {
  Engine small(team_, {42, 1 << 16});
  EXPECT_EQ(code_of([&] {
              Tensor y;
              Plan(small, [&] { y = Tensor::empty(small, {1 << 16}); });
            }),
            "out_of_memory");
}

}  // namespace
}  // namespace ingot::testing::plan_test
