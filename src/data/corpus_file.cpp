// SPDX-License-Identifier: Apache-2.0
// JSON lines in and out. Lines are bounded, so a file of another kind is refused instead of being
// read into memory whole.
#include "data/corpus_file.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kBlock = size_t{1} << 20;
constexpr size_t kMaxLine = size_t{1} << 32;

std::string bytes_of(const Json& object, std::string_view where) {
  std::optional<std::string> bytes = from_base64(json_string(object, "base64", where));
  require(bytes.has_value(), Code::kCorruptFile,
          "{}: \"base64\" is not base64 (RFC 4648, padded to a multiple of 4 characters)", where);
  return std::move(*bytes);
}

}  // namespace

std::string corpus_line(std::string_view path, std::string_view text) {
  if (is_valid_utf8(text)) {
    return fmt::format("{{\"path\": {}, \"text\": {}}}\n", quote_json(path), quote_json(text));
  }
  return fmt::format("{{\"path\": {}, \"base64\": \"{}\"}}\n", quote_json(path), to_base64(text));
}

Document parse_corpus_line(std::string_view line, std::string_view where) {
  try {
    const Json object = parse_json(line, where, {.max_bytes = static_cast<int64_t>(kMaxLine)});
    Document document;
    document.path = json_string(object, "path", where);
    if (json_optional(object, "base64", where) != nullptr) {
      document.text = bytes_of(object, where);
    } else {
      document.text = json_string(object, "text", where);
    }
    return document;
  } catch (const Error& error) {
    throw Error(Code::kCorruptFile, error.what());
  }
}

CorpusReader::CorpusReader(const std::string& path) : file_(path) {}

bool CorpusReader::fill() {
  buffer_.erase(0, position_);
  position_ = 0;
  const int64_t left = file_.size() - offset_;
  if (left == 0) return false;
  const size_t old = buffer_.size();
  require(old <= kMaxLine, Code::kCorruptFile, "{}: line {} is longer than {} bytes", file_.path(),
          line_, kMaxLine);
  // Doubling keeps one very long line linear.
  const int64_t take = std::min(left, static_cast<int64_t>(std::max(kBlock, old)));
  buffer_.resize(old + static_cast<size_t>(take));
  file_.read_at(offset_, std::as_writable_bytes(std::span(buffer_).subspan(old)));
  offset_ += take;
  return true;
}

bool CorpusReader::next(Document& document) {
  size_t searched = 0;  // bytes after position_ known to hold no line end
  ++line_;
  while (true) {
    const size_t end = buffer_.find('\n', position_ + searched);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(position_, end - position_);
      document = parse_corpus_line(line, fmt::format("{}: line {}", file_.path(), line_));
      position_ = end + 1;
      return true;
    }
    searched = buffer_.size() - position_;
    if (fill()) continue;
    require(searched == 0, Code::kCorruptFile,
            "{}: line {} has no line end: the file is truncated; run the data stage again",
            file_.path(), line_);
    return false;
  }
}

std::vector<Document> read_corpus(const std::string& path) {
  CorpusReader reader(path);
  std::vector<Document> documents;
  for (Document document; reader.next(document);) documents.push_back(std::move(document));
  return documents;
}

}  // namespace ingot::data
