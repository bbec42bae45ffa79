// SPDX-License-Identifier: Apache-2.0
// One table says which member of the body is read by which function; a Reader keeps the first thing
// that was wrong. null counts as absent, as the official clients expect. See completion_request.h.
#include "serve/completion_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <exception>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace ingot::serve {
namespace {

constexpr int64_t kLargestInt32 = std::numeric_limits<int32_t>::max();

/// A member of the body, and the entry of it that is looked at: "prompt", "prompt[1]".
struct Member {
  Member(const char* name) : param(name), shown(name) {}       // NOLINT: a name is a member
  Member(std::string_view name) : param(name), shown(name) {}  // NOLINT
  Member(const Member& list, size_t index)
      : param(list.param), shown(fmt::format("{}[{}]", list.shown, index)) {}

  std::string_view param;
  std::string shown;
};

class Reader {
 public:
  explicit Reader(const RequestLimits& limits) : limits_(limits) {}

  [[nodiscard]] const RequestLimits& limits() const { return limits_; }
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] const ApiError& error() const { return *error_; }

  template <class... Args>
  void reject(std::string_view param, fmt::format_string<Args...> text, Args&&... args) {
    if (failed()) return;
    error_.emplace();
    error_->param = param;
    error_->message = fmt::format(text, std::forward<Args>(args)...);
  }
  void wrong_type(const Member& member, std::string_view expected, const Json& value) {
    reject(member.param, "'{}' must be {}, but is {}.", member.shown, expected, json_kind(value));
  }

  void wrong_body(const Json& body) {
    reject("", "The body must be a JSON object, but is {}.", json_kind(body));
  }

  bool boolean(const Member& member, const Json& value) {
    if (value.is_boolean()) return value.get<bool>();
    wrong_type(member, "true or false", value);
    return false;
  }
  int64_t integer(const Member& member, const Json& value, int64_t low, int64_t high) {
    if (!value.is_number()) {
      wrong_type(member, "an integer", value);
      return low;
    }
    if (!is_within(value, low, high)) {
      out_of_range(member, value, low, high);
      return low;
    }
    if (value.is_number_float()) {
      wrong_type(member, "an integer", value);
      return low;
    }
    return value.get<int64_t>();
  }
  double number(const Member& member, const Json& value, double low, double high) {
    if (!value.is_number()) {
      wrong_type(member, "a number", value);
      return low;
    }
    const double number = value.get<double>();
    if (!(number >= low && number <= high)) {
      out_of_range(member, value, low, high);
      return low;
    }
    return number;
  }
  std::string text(const Member& member, const Json& value, int64_t max_bytes) {
    if (!value.is_string()) {
      wrong_type(member, "a string", value);
      return {};
    }
    const auto& text = value.get_ref<const std::string&>();
    if (static_cast<int64_t>(text.size()) > max_bytes) {
      reject(member.param, "'{}' has {} bytes but may have {}.", member.shown, text.size(),
             max_bytes);
      return {};
    }
    return text;
  }

 private:
  template <class Number>
  void out_of_range(const Member& member, const Json& value, Number low, Number high) {
    reject(member.param, "'{}' is {} but must be between {} and {}.", member.shown, value.dump(),
           low, high);
  }
  /// A whole number beyond 64 bits comes as a float: it is too large before it is no integer.
  static bool is_within(const Json& value, int64_t low, int64_t high) {
    if (value.is_number_float()) {
      const auto number = value.get<double>();
      return number >= static_cast<double>(low) && number <= static_cast<double>(high);
    }
    const bool is_huge = value.is_number_unsigned() &&
                         value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()};
    return !is_huge && value.get<int64_t>() >= low && value.get<int64_t>() <= high;
  }

  const RequestLimits& limits_;
  std::optional<ApiError> error_;
};

bool is_token_id(const Json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() <= uint64_t{kLargestInt32};
}

std::vector<int32_t> token_ids(Reader& in, const Member& member, const Json& list) {
  std::vector<int32_t> ids;
  ids.reserve(list.size());
  for (const Json& id : list) {
    const int64_t number = is_token_id(id)
                               ? id.get<int64_t>()
                               : in.integer(Member(member, ids.size()), id, 0, kLargestInt32);
    if (in.failed()) break;
    ids.push_back(static_cast<int32_t>(number));
  }
  return ids;
}

void read_prompt(Reader& in, const Json& value, CompletionRequest& to) {
  constexpr std::string_view kForms =
      "a string, an array of strings, an array of token ids or an array of arrays of token ids";
  if (value.is_string()) {
    to.prompts.emplace_back(value.get<std::string>());
    return;
  }
  if (!value.is_array()) return in.wrong_type("prompt", kForms, value);
  if (value.empty()) return in.reject("prompt", "'prompt' is an empty array.");
  if (value.front().is_number()) {
    to.prompts.emplace_back(token_ids(in, "prompt", value));
    return;
  }
  if (static_cast<int64_t>(value.size()) > in.limits().max_choices) {
    return in.reject("prompt", "'prompt' has {} entries but may have {}.", value.size(),
                     in.limits().max_choices);
  }
  const bool strings = value.front().is_string();
  for (size_t i = 0; i < value.size(); ++i) {
    const Json& entry = value[i];
    const Member member("prompt", i);
    if (strings && entry.is_string()) {
      to.prompts.emplace_back(entry.get<std::string>());
    } else if (!strings && entry.is_array()) {
      to.prompts.emplace_back(token_ids(in, member, entry));
    } else if (i == 0) {
      return in.wrong_type(member, "a string, a token id or an array of token ids", entry);
    } else {
      return in.wrong_type(
          member, strings ? "a string like 'prompt[0]'" : "an array of token ids like 'prompt[0]'",
          entry);
    }
  }
}

void read_stop(Reader& in, const Json& value, CompletionRequest& to) {
  if (!value.is_string() && !value.is_array()) {
    return in.wrong_type("stop", "a string or an array of strings", value);
  }
  const auto add = [&](const Member& member, const Json& entry) {
    to.stop.push_back(in.text(member, entry, in.limits().max_stop_bytes));
    if (to.stop.back().empty()) in.reject("stop", "'stop' holds an empty string.");
  };
  if (value.is_string()) return add("stop", value);
  if (static_cast<int64_t>(value.size()) > in.limits().max_stops) {
    return in.reject("stop", "'stop' has {} entries but may have {}.", value.size(),
                     in.limits().max_stops);
  }
  for (size_t i = 0; i < value.size(); ++i) add(Member("stop", i), value[i]);
}

void read_logit_bias(Reader& in, const Json& value, CompletionRequest& to) {
  if (!value.is_object()) {
    return in.wrong_type("logit_bias", "an object from token id to bias", value);
  }
  if (static_cast<int64_t>(value.size()) > in.limits().max_bias) {
    return in.reject("logit_bias", "'logit_bias' has {} entries but may have {}.", value.size(),
                     in.limits().max_bias);
  }
  for (const auto& [key, bias] : value.items()) {
    int32_t id = -1;
    const auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (problem != std::errc() || end != key.data() + key.size() || id < 0) {
      return in.reject("logit_bias", "'logit_bias' has the key {} which is not a token id.",
                       quote_json(excerpt(key)));
    }
    to.logit_bias.emplace_back(id, static_cast<float>(in.number("logit_bias", bias, -100, 100)));
  }
  std::sort(to.logit_bias.begin(), to.logit_bias.end());
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  const auto twice = std::adjacent_find(to.logit_bias.begin(), to.logit_bias.end(), same);
  if (twice != to.logit_bias.end()) {
    in.reject("logit_bias", "'logit_bias' names token {} twice.", twice->first);
  }
}

void read_stream_options(Reader& in, const Json& value, CompletionRequest& to) {
  if (!value.is_object()) return in.wrong_type("stream_options", "an object", value);
  for (const auto& [key, option] : value.items()) {
    if (key == "include_usage" && !option.is_null()) {
      to.include_usage = in.boolean("stream_options.include_usage", option);
    }
  }
}

/// Any of 64 bits, with a sign or without.
void read_seed(Reader& in, const Json& value, CompletionRequest& to) {
  constexpr double kLow = -0x1p63, kEnd = 0x1p64;
  if (value.is_number_float() && !(value.get<double>() >= kLow && value.get<double>() < kEnd)) {
    return in.reject("seed", "'seed' is {} but must be between {} and {}.", value.dump(),
                     std::numeric_limits<int64_t>::min(), std::numeric_limits<uint64_t>::max());
  }
  if (!value.is_number_integer()) return in.wrong_type("seed", "an integer", value);
  to.seed = value.is_number_unsigned() ? value.get<uint64_t>()
                                       : static_cast<uint64_t>(value.get<int64_t>());
}

void read_suffix(Reader& in, const Json& value, CompletionRequest&) {
  const bool is_empty = value.is_string() && value.get_ref<const std::string&>().empty();
  if (!is_empty) in.reject("suffix", "'suffix' is not supported by this model. Leave it out.");
}

struct FieldReader {
  std::string_view name;
  void (*read)(Reader&, const Json&, CompletionRequest&);
};

using In = Reader;
using To = CompletionRequest;
constexpr std::array kFields = {
    FieldReader{"model",
                [](In& in, const Json& v, To& to) { to.model = in.text("model", v, 256); }},
    FieldReader{"prompt", read_prompt},
    FieldReader{"max_tokens",
                [](In& in, const Json& v, To& to) {
                  to.max_tokens = in.integer("max_tokens", v, 0, kLargestInt32);
                }},
    FieldReader{"temperature",
                [](In& in, const Json& v, To& to) {
                  to.temperature = in.number("temperature", v, 0.0, 2.0);
                }},
    FieldReader{"top_p",
                [](In& in, const Json& v, To& to) { to.top_p = in.number("top_p", v, 0.0, 1.0); }},
    FieldReader{"top_k",
                [](In& in, const Json& v, To& to) {
                  to.top_k = std::max<int64_t>(0, in.integer("top_k", v, -1, kLargestInt32));
                }},
    FieldReader{"repetition_penalty",
                [](In& in, const Json& v, To& to) {
                  to.repetition_penalty = in.number("repetition_penalty", v, 0.01, 10.0);
                }},
    FieldReader{"presence_penalty",
                [](In& in, const Json& v, To& to) {
                  to.presence_penalty = in.number("presence_penalty", v, -2.0, 2.0);
                }},
    FieldReader{"frequency_penalty",
                [](In& in, const Json& v, To& to) {
                  to.frequency_penalty = in.number("frequency_penalty", v, -2.0, 2.0);
                }},
    FieldReader{"n", [](In& in, const Json& v,
                        To& to) { to.n = in.integer("n", v, 1, in.limits().max_choices); }},
    FieldReader{"best_of",
                [](In& in, const Json& v, To& to) {
                  to.best_of = in.integer("best_of", v, 1, in.limits().max_choices);
                }},
    FieldReader{"stream",
                [](In& in, const Json& v, To& to) { to.stream = in.boolean("stream", v); }},
    FieldReader{"stream_options", read_stream_options},
    FieldReader{"logprobs",
                [](In& in, const Json& v, To& to) {
                  to.logprobs = in.integer("logprobs", v, 0, in.limits().max_logprobs);
                }},
    FieldReader{"echo", [](In& in, const Json& v, To& to) { to.echo = in.boolean("echo", v); }},
    FieldReader{"ignore_eos",
                [](In& in, const Json& v, To& to) { to.ignore_eos = in.boolean("ignore_eos", v); }},
    FieldReader{"stop", read_stop},
    FieldReader{"logit_bias", read_logit_bias},
    FieldReader{"seed", read_seed},
    FieldReader{"user", [](In& in, const Json& v, To& to) { to.user = in.text("user", v, 1024); }},
    FieldReader{"suffix", read_suffix},
};

void read_member(Reader& in, const std::string& key, const Json& value, CompletionRequest& to) {
  const auto* field = std::find_if(kFields.begin(), kFields.end(),
                                   [&](const FieldReader& f) { return f.name == key; });
  if (field != kFields.end()) {
    if (!value.is_null()) field->read(in, value, to);
    return;
  }
  if (!in.limits().strict) {
    if (to.ignored.size() < kFields.size()) to.ignored.push_back(excerpt(key));
    return;
  }
  std::vector<std::string> names;
  for (const FieldReader& known : kFields) names.emplace_back(known.name);
  in.reject(excerpt(key), "Unrecognized request argument supplied: {}.{}", excerpt(key),
            did_you_mean(key, names));
}

/// What no single member can know.
void check_together(Reader& in, const CompletionRequest& request, bool has_stream_options) {
  if (request.model.empty()) in.reject("model", "You must provide a 'model' parameter.");
  if (request.prompts.empty()) in.reject("prompt", "You must provide a 'prompt' parameter.");
  if (has_stream_options && !request.stream) {
    in.reject("stream_options", "'stream_options' is only allowed when 'stream' is true.");
  }
  if (request.best_of.value_or(request.n) != request.n) {
    in.reject("best_of", "'best_of' is {} but only the value of 'n' ({}) is supported.",
              *request.best_of, request.n);
  }
  const auto choices = static_cast<int64_t>(request.prompts.size()) * request.n;
  if (choices > in.limits().max_choices) {
    in.reject("n", "{} prompts times n = {} are {} completions but {} are allowed.",
              request.prompts.size(), request.n, choices, in.limits().max_choices);
  }
}

std::variant<CompletionRequest, ApiError> parse_checked(std::string_view body,
                                                        const RequestLimits& limits) {
  Reader in(limits);
  CompletionRequest request;
  Json root;
  try {
    JsonLimits json_limits;
    json_limits.max_depth = static_cast<int>(limits.max_depth);
    root = parse_json(body, "body", json_limits);
  } catch (const Error& error) {
    in.reject("", "We could not parse the JSON body of your request: {}.", error.what());
    return in.error();
  }
  if (!root.is_object()) {
    in.wrong_body(root);
    return in.error();
  }
  bool has_stream_options = false;
  for (const auto& [key, value] : root.items()) {
    has_stream_options |= key == "stream_options" && !value.is_null();
    read_member(in, key, value, request);
    if (in.failed()) return in.error();
  }
  check_together(in, request, has_stream_options);
  if (in.failed()) return in.error();
  return request;
}

}  // namespace

std::variant<CompletionRequest, ApiError> parse_completion(std::string_view body,
                                                           const RequestLimits& limits) noexcept {
  try {
    return parse_checked(body, limits);
  } catch (const std::exception&) {  // memory: the only thing left that can go wrong
    return own_fault_error();
  }
}

}  // namespace ingot::serve
