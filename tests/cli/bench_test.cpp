// SPDX-License-Identifier: Apache-2.0
// `ingot bench PART --json` through the program: one JSON object whose figures are possible ones.
#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace ingot::cli::bench_test {
namespace {

#ifdef INGOT_BINARY
std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), n);
  }
  return text;
}

TEST(Bench, MachineFiguresAreOneJsonObjectOfPositiveNumbers) {
  const std::string text =
      output_of(std::string(INGOT_BINARY) + " bench machine --json 2>/dev/null");

  const Json json = parse_json(text, "bench");

  ASSERT_TRUE(json.is_object()) << text;
  int64_t numbers = 0;
  const std::function<void(const Json&)> walk = [&](const Json& value) {
    if (value.is_number()) {
      EXPECT_GE(value.get<double>(), 0.0);
      ++numbers;
    } else if (value.is_structured()) {
      for (const Json& child : value) walk(child);
    }
  };
  walk(json);
  EXPECT_GE(numbers, 3) << text;
}

TEST(SlowBench, EveryKernelHasATimeAndAShareOfThePeak) {
  const std::string text =
      output_of(std::string(INGOT_BINARY) + " bench kernels --json 2>/dev/null");
  const Json json = parse_json(text, "bench");
  ASSERT_TRUE(json.contains("kernels") && json["kernels"].is_array()) << text;
  EXPECT_GE(json["kernels"].size(), 5U);
  for (const Json& kernel : json["kernels"]) {
    EXPECT_FALSE(kernel.at("name").get<std::string>().empty());
    EXPECT_GT(kernel.at("seconds").get<double>(), 0.0) << kernel.dump();
    EXPECT_GT(kernel.at("percent_of_peak").get<double>(), 0.0) << kernel.dump();
    const char* rate = kernel.contains("flops_per_s") ? "flops_per_s" : "bytes_per_s";
    EXPECT_GT(kernel.at(rate).get<double>(), 0.0) << kernel.dump();
  }
}

TEST(SlowBench, AStepHasTimeSpeedAndSize) {
  const std::string text =
      output_of(std::string(INGOT_BINARY) +
                " bench step model.layers=1 model.dim=32 model.heads=2 model.hidden=64 "
                "model.context=32 model.vocab=300 train.seq=32 train.micro_batch=2 "
                "train.accumulate=3 --json 2>/dev/null");
  const Json json = parse_json(text, "bench");
  ASSERT_TRUE(json.contains("step")) << text;
  const Json& step = json["step"];
  EXPECT_EQ(step.at("tokens"), 2 * 3 * 32);
  for (const char* name : {"parameters", "seconds", "tokens_per_second", "model_flops",
                           "percent_of_gemm_peak", "slab_bytes", "state_bytes"}) {
    EXPECT_GT(step.at(name).get<double>(), 0.0) << name;
  }
  const double rate = step["tokens"].get<double>() / step["seconds"].get<double>();
  EXPECT_NEAR(step["tokens_per_second"].get<double>() / rate, 1.0, 1e-6);  // the same quotient
}
#endif

}  // namespace
}  // namespace ingot::cli::bench_test
