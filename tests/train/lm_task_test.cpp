// SPDX-License-Identifier: Apache-2.0
// The language-model task: batches of the loader, and evaluation against values known without a
// model: with all weights zero every token has the loss ln(vocabulary).
#include "train/lm_task.h"

#include <cmath>
#include <cstring>

#include "train/tiny_run.h"

namespace ingot::train::lm_task_test {
namespace {

using testing::kTinyVocab;
using testing::tiny_config;
using testing::tiny_hooks;
using testing::tiny_model;
using testing::TinyData;
using testing::TinyStep;

constexpr double kFloat = 1e-6;  // a mean over some hundred float32 losses, relative

class LmTaskTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { data_ = new TinyData; }
  static void TearDownTestSuite() { delete data_; }
  static void forget_everything(TinyStep& t) {
    const Tensor& values = t.step.store().values();
    std::memset(values.raw(), 0, static_cast<size_t>(values.size_bytes()));
  }
  static TinyData* data_;
};
TinyData* LmTaskTest::data_ = nullptr;

TEST_F(LmTaskTest, ItemsAndEpoch) {
  TinyStep t(*data_, tiny_config());
  EXPECT_EQ(t.task.items(), 2 * 16);
  EXPECT_EQ(t.task.items_per_epoch(), data_->train().tokens() / 16 * 16);
  EXPECT_EQ(t.task.sample().prompt, "a ");
  EXPECT_EQ(t.task.sample().text, "sample");
  EXPECT_EQ(&t.task.module(), &t.model);
}

TEST_F(LmTaskTest, TheLossOfAUniformModelIsTheLogarithmOfTheVocabulary) {
  TinyStep t(*data_, tiny_config());
  forget_everything(t);
  const StepResult r = t.step.run(0, 0.0);
  EXPECT_NEAR(r.loss, std::log(kTinyVocab), kFloat * 10);
}

TEST_F(LmTaskTest, EvaluationCoversEveryTokenOnce) {
  for (const bool replay : {true, false}) {
    TrainConfig config = tiny_config();
    config.replay = replay;
    TinyStep t(*data_, config);
    forget_everything(t);
    const Evaluation e = t.task.evaluate();
    const auto tokens = static_cast<double>(data_->validation().tokens());
    const auto bytes = static_cast<double>(data_->validation().info().text_bytes);
    EXPECT_NEAR(e.loss, std::log(kTinyVocab), kFloat * 10);
    EXPECT_NEAR(e.metrics.at("perplexity"), kTinyVocab, kTinyVocab * kFloat * 10);
    EXPECT_EQ(e.metrics.at("tokens"), tokens);  // the first one is predicted from eos
    EXPECT_NEAR(e.metrics.at("bits_per_byte"), tokens * std::log2(kTinyVocab) / bytes,
                kFloat * 100);
    for (const int64_t context : {4, 8, 15}) {
      const Evaluation again = t.task.evaluate_shard(data_->validation(), context, 0);
      EXPECT_EQ(again.metrics.at("tokens"), e.metrics.at("tokens")) << context;
      EXPECT_NEAR(again.loss, e.loss, kFloat * 10);
    }
  }
}

TEST_F(LmTaskTest, PartOfTheSplitHasNoBitsPerByte) {
  TrainConfig config = tiny_config();
  config.eval_batches = 2;
  TinyStep t(*data_, config);
  const Evaluation e = t.task.evaluate();
  EXPECT_GT(e.loss, 0.0);
  EXPECT_EQ(e.metrics.count("bits_per_byte"), 0U);
  EXPECT_EQ(e.metrics.count("tokens"), 0U);
  EXPECT_EQ(e.metrics.at("perplexity"), std::exp(e.loss));
  config.eval_batches = 1000;  // more than there are
  TinyStep all(*data_, config);
  EXPECT_EQ(all.task.evaluate().metrics.count("bits_per_byte"), 1U);
}

TEST_F(LmTaskTest, ReplayedAndEagerEvaluationAreTheSameBytes) {
  TrainConfig eager_config = tiny_config();
  eager_config.replay = false;
  TinyStep replayed(*data_, tiny_config()), eager(*data_, eager_config);
  EXPECT_EQ(replayed.task.evaluate().loss, eager.task.evaluate().loss);
}

TEST_F(LmTaskTest, EvaluationHasNoDropoutAndChangesNothing) {
  models::TransformerConfig model = tiny_model();
  model.dropout = 0.5F;
  TinyStep t(*data_, tiny_config(), model), undisturbed(*data_, tiny_config(), model);
  const double first = t.task.evaluate().loss;
  *t.engine.step_counter() = 17;  // other dropout masks, if there were any
  EXPECT_EQ(t.task.evaluate().loss, first);
  (void)t.step.run(0, 0.01);
  (void)t.task.evaluate();
  (void)undisturbed.step.run(0, 0.01);
  EXPECT_EQ(t.step.run(1, 0.01).loss, undisturbed.step.run(1, 0.01).loss);
  EXPECT_EQ(t.weights(), undisturbed.weights());
}

TEST_F(LmTaskTest, WithoutAValidationSplit) {
  Team team(1);
  Engine engine(team);
  models::Transformer model(engine, tiny_model());
  LmTask task(engine, tiny_config(), {}, tiny_hooks(model), data_->train(), nullptr);
  EXPECT_FALSE(task.has_validation());
  EXPECT_EQ(task.evaluate().loss, 0.0);
  EXPECT_TRUE(TinyStep(*data_, tiny_config()).task.has_validation());
}

TEST_F(LmTaskTest, ASplitSmallerThanABatchCanBeEvaluated) {
  TrainConfig config = tiny_config();
  TinyStep small(*data_, config);
  config.micro_batch = 64;
  TinyStep large(*data_, config);
  const Evaluation expected = small.task.evaluate_shard(data_->validation(), 8, 0);
  const Evaluation e = large.task.evaluate_shard(data_->validation(), 8, 0);
  EXPECT_EQ(e.metrics.at("tokens"), expected.metrics.at("tokens"));
  EXPECT_NEAR(e.loss, expected.loss, kFloat * expected.loss);
}

TEST_F(LmTaskTest, BatchesAreAFunctionOfTheirNumber) {
  TinyStep a(*data_, tiny_config()), b(*data_, tiny_config());
  EXPECT_EQ(a.task.load(5, 0), b.task.load(5, 1));
  EXPECT_GT(a.task.load(5, 0), 0);
  const float jumped = b.step.run(7, 0.0).loss;
  for (int64_t step = 0; step < 7; ++step) (void)a.step.run(step, 0.0);
  EXPECT_EQ(a.step.run(7, 0.0).loss, jumped);
}

TEST_F(LmTaskTest, ACorpusSmallerThanAWindowOrBatchIsRefused) {
  const auto message = [](int64_t seq, int64_t batch) {
    TrainConfig c = tiny_config();
    c.seq = seq;
    c.micro_batch = batch;
    models::TransformerConfig m = tiny_model();
    m.context = seq;
    return testing::message_of([&] {
      const TinyStep t(*data_, c, m);
      (void)t.task.items_per_epoch();
    });
  };
  const int64_t tokens = data_->train().tokens();
  const std::string holds = "loader: " + data_->train().path() + " holds ";
  EXPECT_EQ(message(tokens, 1),
            holds + std::to_string(tokens) +
                " tokens, fewer than one window of seq + 1 = " + std::to_string(tokens + 1) +
                "; set train.seq=" + std::to_string(tokens - 1) + ", or add text");
  const int64_t windows = tokens / 16;
  EXPECT_EQ(message(16, windows + 1),
            holds + std::to_string(windows) + " windows of 16 tokens, fewer than one batch of " +
                std::to_string(windows + 1) + "; set train.micro_batch=" + std::to_string(windows) +
                ", or add text");
}

}  // namespace
}  // namespace ingot::train::lm_task_test
