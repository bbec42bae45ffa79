// SPDX-License-Identifier: Apache-2.0
#include "serve/answer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json.h"

namespace ingot::serve {

std::string number_text(float value) { return fmt::format("{}", value); }

std::string number_json(float value) {
  return std::isfinite(value) ? number_text(value) : std::string("null");
}

AnswerForm::AnswerForm(std::vector<std::string> classes) : classes_(std::move(classes)) {
  for (const std::string& name : classes_) quoted_.push_back(quote_json(name));
}

size_t AnswerForm::best(std::span<const float> answer) const {
  return static_cast<size_t>(std::max_element(answer.begin(), answer.end()) - answer.begin());
}

std::string AnswerForm::prediction_json(std::span<const float> answer) const {
  if (answer.empty()) return "null";
  return is_number() ? number_json(answer[0]) : quoted_[best(answer)];
}

std::string AnswerForm::json(std::span<const float> answer) const {
  std::string out = "{\"prediction\":" + prediction_json(answer);
  if (!is_number() && !answer.empty()) {
    out += ",\"probabilities\":";
    for (size_t i = 0; i < answer.size(); ++i) {
      out += i == 0 ? '{' : ',';
      out += quoted_[i] + ':' + number_json(answer[i]);
    }
    out += '}';
  }
  return out + '}';
}

}  // namespace ingot::serve
