// SPDX-License-Identifier: Apache-2.0
// What a client is told when its request is refused or fails, and the two JSON forms of it: the
// nested one of OpenAI's API and the flat one that TensorFlow Serving and the Open Inference
// Protocol share. Which of them a server speaks is its ModelApi's choice.
#pragma once

#include <string>

namespace ingot::serve {

struct ApiError {
  int status = 400;
  std::string type = "invalid_request_error";
  std::string message;
  std::string param;      ///< empty: null
  std::string code;       ///< empty: null
  int retry_after_s = 0;  ///< > 0: a Retry-After header
};

/// {"error":{"message":…,"type":…,"param":…,"code":…}}
[[nodiscard]] std::string nested_error_json(const ApiError& error);
/// {"error":"…"}
[[nodiscard]] std::string flat_error_json(const ApiError& error);

/// 4xx: the client's mistake. `code` is for programs, `param` the field that is wrong.
[[nodiscard]] ApiError request_error(int status, std::string message, std::string code = "",
                                     std::string param = "");
/// 503: the server drains.
[[nodiscard]] ApiError stopping_error();
/// 429: no seat in the queue.
[[nodiscard]] ApiError queue_full_error(int retry_after_s);
/// 500: the log has the reason.
[[nodiscard]] ApiError own_fault_error();

}  // namespace ingot::serve
