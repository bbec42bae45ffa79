// SPDX-License-Identifier: Apache-2.0
// The plan of a network against what follows: the memory that a step and an evaluation really take,
// a change that fits when it is made, and what is counted of examples in files.
#include "cost/network_planner.h"

#include <cstring>

#include "base/machine.h"
#include "base/message_of.h"
#include "base/text.h"
#include "data/table_examples.h"
#include "train/step.h"

namespace ingot::cost::network_planner_test {
namespace {

using testing::code_of;
using testing::message_of;

models::LayerConfig dense_of(int64_t units) {
  models::LayerConfig c;
  c.units = units;
  c.activation = models::ActivationName::kRelu;
  return c;
}

/// `rows` examples of the shape with a class of two, all zeros, without a file.
data::ExampleReader made_up(const Shape& shape, int64_t rows) {
  data::ExampleLayout layout({{"x", DType::kF32, shape, 0}, {"target", DType::kI32, {1}, 0}});
  std::vector<std::byte> records(static_cast<size_t>(rows * layout.record_bytes()));
  for (int64_t i = 0; i < rows; i += 2) {
    const int32_t one = 1;
    std::memcpy(records.data() + (i + 1) * layout.record_bytes() - sizeof(one), &one, sizeof(one));
  }
  return {"made up", std::move(layout), std::move(records)};
}

/// A network, its data and a request for its plan.
struct Made {
  Made(const Shape& shape, std::vector<models::LayerConfig> list, int64_t rows = 256)
      : layers(std::move(list)),
        inputs{{"x", shape, DType::kF32, 0, -1}},
        objective(train::make_objective({}, 2, models::Network(layers, inputs).output())),
        examples(made_up(shape, rows)) {
    config.steps = 10;
    config.seq = 1;
    config.micro_batch = 64;
    config.eval_every = 0;
  }
  NetworkRequest request() const {
    NetworkRequest r{config, layers, inputs, objective, {examples, &examples, plain}};
    r.measure_s = 0.0;
    return r;
  }
  std::vector<models::LayerConfig> layers;
  std::vector<models::Value> inputs;
  train::Objective objective;
  data::ExampleReader examples;
  train::TrainConfig config;
  data::RowFiller plain;
};

Made mlp() { return {{100}, {dense_of(512), dense_of(512), dense_of(2)}}; }

Made cnn() {
  std::vector<models::LayerConfig> layers(5);
  layers[0].type = models::LayerType::kConv2d;
  layers[0].filters = 64;
  layers[0].kernel = std::vector<int64_t>{3, 3};
  layers[1].type = models::LayerType::kBatchNorm;
  layers[1].activation = models::ActivationName::kRelu;
  layers[2].type = models::LayerType::kMaxPool2d;
  layers[3].type = models::LayerType::kFlatten;
  layers[4].units = 2;
  return {{24, 24, 3}, layers};
}

TEST(NetworkPlanner, ThePlannedStepIsTheStepThatRuns) {
  for (const bool is_cnn : {false, true}) {
    for (const double mixup : {0.0, 0.2}) {
      Made made = is_cnn ? cnn() : mlp();
      made.objective.mixup = mixup;
      Team team(2);
      const NetworkPlan plan = plan_network(team, made.request());
      Engine engine(team);
      models::Network network(made.layers, made.inputs);
      train::SupervisedTask task(engine, made.config, made.objective, network, made.request().data);
      train::Step step(engine, made.config, task);
      (void)step.run(0, 0.01);
      (void)task.evaluate();
      EXPECT_EQ(plan.slab_bytes, engine.slab_bytes());
      EXPECT_EQ(plan.state_bytes, engine.allocator().held_bytes());
      EXPECT_EQ(plan.flops_per_step, step.flops());
      EXPECT_EQ(plan.parameters, step.store().parameter_count());
      EXPECT_EQ(plan.steps, 10);
      EXPECT_EQ(plan.examples, 640);
      EXPECT_EQ(plan.needed_bytes,
                plan.program_bytes + plan.state_bytes + plan.slab_bytes + plan.metric_bytes);
      EXPECT_EQ(plan.peak_bytes, plan.needed_bytes + plan.mapped_bytes);
      EXPECT_EQ(plan.seconds_per_step, 0.0);
    }
  }
}

TEST(NetworkPlanner, AnswersOfAnEvaluationAreCounted) {
  Made made = mlp();
  Team team(1);
  EXPECT_EQ(plan_network(team, made.request()).metric_bytes, 2 * 256 * 8);  // two classes
  made.config.eval_batches = 2;
  EXPECT_EQ(plan_network(team, made.request()).metric_bytes, 2 * 128 * 8);
}

TEST(NetworkPlanner, TheEvaluationAfterTrainingIsCountedWhereItIsLarger) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Made made = mlp();
  Team team(1);
  NetworkRequest r = made.request();
  EXPECT_EQ(plan_network(team, r).judged_bytes, 0);
  r.judged_rows = 1000;  // 8 bytes for the areas, 20 for the intervals, as vectors grow
  const NetworkPlan small = plan_network(team, r);
  EXPECT_EQ(small.needed_bytes,
            small.program_bytes + small.state_bytes + small.slab_bytes + small.metric_bytes);
  r.judged_rows = 10'001'000;
  const NetworkPlan large = plan_network(team, r);
  EXPECT_EQ(large.judged_bytes - small.judged_bytes, 2 * 28 * int64_t{10'000'000});
  EXPECT_EQ(large.needed_bytes, large.program_bytes + large.judged_bytes);
  r.memory_bytes = int64_t{400} << 20;
  const std::string message = message_of([&] { require_fits(team, r, plan_network(team, r)); });
  EXPECT_NE(message.find(" The evaluation after the training takes it: hold out fewer rows"),
            std::string::npos)
      << message;
}

TEST(NetworkPlanner, ExamplesAreCountedAsFarAsTheyAreLookedAt) {
  Made made = mlp();
  made.config.eval_batches = 1;
  made.config.steps = 4;  // an epoch
  Team team(1);
  const int64_t record = 101 * 4, validation = 64 * record;
  EXPECT_EQ(plan_network(team, made.request()).mapped_bytes, 256 * record + validation);
  const Made large = {{100'000}, {dense_of(2)}, 64};  // records of six times 64 KiB
  NetworkRequest r = large.request();
  r.train.steps = 1;
  r.train.micro_batch = 16;
  r.train.eval_batches = 1;
  const int64_t one = 100'001 * 4;
  const int64_t mapped = plan_network(team, r).mapped_bytes;
  EXPECT_GT(mapped, 32 * one);  // 16 to learn from, 16 to judge, and what lies around them
  EXPECT_LT(mapped, 40 * one);
}

TEST(NetworkPlanner, TimeOfStepsAndEvaluations) {
  Made made = mlp();
  Team team(1);
  NetworkRequest r = made.request();
  r.measure_s = 0.001;
  r.train.steps = 20;
  r.train.eval_every = 8;  // after 8, 16 and 20 steps
  const NetworkPlan plan = plan_network(team, r);
  EXPECT_GT(plan.seconds_per_step, 0.0);
  EXPECT_GT(plan.seconds_per_evaluation, 0.0);
  EXPECT_DOUBLE_EQ(plan.seconds, 20 * plan.seconds_per_step + 3 * plan.seconds_per_evaluation);
  EXPECT_DOUBLE_EQ(plan.examples_per_second, 64 / plan.seconds_per_step);
  const NetworkRequest alone{
      r.train, r.layers, r.inputs, r.objective, {made.examples, nullptr, made.plain}, 42, 0, 0.001};
  const NetworkPlan quiet = plan_network(team, alone);
  EXPECT_EQ(quiet.seconds_per_evaluation, 0.0);
  EXPECT_DOUBLE_EQ(quiet.seconds, 20 * quiet.seconds_per_step);
}

TEST(NetworkPlanner, RefusedWithAChangeThatFitsAndKeepsTheBatch) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Made made = cnn();
  Team team(1);
  NetworkRequest r = made.request();
  (void)plan_network(team, r);  // the program's pages that a plan touches are there from now on
  const NetworkPlan whole = plan_network(team, r);
  ASSERT_GT(whole.slab_bytes, 16 << 20) << "the example is too small to prove anything";
  r.memory_bytes = whole.needed_bytes - whole.slab_bytes / 5;
  const auto change = fitting_change(team, r);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->text, "train.micro_batch=32 train.accumulate=2");
  EXPECT_LE(change->peak_bytes, r.memory_bytes);
  const auto refused = [&] { require_fits(team, r, whole); };
  EXPECT_EQ(code_of(refused), "out_of_memory");
  EXPECT_EQ(
      message_of(refused).find("plan: needs " + human_bytes(whole.needed_bytes) + ", the cap is " +
                               human_bytes(r.memory_bytes) + ". " + change->text + " needs "),
      0U)
      << message_of(refused);
  r.train.micro_batch = 32;
  r.train.accumulate = 2;
  require_fits(team, r, plan_network(team, r));  // does not throw
}

TEST(NetworkPlanner, ACapBelowTheProgramNamesOneThatIsEnough) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  const Made made = mlp();
  Team team(1);
  NetworkRequest r = made.request();
  r.memory_bytes = 1 << 20;
  EXPECT_FALSE(fitting_change(team, r).has_value());
  const NetworkPlan plan = plan_network(team, r);
  const std::string message = message_of([&] { require_fits(team, r, plan); });
  EXPECT_NE(message.find("the cap is 1.0 MiB. The program itself needs "), std::string::npos)
      << message;
  const size_t at = message.find("; memory=");
  ASSERT_NE(at, std::string::npos) << message;
  EXPECT_NE(message.find("MiB is enough for this recipe", at), std::string::npos) << message;
  r.memory_bytes = std::stoll(message.substr(at + 9)) << 20;
  require_fits(team, r, plan_network(team, r));  // does not throw
}

// One row has no variance: batch norm refuses it, and so it is no change to propose.
TEST(NetworkPlanner, ABatchThatTheNetworkRefusesIsNotProposed) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  models::LayerConfig norm;
  norm.type = models::LayerType::kBatchNorm;
  Made made = {{10}, {dense_of(1 << 18), norm, dense_of(2)}};
  made.config.micro_batch = 2;
  Team team(1);
  NetworkRequest r = made.request();
  const NetworkPlan two = plan_network(team, r);
  ASSERT_GT(two.slab_bytes, 2 << 20) << "the example is too small to prove anything";
  r.memory_bytes = two.needed_bytes - two.slab_bytes / 4;  // weights fit, a step of two rows not
  EXPECT_FALSE(fitting_change(team, r).has_value());
}

TEST(NetworkPlanner, AHugeNetworkIsRefusedWithoutAllocatingIt) {
  const Made made = {{100}, {dense_of(1 << 16), dense_of(1 << 16), dense_of(2)}};
  Team team(1);
  NetworkRequest r = made.request();
  r.memory_bytes = int64_t{4} << 30;
  const int64_t before = resident_bytes();
  const NetworkPlan plan = plan_network(team, r);
  EXPECT_GT(plan.needed_bytes, 4 * (int64_t{1} << 34));  // weights, gradients and two moments
  EXPECT_LT(resident_bytes() - before, 64 << 20);
  const auto refused = [&] { require_fits(team, r, plan); };
  EXPECT_EQ(code_of(refused), "out_of_memory");
  EXPECT_TRUE(message_of(refused).ends_with("No smaller batch fits; make the layers smaller"))
      << message_of(refused);
}

}  // namespace
}  // namespace ingot::cost::network_planner_test
