// SPDX-License-Identifier: Apache-2.0
// The engine's loop: take in → drop what has ended → admit → rows → forward → draw → tell.
// Invariants: running_ is in order of submission, so its last is the youngest; a running text owns
// the pages of all its known tokens when it is admitted and one more page at a time while decoding;
// the oldest running text can always go on, because the pool holds a full context. See engine.h.
#include "serve/engine.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/team.h"
#include "serve/page_pool.h"

namespace ingot::serve {
namespace {

using models::FinishReason;

constexpr int64_t kScoreRows = 32;  // prompt rows with logits per step, beside one per text

/// One completion from submission to its last event.
struct Work {
  Work(models::Sequence s, std::shared_ptr<Stream> to)
      : text(std::move(s)), stream(std::move(to)) {}
  models::Sequence text;
  std::shared_ptr<Stream> stream;
  int64_t choice = 0;
  int64_t order = 0;  // of submission
  int32_t slot = -1;  // row of the page table; -1: not running
  std::vector<int32_t> pages;
  double submitted_s = 0.0;
  double token_s = 0.0;    // of the last token
  double paused_s = -1.0;  // since when the client does not read; -1: it does
  bool scheduled = false;  // has run before
  std::string error;
};
using WorkPtr = std::unique_ptr<Work>;

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
  void drop_ended();
  void admit();
  [[nodiscard]] bool fits(const Work& work) const;
  void round();
  void start(Work& work);
  void add_decode_rows();
  void add_prefill_rows();
  [[nodiscard]] bool paused(Work& work);
  bool grow(size_t index);
  void step();
  void draw(size_t row, std::span<const float> logits);
  void tell(Work& work);
  void release(Work& work);
  void sweep();
  template <class Works>
  void fail(Works& works, const char* reason);
  void publish();
  void rest();
  [[nodiscard]] double now() const { return hooks_.clock->now_s(); }
  [[nodiscard]] int64_t pages_for(int64_t tokens) const {
    return (tokens + spec_.page_tokens - 1) / spec_.page_tokens;
  }

  Metrics& metrics_;
  WorkerHooks hooks_;
  RealClock real_clock_;
  PagePool pool_;
  models::Sampler sampler_;
  int64_t row_pages_;                // entries of a page table row
  std::vector<int32_t> page_table_;  // [max_sequences, row_pages]
  std::vector<int32_t> free_slots_;
  std::vector<Work*> owner_;  // [max_sequences]
  std::vector<WorkPtr> running_;
  std::deque<WorkPtr> waiting_;  // first in, first out; preempted ones return to the front
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
      pool_(spec_.pages),
      sampler_(models::drawable_ids(spec_, tokenizer)),
      row_pages_(pages_for(spec_.context)) {
  require(config.max_batch > 0 && config.queue > 0 && config.stream_bytes > 0 &&
              config.step_rows >= 0 && config.overcommit >= 1.0,
          Code::kInvalidArgument,
          "serve: max_batch {}, queue {}, stream_bytes {} must be > 0 and overcommit {} >= 1",
          config.max_batch, config.queue, config.stream_bytes, config.overcommit);
  require(
      spec_.pages >= row_pages_, Code::kOutOfMemory,
      "serve: the KV cache has {} pages but one text of full context ({} tokens) needs {}; raise "
      "serve.kv_mib to {}",
      spec_.pages, spec_.context, row_pages_, (row_pages_ * spec_.page_bytes >> 20) + 1);
  if (hooks_.clock == nullptr) hooks_.clock = &real_clock_;
  if (config_.step_rows == 0) config_.step_rows = spec_.max_rows;
  config_.step_rows = std::min(config_.step_rows, spec_.max_rows);
  config_.max_batch = std::min({config_.max_batch, spec_.max_sequences, config_.step_rows});
  page_table_.resize(static_cast<size_t>(spec_.max_sequences * row_pages_));
  owner_.resize(static_cast<size_t>(spec_.max_sequences));
  for (int64_t i = config_.max_batch - 1; i >= 0; --i)
    free_slots_.push_back(static_cast<int32_t>(i));
  running_.reserve(static_cast<size_t>(config_.max_batch));
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
    fail(running_, reason);
    fail(waiting_, reason);
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
                          running_.size() + waiting_.size(), error.what());
      fail_all(kFailedText);
    }
  }
  fail_all(kStoppingText);
  publish();
}

void Engine::Impl::round() {
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

/// Moves what was submitted into waiting_; false when the engine has to end.
bool Engine::Impl::take_in() {
  const std::lock_guard lock(mutex_);
  while (!incoming_.empty()) {
    waiting_.push_back(std::move(incoming_.front()));
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
  std::for_each(running_.begin(), running_.end(), drop);
  std::for_each(waiting_.begin(), waiting_.end(), drop);
  sweep();
}

/// Strictly first come, first served: a big prompt waits for pages, nobody overtakes it.
void Engine::Impl::admit() {
  while (!waiting_.empty()) {
    if (free_slots_.empty() || !fits(*waiting_.front())) return;
    start(*waiting_.front());
    WorkPtr work = std::move(waiting_.front());
    waiting_.pop_front();
    const auto place = std::find_if(running_.begin(), running_.end(), [&](const WorkPtr& other) {
      return other->order > work->order;
    });
    running_.insert(place, std::move(work));  // there is room for max_batch
  }
}

bool Engine::Impl::fits(const Work& work) const {
  if (running_.empty()) return true;
  // A page in reserve for each running text: whoever is let in is not thrown out at once.
  const auto reserve = static_cast<int64_t>(running_.size());
  if (pool_.available() < pages_for(work.text.length() + 1) + reserve) return false;
  int64_t predicted = pages_for(work.text.max_length());
  for (const WorkPtr& other : running_) predicted += pages_for(other->text.max_length());
  return static_cast<double>(predicted) <= config_.overcommit * static_cast<double>(pool_.pages());
}

/// Gives it a slot and its pages. The slot comes first, so that release() returns whatever it has.
void Engine::Impl::start(Work& work) {
  work.slot = free_slots_.back();
  free_slots_.pop_back();
  owner_[static_cast<size_t>(work.slot)] = &work;
  const bool taken = pool_.take(pages_for(work.text.length()), work.pages);
  INGOT_ASSERT(taken);
  std::copy(work.pages.begin(), work.pages.end(), page_table_.begin() + work.slot * row_pages_);
  if (work.scheduled) return;
  work.scheduled = true;
  metrics_.queue_time.observe(now() - work.submitted_s);
  metrics_.prompt_tokens += work.text.prompt_tokens();
  const std::lock_guard lock(mutex_);
  --queued_;
}

/// True while the client does not read; cancels it when that lasts.
bool Engine::Impl::paused(Work& work) {
  if (!work.stream->full()) {
    work.paused_s = -1.0;
    return false;
  }
  if (work.paused_s < 0) work.paused_s = now();
  if (now() - work.paused_s >= config_.slow_client_s) {
    work.stream->cancel();
    ++metrics_.slow_clients;
  }
  return true;
}

void Engine::Impl::add_decode_rows() {
  for (size_t i = 0; i < running_.size(); ++i) {
    Work& work = *running_[i];
    if (work.text.pending() != 1 || paused(work) || !grow(i)) continue;
    work.text.append_rows(work.slot, 1, 1, rows_);
  }
}

/// Gives text `index` the page for its next token; the youngest texts pay. False: it paid itself.
bool Engine::Impl::grow(size_t index) {
  Work& work = *running_[index];
  const int64_t needed = pages_for(work.text.cached() + 1);
  while (static_cast<int64_t>(work.pages.size()) < needed) {
    if (pool_.take(1, work.pages)) {
      const auto entry = work.slot * row_pages_ + static_cast<int64_t>(work.pages.size()) - 1;
      page_table_[static_cast<size_t>(entry)] = work.pages.back();
      continue;
    }
    waiting_.push_front(std::move(running_.back()));
    running_.pop_back();
    Work& victim = *waiting_.front();
    release(victim);
    metrics_.recomputed_tokens += victim.text.cached();
    ++metrics_.preemptions;
    victim.text.forget_cache();
    if (&victim == &work) return false;
  }
  return true;
}

void Engine::Impl::add_prefill_rows() {
  int64_t budget = config_.step_rows - static_cast<int64_t>(rows_.size());
  for (const WorkPtr& work : running_) {
    if (budget == 0) return;
    if (work->text.pending() <= 1) continue;  // decoding, or paused
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
    decoder_.forward(rows_, page_table_, logits_);
  } catch (const std::exception& error) {
    ++metrics_.engine_errors;
    hooks_.logger.error("serve: a step of {} rows failed: {}", rows_.size(), error.what());
    fail(running_, kFailedText);
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
  for (const WorkPtr& work : running_) {
    work->text.settle();
    tell(*work);
  }
  sweep();
}

void Engine::Impl::draw(size_t row, std::span<const float> logits) {
  Work& work = *owner_[static_cast<size_t>(rows_[row].sequence)];
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

void Engine::Impl::release(Work& work) {
  if (work.slot < 0) return;
  pool_.give_back(work.pages);
  owner_[static_cast<size_t>(work.slot)] = nullptr;
  free_slots_.push_back(work.slot);
  work.slot = -1;
}

/// Forgets finished texts, whose last event tell() has sent.
void Engine::Impl::sweep() {
  int64_t never_ran = 0;
  const auto gone = [&](const WorkPtr& work) {
    if (!work->text.finished()) return false;
    if (!work->scheduled) ++never_ran;
    release(*work);
    return true;
  };
  std::erase_if(running_, gone);
  std::erase_if(waiting_, gone);
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
  metrics_.running = static_cast<int64_t>(running_.size());
  metrics_.pages_used = pool_.used();
  const std::lock_guard lock(mutex_);
  metrics_.waiting = queued_;
}

/// Nothing can run: wait for news, or until a paused client has had its time.
void Engine::Impl::rest() {
  double seconds = -1.0;
  for (const WorkPtr& work : running_) {
    if (work->paused_s < 0) continue;
    const double left = std::max(0.0, work->paused_s + config_.slow_client_s - now());
    seconds = seconds < 0 ? left : std::min(seconds, left);
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
