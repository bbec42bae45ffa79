// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol (KServe V2) over HTTP for one model: the body of an infer request,
// its answer and the model's metadata. A column is a tensor of one value per instance, [n] or
// [n, 1]; pictures may be pixels, [n, height, width, channels]; columns that are all numbers may be
// one tensor [n, columns] of any name. Values are in JSON or, with the binary tensor extension, raw
// behind it. Source: github.com/kserve/open-inference-protocol (inference_rest,
// binary_tensor_data).
// Knows no sockets and no model but through its inputs. Called by predict_api and fuzzed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "serve/answer.h"
#include "serve/instances.h"
#include "serve/route.h"
#include "serve/tensorflow.h"

namespace ingot::serve {

/// A body cut in two; without the extension all of it is JSON.
struct InferBody {
  std::string_view json;
  std::string_view raw;  ///< the bytes of all binary tensors, in the order of the request
};
/// `header` is the value of Inference-Header-Content-Length, empty when the client has sent none.
[[nodiscard]] std::variant<InferBody, ApiError> split_infer_body(std::string_view body,
                                                                 std::string_view header);

/// Any bytes give a request or an error; never throws.
[[nodiscard]] std::variant<PredictRequest, ApiError> parse_open_inference(
    const InferBody& body, std::span<const PredictorInput> inputs, const AnswerForm& form,
    const PredictLimits& limits) noexcept;

[[nodiscard]] Reply open_inference_answer(std::string_view model, std::string_view version,
                                          const AnswerForm& form, const AnswerRows& rows,
                                          const PredictRequest& request);
/// {"name":…,"versions":[…],"platform":…,"inputs":[…],"outputs":[…]}
[[nodiscard]] std::string open_inference_metadata(std::string_view model, std::string_view version,
                                                  std::span<const PredictorInput> inputs,
                                                  const AnswerForm& form);

}  // namespace ingot::serve
