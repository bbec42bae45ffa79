// SPDX-License-Identifier: Apache-2.0
// The engine over the fake model, whose logits are a hash of the history found in its paged cache:
// whatever the batch, the pages or the order do, each text must equal the one written alone by
// models::generate.
#include "serve/engine.h"

#include <future>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/fake_model.h"
#include "models/generate.h"
#include "serve/page_pool.h"
#include "serve/serve_testing.h"

namespace ingot::serve::engine_test {
namespace {

using models::FinishReason;
using testing::error_of;
using testing::eventually;
using testing::FakeDecoder;
using testing::FakeTokenizer;

const FakeTokenizer kTokenizer;

Choice choice_of(int64_t number, int64_t max_tokens) {
  Choice choice;
  choice.prompt = kTokenizer.encode(std::string(static_cast<size_t>(number % 37 + 1), 'p') +
                                    std::to_string(number));
  choice.options.max_tokens = max_tokens;
  choice.options.sampling.seed = static_cast<uint64_t>(number);
  return choice;
}

std::string alone(const Choice& choice, const FakeDecoder::Options& model = {}) {
  FakeDecoder decoder(model);
  return generate(decoder, kTokenizer, choice.prompt, choice.options).text;
}

/// Collects a stream to its end.
class Reader {
 public:
  Reader(Engine& engine, std::vector<Choice> choices) {
    const size_t expected = choices.size();
    stream_ = engine.submit(std::move(choices), false, [this] { bell_.ring(); }).stream;
    texts.resize(expected);
    finishes.resize(expected);
  }
  ~Reader() { stream_->detach(); }
  void finish() {
    size_t ended = 0;
    while (ended < texts.size()) {
      bell_.wait(1.0);
      for (const Event& event : stream_->drain()) {
        const auto i = static_cast<size_t>(event.choice);
        texts[i] += event.piece.text;
        if (event.finish == FinishReason::kNone) continue;
        finishes[i] = event;
        ++ended;
      }
    }
  }
  std::shared_ptr<Stream> stream_;
  std::vector<std::string> texts;
  std::vector<Event> finishes;

 private:
  Doorbell bell_;
};

void expect_same_as_alone(FakeDecoder& decoder, Metrics& metrics, const EngineConfig& config,
                          const FakeDecoder::Options& model) {
  constexpr int64_t kTexts = 33;
  constexpr int64_t kTokens = 40;
  Engine engine(decoder, kTokenizer, config, metrics);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int64_t i = 0; i < kTexts; ++i) {
    readers.push_back(std::make_unique<Reader>(engine, std::vector{choice_of(i, kTokens)}));
  }
  for (int64_t i = 0; i < kTexts; ++i) {
    readers[static_cast<size_t>(i)]->finish();
    EXPECT_EQ(readers[static_cast<size_t>(i)]->texts[0], alone(choice_of(i, kTokens), model)) << i;
  }
  EXPECT_TRUE(eventually([&] { return metrics.pages_used == 0 && metrics.running == 0; }));
  EXPECT_EQ(metrics.finished_length, kTexts);
}

TEST(Engine, EveryTextIsTheSameAloneAndAmong32Others) {
  const FakeDecoder::Options model;
  FakeDecoder decoder(model);
  Metrics metrics;
  expect_same_as_alone(decoder, metrics, {.max_batch = 64}, model);
  EXPECT_EQ(metrics.preemptions, 0);
  EXPECT_LT(metrics.steps, 33 * 40) << "nothing was batched";
}

TEST(Engine, TextsSurvivePreemptionUnchanged) {
  // A full context is 30 pages; eight texts of up to 20 pages fight for 40.
  const FakeDecoder::Options model{.context = 120, .pages = 40, .max_rows = 16};
  FakeDecoder decoder(model);
  Metrics metrics;
  expect_same_as_alone(decoder, metrics, {.max_batch = 8, .overcommit = 10.0}, model);
  EXPECT_GT(metrics.preemptions, 0);
  EXPECT_GT(metrics.recomputed_tokens, 0);
}

TEST(Engine, AdmissionByPredictedPagesAvoidsPreemption) {
  const FakeDecoder::Options model{.context = 120, .pages = 40, .max_rows = 16};
  FakeDecoder decoder(model);
  Metrics metrics;
  expect_same_as_alone(decoder, metrics, {.max_batch = 8, .overcommit = 1.0}, model);
  EXPECT_EQ(metrics.preemptions, 0);
}

TEST(Engine, ChoicesOfOneRequestDifferAndTheFirstIsTheSingleOne) {
  FakeDecoder decoder;
  Metrics metrics;
  Engine engine(decoder, kTokenizer, {}, metrics);
  std::vector<Choice> choices(3, choice_of(5, 20));
  for (uint32_t i = 0; i < 3; ++i) choices[i].options.sampling.stream = i;
  Reader reader(engine, choices);
  reader.finish();
  EXPECT_EQ(reader.texts[0], alone(choice_of(5, 20)));
  EXPECT_NE(reader.texts[0], reader.texts[1]);
  EXPECT_NE(reader.texts[1], reader.texts[2]);
  EXPECT_EQ(reader.finishes[1].completion_tokens, 20);
  EXPECT_EQ(reader.finishes[1].prompt_tokens, static_cast<int64_t>(choices[0].prompt.size()));
}

TEST(Engine, AFullQueueRefuses) {
  FakeDecoder decoder;
  testing::Gate gate;
  decoder.before_step = [&] { gate.pass(); };
  Metrics metrics;
  Engine engine(decoder, kTokenizer, {.max_batch = 1, .queue = 2}, metrics);
  gate.set(false);
  Reader running(engine, {choice_of(1, 4)});
  ASSERT_TRUE(eventually([&] { return metrics.running == 1 && metrics.waiting == 0; }));
  Reader second(engine, {choice_of(2, 4)});
  Reader third(engine, {choice_of(3, 4)});
  const Submitted refused = engine.submit({choice_of(4, 4)}, true, nullptr);
  EXPECT_EQ(refused.stream, nullptr);
  EXPECT_EQ(refused.error, SubmitError::kQueueFull);
  gate.set(true);
  running.finish();
  second.finish();
  third.finish();
  EXPECT_EQ(third.texts[0], alone(choice_of(3, 4)));
}

TEST(Engine, CancelledTextsGiveTheirPagesBackWithinAStep) {
  FakeDecoder decoder;
  testing::Gate gate;
  decoder.before_step = [&] { gate.pass(); };
  Metrics metrics;
  Engine engine(decoder, kTokenizer, {.max_batch = 1}, metrics);
  gate.set(false);
  Reader running(engine, {choice_of(1, 200)});
  Reader waiting(engine, {choice_of(2, 200)});
  ASSERT_TRUE(eventually([&] { return metrics.queue_time.count() == 1; }));
  running.stream_->cancel();
  waiting.stream_->cancel();
  gate.set(true);
  running.finish();
  waiting.finish();
  EXPECT_EQ(running.finishes[0].finish, FinishReason::kCancelled);
  EXPECT_EQ(waiting.finishes[0].finish, FinishReason::kCancelled);
  EXPECT_TRUE(eventually([&] { return metrics.pages_used == 0 && metrics.waiting == 0; }));
  EXPECT_LE(decoder.steps, 1);
}

TEST(Engine, AClientThatDoesNotReadPausesItsTextOnly) {
  FakeDecoder decoder;
  Metrics metrics;
  FakeClock clock;
  Engine engine(decoder, kTokenizer, {.max_batch = 4, .stream_bytes = 2048, .slow_client_s = 1e9},
                metrics, {.clock = &clock});
  Doorbell bell;
  const auto slow = engine.submit({choice_of(1, 100)}, true, [&] { bell.ring(); }).stream;
  Reader quick(engine, {choice_of(2, 100)});
  quick.finish();
  EXPECT_EQ(quick.texts[0], alone(choice_of(2, 100)));
  ASSERT_TRUE(eventually([&] { return slow->full() && metrics.running == 1; }));
  std::string text;
  bool ended = false;
  while (!ended) {
    bell.wait(1.0);
    for (const Event& event : slow->drain()) {
      text += event.piece.text;
      ended = event.finish == FinishReason::kLength;
    }
  }
  slow->detach();
  EXPECT_EQ(text, alone(choice_of(1, 100)));
}

/// One request fills all seats and is not read; another is served to its end meanwhile. Then the
/// first is read: both are what they are alone.
void expect_paused_texts_make_room(int64_t max_batch, int64_t slow_choices, const Choice& slow,
                                   const Choice& quick, const FakeDecoder::Options& model,
                                   Metrics& metrics) {
  FakeDecoder decoder(model);
  FakeClock clock;
  Engine engine(
      decoder, kTokenizer,
      {.max_batch = max_batch, .stream_bytes = 2048, .slow_client_s = 1e9, .overcommit = 10.0},
      metrics, {.clock = &clock});
  std::vector<Choice> choices(static_cast<size_t>(slow_choices), slow);
  for (size_t i = 0; i < choices.size(); ++i) {
    choices[i].options.sampling.stream = static_cast<uint32_t>(i);
  }
  Doorbell bell;
  const auto unread = engine.submit(choices, true, [&] { bell.ring(); }).stream;
  ASSERT_TRUE(eventually([&] { return unread->full(); }));
  Reader other(engine, {quick});
  ASSERT_TRUE(eventually([&] { return metrics.finished_length == 1; })) << "nobody may block it";
  other.finish();
  EXPECT_EQ(other.texts[0], alone(quick, model));
  std::vector<std::string> texts(choices.size());
  size_t ended = 0;
  while (ended < texts.size()) {
    bell.wait(1.0);
    for (const Event& event : unread->drain()) {
      texts[static_cast<size_t>(event.choice)] += event.piece.text;
      ended += event.finish == FinishReason::kNone ? 0 : 1;
    }
  }
  unread->detach();
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], alone(choices[i], model)) << i;
  EXPECT_TRUE(eventually([&] { return metrics.pages_used == 0 && metrics.running == 0; }));
}

TEST(Engine, AClientThatDoesNotReadKeepsNobodyFromASeat) {
  for (const int64_t max_batch : {1, 4}) {
    Metrics metrics;
    expect_paused_texts_make_room(max_batch, 6, choice_of(1, 100), choice_of(2, 100), {}, metrics);
    EXPECT_EQ(metrics.preemptions, 0) << "there were pages for all";
  }
}

TEST(Engine, AClientThatDoesNotReadKeepsNobodyFromPages) {
  // The other text fills 29 of 30 pages, so the unread one is computed again.
  const FakeDecoder::Options model{.context = 120, .pages = 30, .max_rows = 16};
  for (const int64_t max_batch : {1, 2}) {
    Metrics metrics;
    expect_paused_texts_make_room(max_batch, 1, choice_of(1, 100), choice_of(30, 80), model,
                                  metrics);
    EXPECT_GT(metrics.recomputed_tokens, 0);
  }
}

TEST(Engine, AClientThatNeverReadsIsCancelled) {
  FakeDecoder decoder;
  Metrics metrics;
  Engine engine(decoder, kTokenizer, {.stream_bytes = 2048, .slow_client_s = 0.0}, metrics);
  const auto slow = engine.submit({choice_of(1, 200)}, true, nullptr).stream;
  EXPECT_TRUE(eventually([&] { return metrics.finished_cancelled == 1; }));
  EXPECT_EQ(metrics.slow_clients, 1);
  EXPECT_EQ(slow->drain().back().finish, FinishReason::kCancelled);
}

TEST(Engine, AFailingStepEndsItsTextsAndTheNextRequestWorks) {
  FakeDecoder decoder;
  std::atomic<bool> broken{true};
  decoder.before_step = [&] { require(!broken, Code::kInternal, "secret path"); };
  Metrics metrics;
  std::string logged;
  Engine engine(decoder, kTokenizer, {}, metrics,
                {.logger = Logger(LogLevel::kError,
                                  [&](LogLevel, std::string_view line) { logged = line; })});
  Reader failed(engine, {choice_of(1, 4)});
  failed.finish();
  EXPECT_EQ(failed.finishes[0].finish, FinishReason::kError);
  EXPECT_EQ(failed.finishes[0].error, "The server had an error while processing your request.");
  EXPECT_NE(logged.find("secret path"), std::string::npos);
  broken = false;
  Reader good(engine, {choice_of(1, 4)});
  good.finish();
  EXPECT_EQ(good.texts[0], alone(choice_of(1, 4)));
  EXPECT_EQ(metrics.engine_errors, 1);
}

TEST(Engine, AFailureInItsLoopEndsItsTextsAndTheNextRequestWorks) {
  FakeDecoder decoder;
  Metrics metrics;
  std::vector<std::string> log;
  WorkerHooks hooks;
  hooks.logger =
      Logger(LogLevel::kError, [&](LogLevel, std::string_view text) { log.emplace_back(text); });
  Engine engine(decoder, kTokenizer, {}, metrics, hooks);
  const auto stream =
      engine.submit({choice_of(1, 20)}, false, [] { throw std::bad_alloc(); }).stream;
  ASSERT_TRUE(eventually([&] { return metrics.finished_error == 1; }));
  // It is counted before it is told, and told before the next one is taken in.
  Reader next(engine, {choice_of(2, 20)});
  next.finish();
  EXPECT_EQ(next.texts[0], alone(choice_of(2, 20)));
  const std::vector<Event> events = stream->drain();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().finish, FinishReason::kError);
  EXPECT_EQ(events.back().error, "The server had an error while processing your request.");
  EXPECT_EQ(metrics.engine_errors, 1);
  EXPECT_TRUE(eventually([&] { return metrics.pages_used == 0; }));
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0], "serve: the engine failed with 1 completions: std::bad_alloc");
}

TEST(Engine, EndingItEndsItsTexts) {
  FakeDecoder decoder;
  Metrics metrics;
  std::shared_ptr<Stream> stream;
  {
    testing::Gate gate;
    decoder.before_step = [&] { gate.pass(); };
    gate.set(false);
    std::promise<void> ending;
    auto engine = std::make_unique<Engine>(decoder, kTokenizer, EngineConfig(), metrics);
    stream = engine->submit({choice_of(1, 250 - 2)}, false, nullptr).stream;
    std::thread opener([&] { gate.set(true); });
    engine.reset();
    opener.join();
  }
  const std::vector<Event> events = stream->drain();
  ASSERT_FALSE(events.empty());
  EXPECT_NE(events.back().finish, FinishReason::kNone);
}

TEST(Engine, RefusesAPoolThatCannotHoldOneText) {
  FakeDecoder decoder({.context = 256, .pages = 63});
  Metrics metrics;
  EXPECT_EQ(error_of([&] { Engine(decoder, kTokenizer, {}, metrics); }),
            "serve: the KV cache has 63 pages but one text of full context (256 tokens) needs 64; "
            "raise serve.kv_mib to 1");
  EXPECT_EQ(
      error_of([&] { Engine(decoder, kTokenizer, {.max_batch = 0}, metrics); }),
      "serve: max_batch 0, queue 256, stream_bytes 65536 must be > 0 and overcommit 1.25 >= 1");
}

TEST(PagePool, GivesEachPageOnceAndTakesNoneTwice) {
  PagePool pool(3);
  std::vector<int32_t> first;
  std::vector<int32_t> second;
  EXPECT_TRUE(pool.take(2, first));
  EXPECT_FALSE(pool.take(2, second));
  EXPECT_TRUE(second.empty());
  EXPECT_TRUE(pool.take(1, second));
  EXPECT_EQ(first, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(second, (std::vector<int32_t>{2}));
  EXPECT_EQ(pool.used(), 3);
  std::vector<int32_t> copy = second;
  pool.give_back(second);
  EXPECT_EQ(pool.available(), 1);
  EXPECT_NE(error_of([&] { pool.give_back(copy); }), "");
}

}  // namespace
}  // namespace ingot::serve::engine_test
