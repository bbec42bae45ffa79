// SPDX-License-Identifier: Apache-2.0
#include "base/yaml_words.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <yaml-cpp/exceptions.h>

#include "base/text.h"

namespace ingot {
namespace {

namespace said_by_yaml = YAML::ErrorMsg;

struct YamlWords {
  std::string_view parser, ours;
};

/// By the beginning of what the parser says: some of its messages end with the character.
const YamlWords kYamlWords[] = {
    {said_by_yaml::MAP_VALUE,
     "this \":\" belongs to no key. Quote a text that holds \": \", as in name: \"a: b\"; a "
     "heading "
     "is a line of its own that ends in \":\""},
    {said_by_yaml::BLOCK_ENTRY,
     "a list cannot begin behind its key. Put \"- \" on a line of its own, or write [a, b]"},
    {said_by_yaml::UNKNOWN_ANCHOR,
     "\"*\" stands for a value with a name, and none has this one. Quote a text that begins with "
     "*"},
    {said_by_yaml::ALIAS_NOT_FOUND,
     "\"*\" stands for a value with a name, and none follows. Quote a text that begins with *"},
    {said_by_yaml::CHAR_IN_ALIAS,
     "\"*\" stands for a value with a name, and this is none. Quote a text that begins with *"},
    {said_by_yaml::ANCHOR_NOT_FOUND,
     "\"&\" gives a value a name, and none follows. Quote a text that begins with &"},
    {said_by_yaml::CHAR_IN_ANCHOR,
     "\"&\" gives a value a name, and this is none. Quote a text that begins with &"},
    {said_by_yaml::INVALID_ESCAPE,
     "a backslash inside \"...\" must be written \\\\. Or take '...', where it stands for itself"},
    {said_by_yaml::INVALID_HEX,
     "\\x, \\u and \\U take 2, 4 and 8 hexadecimal digits. A backslash itself is \\\\ inside "
     "\"...\""},
    {said_by_yaml::CHAR_IN_BLOCK,
     "behind | or > the line ends. Put the text on the next lines, indented"},
    {said_by_yaml::DOC_IN_SCALAR,
     "a line inside quotes begins with --- or ... here. Close the quotes before it"}};

constexpr std::string_view kLineWords =
    "this line fits nothing above it. Indent the keys of a section alike; keys and entries of a "
    "list (\"- \") do not mix";

bool is_indentation(char c) { return c == ' ' || c == '\t'; }

/// Bytes of the line's indentation.
size_t indentation(std::string_view line) {
  return static_cast<size_t>(std::find_if_not(line.begin(), line.end(), is_indentation) -
                             line.begin());
}

/// Of complaints that a tab in an indentation brings about, too.
bool is_about_lines(std::string_view words) {
  return words == said_by_yaml::MAP_VALUE || words == said_by_yaml::END_OF_MAP ||
         words == said_by_yaml::END_OF_SEQ || words == said_by_yaml::TAB_IN_INDENTATION;
}

YamlProblem open_bracket(std::string_view text, const YamlProblem& said, const YamlBracket& open) {
  std::string_view rest = yaml_line(text, said.line);
  rest = rest.substr(std::min<size_t>(said.column, rest.size()));
  const char close = open.is_list ? ']' : '}';
  std::string words = fmt::format("the {} that opens here is not closed", open.is_list ? '[' : '{');
  if (trim(rest).empty()) {
    words += fmt::format(". Close it with {}", close);
  } else {
    words += fmt::format(" before line {}, column {}. Close it with {}, or put a comma there",
                         said.line + 1, said.column + 1, close);
  }
  return {open.line, open.column, std::move(words)};
}

}  // namespace

std::string_view yaml_line_words() { return kLineWords; }

std::string_view yaml_line(std::string_view text, int line) {
  for (; line > 0; --line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

YamlProblem explain_yaml(std::string_view text, YamlProblem said,
                         const std::optional<YamlBracket>& open) {
  const std::string_view line = yaml_line(text, said.line);
  const std::string_view words = said.words;
  const size_t tab = line.substr(0, indentation(line)).find('\t');
  if (is_about_lines(words) && tab != line.npos) {
    return {said.line, static_cast<int>(tab),
            "a tab indents this line. YAML takes spaces: put two in its place"};
  }
  const bool is_bracket =
      words == said_by_yaml::END_OF_SEQ_FLOW || words == said_by_yaml::END_OF_MAP_FLOW;
  if (is_bracket && open) return open_bracket(text, said, *open);
  const std::string_view rest = line.substr(std::min<size_t>(said.column, line.size()));
  if (words == said_by_yaml::END_OF_MAP || words == said_by_yaml::END_OF_SEQ) {
    const bool is_first = static_cast<size_t>(said.column) <= indentation(line);
    said.words = is_first ? kLineWords
                          : "the value of this line has ended before this. Quote the whole text; "
                            "a ' inside '...' is written ''";
  } else if (words == said_by_yaml::UNKNOWN_TOKEN && !rest.empty()) {
    said.words = fmt::format("a value cannot begin with {}. Quote it", rest[0]);
  } else if (words == said_by_yaml::FLOW_END && !rest.empty()) {
    said.words = fmt::format("no {} is open that this {} could close. Remove it, or open one",
                             rest[0] == '}' ? '{' : '[', rest[0]);
  } else {
    for (const auto& [parser, ours] : kYamlWords) {
      if (!words.starts_with(parser)) continue;
      said.words = ours;
      break;
    }
  }
  return said;
}

}  // namespace ingot
