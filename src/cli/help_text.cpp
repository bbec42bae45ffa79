// SPDX-License-Identifier: Apache-2.0
#include "cli/help_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/recipe.h"

namespace ingot::cli {
namespace {

bool is_shown(const std::string& path, const std::vector<std::string>& sections) {
  if (path.find('.') == std::string::npos) return true;
  return std::any_of(sections.begin(), sections.end(),
                     [&](const std::string& s) { return path.starts_with(s); });
}

}  // namespace

std::string verb_help(std::string_view usage, const std::vector<std::string>& sections) {
  std::string text = std::string(usage) + "\n\nkeys (recipe file or key=value):\n";
  for (const KeyInfo& key : list_keys(Recipe{})) {
    if (!is_shown(key.path, sections)) continue;
    text += fmt::format("  {:<28} {:<10} {:<12} {}\n", key.path, key.type, key.default_value,
                        key.help);
  }
  return text +
         "\nflags: --json one JSON object on standard output, --print-config the resolved recipe,\n"
         "       --fresh start anew, --help\n";
}

std::vector<std::string> verb_keys(const std::vector<std::string>& sections) {
  std::vector<std::string> keys;
  for (const std::string& key : recipe_keys()) {
    if (is_shown(key, sections)) keys.push_back(key);
  }
  return keys;
}

}  // namespace ingot::cli
