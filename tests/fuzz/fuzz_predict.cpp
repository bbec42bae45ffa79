// SPDX-License-Identifier: Apache-2.0
// serve/tensorflow.h and serve/open_inference.h: every body gives a table of cells or an error to
// answer, and nothing is ever thrown.
#include <algorithm>
#include <variant>
#include <vector>

#include "fuzz/fuzz.h"
#include "serve/open_inference.h"
#include "serve/tensorflow.h"

namespace {

using namespace ingot;

void check(const std::variant<serve::PredictRequest, serve::ApiError>& parsed, size_t columns) {
  if (const auto* error = std::get_if<serve::ApiError>(&parsed)) {
    fuzz::demand(error->status >= 400 && error->status < 600 && !error->message.empty());
    return;
  }
  const auto& request = std::get<serve::PredictRequest>(parsed);
  fuzz::demand(request.rows >= 1);
  fuzz::demand(request.cells.size() == static_cast<size_t>(request.rows) * columns);
  fuzz::demand(request.outputs.size() <= 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using serve::InputKind;
  static const std::vector<std::vector<serve::PredictorInput>> kModels = {
      {{"legs", InputKind::kNumber}, {"note", InputKind::kText}},
      {{"note", InputKind::kText}},
      {{"a", InputKind::kNumber}, {"b", InputKind::kNumber}},
      {{"picture", InputKind::kImage}}};
  static const serve::AnswerForm kForm({"bird", "dog"});
  const std::string_view body = fuzz::as_text(data, size);
  // What follows the first NUL byte stands for raw tensors.
  const size_t end = std::min(body.find('\0'), body.size());
  const serve::InferBody tensors{body.substr(0, end), body.substr(std::min(end + 1, body.size()))};
  for (const auto& inputs : kModels) {
    for (const bool strict : {false, true}) {
      serve::PredictLimits limits;
      limits.strict = strict;
      check(serve::parse_tensorflow(body, inputs, limits), inputs.size());
      check(serve::parse_open_inference(tensors, inputs, kForm, limits), inputs.size());
    }
  }
  return 0;
}
