// SPDX-License-Identifier: Apache-2.0
// The tokens of a pass are sorted, so those that share a prefix with the text form a range that
// narrows byte by byte; the last token met that ends exactly there is the longest match.
#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace ingot::text {
namespace {

bool word_char_at(std::string_view text, int64_t pos) {
  const CodePoint point = decode_utf8(text, pos);
  return point.valid && is_word_char(point.value);
}

bool space_at(std::string_view text, int64_t pos) {
  const CodePoint point = decode_utf8(text, pos);
  return point.valid && char_class(point.value) == CharClass::kSpace;
}

bool stands_alone(std::string_view text, int64_t begin, int64_t end) {
  if (begin > 0 && word_char_at(text, previous_code_point(text, begin))) return false;
  return end == static_cast<int64_t>(text.size()) || !word_char_at(text, end);
}

int64_t strip_left(std::string_view text, int64_t begin, int64_t floor) {
  while (begin > floor) {
    const int64_t previous = previous_code_point(text, begin);
    if (previous < floor || !space_at(text, previous)) break;
    begin = previous;
  }
  return begin;
}

int64_t strip_right(std::string_view text, int64_t end) {
  while (end < static_cast<int64_t>(text.size()) && space_at(text, end)) {
    end += decode_utf8(text, end).size_bytes;
  }
  return end;
}

std::string_view cut(std::string_view text, int64_t begin, int64_t end) {
  return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(const std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : tokens) {
    const size_t pass = token.normalized ? 1 : 0;
    passes_[pass].push_back(token);
    starts_[pass][static_cast<uint8_t>(token.content.front())] = true;
  }
  for (Pass& pass : passes_) {
    std::sort(pass.begin(), pass.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  }
}

const AddedToken* AddedTokenMatcher::longest_match(const Pass& pass, std::string_view text) {
  const AddedToken* best = nullptr;
  auto low = pass.begin();
  auto high = pass.end();
  for (size_t depth = 0; low != high; ++depth) {
    if (low->content.size() == depth) best = &*low++;
    if (depth == text.size()) break;
    const auto byte = static_cast<uint8_t>(text[depth]);
    const auto at = [depth](const AddedToken& token) {
      return static_cast<uint8_t>(token.content[depth]);
    };
    low = std::partition_point(low, high, [&](const AddedToken& t) { return at(t) < byte; });
    high = std::partition_point(low, high, [&](const AddedToken& t) { return at(t) == byte; });
  }
  return best;
}

void AddedTokenMatcher::split_pass(size_t pass, std::string_view text,
                                   std::vector<Segment>& out) const {
  const auto size = static_cast<int64_t>(text.size());
  int64_t done = 0;
  for (int64_t pos = 0; pos < size;) {
    const AddedToken* token = nullptr;
    if (starts_[pass][static_cast<uint8_t>(text[static_cast<size_t>(pos)])]) {
      token = longest_match(passes_[pass], text.substr(static_cast<size_t>(pos)));
    }
    if (token == nullptr) {
      ++pos;
      continue;
    }
    int64_t begin = pos;
    int64_t end = pos + static_cast<int64_t>(token->content.size());
    pos = end;
    if (token->single_word && !stands_alone(text, begin, end)) continue;
    if (token->lstrip) begin = strip_left(text, begin, done);
    if (token->rstrip) end = strip_right(text, end);
    if (done < begin) out.push_back({-1, cut(text, done, begin)});
    out.push_back({token->id, cut(text, begin, end)});
    pos = done = end;
  }
  if (done < size) out.push_back({-1, cut(text, done, size)});
}

std::vector<Segment> AddedTokenMatcher::split(std::string_view text) const {
  std::vector<Segment> first;
  split_pass(0, text, first);
  if (passes_[1].empty()) return first;
  std::vector<Segment> out;
  for (const Segment& segment : first) {
    if (segment.id >= 0) {
      out.push_back(segment);
    } else {
      split_pass(1, segment.text, out);
    }
  }
  return out;
}

}  // namespace ingot::text
