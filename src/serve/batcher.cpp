// SPDX-License-Identifier: Apache-2.0
// The batcher's loop: wait for examples → take a batch → run it → tell whose last answer it held.
// Invariant: queue_ holds the predictions with rows that are in no batch yet, in order of
// submission, and waiting_ counts those rows. See batcher.h.
#include "serve/batcher.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/team.h"

namespace ingot::serve {

Prediction::Prediction(std::vector<std::byte> records, int64_t rows, int64_t width,
                       std::function<void()> notify)
    : records_(std::move(records)),
      rows_(rows),
      answers_(static_cast<size_t>(rows * width)),
      left_(rows),
      notify_(std::move(notify)) {}

Prediction::State Prediction::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string Prediction::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Prediction::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
}

void Prediction::detach() {
  const std::lock_guard lock(mutex_);
  notify_ = nullptr;
}

void Prediction::finish(State state, std::string error) {
  const std::lock_guard lock(mutex_);
  state_ = state;
  error_ = std::move(error);
  if (notify_) notify_();
}

class Batcher::Impl {
 public:
  Impl(Predictor& predictor, const BatcherConfig& config, Metrics& metrics, WorkerHooks hooks);
  ~Impl();
  SubmittedPrediction submit(std::vector<std::byte> records, int64_t rows,
                             std::function<void()> notify);
  [[nodiscard]] bool is_full();

  const BatcherConfig config_;

 private:
  /// One example of the batch.
  struct Part {
    std::shared_ptr<Prediction> owner;
    int64_t row;
  };

  void run();
  [[nodiscard]] bool gather();
  void drop_ended();
  void take();
  void step();
  void answer(std::span<const float> answers);
  void fail_batch(const std::exception& error);
  void end(Prediction& prediction, Prediction::State state, const char* error);
  [[nodiscard]] double now() const { return hooks_.clock->now_s(); }

  Predictor& predictor_;
  Metrics& metrics_;
  WorkerHooks hooks_;
  RealClock real_clock_;
  const size_t record_bytes_;
  const size_t width_;
  const int64_t enough_;  // waiting rows that start a batch before its delay has passed
  std::vector<Part> batch_;
  std::vector<const std::byte*> records_;
  std::vector<float> answers_;

  Doorbell bell_;
  std::mutex mutex_;  // guards the three below
  std::deque<std::shared_ptr<Prediction>> queue_;
  int64_t waiting_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

Batcher::Impl::Impl(Predictor& predictor, const BatcherConfig& config, Metrics& metrics,
                    WorkerHooks hooks)
    : config_(config),
      predictor_(predictor),
      metrics_(metrics),
      hooks_(std::move(hooks)),
      record_bytes_(static_cast<size_t>(predictor.record_bytes())),
      width_(static_cast<size_t>(predictor.form().width())),
      enough_(std::min(config.max_batch, config.queue)) {
  require(config.max_batch > 0 && config.queue > 0 && config.max_delay_s >= 0,
          Code::kInvalidArgument,
          "serve: max_batch {} and queue {} must be > 0 and max_delay_s {} not negative",
          config.max_batch, config.queue, config.max_delay_s);
  if (hooks_.clock == nullptr) hooks_.clock = &real_clock_;
  const auto room = static_cast<size_t>(config.max_batch);
  batch_.reserve(room);  // a batch is gathered without memory that may be refused
  records_.reserve(room);
  answers_.resize(room * width_);
  thread_ = std::thread([this] { run(); });
}

Batcher::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  bell_.ring();
  thread_.join();
}

SubmittedPrediction Batcher::Impl::submit(std::vector<std::byte> records, int64_t rows,
                                          std::function<void()> notify) {
  INGOT_ASSERT(rows >= 1 && records.size() == static_cast<size_t>(rows) * record_bytes_);
  auto prediction = std::make_shared<Prediction>(std::move(records), rows,
                                                 static_cast<int64_t>(width_), std::move(notify));
  prediction->submitted_s_ = now();
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return {nullptr, SubmitError::kStopped};
    if (waiting_ >= config_.queue) return {nullptr, SubmitError::kQueueFull};
    waiting_ += rows;
    queue_.push_back(prediction);
    metrics_.waiting = waiting_;
  }
  bell_.ring();
  return {std::move(prediction), SubmitError::kNone};
}

bool Batcher::Impl::is_full() {
  const std::lock_guard lock(mutex_);
  return waiting_ >= config_.queue;
}

void Batcher::Impl::run() {
  flush_denormals();
  if (hooks_.thread_start) hooks_.thread_start();
  while (gather()) step();
  const std::lock_guard lock(mutex_);
  for (const auto& prediction : queue_) {
    end(*prediction, Prediction::State::kFailed, kStoppingText);
  }
  queue_.clear();
}

/// Waits until there is a batch to run; false when the thread has to end.
bool Batcher::Impl::gather() {
  while (true) {
    double seconds = -1.0;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return false;
      drop_ended();
      if (waiting_ > 0) seconds = queue_.front()->submitted_s_ + config_.max_delay_s - now();
      if (waiting_ >= enough_ || (waiting_ > 0 && seconds <= 0)) {
        take();
        return true;
      }
    }
    bell_.wait(seconds);
  }
}

/// Forgets those whose client has gone, or that a batch has failed.
void Batcher::Impl::drop_ended() {
  std::erase_if(queue_, [this](const std::shared_ptr<Prediction>& prediction) {
    bool cancelled = false;
    {
      const std::lock_guard lock(prediction->mutex_);
      cancelled = prediction->cancelled_;
      if (!cancelled && prediction->state_ == Prediction::State::kRunning) return false;
    }
    if (cancelled) ++metrics_.finished_cancelled;
    waiting_ -= prediction->rows_ - prediction->next_;
    return true;
  });
  metrics_.waiting = waiting_;
}

void Batcher::Impl::take() {
  const auto room = static_cast<size_t>(config_.max_batch);
  while (batch_.size() < room && !queue_.empty()) {
    const std::shared_ptr<Prediction>& front = queue_.front();
    if (front->next_ == 0) metrics_.queue_time.observe(now() - front->submitted_s_);
    while (batch_.size() < room && front->next_ < front->rows_) {
      batch_.push_back({front, front->next_++});
    }
    if (front->next_ == front->rows_) queue_.pop_front();
  }
  waiting_ -= static_cast<int64_t>(batch_.size());
  metrics_.waiting = waiting_;
}

void Batcher::Impl::step() {
  metrics_.running = static_cast<int64_t>(batch_.size());
  records_.clear();
  for (const Part& part : batch_) {
    records_.push_back(part.owner->records_.data() + static_cast<size_t>(part.row) * record_bytes_);
  }
  const std::span<float> answers = std::span(answers_).first(batch_.size() * width_);
  try {
    predictor_.run(records_, answers);
    ++metrics_.steps;
    metrics_.examples += static_cast<int64_t>(batch_.size());
    metrics_.batch_size.observe(static_cast<double>(batch_.size()));
    answer(answers);
  } catch (const std::exception& error) {  // memory, or a broken invariant: the batcher lives on
    fail_batch(error);
  }
  batch_.clear();
  metrics_.running = 0;
}

void Batcher::Impl::answer(std::span<const float> answers) {
  for (size_t i = 0; i < batch_.size(); ++i) {
    Prediction& owner = *batch_[i].owner;
    const auto row = answers.subspan(i * width_, width_);
    std::copy(row.begin(), row.end(),
              owner.answers_.begin() + batch_[i].row * static_cast<int64_t>(width_));
    if (--owner.left_ == 0) end(owner, Prediction::State::kDone, "");
  }
}

void Batcher::Impl::fail_batch(const std::exception& error) {
  ++metrics_.engine_errors;
  hooks_.logger.error("serve: a batch of {} examples failed: {}", batch_.size(), error.what());
  for (const Part& part : batch_) {
    if (part.owner->state() == Prediction::State::kRunning) {
      end(*part.owner, Prediction::State::kFailed, kFailedText);
    }
  }
}

void Batcher::Impl::end(Prediction& prediction, Prediction::State state, const char* error) {
  ++(state == Prediction::State::kDone ? metrics_.finished_stop : metrics_.finished_error);
  metrics_.end_to_end.observe(now() - prediction.submitted_s_);
  prediction.finish(state, error);
}

Batcher::Batcher(Predictor& predictor, const BatcherConfig& config, Metrics& metrics,
                 WorkerHooks hooks)
    : impl_(std::make_unique<Impl>(predictor, config, metrics, std::move(hooks))) {}
Batcher::~Batcher() = default;

SubmittedPrediction Batcher::submit(std::vector<std::byte> records, int64_t rows,
                                    std::function<void()> notify) {
  return impl_->submit(std::move(records), rows, std::move(notify));
}
bool Batcher::is_full() { return impl_->is_full(); }
const BatcherConfig& Batcher::config() const { return impl_->config_; }

}  // namespace ingot::serve
