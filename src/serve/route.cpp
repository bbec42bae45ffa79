// SPDX-License-Identifier: Apache-2.0
#include "serve/route.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace ingot::serve {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                       hex_digit(text[i + 2]) >= 0;
    if (!coded) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace

Target split_target(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (lower_ascii(target.substr(0, kScheme.size())) != kScheme) return {{}, target};
  target.remove_prefix(kScheme.size());
  const size_t end = std::min(target.find_first_of("/?"), target.size());
  const std::string_view path = target.substr(end);
  return {target.substr(0, end), path.empty() ? "/" : path};
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   std::string_view path) {
  std::vector<std::string> values;
  // Each round takes the last {…} and the literal behind it off both texts.
  for (size_t close = 0; (close = pattern.rfind('}')) != pattern.npos;) {
    const std::string_view behind = pattern.substr(close + 1);
    if (!path.ends_with(behind)) return std::nullopt;
    path.remove_suffix(behind.size());
    pattern = pattern.substr(0, pattern.rfind('{', close));
    const size_t begin = pattern.rfind('}') + 1;  // of the literal before it; npos + 1 is 0
    const std::string_view before = pattern.substr(begin);
    const size_t at = begin == 0 ? 0 : path.rfind(before);
    if (at == path.npos || !path.substr(at).starts_with(before)) return std::nullopt;
    const std::string_view value = path.substr(at + before.size());
    if (value.empty()) return std::nullopt;
    values.push_back(percent_decoded(value));
    path.remove_suffix(value.size());
  }
  if (path != pattern) return std::nullopt;
  std::reverse(values.begin(), values.end());
  return values;
}

std::string header_list(const std::vector<std::string>& names) {
  std::string list = join(names, ",");
  std::replace_if(
      list.begin(), list.end(), [](char c) { return c <= ' ' || c > '~'; }, '?');
  return list;
}

std::string ignored_line(const std::string& list) {
  return list.empty() ? std::string() : "x-ingot-ignored-fields: " + list + "\r\n";
}

Reply json_reply(std::string body, int status) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

Reply ModelApi::error_reply(const ApiError& error) const {
  Reply reply;
  reply.status = error.status;
  reply.body = error_body(error);
  reply.retry_after_s = error.retry_after_s;
  return reply;
}

std::string model_json(const ModelInfo& model) {
  return fmt::format(R"({{"id":{},"object":"model","created":{},"owned_by":"ingot"}})",
                     quote_json(model.id), model.created);
}

}  // namespace ingot::serve
