// SPDX-License-Identifier: Apache-2.0
// See yaml.h. yaml-cpp calls the handler for an opening bracket before it reads what is inside, so
// throwing there bounds its recursion too.
#include "base/yaml.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml_words.h"

namespace ingot {
namespace {

using Kind = YamlNode::Kind;

int count_values(const YamlNode& node) {
  int total = 1;
  for (const YamlNode& item : node.items) total += count_values(item);
  for (const YamlMember& member : node.members) total += count_values(member.value);
  return total;
}

int depth_of(const YamlNode& node) {
  int deepest = 0;
  for (const YamlNode& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const YamlMember& m : node.members) deepest = std::max(deepest, depth_of(m.value));
  const bool container = node.kind == Kind::kSequence || node.kind == Kind::kMap;
  return deepest + (container ? 1 : 0);
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::string_view name, const YamlLimits& limits)
      : text_(text), name_(name), limits_(limits) {}

  [[nodiscard]] YamlNode take() { return std::move(root_); }

  /// Where the last value is quoted or a block text: its place. Null where it is neither.
  [[nodiscard]] YAML::Mark quoted_end() const { return quoted_end_; }

  /// The innermost [ or {, where the parser stands inside one.
  [[nodiscard]] std::optional<YamlBracket> open_bracket() const {
    if (frames_.empty() || !frames_.back().is_flow) return std::nullopt;
    const Frame& frame = frames_.back();
    return YamlBracket{frame.mark.line, frame.mark.column, frame.node.kind == Kind::kSequence};
  }

  [[noreturn]] void error_at(const YAML::Mark& mark, std::string_view reason) const {
    fail(Code::kInvalidArgument, "{}:{}:{}: {}", name_, mark.line + 1, mark.column + 1, reason);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    if (!yaml_line(text_, mark.line).starts_with("---")) error_at(mark, yaml_line_words());
    error_at(mark, "a second document starts here; only one is allowed");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, make(mark, Kind::kNull), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(mark, Kind::kScalar);
    node.scalar = value;
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    quoted_end_ = node.quoted ? mark : YAML::Mark::null_mark();
    if (!node.quoted) refuse_tag(mark, tag, "");
    add(mark, std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count_alias(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) error_at(mark, "an alias inside the value it stands for");
    const int depth = static_cast<int>(frames_.size()) + depth_of(found->second);
    if (depth > limits_.max_depth) too_deep(mark);
    count(mark, count_values(found->second));
    place(mark, YamlNode(found->second));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    refuse_tag(mark, tag, "tag:yaml.org,2002:seq");
    open(mark, Kind::kSequence, anchor, style);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    refuse_tag(mark, tag, "tag:yaml.org,2002:map");
    open(mark, Kind::kMap, anchor, style);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    bool is_flow = false;  // in brackets
    bool has_key = false;  // a map: the key is read, its value comes next
    std::set<std::string, std::less<>> keys;
  };

  static YamlNode make(const YAML::Mark& mark, Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag, std::string_view own) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag == own) return;
    error_at(mark, fmt::format("the tag \"{}\" is not supported. Remove it.", excerpt(tag)));
  }

  void count(const YAML::Mark& mark, int values) {
    values_ += values;
    if (values_ <= limits_.max_values) return;
    error_at(mark, fmt::format("more than {} values", limits_.max_values));
  }

  void count_alias(const YAML::Mark& mark) {
    if (++aliases_ <= limits_.max_aliases) return;
    error_at(mark, fmt::format("more than {} anchors and aliases", limits_.max_aliases));
  }

  [[noreturn]] void too_deep(const YAML::Mark& mark) const {
    error_at(mark, fmt::format("nested deeper than {} levels", limits_.max_depth));
  }

  void open(const YAML::Mark& mark, Kind kind, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    if (static_cast<int>(frames_.size()) >= limits_.max_depth) too_deep(mark);
    refuse_as_key(mark, kind);
    count(mark, 1);
    Frame frame;
    frame.node = make(mark, kind);
    frame.mark = mark;
    frame.anchor = anchor;
    frame.is_flow = style == YAML::EmitterStyle::Flow;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    remember(frame.mark, frame.node, frame.anchor);
    place(frame.mark, std::move(frame.node));
  }

  void add(const YAML::Mark& mark, YamlNode node, YAML::anchor_t anchor) {
    count(mark, 1);
    remember(mark, node, anchor);
    place(mark, std::move(node));
  }

  // The stored copies count as values too: anchors inside anchors are copied once per level.
  void remember(const YAML::Mark& mark, const YamlNode& node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    count_alias(mark);
    count(mark, count_values(node));
    anchors_[anchor] = node;
  }

  void refuse_as_key(const YAML::Mark& mark, Kind kind) const {
    const bool key =
        !frames_.empty() && frames_.back().node.kind == Kind::kMap && !frames_.back().has_key;
    if (key && kind != Kind::kScalar) error_at(mark, "a key must be a word, not a list or map");
  }

  void place(const YAML::Mark& mark, YamlNode node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Kind::kSequence) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.has_key) {
      frame.node.members.back().value = std::move(node);
      frame.has_key = false;
    } else {
      add_key(mark, frame, std::move(node));
    }
  }

  void add_key(const YAML::Mark& mark, Frame& frame, YamlNode node) {
    refuse_as_key(mark, node.kind);
    if (!frame.keys.insert(node.scalar).second) {
      const auto first =
          std::find_if(frame.node.members.begin(), frame.node.members.end(),
                       [&](const YamlMember& member) { return member.key == node.scalar; });
      error_at(mark, fmt::format("the key \"{}\" appears twice, first in line {}. Keep one of them",
                                 excerpt(node.scalar), first->line));
    }
    YamlMember member;
    member.key = std::move(node.scalar);
    member.line = mark.line + 1;
    member.column = mark.column + 1;
    frame.node.members.push_back(std::move(member));
    frame.has_key = true;
  }

  std::string_view text_, name_;
  const YamlLimits& limits_;
  YamlNode root_;
  YAML::Mark quoted_end_ = YAML::Mark::null_mark();
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  int documents_ = 0;
  int aliases_ = 0;
  int values_ = 0;
};

// yaml-cpp guesses other encodings and ends at byte 4, so only clean UTF-8 text reaches it.
void require_clean(std::string_view text, std::string_view name, const YamlLimits& limits) {
  const auto size = static_cast<int64_t>(text.size());
  require(size <= limits.max_bytes, Code::kInvalidArgument, "{}: {} of YAML, the limit is {}", name,
          human_bytes(size), human_bytes(limits.max_bytes));
  const auto refuse = [&](int64_t offset, std::string_view reason) {
    const TextPosition at = position_of(text, offset);
    fail(Code::kInvalidArgument, "{}:{}:{}: {} (byte {})", name, at.line, at.column, reason,
         offset);
  };
  const int64_t invalid = first_invalid_utf8(text);
  if (invalid >= 0) refuse(invalid, "invalid UTF-8. Save the file as UTF-8.");
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool space = c == '\t' || c == '\n' || c == '\r';
    if ((c < 0x20 && !space) || c == 0x7F) {
      refuse(static_cast<int64_t>(i), fmt::format("the control character 0x{:02x}", c));
    }
  }
}

void build(const std::string& text, TreeBuilder& builder) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
  }
}

/// yaml-cpp takes the end of the text behind a line end for the closing quote; a comment in between
/// keeps it from that, and means nothing where no quote is open.
std::string with_comment(std::string_view text) {
  const std::string_view lines = text.substr(0, text.find_last_not_of(" \t") + 1);
  const bool is_line_end = lines.ends_with('\n') || lines.ends_with('\r');
  return is_line_end ? std::string(lines) + "#" : std::string(text);
}

/// Where the quotes at `mark`, or the first behind it on its line (an anchor or a tag may stand
/// before), open, if nothing closes them. npos: there are none, or they are closed.
size_t open_quote(std::string_view text, const YAML::Mark& mark) {
  if (mark.is_null()) return text.npos;
  size_t begin = 0;
  for (int line = 0; line < mark.line; ++line) {
    const size_t end = text.find('\n', begin);
    if (end == text.npos) return text.npos;  // of a place behind the last line
    begin = end + 1;
  }
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  const size_t column = line.find_first_of("\"'", static_cast<size_t>(mark.column));
  if (column == line.npos) return text.npos;
  const char quote = line[column];
  for (size_t i = begin + column + 1; i < text.size(); ++i) {
    const bool is_pair = i + 1 < text.size() && text[i + 1] == quote;
    const bool is_escape = quote == '"' ? text[i] == '\\' : text[i] == quote && is_pair;
    if (is_escape) {
      ++i;
    } else if (text[i] == quote) {
      return text.npos;
    }
  }
  return begin + column;
}

/// Of a text that ends inside quotes: all behind the opening one would be its value. Parsed up to
/// its end without the comment, that value is the last one.
[[noreturn]] void refuse_open_quotes(std::string_view text, std::string_view name,
                                     const YamlLimits& limits) {
  TreeBuilder builder(text, name, limits);
  YAML::Mark failed = YAML::Mark::null_mark();
  try {
    build(std::string(text) + "\n", builder);
  } catch (const YAML::Exception& error) {  // where they stand in place of a key or of a comma, or
    failed = error.mark;                    // of a list or map around them, not closed either
  }
  for (const YAML::Mark& mark : {failed, builder.quoted_end()}) {
    const size_t at = open_quote(text, mark);
    if (at == text.npos) continue;
    builder.error_at(
        mark,
        fmt::format("the quotes that open here are not closed. Close them with {}", text[at]));
  }
  const YAML::Mark mark = builder.quoted_end();
  builder.error_at(mark.is_null() ? YAML::Mark() : mark,
                   "the quotes that open here are not closed. Close them");
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

YamlNode parse_yaml(std::string_view text, std::string_view name, const YamlLimits& limits) {
  require_clean(text, name, limits);
  TreeBuilder builder(text, name, limits);
  try {
    build(with_comment(text), builder);
  } catch (const YAML::Exception& error) {
    if (error.msg == YAML::ErrorMsg::EOF_IN_SCALAR) refuse_open_quotes(text, name, limits);
    const YAML::Mark said = error.mark.is_null() ? YAML::Mark() : error.mark;
    const YamlProblem problem =
        explain_yaml(text, {said.line, said.column, error.msg}, builder.open_bracket());
    fail(Code::kInvalidArgument, "{}:{}:{}: {}", name, problem.line + 1, problem.column + 1,
         problem.words);
  }
  return builder.take();
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kScalar:
      return fmt::format("\"{}\"", excerpt(node.scalar));
  }
  return "null";
}

}  // namespace ingot
