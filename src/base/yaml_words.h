// SPDX-License-Identifier: Apache-2.0
// What yaml-cpp says of a text that it cannot read, in words that name the cause and what works.
// Where the parser notices it may be lines behind the cause: of brackets that are not closed the
// place is the opening one, of a tab the tab. Knows no types of yaml-cpp. Internal to yaml.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ingot {

/// Line and column count from 0, the column in bytes, as yaml-cpp counts.
struct YamlProblem {
  int line = 0;
  int column = 0;
  std::string words;
};

/// A [ or { that has not been closed yet.
struct YamlBracket {
  int line = 0;
  int column = 0;
  bool is_list = false;
};

/// `said` in words of ours; `open` is the innermost bracket that was open then. What this does not
/// know stays in the parser's words.
[[nodiscard]] YamlProblem explain_yaml(std::string_view text, YamlProblem said,
                                       const std::optional<YamlBracket>& open);

/// Of a line that does not belong to what is above it.
[[nodiscard]] std::string_view yaml_line_words();

/// A line of the text without its end; empty beyond the last one.
[[nodiscard]] std::string_view yaml_line(std::string_view text, int line);

}  // namespace ingot
