// SPDX-License-Identifier: Apache-2.0
#include "cli/recipe_places.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "base/yaml.h"
#include "data/corpus.h"

namespace ingot::cli {
namespace {

const YamlNode* element(const YamlNode& list, std::string_view number) {
  size_t i = 0;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), i);
  const bool is_number = code == std::errc() && end == number.data() + number.size();
  return is_number && i < list.items.size() ? &list.items[i] : nullptr;
}

/// The value of "train.lr" or "layers.1.units", or null.
const YamlNode* find_value(const YamlNode& root, std::string_view key) {
  const YamlNode* node = &root;
  for (const std::string_view part : split(key, '.')) {
    node = node->kind == YamlNode::Kind::kSequence ? element(*node, part) : node->find(part);
    if (node == nullptr) return nullptr;
  }
  return node;
}

/// The key that a message begins with. A section alone is none: "data: …" is the verb, and the key
/// in it is the next word.
std::string first_key(const YamlNode& root, const std::vector<std::string_view>& words) {
  const std::string first(words[0]);
  const YamlNode* value = find_value(root, first);
  const bool is_section = first.find('.') == std::string::npos &&
                          (value == nullptr || value->kind == YamlNode::Kind::kMap);
  if (!is_section || words.size() < 2) return first;
  const bool is_whole = first == "recipe" || words[1].starts_with(first + ".");
  return is_whole ? std::string(words[1]) : fmt::format("{}.{}", first, words[1]);
}

}  // namespace

std::vector<std::string_view> message_words(std::string_view message) {
  std::vector<std::string_view> words;
  for (std::string_view word : split(message, ' ')) {
    while (!word.empty() && std::string_view(":;,.").find(word.back()) != std::string_view::npos) {
      word.remove_suffix(1);
    }
    words.push_back(word.substr(0, word.find('=')));
  }
  return words;
}

void RecipePlaces::set(std::string file, std::string text, std::vector<std::string> overrides) {
  file_ = std::move(file);
  text_ = std::move(text);
  overrides_ = std::move(overrides);
}

void RecipePlaces::add(std::span<const std::string> overrides) {
  overrides_.insert(overrides_.end(), overrides.begin(), overrides.end());
}

bool RecipePlaces::is_overridden(std::string_view key) const {
  return std::any_of(overrides_.begin(), overrides_.end(), [&](const std::string& text) {
    const std::string given = text.substr(0, text.find('='));
    return given == key || given.starts_with(std::string(key) + ".") ||
           key.starts_with(given + ".");
  });
}

std::string RecipePlaces::located(const std::string& message) const {
  if (file_.empty()) return message;
  const YamlNode root = parse_yaml(text_, file_);  // once read, it is whole
  const std::vector<std::string_view> words = message_words(message);
  const std::string key = first_key(root, words);
  const YamlNode* value = find_value(root, key);
  if (value == nullptr || is_overridden(key)) return message;
  for (const std::string_view word : words) {  // of what else it speaks
    if (word.find('.') != std::string_view::npos && is_overridden(word)) return message;
  }
  return fmt::format("{}:{}:{}: {}", file_, value->line, value->column, message);
}

std::string RecipePlaces::with_start_of_paths(const std::string& message) const {
  constexpr std::string_view kPaths[] = {"data.path", "table.path", "table.schema",
                                         "table.split.validation_file", "table.split.test_file"};
  std::error_code unknown;
  const std::string folder = parent_path(file_);
  const bool is_elsewhere =
      folder == "/dev" || folder == "/dev/fd" || data::is_run_directory(folder);
  if (file_.empty() || is_elsewhere || std::filesystem::equivalent(folder, ".", unknown)) {
    return message;
  }
  const YamlNode root = parse_yaml(text_, file_);
  const std::vector<std::string_view> words = message_words(message);
  const std::string key = first_key(root, words);
  if (std::find(std::begin(kPaths), std::end(kPaths), key) == std::end(kPaths)) return message;
  const YamlNode* value = find_value(root, key);
  const bool is_relative = value != nullptr && !value->scalar.starts_with('/');
  if (!is_relative || is_overridden(key)) return message;
  return fmt::format(
      "{} Paths start from the current folder, not from \"{}\", where the recipe is.", message,
      folder);
}

}  // namespace ingot::cli
