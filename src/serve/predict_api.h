// SPDX-License-Identifier: Apache-2.0
// The requests of a network: TensorFlow Serving's :predict and the Open Inference Protocol's infer,
// from JSON over records to a row of the batcher per instance. Pictures are bounded by the heads of
// their files and decoded on the thread for long bodies, never on the I/O thread. What is parsed
// and written is in tensorflow.h and open_inference.h.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "serve/batcher.h"
#include "serve/config.h"
#include "serve/instances.h"
#include "serve/metrics.h"
#include "serve/route.h"
#include "serve/tensorflow.h"

namespace ingot::serve {

class PredictApi final : public ModelApi {
 public:
  /// All references must outlive it; the batcher runs the predictor.
  PredictApi(const ServeConfig& config, ModelInfo model, Predictor& predictor, Batcher& batcher,
             Metrics& metrics);

  [[nodiscard]] std::vector<Route> routes(const std::atomic<bool>& draining) override;
  [[nodiscard]] const ModelInfo& model() const override { return model_; }
  [[nodiscard]] std::string error_body(const ApiError& error) const override {
    return flat_error_json(error);
  }

 private:
  using Handler = Outcome (PredictApi::*)(Call&);
  using Parsed = std::variant<PredictRequest, ApiError>;
  /// The answer from its rows.
  using Write = std::function<Reply(const PredictRequest&, const AnswerRows&)>;

  /// The instances of a request on their way to the batcher.
  struct Encoded {
    std::vector<std::byte> records;  ///< of those that are kept
    std::vector<bool> kept;
    std::string left_out;  ///< a line of the answer's header where some are not, else empty
  };

  void add_tensorflow(std::vector<Route>& to);
  void add_open_inference(std::vector<Route>& to, const std::atomic<bool>& draining);
  [[nodiscard]] Route named(std::string_view method, std::string_view path, bool is_queued,
                            Handler handler);
  [[nodiscard]] std::optional<ApiError> check_names(const Call& call) const;

  [[nodiscard]] Outcome show_status(Call& call);
  [[nodiscard]] Outcome show_signature(Call& call);
  [[nodiscard]] Outcome show_metadata(Call& call);
  [[nodiscard]] Outcome refuse_examples(Call& call);
  [[nodiscard]] Outcome predict(Call& call);
  [[nodiscard]] Outcome infer(Call& call);
  [[nodiscard]] Outcome submit(Call& call, Parsed parsed, Write write);
  [[nodiscard]] std::optional<ApiError> check_size(const PredictRequest& request) const;
  [[nodiscard]] std::optional<ApiError> check_pixels(const PredictRequest& request) const;
  [[nodiscard]] std::optional<ApiError> encode(const PredictRequest& request, const Call& call,
                                               Encoded& to);
  [[nodiscard]] Reply queue_full() const;

  ModelInfo model_;
  Predictor& predictor_;
  Batcher& batcher_;
  Metrics& metrics_;
  PredictLimits limits_;
  int64_t max_pixels_;
  std::vector<size_t> pictures_;  // inputs that hold some
};

}  // namespace ingot::serve
