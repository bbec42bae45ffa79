// SPDX-License-Identifier: Apache-2.0
// serve/completion_request.h: every body gives a request within the limits or an error to answer,
// and nothing is ever thrown.
#include <variant>

#include "fuzz/fuzz.h"
#include "serve/completion_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  for (const bool strict : {false, true}) {
    serve::RequestLimits limits;
    limits.strict = strict;
    const auto parsed = serve::parse_completion(fuzz::as_text(data, size), limits);
    if (const auto* error = std::get_if<serve::ApiError>(&parsed)) {
      fuzz::demand(error->status >= 400 && error->status < 600 && !error->message.empty());
      continue;
    }
    const auto& request = std::get<serve::CompletionRequest>(parsed);
    const auto prompts = static_cast<int64_t>(request.prompts.size());
    fuzz::demand(prompts >= 1 && request.n >= 1 && prompts * request.n <= limits.max_choices);
    fuzz::demand(request.temperature >= 0.0 && request.top_p >= 0.0 && request.top_p <= 1.0);
    fuzz::demand(static_cast<int64_t>(request.stop.size()) <= limits.max_stops);
    fuzz::demand(static_cast<int64_t>(request.logit_bias.size()) <= limits.max_bias);
  }
  return 0;
}
