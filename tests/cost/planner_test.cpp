// SPDX-License-Identifier: Apache-2.0
// The plan against what follows: parameter counts of published models, the step's memory as it is
// really taken, and a change that, when it is made, really runs under the cap.
#include "cost/planner.h"

#include <algorithm>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/machine.h"
#include "base/philox.h"
#include "base/text.h"
#include "models/paged_decoder.h"
#include "train/tiny_run.h"

namespace ingot::cost::planner_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::tiny_config;
using testing::tiny_model;
using testing::TinyData;
using testing::TinyStep;

/// What the process itself may grow by between two looks at it (allocator arenas, stacks).
constexpr int64_t kProgramSlack = 8 << 20;

PlanRequest request_of(const train::TrainConfig& train, const models::TransformerConfig& model) {
  PlanRequest r;
  r.train = train;
  r.model = model;
  r.measure_s = 0.0;
  return r;
}

/// Large enough that activations outweigh the process.
PlanRequest wide_request() {
  PlanRequest r = request_of(tiny_config(), tiny_model());
  r.train.seq = 128;
  r.train.micro_batch = 32;
  r.train.accumulate = 1;
  r.model.context = 128;
  r.model.dim = 64;
  r.model.hidden = 256;
  r.model.layers = 4;
  return r;
}

/// The cap that a refusal proposes: "memory=24MiB is enough".
int64_t proposed_cap(const std::string& message) {
  constexpr std::string_view kKey = "memory=";
  const size_t at = message.find(kKey);
  if (at == std::string::npos || message.find("MiB is enough", at) == std::string::npos) return 0;
  return std::stoll(message.substr(at + kKey.size())) << 20;
}

/// "train.micro_batch=2 train.accumulate=4" applied as on the command line.
struct TrainSection {
  train::TrainConfig train;
  void visit(auto& field) { field("train", train, ""); }
};
train::TrainConfig applied(const train::TrainConfig& config, const std::string& change) {
  TrainSection section{config};
  size_t begin = 0;
  while (begin < change.size()) {
    const size_t end = std::min(change.find(' ', begin), change.size());
    apply_override(change.substr(begin, end - begin), section);
    begin = end + 1;
  }
  return section.train;
}

int64_t parameters_of(models::TransformerConfig config) {
  Team team(1);
  Engine engine(team);
  models::Transformer model(engine, config);  // declares shapes; allocates no weights
  EXPECT_LT(engine.allocator().peak_bytes(), 16 << 20);
  return nn::parameter_count(model);
}

TEST(Planner, ParameterCountsOfPublishedModels) {
  models::TransformerConfig gpt2;
  gpt2.layout = models::ModelLayout::kGpt2;
  gpt2.vocab = 50257;
  gpt2.context = 1024;
  gpt2.layers = 12;
  gpt2.heads = 12;
  gpt2.dim = 768;
  EXPECT_EQ(parameters_of(gpt2), 124'439'808);

  models::TransformerConfig llama;
  llama.layout = models::ModelLayout::kLlama;
  llama.vocab = 32000;
  llama.context = 4096;
  llama.layers = 32;
  llama.heads = 32;
  llama.dim = 4096;
  llama.hidden = 11008;
  llama.tie_embeddings = false;
  EXPECT_EQ(parameters_of(llama), 6'738'415'616);

  llama.layers = 22;  // TinyLlama 1.1B: grouped heads
  llama.heads = 32;
  llama.kv_heads = 4;
  llama.dim = 2048;
  llama.hidden = 5632;
  llama.context = 2048;
  EXPECT_EQ(parameters_of(llama), 1'100'048'384);
}

TEST(Planner, ThePlannedStepIsTheStepThatRuns) {
  const TinyData data;
  for (const bool tied : {true, false}) {
    models::TransformerConfig model = tiny_model();
    model.tie_embeddings = tied;
    Team team(2);
    PlanRequest r = request_of(tiny_config(), model);
    r.train.sample_every = 0;
    const TrainPlan plan = plan_training(team, r);
    TinyStep real(data, tiny_config(), model, 2);
    (void)real.step.run(0, 0.01);
    EXPECT_EQ(plan.slab_bytes, real.engine.slab_bytes());
    EXPECT_EQ(plan.flops_per_step, real.step.flops());
    EXPECT_EQ(plan.parameters, real.step.store().parameter_count());
    // The real task has buffers for evaluation beside those of the step.
    EXPECT_LE(plan.state_bytes, real.engine.allocator().held_bytes());
    EXPECT_GE(plan.state_bytes * 1.05 + 65536,
              static_cast<double>(real.engine.allocator().held_bytes()));
    EXPECT_EQ(plan.sample_bytes, 0);
    EXPECT_EQ(plan.peak_bytes, plan.program_bytes + plan.state_bytes + plan.slab_bytes);
  }
}

// What the cache and the forward passes of a sample text really add to the engine of a run.
TEST(Planner, SampleTextsAreCounted) {
  const TinyData data;
  models::TransformerConfig model = tiny_model();
  model.context = 512;
  model.dim = 64;
  PlanRequest r = request_of(tiny_config(), model);
  r.train.sample_every = 5;
  r.train.sample_prompt = "ab";
  Team team(1);
  const TrainPlan plan = plan_training(team, r);
  EXPECT_EQ(plan.peak_bytes,
            plan.program_bytes + plan.state_bytes + plan.slab_bytes + plan.sample_bytes);
  TinyStep real(data, tiny_config(), model);
  (void)real.step.run(0, 0.01);
  const int64_t before = real.engine.allocator().held_bytes();
  models::PagedDecoder decoder(real.engine, real.model, {8, 1, 256});
  const std::vector<int32_t> table = {0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<float> logits(static_cast<size_t>(model.vocab));
  const std::vector<models::DecodeRow> prompt = {
      {1, 0, 0, false}, {2, 0, 1, false}, {3, 0, 2, true}};
  decoder.forward(prompt, table, logits);
  for (int32_t i = 3; i < 100; ++i) {
    const models::DecodeRow row{4, 0, i, true};
    decoder.forward({&row, 1}, table, logits);
  }
  const int64_t taken = real.engine.allocator().held_bytes() - before;
  constexpr int64_t kPools = 2 * 2 * 8 * 64 * 32 * 4;  // layers, k and v, pages of 64 tokens
  EXPECT_GT(taken, kPools);
  EXPECT_GE(plan.sample_bytes * 1.1, static_cast<double>(taken));
  EXPECT_LE(static_cast<double>(plan.sample_bytes), taken * 1.5);
}

TEST(Planner, EvaluationsAreCountedWithTheOneAtTheEnd) {
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  r.train.steps = 20;
  r.measure_s = 0.001;
  r.validation_tokens = 6400;  // 100 steps' worth of forward passes
  const auto evaluations = [&](int64_t every) {
    r.train.eval_every = every;
    const TrainPlan plan = plan_training(team, r);
    return (plan.seconds / plan.seconds_per_step - 20) / (100.0 / 3.0);
  };
  EXPECT_NEAR(evaluations(0), 1.0, 1e-9);
  EXPECT_NEAR(evaluations(8), 3.0, 1e-9);  // after 8, 16 and 20 steps
  EXPECT_NEAR(evaluations(10), 2.0, 1e-9);
  r.train.eval_batches = int64_t{1} << 62;
  EXPECT_NEAR(evaluations(10), 2.0, 1e-9);
}

TEST(Planner, StepsTokensAndTime) {
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  r.train.steps = 0;
  r.train.epochs = 2;
  r.tokens_per_epoch = 640;
  r.measure_s = 0.001;
  r.train.eval_every = 0;
  const TrainPlan plan = plan_training(team, r);
  EXPECT_EQ(plan.steps, 20);  // 64 tokens per step
  EXPECT_EQ(plan.tokens, 1280);
  EXPECT_GT(plan.seconds_per_step, 0.0);
  EXPECT_DOUBLE_EQ(plan.seconds, 20 * plan.seconds_per_step);
  EXPECT_DOUBLE_EQ(plan.tokens_per_second, 64 / plan.seconds_per_step);
  // 6 · (matrix weights) per token and 6 · layers · dim · seq for causal attention.
  constexpr int64_t kMatrices = 2 * (16 * 16 * 2 + 16 * 8 * 2 + 3 * 16 * 32) + 300 * 16;
  EXPECT_EQ(plan.model_flops_per_step, 64 * (6 * kMatrices + 6 * 2 * 16 * 16));
}

TEST(Planner, NotMeasuredWhenItDoesNotFit) {
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  r.measure_s = 0.001;
  r.memory_bytes = 1;
  const TrainPlan plan = plan_training(team, r);
  EXPECT_EQ(plan.seconds_per_step, 0.0);
  EXPECT_GT(plan.peak_bytes, 1);
}

TEST(Planner, RefusedWithAChangeThatFits) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Team team(1);
  const PlanRequest wide = wide_request();
  const int64_t whole = peak_memory(team, wide);
  PlanRequest narrow = wide;
  narrow.train.micro_batch = 4;
  PlanRequest r = wide;
  r.memory_bytes = peak_memory(team, narrow) + (8 << 20);
  ASSERT_LT(r.memory_bytes, whole) << "the example is too small to prove anything";

  const auto change = fitting_change(team, r);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->text, "train.micro_batch=4 train.accumulate=8");
  EXPECT_LE(change->peak_bytes, r.memory_bytes);
  const auto refuse = [&] { require_fits(team, r, whole); };
  EXPECT_EQ(message_of(refuse).substr(0, message_of(refuse).find(" needs ", 20)),
            "plan: needs " + human_bytes(whole) + ", the cap is " + human_bytes(r.memory_bytes) +
                ". " + change->text);
  EXPECT_EQ(code_of(refuse), "out_of_memory");

  PlanRequest changed = r;
  changed.train = applied(r.train, change->text);
  EXPECT_EQ(changed.train.micro_batch * changed.train.accumulate, 32);
  const int64_t peak = peak_memory(team, changed);
  EXPECT_LE(peak, r.memory_bytes + kProgramSlack);
  require_fits(team, changed, std::min(peak, r.memory_bytes));  // does not throw
}

TEST(Planner, TheChangeReallyRunsUnderTheCap) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  const TinyData data;
  Team team(1);
  PlanRequest r = wide_request();
  r.train.micro_batch = 32;
  r.train.seq = 16;
  r.model.context = 16;
  (void)peak_memory(team, r);  // the program's pages that a plan touches are there from now on
  const int64_t whole = peak_memory(team, r);
  const TrainPlan plan = plan_training(team, r);
  r.memory_bytes = whole - plan.slab_bytes / 4;
  const auto change = fitting_change(team, r);
  ASSERT_TRUE(change.has_value());
  const int64_t before = resident_bytes();
  TinyStep real(data, applied(r.train, change->text), r.model);
  for (int64_t step = 0; step < 3; ++step) (void)real.step.run(step, 0.01);
  const int64_t tensors = real.engine.allocator().peak_bytes() + real.engine.slab_bytes();
  EXPECT_LE(tensors, r.memory_bytes - plan.program_bytes);
  EXPECT_LE(resident_bytes() - before, r.memory_bytes - plan.program_bytes + kProgramSlack);
}

TEST(Planner, AShorterWindowTakesLessAndNothingFitsUnderAByte) {
  Team team(1);
  PlanRequest r = wide_request();
  r.train.micro_batch = 1;
  PlanRequest shorter = r;
  shorter.train.seq = 32;
  EXPECT_LT(plan_training(team, shorter).slab_bytes, plan_training(team, r).slab_bytes);
  r.memory_bytes = 1;
  EXPECT_FALSE(fitting_change(team, r).has_value());
}

TEST(Planner, AWindowThatIsProposedIsAPowerOfTwoAndFits) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Team team(1);
  PlanRequest r = wide_request();
  r.train.micro_batch = 1;
  r.train.seq = r.model.context = 6001;
  r.train.sample_every = 0;
  PlanRequest shorter = r;
  shorter.train.seq = 4096;
  const int64_t over = peak_memory(team, shorter);
  shorter.train.seq = 2048;
  r.memory_bytes = peak_memory(team, shorter) + kProgramSlack;
  ASSERT_LT(r.memory_bytes, over) << "the example is too small to prove anything";
  const auto change = fitting_change(team, r);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->text, "train.micro_batch=1 train.accumulate=1 train.seq=2048");
  PlanRequest scored = r;
  for (const int64_t context : {2047, 2048}) {  // eval.context stays where it is below train.seq
    scored.eval_context = context;
    const auto whole = fitting_change(team, scored).value();
    EXPECT_EQ(whole.text, change->text + (context < 2048 ? "" : " eval.context=-1"));
  }
  PlanRequest changed = r;
  changed.train = applied(r.train, change->text);
  EXPECT_LE(peak_memory(team, changed), r.memory_bytes);
}

TEST(Planner, ACapNearTheProgramNamesOneThatIsEnough) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  for (const int64_t cap : {int64_t{1}, int64_t{1} << 20, program_bytes()}) {
    r.memory_bytes = cap;
    const int64_t peak = peak_memory(team, r);
    const std::string message = message_of([&] { require_fits(team, r, peak); });
    EXPECT_NE(message.find("the cap is " + human_bytes(cap) + ". The program itself needs "),
              std::string::npos)
        << message;
    r.memory_bytes = proposed_cap(message);
    ASSERT_GT(r.memory_bytes, cap) << message;
    const int64_t enough = peak_memory(team, r);
    EXPECT_LE(enough, r.memory_bytes);
    require_fits(team, r, enough);  // does not throw
  }
  r.memory_bytes = 1 << 20;
  r.model.vocab = 1 << 22;
  r.model.dim = 256;
  EXPECT_NE(message_of([&] {
              require_fits(team, r, peak_memory(team, r));
            }).find("; `ingot plan` without memory= says what this recipe needs beside it"),
            std::string::npos);
}

/// The MiB of "plan: needs 45.2 MiB".
double named_need(const std::string& message) {
  constexpr std::string_view kBefore = "plan: needs ";
  const size_t at = message.find(kBefore);
  if (at == std::string::npos || message.find(" MiB, the cap is") == std::string::npos) return 0;
  return std::stod(message.substr(at + kBefore.size()));
}

// The caps end the plan in its three places: at the batches, at the weights, at its end.
TEST(Planner, TheNeedIsThatOfTheRecipeWhateverTheCap) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Team team(1);
  PlanRequest r = wide_request();
  r.train.micro_batch = 16;
  r.model.dim = 256;
  r.model.hidden = 1024;
  (void)peak_memory(team, r);  // the program's pages that a plan touches are there from now on
  const double whole = static_cast<double>(peak_memory(team, r)) / (1 << 20);
  const int64_t program = program_bytes();
  constexpr double kSlack = 6.0;  // MiB: pages of the program that are touched on the way
  int64_t enough = 0;
  for (const int64_t beside : {20, 60, 110}) {
    r.memory_bytes = program + (beside << 20);
    const int64_t peak = peak_memory(team, r);
    ASSERT_GT(peak, r.memory_bytes) << "the example is too small to prove anything";
    const std::string message = message_of([&] { require_fits(team, r, peak); });
    EXPECT_NEAR(named_need(message), whole, kSlack) << message;
    const size_t cap = message.find("or memory="), setting = message.find("under which ");
    if (cap == std::string::npos || setting == std::string::npos) continue;
    PlanRequest smallest = r;
    smallest.memory_bytes = std::stoll(message.substr(cap + 10)) << 20;
    const size_t begin = setting + 12;
    smallest.train =
        applied(r.train, message.substr(begin, message.find(" fits with", begin) - begin));
    enough = peak_memory(team, smallest);
    EXPECT_LE(enough, smallest.memory_bytes) << message;
    EXPECT_LT(enough, peak) << message;
  }
  EXPECT_GT(enough, 0) << "no cap that is enough was named";
}

/// A refusal of 100 MiB under 50, with nothing to look through.
Refusal made_up_refusal() {
  Refusal r;
  r.need = int64_t{100} << 20;
  r.cap = int64_t{50} << 20;
  r.program = int64_t{10} << 20;
  r.advice = "No smaller batch fits";
  return r;
}

// Looking takes memory: more than the cap, which is there for a reason.
TEST(Planner, OnlyABoundIsLookedThrough) {
  Refusal r = made_up_refusal();
  r.change = Change{"train.micro_batch=1", int64_t{40} << 20};
  int looks = 0;
  r.need_under = [&](int64_t) {
    ++looks;
    return int64_t{200} << 20;
  };
  EXPECT_EQ(message_of([&] { refuse(r); }),
            "plan: needs 100 MiB, the cap is 50.0 MiB. train.micro_batch=1 needs 40.0 MiB");
  EXPECT_EQ(looks, 0);
  r.is_bound = true;
  EXPECT_EQ(message_of([&] { refuse(r); }),
            "plan: needs 200 MiB, the cap is 50.0 MiB. train.micro_batch=1 needs 40.0 MiB");
  EXPECT_EQ(looks, 1);
}

TEST(Planner, ARefusalIsToldWhereTheSystemHasNoMemoryToLook) {
  Refusal r = made_up_refusal();
  r.is_bound = true;
  r.need_under = [](int64_t) -> int64_t { throw std::bad_alloc(); };
  r.smallest = [](int64_t) -> std::optional<Change> { fail(Code::kOutOfMemory, "memory: none"); };
  EXPECT_EQ(message_of([&] { refuse(r); }),
            "plan: needs at least 100 MiB, the cap is 50.0 MiB. No smaller batch fits");
  r.smallest = [](int64_t) -> std::optional<Change> { fail(Code::kInternal, "another fault"); };
  EXPECT_EQ(message_of([&] { refuse(r); }), "another fault");
}

// Weights alone over the cap: refused from the shapes, before 100 GB are asked for.
TEST(Planner, AHugeModelIsRefusedWithoutAllocatingIt) {
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  r.model.vocab = 32000;
  r.model.context = 4096;
  r.model.layers = 32;
  r.model.heads = 32;
  r.model.kv_heads = 32;
  r.model.dim = 4096;
  r.model.hidden = 11008;
  r.model.tie_embeddings = false;
  r.memory_bytes = int64_t{4} << 30;
  const int64_t before = resident_bytes();
  const TrainPlan plan = plan_training(team, r);
  EXPECT_EQ(plan.parameters, 6'738'415'616);
  EXPECT_GT(plan.peak_bytes, 3 * plan.parameters * 4);
  EXPECT_LT(resident_bytes() - before, 64 << 20);
  const std::string message = message_of([&] { require_fits(team, r, plan.peak_bytes); });
  EXPECT_NE(message.find("the cap is 4.0 GiB. No smaller batch or window fits"), std::string::npos)
      << message;
}

// Sizes whose buffers alone are over the cap: refused at once, with nothing allocated.
TEST(Planner, OversizedRecipesAreRefusedBeforeAnythingIsAllocated) {
  Team team(1);
  const auto refuse = [&](const std::function<void(PlanRequest&)>& change) {
    PlanRequest r = request_of(tiny_config(), tiny_model());
    change(r);
    r.memory_bytes = int64_t{512} << 20;
    const int64_t before = resident_bytes();
    const TrainPlan plan = plan_training(team, r);
    EXPECT_LT(resident_bytes() - before, 64 << 20);
    EXPECT_GT(plan.peak_bytes, r.memory_bytes);
    return message_of([&] { require_fits(team, r, plan.peak_bytes); });
  };
  const std::string batch = refuse([](PlanRequest& r) {
    r.train.micro_batch = 1 << 20;
    r.train.seq = 2047;
  });
  EXPECT_NE(batch.find("the cap is 512 MiB. No smaller batch or window fits"), std::string::npos)
      << batch;
  const std::string context = refuse([](PlanRequest& r) {
    r.model.context = 1 << 24;
    r.model.dim = 256;
  });
  EXPECT_NE(context.find("No smaller batch or window fits"), std::string::npos) << context;
  const std::string model = refuse([](PlanRequest& r) {
    r.model.layers = 4096;
    r.model.dim = 1 << 20;
    r.model.heads = r.model.kv_heads = 4096;
    r.model.hidden = 1 << 22;
  });
  EXPECT_NE(model.find("No smaller batch or window fits"), std::string::npos) << model;
}

TEST(Planner, CountsThatDoNotFitIn64BitsAreRefused) {
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  r.train.steps = int64_t{1} << 62;
  EXPECT_EQ(message_of([&] { (void)plan_training(team, r); }),
            "plan: tokens of the run: 4611686018427387904 * 64 does not fit in 64 bits");
}

TEST(Planner, TheChangeKeepsTheBatch) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  Team team(1);
  PlanRequest r = wide_request();
  r.train.micro_batch = 27;
  PlanRequest nine = r;
  nine.train.micro_batch = 9;
  nine.train.accumulate = 3;
  r.memory_bytes = peak_memory(team, nine) + (8 << 20);
  ASSERT_LT(r.memory_bytes, peak_memory(team, r)) << "the example is too small to prove anything";
  const auto change = fitting_change(team, r);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->text, "train.micro_batch=9 train.accumulate=3");
}

TEST(Planner, NoCapNoRefusal) {
  Team team(1);
  PlanRequest r = request_of(tiny_config(), tiny_model());
  require_fits(team, r, int64_t{1} << 60);
}

}  // namespace
}  // namespace ingot::cost::planner_test
