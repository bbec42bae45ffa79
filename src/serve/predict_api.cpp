// SPDX-License-Identifier: Apache-2.0
#include "serve/predict_api.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "io/image.h"
#include "serve/open_inference.h"

namespace ingot::serve {
namespace {

constexpr const char* kVersion = "1";              // of the model: a server has one
constexpr int64_t kMaxResult = 262144;             // predictions and probabilities in one answer
constexpr int64_t kMaxRecords = int64_t{1} << 26;  // bytes of one request's records

/// Rows in the order of the request; `answers` holds those of the instances that were kept.
AnswerRows rows_of(const std::vector<bool>& kept, std::span<const float> answers, int64_t width) {
  AnswerRows rows;
  rows.reserve(kept.size());
  size_t at = 0;
  for (const bool is_kept : kept) {
    rows.push_back(is_kept ? answers.subspan(at, static_cast<size_t>(width))
                           : std::span<const float>());
    if (is_kept) at += static_cast<size_t>(width);
  }
  return rows;
}

/// By the head of the file; 0 for what is no picture, of which the model decides.
int64_t pixels_of(std::string_view bytes) {
  if (!io::is_image(bytes)) return 0;
  io::DecodeOptions any;
  any.max_pixels = std::numeric_limits<int64_t>::max();
  try {
    const io::ImageInfo info = io::probe_image(std::as_bytes(std::span(bytes)), "", any);
    return info.height * info.width;
  } catch (const Error&) {
    return 0;
  }
}

/// What could end or bend the line becomes '?', as the reason may quote the request.
std::string left_out_line(int64_t count, std::string_view first) {
  constexpr int64_t kShown = 200;
  std::string reason = excerpt(first, kShown);
  std::replace_if(
      reason.begin(), reason.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("x-ingot-left-out: {}; {}\r\n", count, reason);
}

class PredictJob final : public Job {
 public:
  using Write = std::function<Reply(std::span<const float> answers)>;

  PredictJob(std::shared_ptr<Prediction> prediction, Write write, std::string ignored_fields)
      : Job(false, std::move(ignored_fields)),
        prediction_(std::move(prediction)),
        write_(std::move(write)) {}
  ~PredictJob() override {
    prediction_->detach();
    prediction_->cancel();
  }

  [[nodiscard]] std::string take() override { return {}; }
  [[nodiscard]] bool done() const override {
    return prediction_->state() != Prediction::State::kRunning;
  }
  [[nodiscard]] Reply reply() const override {
    if (prediction_->state() == Prediction::State::kDone) {
      return write_(prediction_->answers());
    }
    return json_reply(flat_error_json(request_error(500, prediction_->error())), 500);
  }
  void cancel() override { prediction_->cancel(); }

 private:
  std::shared_ptr<Prediction> prediction_;
  Write write_;
};

}  // namespace

PredictApi::PredictApi(const ServeConfig& config, ModelInfo model, Predictor& predictor,
                       Batcher& batcher, Metrics& metrics)
    : model_(std::move(model)),
      predictor_(predictor),
      batcher_(batcher),
      metrics_(metrics),
      max_pixels_(config.max_pixels) {
  model_.entry = fmt::format("POST /v1/models/{}:predict", model_.id);
  limits_.strict = config.strict;
  limits_.unused = predictor.unused();
  const auto inputs = predictor.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].kind == InputKind::kImage) pictures_.push_back(i);
  }
}

std::vector<Route> PredictApi::routes(const std::atomic<bool>& draining) {
  std::vector<Route> routes;
  add_tensorflow(routes);
  add_open_inference(routes, draining);
  return routes;
}

/// A row for a path that names the model, and its version where it says so.
Route PredictApi::named(std::string_view method, std::string_view path, bool is_queued,
                        Handler handler) {
  const auto answer = [this, is_queued, handler](Call& call) -> Outcome {
    if (const auto error = check_names(call)) return error_reply(*error);
    if (is_queued && batcher_.is_full()) return queue_full();
    return (this->*handler)(call);
  };
  return {method, path, false, is_queued, answer, is_queued && !pictures_.empty()};
}

void PredictApi::add_tensorflow(std::vector<Route>& to) {
  using A = PredictApi;
  to.push_back(named("POST", "/v1/models/{model}/versions/{version}:predict", true, &A::predict));
  to.push_back(named("POST", "/v1/models/{model}:predict", true, &A::predict));
  for (const std::string_view path :
       {"/v1/models/{model}/versions/{version}:classify", "/v1/models/{model}:classify",
        "/v1/models/{model}/versions/{version}:regress", "/v1/models/{model}:regress"}) {
    to.push_back(named("POST", path, false, &A::refuse_examples));
  }
  to.push_back(
      named("GET", "/v1/models/{model}/versions/{version}/metadata", false, &A::show_signature));
  to.push_back(named("GET", "/v1/models/{model}/metadata", false, &A::show_signature));
  to.push_back(named("GET", "/v1/models/{model}/versions/{version}", false, &A::show_status));
  to.push_back(named("GET", "/v1/models/{model}", false, &A::show_status));
}

void PredictApi::add_open_inference(std::vector<Route>& to, const std::atomic<bool>& draining) {
  using A = PredictApi;
  const auto ready = [&draining](Call&) {
    return draining ? json_reply(R"({"ready":false})", 503) : json_reply(R"({"ready":true})");
  };
  const auto model_ready = [this, ready](Call& call) -> Outcome {
    if (const auto error = check_names(call)) return error_reply(*error);
    return ready(call);
  };
  const auto server = [](Call&) {
    return json_reply(R"({"name":"ingot","version":")" INGOT_VERSION
                      R"(","extensions":["binary_tensor_data"]})");
  };
  to.push_back({"GET", "/v2", false, false, server});
  to.push_back({"GET", "/v2/health/live", true, false,
                [](Call&) { return json_reply(R"({"live":true})"); }});
  to.push_back({"GET", "/v2/health/ready", true, false, ready});
  for (const std::string_view path :
       {"/v2/models/{model}/versions/{version}/ready", "/v2/models/{model}/ready"}) {
    to.push_back({"GET", path, false, false, model_ready});
  }
  to.push_back(named("POST", "/v2/models/{model}/versions/{version}/infer", true, &A::infer));
  to.push_back(named("POST", "/v2/models/{model}/infer", true, &A::infer));
  to.push_back(named("GET", "/v2/models/{model}/versions/{version}", false, &A::show_metadata));
  to.push_back(named("GET", "/v2/models/{model}", false, &A::show_metadata));
}

std::optional<ApiError> PredictApi::check_names(const Call& call) const {
  if (call.names[0] != model_.id) {
    return request_error(404, fmt::format("the model \"{}\" does not exist; this server has \"{}\"",
                                          excerpt(call.names[0]), model_.id));
  }
  if (call.names.size() < 2 || call.names[1] == kVersion) return std::nullopt;
  return request_error(404, fmt::format("the model \"{}\" has no version \"{}\", only \"{}\"",
                                        model_.id, excerpt(call.names[1]), kVersion));
}

Outcome PredictApi::show_status(Call&) { return json_reply(tensorflow_status(kVersion)); }

Outcome PredictApi::show_signature(Call&) {
  return json_reply(
      tensorflow_metadata(model_.id, kVersion, predictor_.inputs(), predictor_.form()));
}

Outcome PredictApi::show_metadata(Call&) {
  return json_reply(
      open_inference_metadata(model_.id, kVersion, predictor_.inputs(), predictor_.form()));
}

/// TensorFlow Serving's other two requests, which hold tf.Examples.
Outcome PredictApi::refuse_examples(Call&) {
  return error_reply(request_error(
      404, fmt::format("\":classify\" and \":regress\" are not served; send rows or columns to "
                       "/v1/models/{}:predict",
                       model_.id)));
}

Outcome PredictApi::predict(Call& call) {
  return submit(call, parse_tensorflow(call.body, predictor_.inputs(), limits_),
                [this](const PredictRequest& request, const AnswerRows& rows) {
                  return json_reply(tensorflow_answer(predictor_.form(), rows, request.by_column));
                });
}

Outcome PredictApi::infer(Call& call) {
  const auto body = split_infer_body(call.body, call.head.inference_header_length);
  if (const auto* error = std::get_if<ApiError>(&body)) return error_reply(*error);
  return submit(call,
                parse_open_inference(std::get<InferBody>(body), predictor_.inputs(),
                                     predictor_.form(), limits_),
                [this](const PredictRequest& request, const AnswerRows& rows) {
                  return open_inference_answer(model_.id, kVersion, predictor_.form(), rows,
                                               request);
                });
}

Outcome PredictApi::submit(Call& call, Parsed parsed, Write write) {
  if (const auto* error = std::get_if<ApiError>(&parsed)) return error_reply(*error);
  auto request = std::make_shared<PredictRequest>(std::get<PredictRequest>(std::move(parsed)));
  Encoded made;
  auto error = check_size(*request);
  if (!error) error = check_pixels(*request);
  if (!error) error = encode(*request, call, made);
  if (error) return error_reply(*error);
  request->cells = {};
  const auto rows = static_cast<int64_t>(std::count(made.kept.begin(), made.kept.end(), true));
  const std::string ignored = header_list(request->ignored);
  auto answer = [request = std::move(request), kept = std::move(made.kept),
                 left_out = std::move(made.left_out), write = std::move(write),
                 width = predictor_.form().width()](std::span<const float> answers) {
    Reply reply = write(*request, rows_of(kept, answers, width));
    reply.more_lines += left_out;
    return reply;
  };
  if (rows == 0) {
    Reply reply = answer({});
    reply.more_lines += ignored_line(ignored);
    return reply;
  }
  SubmittedPrediction submitted =
      batcher_.submit(std::move(made.records), rows, std::move(call.notify));
  if (submitted.error == SubmitError::kStopped) return error_reply(stopping_error());
  if (submitted.error == SubmitError::kQueueFull) return queue_full();
  return std::make_unique<PredictJob>(std::move(submitted.prediction), std::move(answer), ignored);
}

Reply PredictApi::queue_full() const {
  return error_reply(queue_full_error(metrics_.retry_after_s(batcher_.config().max_batch)));
}

/// What an answer may hold, and what it takes to compute it, is bounded before anything is made.
std::optional<ApiError> PredictApi::check_size(const PredictRequest& request) const {
  const int64_t entries = predictor_.form().width() + 1;
  const int64_t bytes = std::max<int64_t>(1, predictor_.record_bytes());
  const int64_t most = std::max<int64_t>(1, std::min(kMaxResult / entries, kMaxRecords / bytes));
  if (request.rows <= most) return std::nullopt;
  return request_error(
      400,
      fmt::format(
          "{} instances in one request, but this model takes at most {}; send several requests",
          request.rows, most));
}

/// A file of a few kilobytes may hold pixels for gigabytes, so the pictures of a request are
/// bounded together before one is decoded.
std::optional<ApiError> PredictApi::check_pixels(const PredictRequest& request) const {
  const auto inputs = predictor_.inputs();
  int64_t used = 0;
  for (int64_t row = 0; row < request.rows && !pictures_.empty(); ++row) {
    for (const size_t input : pictures_) {
      const auto cell = static_cast<size_t>(row) * inputs.size() + input;
      const int64_t pixels = pixels_of(request.cells[cell]);
      if (pixels > max_pixels_ - used) {
        const std::string limit = fmt::format("the {} that serve.max_pixels allows", max_pixels_);
        return request_error(
            400, fmt::format("instance {}: column \"{}\": this picture of {} pixels {}", row,
                             inputs[input].name, pixels,
                             used == 0 ? fmt::format("alone is over {}; send a smaller one", limit)
                                       : fmt::format("brings the request over {}; send smaller "
                                                     "pictures or several requests",
                                                     limit)));
      }
      used += pixels;
    }
  }
  return std::nullopt;
}

std::optional<ApiError> PredictApi::encode(const PredictRequest& request, const Call& call,
                                           Encoded& to) {
  const size_t columns = predictor_.inputs().size();
  const auto bytes = static_cast<size_t>(predictor_.record_bytes());
  to.records.resize(static_cast<size_t>(request.rows) * bytes);
  int64_t left_out = 0;
  std::string first;
  size_t end = 0;
  std::vector<std::string_view> cells(columns);
  for (int64_t row = 0; row < request.rows; ++row) {
    if (call.is_abandoned()) return stopping_error();
    const auto from = request.cells.begin() + row * static_cast<int64_t>(columns);
    std::copy(from, from + static_cast<int64_t>(columns), cells.begin());
    try {
      to.kept.push_back(
          predictor_.encode(cells, call.lane, std::span(to.records).subspan(end, bytes)));
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) throw;
      return request_error(400, fmt::format("instance {}: {}", row, error.what()));
    }
    if (!to.kept.back()) {
      if (left_out++ == 0)
        first = fmt::format("instance {}: {}", row, predictor_.reason(call.lane));
      continue;
    }
    metrics_.unseen_categories += predictor_.unseen(call.lane);
    end += bytes;
  }
  to.records.resize(end);
  metrics_.left_out += left_out;
  if (left_out > 0) to.left_out = left_out_line(left_out, first);
  return std::nullopt;
}

}  // namespace ingot::serve
