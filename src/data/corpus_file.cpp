// SPDX-License-Identifier: Apache-2.0
// JSON lines in and out. Base64 (RFC 4648) goes through OpenSSL; lines are bounded, so a file of
// another kind is refused instead of being read into memory whole.
#include "data/corpus_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kBlock = size_t{1} << 20;
constexpr size_t kMaxLine = size_t{1} << 32;

std::string to_base64(std::string_view bytes) {
  constexpr size_t kStep = size_t{3} << 20;  // EVP counts in int
  std::string out;
  std::string part;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    const std::string_view from = bytes.substr(at, kStep);
    part.resize(from.size() / 3 * 4 + 5);
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(part.data()),
                                     reinterpret_cast<const unsigned char*>(from.data()),
                                     static_cast<int>(from.size()));
    out.append(part, 0, static_cast<size_t>(size));
  }
  return out;
}

std::string from_base64(std::string_view text, std::string_view where) {
  constexpr size_t kStep = size_t{4} << 20;
  require(text.size() % 4 == 0, Code::kCorruptFile,
          "{}: \"base64\" has {} characters, not a multiple of 4", where, text.size());
  std::string out;
  std::string part;
  for (size_t at = 0; at < text.size(); at += kStep) {
    const std::string_view from = text.substr(at, kStep);
    part.resize(from.size() / 4 * 3 + 1);
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(part.data()),
                                     reinterpret_cast<const unsigned char*>(from.data()),
                                     static_cast<int>(from.size()));
    require(size >= 0, Code::kCorruptFile, "{}: \"base64\" holds characters that are not base64",
            where);
    out.append(part, 0, static_cast<size_t>(size));
  }
  for (int pad = 0; pad < 2 && text.size() > static_cast<size_t>(pad); ++pad) {
    if (text[text.size() - 1 - static_cast<size_t>(pad)] == '=') out.pop_back();
  }
  return out;
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
      document.text = from_base64(json_string(object, "base64", where), where);
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
