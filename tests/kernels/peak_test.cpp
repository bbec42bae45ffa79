// SPDX-License-Identifier: Apache-2.0
// peak.h: the loops compute what they say, count what they do, and a fake clock shows how rates are
// formed. How fast this machine is, no test asserts.
#include "kernels/peak.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/each_target.h"

namespace ingot::kernels::peak_test {
namespace {

// Sums of at most 192 lanes after 100 rounds: a few float roundings of values below 200 each.
constexpr double kSumTolerance = 1e-5;

TEST(Peak, FmaChainsComputeTheRecurrence) {
  for_each_target([] {
    constexpr int64_t kRounds = 100;
    float sum = 0.0F;
    const int64_t flops = fma_chains(kRounds, &sum);
    const int64_t values = flops / (2 * kRounds);
    EXPECT_EQ(flops, 2 * kRounds * values);
    EXPECT_EQ(values % kFmaChains, 0);
    double want = 0.0;
    for (int64_t i = 0; i < values; ++i) {
      double x = static_cast<double>(1 + i);
      for (int64_t r = 0; r < kRounds; ++r) {
        x = x * static_cast<double>(kFmaMul) + static_cast<double>(kFmaAdd);
      }
      want += x;
    }
    EXPECT_NEAR(static_cast<double>(sum), want, kSumTolerance * want);
  });
}

TEST(Peak, StreamsComputeSumAndTriadForAnyLength) {
  for_each_target([] {
    for (const int64_t n : {0, 1, 3, 16, 63, 64, 65, 1001}) {
      const auto size = static_cast<size_t>(n);
      std::vector<float> a(size + 1, -7.0F), b(size), c(size);
      for (size_t i = 0; i < size; ++i) {
        b[i] = static_cast<float>(i);
        c[i] = static_cast<float>(2 * i + 1);
      }
      // Whole numbers below 2^24: float sums are exact.
      EXPECT_EQ(stream_sum(b.data(), n), static_cast<float>(n * (n - 1) / 2));
      stream_triad(a.data(), b.data(), c.data(), 0.5F, n);
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(a[i], b[i] + 0.5F * c[i]) << i;
      EXPECT_EQ(a[size], -7.0F);
    }
  });
}

/// Goes on by one second at every look.
class StepClock : public Clock {
 public:
  double now_s() const override { return now_ += 1.0; }
  double wall_s() const override { return 0.0; }

 private:
  mutable double now_ = 0.0;
};

TEST(Peak, RatesAreWorkOverTime) {
  Team team(2);
  PeakOptions options;
  options.fma_rounds = 10;
  options.bytes = 3 * 4096;
  options.dispatches = 4;
  options.repeats = 2;
  const MachinePeak peak = measure_peak(team, StepClock(), options);
  float sum = 0.0F;
  EXPECT_EQ(peak.fma_flops_per_s, 2.0 * static_cast<double>(fma_chains(10, &sum)));
  EXPECT_EQ(peak.read_bytes_per_s, 3.0 * 4096.0);
  EXPECT_EQ(peak.triad_bytes_per_s, 3.0 * 4096.0);
  EXPECT_EQ(peak.dispatch_s, 0.25);
  EXPECT_EQ(peak.barrier_s, 0.25);
  EXPECT_GT(peak.page_fault_s, 0.0);
}

/// Asks for the stop at its n-th reading.
class StoppingClock : public StepClock {
 public:
  StoppingClock(StopFlag& stop, int reading) : stop_(stop), left_(reading) {}
  double now_s() const override {
    if (--left_ == 0) stop_.request();
    return StepClock::now_s();
  }

 private:
  StopFlag& stop_;
  mutable int left_;
};

TEST(Peak, StopsWhereverItIs) {
  Team team(2);
  StopFlag stop;
  PeakOptions options;
  options.fma_rounds = 10;
  options.bytes = 3 * 4096;
  options.dispatches = 200;
  options.repeats = 2;
  options.stop = &stop;
  constexpr int kReadings = 6 * 2 * 2;  // six things, twice, start and end
  for (int reading = 1; reading < kReadings - 1; ++reading) {
    stop.clear();
    Code code = Code::kInternal;
    try {
      (void)measure_peak(team, StoppingClock(stop, reading), options);
    } catch (const Error& error) {
      code = error.code();
    }
    EXPECT_EQ(code, Code::kCancelled) << reading;
  }
}

TEST(Peak, RefusesOptionsThatAreNotPositive) {
  Team team(1);
  PeakOptions options;
  options.repeats = 0;
  try {
    (void)measure_peak(team, StepClock(), options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("repeats 0 must be positive"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace ingot::kernels::peak_test
