// SPDX-License-Identifier: Apache-2.0
#include "cli/error_json.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/recipe.h"
#include "cli/recipe_places.h"

namespace ingot::cli {
namespace {

/// Takes a number off the front of `text`; 0 where there is none.
int64_t take_number(std::string_view& text) {
  int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc()) return 0;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool take_text(std::string_view& text, std::string_view front) {
  if (!text.starts_with(front)) return false;
  text.remove_prefix(front.size());
  return true;
}

/// "r.yaml:7:3: …": takes the place off the front of `text`.
bool take_place(std::string_view& text, Json& to) {
  const size_t end = text.find(": ");
  for (size_t at = text.find(':'); at < end; at = text.find(':', at + 1)) {
    std::string_view behind = text.substr(at);
    if (!take_text(behind, ":")) return false;
    const int64_t line = take_number(behind);
    if (line == 0 || !take_text(behind, ":")) continue;
    const int64_t column = take_number(behind);
    if (column == 0 || !take_text(behind, ": ")) continue;
    to["file"] = std::string(text.substr(0, at));
    to["line"] = line;
    to["column"] = column;
    text = behind;
    return true;
  }
  return false;
}

/// `csv: "t.csv": line 4 …`: the readers of data, which name the file in quotes.
void add_quoted_file(std::string_view text, Json& to) {
  const size_t open = text.find(": \"");
  const size_t close = open == text.npos ? text.npos : text.find("\": ", open + 3);
  if (close == text.npos || text.find(' ') < open) return;  // the reader's name is one word
  to["file"] = std::string(text.substr(open + 3, close - open - 3));
  text.remove_prefix(close + 3);
  if (!take_text(text, "line ")) return;
  if (const int64_t line = take_number(text); line > 0) to["line"] = line;
}

bool is_recipe_key(std::string_view key) {
  const std::vector<std::string> keys = recipe_keys();
  return std::find(keys.begin(), keys.end(), key_pattern(key)) != keys.end();
}

/// The key that the message begins with, or the unknown one that it quotes; "" where it is none.
std::string recipe_key(std::string_view text) {
  constexpr std::string_view kUnknown = "unknown key \"";
  std::string_view behind = text;
  const size_t colon = text.find(": ");
  const bool is_below = !behind.starts_with(kUnknown) && colon != text.npos;
  if (is_below) behind.remove_prefix(colon + 2);
  if (take_text(behind, kUnknown)) {
    const std::string key(behind.substr(0, behind.find('"')));
    return is_below ? fmt::format("{}.{}", text.substr(0, colon), key) : key;
  }
  const std::vector<std::string_view> words = message_words(text);
  std::vector<std::string> candidates = {std::string(words[0])};
  if (words.size() > 1) {
    candidates.push_back(fmt::format("{}.{}", words[0], words[1]));
    if (words[0] == "recipe" || words[1].find('.') != std::string_view::npos) {
      candidates.emplace_back(words[1]);
    }
  }
  for (const std::string& key : candidates) {
    if (is_recipe_key(key)) return key;
  }
  return "";
}

/// Whether a half sentence tells more of the cause: names that there are, what failed first.
bool is_of_cause(std::string_view text) {
  constexpr std::string_view kBegins[] = {"it has ", "there are ", "the first "};
  return std::any_of(std::begin(kBegins), std::end(kBegins),
                     [&](std::string_view begin) { return text.starts_with(begin); });
}

/// What stands behind the first sentence or half of one that tells the cause.
std::string_view cure_of(std::string_view text) {
  bool is_quoted = false;
  int depth = 0;  // of parentheses
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (!is_quoted && text[i] == '(') ++depth;
    if (!is_quoted && text[i] == ')') depth = std::max(0, depth - 1);
    const bool is_end = text[i] == ';' || (text[i] == '.' && (i == 0 || text[i - 1] != '.'));
    if (!is_end || is_quoted || depth > 0 || text[i + 1] != ' ') continue;
    if (!is_of_cause(text.substr(i + 2))) return text.substr(i + 2);
  }
  return {};
}

}  // namespace

Json error_json(const Error& located) {
  Json error{{"code", std::string(code_name(located.code()))}, {"message", located.what()}};
  std::string_view text = located.what();
  if (text.starts_with("override \"")) {
    const size_t end = text.find("\": ");
    text.remove_prefix(end == text.npos ? 0 : end + 3);
  } else if (!take_place(text, error)) {
    add_quoted_file(text, error);
  }
  if (const std::string key = recipe_key(text); !key.empty()) error["key"] = key;
  if (const std::string_view cure = cure_of(text); !cure.empty()) error["cure"] = std::string(cure);
  return Json{{"error", error}};
}

}  // namespace ingot::cli
