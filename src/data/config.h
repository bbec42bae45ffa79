// SPDX-License-Identifier: Apache-2.0
// What a recipe says about its corpus (DataConfig) and about how token windows are cut from it
// (PackConfig). Plain aggregates with one visitor each, so that YAML, flags, help and stored
// recipes come from one list. Read by prepare.cpp, loader.cpp and the data verbs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/config_fields.h"

namespace ingot::data {

enum class LargeFiles : uint8_t { kSplit, kSkip };
inline constexpr EnumName kLargeFilesNames[] = {{"split", LargeFiles::kSplit},
                                                {"skip", LargeFiles::kSkip}};
constexpr std::span<const EnumName> enum_names(LargeFiles) { return kLargeFilesNames; }

enum class InvalidUtf8 : uint8_t { kDrop, kReplace, kKeep };
inline constexpr EnumName kInvalidUtf8Names[] = {
    {"drop", InvalidUtf8::kDrop}, {"replace", InvalidUtf8::kReplace}, {"keep", InvalidUtf8::kKeep}};
constexpr std::span<const EnumName> enum_names(InvalidUtf8) { return kInvalidUtf8Names; }

/// From a folder of files to three files of clean text.
struct DataConfig {
  std::string path;                     // empty: default_corpus()
  std::vector<std::string> extensions;  // empty: every file
  Size max_file{8 << 20};               // memory bound per file
  LargeFiles large_files = LargeFiles::kSplit;
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kDrop;
  int64_t min_bytes = 32;
  bool strip_licence = true;
  bool mask_email = true;
  double near_duplicate = 0.7;
  double validation = 0.05;
  double test = 0.05;
  int64_t seed = 1;
  int64_t memory_bytes = 0;  // cap of the process, no key of its own; 0: none

  void visit(auto& field) {
    field("path", path,
          "folder of text or code, but for the run directories in it; empty: the C++ standard "
          "library headers");
    field("extensions", extensions, "which files, e.g. [h, cpp, none]; empty: every file");
    field(
        "max_file", max_file,
        "largest piece of a file held in memory, >= 1KiB; a corpus with a piece above a sixteenth "
        "of memory= is refused");
    field("large_files", large_files, "files above data.max_file: split at line ends, or skip");
    field("invalid_utf8", invalid_utf8, "files that are not UTF-8: drop, replace by U+FFFD, keep");
    field("min_bytes", min_bytes, "documents with fewer non-space bytes are dropped, >= 0");
    field("strip_licence", strip_licence, "remove leading comment blocks that state a licence");
    field("mask_email", mask_email, "replace e-mail addresses by <email>");
    field("near_duplicate", near_duplicate,
          "estimated Jaccard similarity from which files stay in one split, in (0, 1]");
    field("validation", validation, "share of bytes for validation, in [0, 1)");
    field("test", test, "share of bytes for test, in [0, 1)");
    field("seed", seed, "seed of the split");
  }
};

/// So many copies of a piece, in bytes of the file, are alive at once at most (counted for ASCII
/// text; what has to be escaped or repaired takes more). Cleaning holds 3: the piece, its text
/// before and behind a step. Writing holds 7: the piece, its text, the JSON string (which grows by
/// doubling: 2), the line as it is formatted (2) and as it is handed over. Tokenizing holds 15: the
/// line in a buffer that doubles (2), the text, and, where every byte is a token, its ids (4, and 8
/// for the list that takes their place when it is full).
inline constexpr int64_t kPieceCopies = 16;

/// Throws kInvalidArgument naming the key, its value and the allowed range.
void check(const DataConfig& config);

/// How windows of seq tokens see document borders. A document is its tokens followed by eos.
struct PackConfig {
  /// true: an eos on the input side belongs to the document after it, so it works as that
  /// document's start mark and the first token is predicted from it (every token of the stream
  /// is predicted once: exact bits per byte). false: eos ends its document only, and the first
  /// token of the next document is never predicted (target -1).
  bool eos_opens_document = true;
  /// false: attention may cross documents (doc_start is 0) and every next token is a target.
  bool isolate_documents = true;
  /// Positions count from the start of the document instead of the start of the window.
  bool restart_positions = true;

  void visit(auto& field) {
    field("eos_opens_document", eos_opens_document,
          "eos also starts the next document and predicts its first token");
    field("isolate_documents", isolate_documents, "attention never crosses a document border");
    field("restart_positions", restart_positions, "positions count from the document start");
  }
};

}  // namespace ingot::data
