// SPDX-License-Identifier: Apache-2.0
#include "serve/api_error.h"

#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "serve/worker.h"

namespace ingot::serve {
namespace {

std::string text_or_null(const std::string& text) {
  return text.empty() ? "null" : quote_json(text);
}

}  // namespace

std::string nested_error_json(const ApiError& error) {
  return fmt::format(R"({{"error":{{"message":{},"type":{},"param":{},"code":{}}}}})",
                     quote_json(error.message), quote_json(error.type), text_or_null(error.param),
                     text_or_null(error.code));
}

std::string flat_error_json(const ApiError& error) {
  return fmt::format(R"({{"error":{}}})", quote_json(error.message));
}

ApiError request_error(int status, std::string message, std::string code, std::string param) {
  return ApiError{status,           "invalid_request_error", std::move(message),
                  std::move(param), std::move(code),         0};
}

ApiError stopping_error() {
  return ApiError{503, "server_error", kStoppingText, "", "service_unavailable", 5};
}

ApiError queue_full_error(int retry_after_s) {
  return ApiError{
      429, "rate_limit_error",    "The queue of this server is full. Please retry after a while.",
      "",  "rate_limit_exceeded", retry_after_s};
}

ApiError own_fault_error() { return ApiError{500, "server_error", kFailedText, "", "", 0}; }

}  // namespace ingot::serve
