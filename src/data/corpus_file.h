// SPDX-License-Identifier: Apache-2.0
// The corpus file of a split: one JSON object per line, {"path": ..., "text": ...}; a text that is
// not UTF-8 (policy keep) is stored as "base64" instead. Format: docs/formats/corpus.md. Written
// by prepare.cpp, read by the tokenizer trainer, tokenize.cpp, evaluation and the report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace ingot::data {

/// path: relative to the corpus folder, "name#2" for the second piece of a split file.
struct Document {
  std::string path;
  std::string text;
};

/// One line of a corpus file, line end included.
[[nodiscard]] std::string corpus_line(std::string_view path, std::string_view text);

/// The document of one line (without line end). Throws kCorruptFile starting with `where`.
[[nodiscard]] Document parse_corpus_line(std::string_view line, std::string_view where);

/// Streams the documents of a corpus file; holds one line.
class CorpusReader {
 public:
  /// Throws kNotFound, kIo.
  explicit CorpusReader(const std::string& path);
  /// false at the end. Throws kCorruptFile with path and line number, kIo.
  bool next(Document& document);

 private:
  bool fill();

  ReadableFile file_;
  std::string buffer_;
  size_t position_ = 0;  // in buffer_
  int64_t offset_ = 0;   // in the file
  int64_t line_ = 0;
};

/// All documents of a corpus file.
[[nodiscard]] std::vector<Document> read_corpus(const std::string& path);

}  // namespace ingot::data
