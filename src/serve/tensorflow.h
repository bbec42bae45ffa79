// SPDX-License-Identifier: Apache-2.0
// TensorFlow Serving's REST API for one model: the body of a :predict request, its answer, status
// and metadata. Row format: "instances" → "predictions"; column format: "inputs" → "outputs", where
// columns that are all numbers may also be one table [n][columns]. A number is answered bare, as
// TensorFlow Serving does for a single output; a class as the object that `ingot predict
// predict.format=jsonl` prints. Source: tensorflow.org/tfx/serving/api_rest.
// Knows no sockets and no model but through its inputs. Called by predict_api and fuzzed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serve/answer.h"
#include "serve/instances.h"

namespace ingot::serve {

/// Every byte string gives a request or an error; never throws.
[[nodiscard]] std::variant<PredictRequest, ApiError> parse_tensorflow(
    std::string_view body, std::span<const PredictorInput> inputs,
    const PredictLimits& limits) noexcept;

/// The rows of an answer in the order of the request; empty ones were left out by policy.
using AnswerRows = std::vector<std::span<const float>>;

[[nodiscard]] std::string tensorflow_answer(const AnswerForm& form, const AnswerRows& rows,
                                            bool by_column);
/// {"model_version_status":[…]}
[[nodiscard]] std::string tensorflow_status(std::string_view version);
/// {"model_spec":…,"metadata":{"signature_def":…}}
[[nodiscard]] std::string tensorflow_metadata(std::string_view model, std::string_view version,
                                              std::span<const PredictorInput> inputs,
                                              const AnswerForm& form);

}  // namespace ingot::serve
