// SPDX-License-Identifier: Apache-2.0
// A walk over the head of a file, block by block: blank lines, guards and comments, until the
// first line of code. Every byte of the head is looked at a bounded number of times.
#include "data/licence.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace ingot::data {
namespace {

struct BlockComment {
  std::string_view open, close;
};
constexpr std::array<BlockComment, 4> kBlockComments{
    {{"/*", "*/"}, {"<!--", "-->"}, {"{-", "-}"}, {"(*", "*)"}}};
constexpr std::array<std::string_view, 8> kLineComments{"//", "#", "--",    ";",
                                                        "%",  "!", ".\\\"", "dnl "};
/// Lines that may stand before a licence and are kept.
constexpr std::array<std::string_view, 7> kGuards{"#!",    "#ifndef", "#define",  "#pragma",
                                                  "<?xml", "<?php",   "<!DOCTYPE"};
/// Words that make a '#' line a preprocessor line and not a comment.
constexpr std::array<std::string_view, 13> kDirectives{
    "include", "define", "ifdef", "ifndef", "undef", "pragma", "endif",
    "if",      "elif",   "else",  "error",  "line",  "import"};

constexpr std::array<std::string_view, 18> kPhrases{"spdx license identifier",
                                                    "general public license",
                                                    "runtime library exception",
                                                    "permission is hereby granted",
                                                    "permission to use, copy, modify",
                                                    "redistribution and use in source",
                                                    "mozilla public license",
                                                    "boost software license",
                                                    "eclipse public license",
                                                    "without warranty of any kind",
                                                    "without any warranty",
                                                    "all rights reserved",
                                                    "licensed under the",
                                                    "released under the",
                                                    "distributed under the",
                                                    "subject to the terms",
                                                    "license, v. 2.0",
                                                    "under the same terms as"};
/// Also the titles of documents about licences, so they count only in blocks of two lines or more.
constexpr std::array<std::string_view, 4> kTitles{"mit license", "bsd license", "apache license",
                                                  "bsd style license"};

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// Lower case, comment marks and white space as single spaces: a phrase may be broken over lines.
std::string normalise(std::string_view block) {
  std::string out;
  out.reserve(block.size());
  for (const char c : block) {
    const bool mark =
        std::string_view(" \t\r\n\v\f/*#-;%!<>\"{}").find(c) != std::string_view::npos;
    if (mark && !out.empty() && out.back() == ' ') continue;
    out += mark ? ' ' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  }
  for (size_t at = out.find("licence"); at != std::string::npos; at = out.find("licence", at + 7)) {
    out[at + 5] = 's';
  }
  return out;
}

bool has_year(std::string_view text) {
  for (size_t i = 0; i + 4 <= text.size(); ++i) {
    const bool century = starts_with(text.substr(i), "19") || starts_with(text.substr(i), "20");
    if (century && text[i + 2] >= '0' && text[i + 2] <= '9' && text[i + 3] >= '0' &&
        text[i + 3] <= '9') {
      return true;
    }
  }
  return false;
}

/// "copyright" soon followed by a year, "(c)" or the sign itself.
bool has_copyright(std::string_view text) {
  constexpr size_t kReach = 48;
  for (size_t at = text.find("copyright"); at != std::string_view::npos;
       at = text.find("copyright", at + 1)) {
    const std::string_view after = text.substr(at + 9, kReach);
    if (has_year(after) || after.find("(c)") != std::string_view::npos ||
        after.find("\xc2\xa9") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

/// The head of a text as lines; `end` of a line includes its line end.
struct Line {
  size_t begin, end;
  std::string_view body;  // without surrounding white space
};

Line line_at(std::string_view text, size_t begin) {
  const size_t stop = text.find('\n', begin);
  const size_t end = stop == std::string_view::npos ? text.size() : stop + 1;
  return {begin, end, trim(text.substr(begin, end - begin))};
}

size_t skip_blank(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    const Line line = line_at(text, begin);
    if (!line.body.empty()) break;
    begin = line.end;
  }
  return begin;
}

/// "#include", "# define X", "#if"; "# if only" stays a comment.
bool is_directive(std::string_view body) {
  if (body.empty() || body[0] != '#') return false;
  std::string_view word = body.substr(1);
  const bool spaced = word != trim(word);
  word = trim(word);
  size_t size = 0;
  while (size < word.size() && word[size] >= 'a' && word[size] <= 'z') ++size;
  const auto* const found = std::find(kDirectives.begin(), kDirectives.end(), word.substr(0, size));
  const auto unspaced_only = kDirectives.begin() + 7;  // English words from here on
  return found != kDirectives.end() && (!spaced || found < unspaced_only);
}

std::string_view line_comment_of(std::string_view body) {
  if (is_directive(body) || starts_with(body, "#!")) return {};
  for (const std::string_view prefix : kLineComments) {
    if (starts_with(body, prefix)) return prefix;
  }
  return {};
}

/// One comment block at the head: [begin, end), and whether code follows on its last line.
struct TextBlock {
  size_t begin = 0, end = 0;
  bool found = false;
  bool last = false;
};

TextBlock block_at(std::string_view text, const Line& first) {
  TextBlock block{first.begin, first.begin, false, false};
  for (const BlockComment& kind : kBlockComments) {
    if (!starts_with(first.body, kind.open)) continue;
    const size_t open = static_cast<size_t>(first.body.data() - text.data());
    const size_t close = text.find(kind.close, open + kind.open.size());
    if (close == std::string_view::npos) return block;
    block.end = close + kind.close.size();
    const Line rest = line_at(text, block.end);
    block.last = !rest.body.empty();
    if (!block.last) block.end = rest.end;
    block.found = true;
    return block;
  }
  const std::string_view prefix = line_comment_of(first.body);
  if (prefix.empty()) return block;
  Line line = first;
  while (true) {
    block.end = line.end;
    if (line.end >= text.size()) break;
    line = line_at(text, line.end);
    if (!starts_with(line.body, prefix) || is_directive(line.body)) break;
  }
  block.found = true;
  return block;
}

bool is_guard(std::string_view body) {
  return std::any_of(kGuards.begin(), kGuards.end(),
                     [&](std::string_view guard) { return starts_with(body, guard); });
}

}  // namespace

bool states_licence(std::string_view block) {
  const std::string text = normalise(block);
  const auto contains = [&](std::string_view phrase) {
    return text.find(phrase) != std::string::npos;
  };
  if (std::any_of(kPhrases.begin(), kPhrases.end(), contains) || has_copyright(text)) return true;
  const bool one_line = trim(block).find('\n') == std::string_view::npos;
  return !one_line && std::any_of(kTitles.begin(), kTitles.end(), contains);
}

StrippedText strip_licence(std::string_view text) {
  constexpr int kMaxGuards = 8;
  StrippedText result;
  result.text.reserve(text.size());
  size_t copied = 0;
  int guards = 0;
  size_t at = starts_with(text, "\xef\xbb\xbf") ? 3 : 0;
  while ((at = skip_blank(text, at)) < text.size()) {
    const Line line = line_at(text, at);
    const TextBlock block = block_at(text, line);
    if (!block.found) {
      if (!is_guard(line.body) || ++guards > kMaxGuards) break;
      at = line.end;
      continue;
    }
    at = block.end;
    if (states_licence(text.substr(block.begin, block.end - block.begin))) {
      if (!block.last) at = skip_blank(text, at);
      result.text.append(text, copied, block.begin - copied);
      result.removed_bytes += static_cast<int64_t>(at - block.begin);
      result.removed_blocks += 1;
      copied = at;
    }
    if (block.last) break;
  }
  result.text.append(text, copied, text.size() - copied);
  return result;
}

}  // namespace ingot::data
