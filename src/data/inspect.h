// SPDX-License-Identifier: Apache-2.0
// What is in a folder of text, before anything is changed: sizes, kinds, broken UTF-8, duplicates.
// Reads every file once in bounded pieces and changes nothing. Called by `ingot data inspect`,
// `ingot run` and the report.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/signals.h"
#include "data/config.h"
#include "data/corpus.h"
#include "data/near_duplicates.h"

namespace ingot::data {

struct ExtensionCount {
  int64_t files = 0;
  int64_t bytes = 0;
};

/// Characters of the text files by class.
struct CharacterCounts {
  int64_t letters = 0;  ///< ASCII
  int64_t digits = 0;
  int64_t spaces = 0;  ///< space, tab, line ends
  int64_t punctuation = 0;
  int64_t control = 0;
  int64_t non_ascii = 0;  ///< code points above U+007F, and invalid bytes
};

struct CorpusReport {
  std::string root;
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t lines = 0;
  std::map<std::string, ExtensionCount> extensions;
  Tally binary;      ///< contain a NUL byte; in no count below
  Tally empty;       ///< zero bytes
  Tally unreadable;  ///< could not be opened or read
  Tally invalid_utf8;
  Tally near_empty;  ///< fewer than min_bytes non-space bytes, not empty
  Tally larger;      ///< above max_file
  int64_t valid_utf8_files = 0;
  int64_t longest_line_bytes = 0;
  std::string longest_line_file;
  /// size_histogram[i]: files of [2^i, 2^(i+1)) bytes, [0] also empty ones.
  std::array<int64_t, 48> size_histogram{};
  CharacterCounts characters;
  Tally exact_duplicates;           ///< files whose bytes equal an earlier file's
  DuplicateGroups near_duplicates;  ///< of distinct texts before cleaning, large ones by a piece
  int64_t near_duplicate_bytes = 0;
  int64_t links_skipped = 0;
  Tally unreadable_folders;  ///< what lies in them is in no count
  int64_t other_extension = 0;
  Tally runs;  ///< run directories below the folder, left out

  [[nodiscard]] Json to_json() const;
  /// Aligned plain text, one fact per line.
  [[nodiscard]] std::string table() const;
};

/// Throws kNotFound when the folder is missing, kCancelled between files. Never throws for the
/// content of a file.
[[nodiscard]] CorpusReport inspect_corpus(const DataConfig& config, const StopFlag* stop = nullptr);

}  // namespace ingot::data
