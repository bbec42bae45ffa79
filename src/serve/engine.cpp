// SPDX-License-Identifier: Apache-2.0
// The engine's loop: take in → look who reads → drop what has ended → admit → rows → forward →
// draw → tell. Who runs and who holds which pages is in seats.h. See engine.h.
#include "serve/engine.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/team.h"
#include "serve/seats.h"

namespace ingot::serve {
namespace {

using models::FinishReason;

constexpr int64_t kScoreRows = 32;  // prompt rows with logits per step, beside one per text

}  // namespace

class Engine::Impl {
 public:
  Impl(models::Decoder& decoder, const text::Tokenizer& tokenizer, const EngineConfig& config,
       Metrics& metrics, WorkerHooks hooks);
  ~Impl();
  Submitted submit(std::vector<Choice> choices, bool bounded, std::function<void()> notify);

  models::Decoder& decoder_;
  const text::Tokenizer& tokenizer_;
  const models::DecoderSpec spec_;
  EngineConfig config_;

 private:
  void run();
  bool take_in();
  void round();
  void watch_readers();
  void drop_ended();
  void admit();
  void add_decode_rows();
  void add_prefill_rows();
  void step();
  void draw(size_t row, std::span<const float> logits);
  void tell(Work& work);
  void sweep();
  template <class Works>
  void fail(Works& works, const char* reason);
  void publish();
  void rest();
  [[nodiscard]] double now() const { return hooks_.clock->now_s(); }

  Metrics& metrics_;
  WorkerHooks hooks_;
  RealClock real_clock_;
  models::Sampler sampler_;
  std::unique_ptr<Seats> seats_;
  std::vector<models::DecodeRow> rows_;
  std::vector<float> logits_;
  int64_t score_rows_ = 0;  // left in this step

  std::shared_ptr<Doorbell> bell_ = std::make_shared<Doorbell>();
  std::mutex mutex_;  // guards the four below
  std::deque<WorkPtr> incoming_;
  int64_t queued_ = 0;  // submitted and never scheduled
  int64_t next_order_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

Engine::Impl::Impl(models::Decoder& decoder, const text::Tokenizer& tokenizer,
                   const EngineConfig& config, Metrics& metrics, WorkerHooks hooks)
    : decoder_(decoder),
      tokenizer_(tokenizer),
      spec_(decoder.spec()),
      config_(config),
      metrics_(metrics),
      hooks_(std::move(hooks)),
      sampler_(models::drawable_ids(spec_, tokenizer)) {
  require(config.max_batch > 0 && config.queue > 0 && config.stream_bytes > 0 &&
              config.step_rows >= 0 && config.overcommit >= 1.0,
          Code::kInvalidArgument,
          "serve: max_batch {}, queue {}, stream_bytes {} must be > 0 and overcommit {} >= 1",
          config.max_batch, config.queue, config.stream_bytes, config.overcommit);
  const int64_t text_pages = (spec_.context + spec_.page_tokens - 1) / spec_.page_tokens;
  require(
      spec_.pages >= text_pages, Code::kOutOfMemory,
      "serve: the KV cache has {} pages but one text of full context ({} tokens) needs {}; raise "
      "serve.kv_mib to {}",
      spec_.pages, spec_.context, text_pages, (text_pages * spec_.page_bytes >> 20) + 1);
  if (hooks_.clock == nullptr) hooks_.clock = &real_clock_;
  if (config_.step_rows == 0) config_.step_rows = spec_.max_rows;
  config_.step_rows = std::min(config_.step_rows, spec_.max_rows);
  config_.max_batch = std::min({config_.max_batch, spec_.max_sequences, config_.step_rows});
  seats_ = std::make_unique<Seats>(spec_, config_.max_batch, config_.overcommit, metrics_);
  metrics_.pages_total = spec_.pages;
  thread_ = std::thread([this] { run(); });
}

Engine::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  bell_->ring();
  thread_.join();
}

Submitted Engine::Impl::submit(std::vector<Choice> choices, bool bounded,
                               std::function<void()> notify) {
  constexpr int64_t kUnbounded = int64_t{1} << 62;
  const auto stream = std::make_shared<Stream>(static_cast<int64_t>(choices.size()),
                                               bounded ? config_.stream_bytes : kUnbounded, bell_,
                                               std::move(notify));
  std::vector<WorkPtr> made;
  for (Choice& choice : choices) {
    made.push_back(std::make_unique<Work>(
        models::Sequence(std::move(choice.prompt), std::move(choice.options), tokenizer_, spec_),
        stream));
    made.back()->choice = static_cast<int64_t>(made.size()) - 1;
    made.back()->submitted_s = now();
  }
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return {nullptr, SubmitError::kStopped};
    if (queued_ >= config_.queue) return {nullptr, SubmitError::kQueueFull};
    queued_ += static_cast<int64_t>(made.size());
    for (WorkPtr& work : made) {
      work->order = next_order_++;
      incoming_.push_back(std::move(work));
    }
    metrics_.waiting = queued_;
  }
  bell_->ring();
  return {stream, SubmitError::kNone};
}

void Engine::Impl::run() {
  flush_denormals();
  if (hooks_.thread_start) hooks_.thread_start();
  const auto fail_all = [this](const char* reason) {
    fail(seats_->running(), reason);
    fail(seats_->waiting(), reason);
    sweep();
  };
  bool goes_on = true;
  while (goes_on) {
    try {
      goes_on = take_in();
      if (goes_on) round();
    } catch (const std::exception& error) {  // memory, or a broken invariant: the engine lives on
      ++metrics_.engine_errors;
      hooks_.logger.error("serve: the engine failed with {} completions: {}",
                          seats_->running().size() + seats_->waiting().size(), error.what());
      fail_all(kFailedText);
    }
  }
  fail_all(kStoppingText);
  publish();
}

void Engine::Impl::round() {
  watch_readers();
  drop_ended();
  admit();
  rows_.clear();
  score_rows_ = kScoreRows;
  add_decode_rows();
  add_prefill_rows();
  publish();
  if (rows_.empty()) {
    rest();
  } else {
    step();
  }
}

/// Lets what was submitted wait for a seat; false when the engine has to end.
bool Engine::Impl::take_in() {
  const std::lock_guard lock(mutex_);
  while (!incoming_.empty()) {
    seats_->add(std::move(incoming_.front()));
    incoming_.pop_front();
  }
  return !stop_;
}

/// Ends what the client has given up and what had nothing to compute, such as an echo.
void Engine::Impl::drop_ended() {
  const auto drop = [this](WorkPtr& work) {
    if (work->stream->cancelled()) work->text.cancel(FinishReason::kCancelled);
    if (work->text.finished()) tell(*work);
  };
  for (WorkPtr& work : seats_->running()) drop(work);
  for (WorkPtr& work : seats_->waiting()) drop(work);
  sweep();
}

/// Seats who fits and counts who sits for the first time.
void Engine::Impl::admit() {
  seats_->admit();
  int64_t first_time = 0;
  for (const WorkPtr& work : seats_->running()) {
    if (work->scheduled) continue;
    work->scheduled = true;
    ++first_time;
    metrics_.queue_time.observe(now() - work->submitted_s);
    metrics_.prompt_tokens += work->text.prompt_tokens();
  }
  if (first_time == 0) return;
  const std::lock_guard lock(mutex_);
  queued_ -= first_time;
}

/// For as long as this round takes, a text is paused or it is not.
void Engine::Impl::watch_readers() {
  const auto watch = [this, moment = now()](Work& work) {
    if (!work.stream->full()) {
      work.paused_s = -1.0;
      return;
    }
    if (!work.paused()) work.paused_s = moment;
    if (moment - work.paused_s < config_.slow_client_s) return;
    work.stream->cancel();
    ++metrics_.slow_clients;
  };
  for (const WorkPtr& work : seats_->running()) watch(*work);
  for (const WorkPtr& work : seats_->waiting()) watch(*work);
}

void Engine::Impl::add_decode_rows() {
  const std::vector<WorkPtr>& running = seats_->running();
  for (size_t i = 0; i < running.size(); ++i) {
    Work& work = *running[i];
    if (work.paused() || work.text.pending() != 1 || !seats_->grow(i)) continue;
    work.text.append_rows(work.slot, 1, 1, rows_);
  }
}

void Engine::Impl::add_prefill_rows() {
  int64_t budget = config_.step_rows - static_cast<int64_t>(rows_.size());
  for (const WorkPtr& work : seats_->running()) {
    if (budget == 0) return;
    if (work->paused() || work->text.pending() <= 1) continue;
    const size_t before = rows_.size();
    budget -= work->text.append_rows(work->slot, budget, 1 + score_rows_, rows_);
    const auto scored =
        std::count_if(rows_.begin() + static_cast<int64_t>(before), rows_.end(),
                      [](const models::DecodeRow& row) { return row.wants_logits; });
    score_rows_ -= std::min<int64_t>(score_rows_, scored);
  }
}

void Engine::Impl::step() {
  const auto wanted = std::count_if(rows_.begin(), rows_.end(),
                                    [](const models::DecodeRow& row) { return row.wants_logits; });
  logits_.resize(static_cast<size_t>(wanted * spec_.vocab));
  try {
    decoder_.forward(rows_, seats_->page_table(), logits_);
  } catch (const std::exception& error) {
    ++metrics_.engine_errors;
    hooks_.logger.error("serve: a step of {} rows failed: {}", rows_.size(), error.what());
    fail(seats_->running(), kFailedText);
    sweep();
    return;
  }
  ++metrics_.steps;
  size_t at = 0;
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (!rows_[row].wants_logits) continue;
    draw(row, std::span<const float>(logits_).subspan(at, static_cast<size_t>(spec_.vocab)));
    at += static_cast<size_t>(spec_.vocab);
  }
  for (const WorkPtr& work : seats_->running()) {
    work->text.settle();
    tell(*work);
  }
  sweep();
}

void Engine::Impl::draw(size_t row, std::span<const float> logits) {
  Work& work = seats_->owner(rows_[row].sequence);
  if (work.text.finished()) return;
  const int64_t before = work.text.completion_tokens();
  try {
    work.text.accept(rows_[row].position, logits, sampler_);
  } catch (const std::exception& error) {
    ++metrics_.engine_errors;
    hooks_.logger.error("serve: a text of {} tokens failed: {}", work.text.length(), error.what());
    work.error = kFailedText;
    work.text.cancel(FinishReason::kError);
    return;
  }
  if (work.text.completion_tokens() == before) return;
  const double moment = now();
  ++metrics_.generation_tokens;
  if (before == 0) {
    metrics_.time_to_first_token.observe(moment - work.submitted_s);
  } else {
    metrics_.inter_token.observe(moment - work.token_s);
  }
  work.token_s = moment;
}

/// Sends what is new about a text, if anything.
void Engine::Impl::tell(Work& work) {
  Event event;
  event.piece = work.text.take();
  if (event.piece.text.empty() && event.piece.tokens.empty() && !work.text.finished()) return;
  event.choice = work.choice;
  event.finish = work.text.finish_reason();
  event.error = work.error;
  if (work.text.finished()) {
    event.prompt_tokens = work.text.prompt_tokens();
    event.completion_tokens = work.text.completion_tokens();
    switch (event.finish) {
      case FinishReason::kStop:
        ++metrics_.finished_stop;
        break;
      case FinishReason::kLength:
        ++metrics_.finished_length;
        break;
      case FinishReason::kError:
        ++metrics_.finished_error;
        break;
      default:
        ++metrics_.finished_cancelled;
        break;
    }
    metrics_.end_to_end.observe(now() - work.submitted_s);
  }
  work.stream->push(std::move(event));
}

/// Forgets finished texts, whose last event tell() has sent.
void Engine::Impl::sweep() {
  const int64_t never_ran = seats_->sweep();
  if (never_ran == 0) return;
  const std::lock_guard lock(mutex_);
  queued_ -= never_ran;
}

/// Ends them with an error event. A client that cannot be told finds its event at the next ping.
template <class Works>
void Engine::Impl::fail(Works& works, const char* reason) {
  for (const WorkPtr& work : works) {
    try {
      work->text.cancel(FinishReason::kError);
      work->error = reason;
      tell(*work);
    } catch (const std::exception& error) {
      hooks_.logger.error("serve: a client could not be told: {}", error.what());
    }
  }
}

void Engine::Impl::publish() {
  metrics_.running = static_cast<int64_t>(seats_->running().size());
  metrics_.pages_used = seats_->pages_used();
  const std::lock_guard lock(mutex_);
  metrics_.waiting = queued_;
}

/// Nothing can run: wait for news, or until a paused client has had its time.
void Engine::Impl::rest() {
  double seconds = -1.0;
  const auto wake_for = [&](const Work& work) {
    const double left = std::max(0.0, work.paused_s + config_.slow_client_s - now());
    seconds = seconds < 0 ? left : std::min(seconds, left);
  };
  for (const WorkPtr& work : seats_->running()) {
    if (work->paused()) wake_for(*work);
  }
  for (const WorkPtr& work : seats_->waiting()) {
    if (!work->paused())
      return;  // it gave up its pages in this round and takes others' in the next
    wake_for(*work);
  }
  bell_->wait(seconds);
}

Engine::Engine(models::Decoder& decoder, const text::Tokenizer& tokenizer,
               const EngineConfig& config, Metrics& metrics, WorkerHooks hooks)
    : impl_(std::make_unique<Impl>(decoder, tokenizer, config, metrics, std::move(hooks))) {}
Engine::~Engine() = default;

Submitted Engine::submit(std::vector<Choice> choices, bool bounded, std::function<void()> notify) {
  return impl_->submit(std::move(choices), bounded, std::move(notify));
}
const text::Tokenizer& Engine::tokenizer() const { return impl_->tokenizer_; }
const models::DecoderSpec& Engine::spec() const { return impl_->spec_; }
const EngineConfig& Engine::config() const { return impl_->config_; }

}  // namespace ingot::serve
