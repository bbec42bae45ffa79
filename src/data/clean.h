// SPDX-License-Identifier: Apache-2.0
// From raw files to the list of documents worth training on: invalid UTF-8 by policy, licence
// heads removed, e-mail addresses masked, near-empty files and exact duplicates dropped, each
// counted with examples. Works file by file in bounded pieces and keeps fingerprints, not texts;
// prepare.cpp reads the kept pieces a second time to write them. Called by prepare.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/signals.h"
#include "data/config.h"
#include "data/corpus.h"
#include "data/near_duplicates.h"

namespace ingot::data {

/// What cleaning one piece of text did.
struct CleanedText {
  enum class Verdict : uint8_t { kKept, kInvalidUtf8, kNearEmpty };
  Verdict verdict = Verdict::kKept;
  std::string text;
  bool was_invalid = false;
  int64_t licence_bytes = 0;
  int64_t emails = 0;
  double mask_s = 0.0;  ///< seconds spent on masking; measured when a clock is given
};

/// A pure function of the text and the config. `head`: the text starts a file, so it may carry a
/// licence.
[[nodiscard]] CleanedText clean_text(std::string_view raw, bool head, const DataConfig& config,
                                     const Clock* clock = nullptr);

/// One kept document, without its text.
struct CleanDocument {
  std::string path;    ///< "name#2" for the second piece of a split file
  int64_t source = 0;  ///< index into SourceList::files
  int64_t piece = 0;   ///< which piece of that file
  int64_t bytes = 0;   ///< of the cleaned text
  std::string sha256;  ///< of the cleaned text
  Signature signature{};
};

struct CleanReport {
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t kept_documents = 0;
  int64_t kept_bytes = 0;
  Tally runs;  ///< run directories below data.path, left out
  Tally unreadable;
  Tally unreadable_folders;  ///< what lies in them is in no count
  Tally binary;
  Tally empty;
  Tally large_split;
  Tally large_skipped;
  Tally invalid_dropped;
  Tally invalid_replaced;
  Tally invalid_kept;
  Tally licence;  ///< documents that lost a licence head; bytes removed
  Tally near_empty;
  Tally duplicates;  ///< cleaned text equal to an earlier document's
  Tally emails;      ///< documents; see addresses
  int64_t addresses = 0;
  double mask_s = 0.0;  ///< as CleanedText::mask_s; in no table

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] std::string table() const;
};

struct CleanResult {
  SourceList sources;
  std::vector<CleanDocument> documents;  ///< sorted by (path of the file, piece)
  CleanReport report;
};

/// Throws kOutOfMemory, with the change that fits, where a file of the corpus gives a piece of
/// which kPieceCopies do not fit under config.memory_bytes; kNotFound when the folder is missing.
/// Cost: the sizes of the files; none is read.
void require_pieces_fit(const DataConfig& config);

/// Throws kNotFound (folder missing), kOutOfMemory before anything is read (a piece of a file, of
/// which kPieceCopies are held, does not fit under config.memory_bytes), kCancelled (between
/// files). An empty result is the caller's to judge.
[[nodiscard]] CleanResult clean_corpus(const DataConfig& config, const StopFlag* stop = nullptr,
                                       const Clock* clock = nullptr);

}  // namespace ingot::data
