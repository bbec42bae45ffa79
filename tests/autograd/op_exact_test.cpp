// SPDX-License-Identifier: Apache-2.0
// What ops promise to the last bit: the same bytes for any number of threads, and the same bytes
// when a recorded step is replayed, without a tape record or an allocation.
#include <gtest/gtest.h>

#include "autograd/op_cases.h"
#include "tensor/plan.h"

namespace ingot::testing::op_exact_test {
namespace {

constexpr int kTeams[] = {1, 2, 3, 8};

/// Value and gradients of a sample, as bytes.
std::string outcome(SampleRun& run) {
  std::string all = bytes_of(run.y);
  for (const Tensor& g : run.grads) all += g.defined() ? bytes_of(g) : "none";
  return all;
}

TEST(Ops, BytesDoNotDependOnTheNumberOfThreads) {
  std::vector<std::unique_ptr<Team>> teams;
  std::vector<std::unique_ptr<Engine>> engines;
  for (const int workers : kTeams) {
    teams.push_back(std::make_unique<Team>(workers));
    engines.push_back(std::make_unique<Engine>(*teams.back()));
  }
  for (const Sample& s : op_samples()) {
    SCOPED_TRACE(s.op + ": " + s.what);
    std::string first;
    for (size_t t = 0; t < engines.size(); ++t) {
      SampleRun run(*engines[t], s);
      run.step();
      const std::string bytes = outcome(run);
      if (t == 0) {
        first = bytes;
      } else {
        ASSERT_TRUE(bytes == first) << kTeams[t] << " threads differ from one";
      }
    }
  }
}

TEST(Ops, ReplayGivesTheBytesOfTheEagerStepAndTouchesNoAllocator) {
  Team team(2);
  Engine engine(team);
  for (const Sample& s : op_samples()) {
    SCOPED_TRACE(s.op + ": " + s.what);
    SampleRun run(engine, s);
    run.step();
    const std::string eager = outcome(run);
    run.y = Tensor();
    run.grads.clear();
    Plan plan(engine, [&] { run.step(); });
    const int64_t calls = engine.allocator().calls(), records = engine.counters.tape_records,
                  launches = engine.counters.launches, conversions = engine.counters.conversions;
    plan.run();
    plan.run();
    EXPECT_EQ(engine.allocator().calls(), calls);
    EXPECT_EQ(engine.counters.tape_records, records);
    EXPECT_EQ(engine.counters.launches, launches);
    EXPECT_EQ(engine.counters.conversions, conversions);
    ASSERT_TRUE(outcome(run) == eager) << "replay differs from eager";
  }
}

}  // namespace
}  // namespace ingot::testing::op_exact_test
