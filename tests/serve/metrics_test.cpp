// SPDX-License-Identifier: Apache-2.0
// The exposition text: buckets are cumulative, every family has help and type.
#include "serve/metrics.h"

#include <string>

#include <gtest/gtest.h>

namespace ingot::serve::metrics_test {
namespace {

TEST(Metrics, HistogramBucketsAreCumulativeAndIncludeTheirBound) {
  Histogram histogram;
  for (const double seconds : {0.001, 0.02, 0.02, 99.0}) histogram.observe(seconds);
  std::string text;
  histogram.write("h", "help", text);
  EXPECT_EQ(text.find("# HELP h help\n# TYPE h histogram\nh_bucket{le=\"0.001\"} 1\n"), 0U);
  EXPECT_NE(text.find("h_bucket{le=\"0.01\"} 1\nh_bucket{le=\"0.025\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("h_bucket{le=\"30\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 99.041\nh_count 4\n"),
            std::string::npos)
      << text;
}

TEST(Metrics, HistogramsOfCountsHaveBoundsOfTheirOwn) {
  Metrics metrics;
  metrics.batch_size.observe(3);
  const std::string text = metrics.text("m");
  EXPECT_NE(text.find("ingot_batch_size_bucket{le=\"2\"} 0\ningot_batch_size_bucket{le=\"4\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("ingot_batch_size_sum 3\n"), std::string::npos);
}

TEST(Metrics, RetryAfterIsTheTimeOfTheRoundsAhead) {
  Metrics metrics;
  EXPECT_EQ(metrics.retry_after_s(4), 1);
  metrics.waiting = 40;
  EXPECT_EQ(metrics.retry_after_s(4), 10) << "a second each while nothing has ended";
  metrics.end_to_end.observe(0.25);
  EXPECT_EQ(metrics.retry_after_s(4), 3);
  metrics.waiting = 1 << 20;
  EXPECT_EQ(metrics.retry_after_s(4), 60);
}

TEST(Metrics, TheProcessAndTheModelAreDescribed) {
  Metrics metrics;
  metrics.responses[429] = 3;
  const std::string text = metrics.text("a \"b\"");
  EXPECT_NE(text.find("ingot_model_info{model_name=\"a \\\"b\\\"\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("ingot_http_responses_total{code=\"429\"} 3\n"), std::string::npos);
  EXPECT_EQ(text.find("ingot_resident_memory_bytes 0\n"), std::string::npos);
  EXPECT_EQ(text.find("ingot_open_fds 0\n"), std::string::npos);
}

}  // namespace
}  // namespace ingot::serve::metrics_test
