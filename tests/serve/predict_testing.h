// SPDX-License-Identifier: Apache-2.0
// A network without weights: two columns, answers that are a hash of the cells, so that any mistake
// with rows, batches or order changes them. Alone, and behind a server.
#pragma once

#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/hash.h"
#include "serve/predict_api.h"
#include "serve/serve_testing.h"

namespace ingot::testing {

/// Columns "legs" (a number) and "note" (a text, or pictures); a note "drop" leaves the instance
/// out, "owl" is a category that training did not have, a batch with a note "explode" fails.
class FakePredictor final : public serve::Predictor {
 public:
  explicit FakePredictor(std::vector<std::string> classes = {"bird", "dog"},
                         serve::InputKind note = serve::InputKind::kText)
      : form_(std::move(classes)), inputs_{{"legs", serve::InputKind::kNumber}, {"note", note}} {}

  [[nodiscard]] std::span<const serve::PredictorInput> inputs() const override { return inputs_; }
  [[nodiscard]] const serve::AnswerForm& form() const override { return form_; }
  [[nodiscard]] int64_t record_bytes() const override { return sizeof(uint64_t); }
  bool encode(std::span<const std::string_view> cells, size_t lane,
              std::span<std::byte> record) override {
    ++encoded;
    if (before_encode) before_encode();
    double legs = 0;
    const char* const end = cells[0].data() + cells[0].size();
    require(std::from_chars(cells[0].data(), end, legs).ptr == end, Code::kInvalidArgument,
            "column \"legs\": \"{}\" is no finite number", cells[0]);
    unseen_[lane] = cells[1] == "owl" ? 1 : 0;
    if (cells[1] == "drop") return false;
    const uint64_t hash = cells[1] == "explode"
                              ? kExplodes
                              : hash_of(std::string(cells[0]) + '|' + std::string(cells[1]));
    std::memcpy(record.data(), &hash, sizeof hash);
    return true;
  }
  [[nodiscard]] std::string reason(size_t /*lane*/) const override {
    return "column \"note\": \"dröp\"\r\nis left out";
  }
  [[nodiscard]] int64_t unseen(size_t lane) const override { return unseen_[lane]; }
  void run(std::span<const std::byte* const> records, std::span<float> answers) override {
    if (before_run) before_run();
    {
      const std::lock_guard lock(mutex_);
      batches_.push_back(records.size());
    }
    const auto width = static_cast<size_t>(form_.width());
    for (size_t row = 0; row < records.size(); ++row) {
      uint64_t hash = 0;
      std::memcpy(&hash, records[row], sizeof hash);
      require(hash != kExplodes, Code::kInternal, "fake predictor: exploded");
      for (size_t i = 0; i < width; ++i) {
        answers[row * width + i] = static_cast<float>(mix64(hash + i) >> 40) * 0x1p-24F;
      }
    }
  }

  /// Sizes of the batches so far.
  [[nodiscard]] std::vector<size_t> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::function<void()> before_run;
  std::function<void()> before_encode;
  std::atomic<int> encoded{0};  ///< examples, begun

 private:
  static constexpr uint64_t kExplodes = ~uint64_t{0};
  static uint64_t hash_of(const std::string& text) {
    uint64_t hash = 1;
    for (const char c : text) hash = mix64(hash ^ static_cast<unsigned char>(c));
    return hash;
  }
  serve::AnswerForm form_;
  std::vector<serve::PredictorInput> inputs_;
  std::array<int64_t, serve::kLanes> unseen_{};
  mutable std::mutex mutex_;
  std::vector<size_t> batches_;
};

/// A fake network, served as "ingot".
class PredictService : public Served {
 public:
  explicit PredictService(const serve::ServeConfig& config = {},
                          std::vector<std::string> classes = {"bird", "dog"},
                          serve::InputKind note = serve::InputKind::kText)
      : predictor(std::move(classes), note) {
    predictor.before_encode = [this] { encoding.pass(); };
    predictor.before_run = [this] { gate.pass(); };
    const serve::BatcherConfig batching{config.max_batch, config.queue, config.max_delay_s};
    serve::WorkerHooks hooks;
    hooks.logger = logger();
    batcher = std::make_unique<serve::Batcher>(predictor, batching, metrics, hooks);
    api = std::make_unique<serve::PredictApi>(config,
                                              serve::ModelInfo{config.model_name, 1700000000, "fp"},
                                              predictor, *batcher, metrics);
    start(config, *api);
  }
  ~PredictService() {
    encoding.set(true);
    finish();
  }

  Response predict(std::string_view body) {
    return ask(port(), post_to("/v1/models/ingot:predict", body));
  }
  Response infer(std::string_view body, std::string_view more = "") {
    return ask(port(), post_to("/v2/models/ingot/infer", body, more));
  }

  Gate encoding;  ///< holds the thread that encodes, before each example
  FakePredictor predictor;
  std::unique_ptr<serve::Batcher> batcher;
  std::unique_ptr<serve::PredictApi> api;
};

}  // namespace ingot::testing
