// SPDX-License-Identifier: Apache-2.0
// Sorts any number of small records in bounded memory: while they fit they are sorted where they
// are; beyond that, sorted runs go to a temporary file and are merged while they are read (Knuth,
// The Art of Computer Programming, volume 3, section 5.4). What is asked of every row of a table,
// whether it stands twice, which split it belongs to, is answered by walking such an order, so the
// answer is exact and the table may be larger than memory. Used by leak_check.h, clean_table.h and
// table_split.h; docs/decisions/0013-tables-larger-than-memory.md says why.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/scratch_file.h"
#include "base/signals.h"

namespace ingot::data {

/// What one sort may take. A command runs up to four at once.
struct SortSpace {
  int64_t bytes = int64_t{64} << 20;  ///< of memory, whatever the number of records
  std::string folder;                 ///< of the temporary file; "": scratch_folder()
  const StopFlag* stop = nullptr;     ///< asked between blocks of records
};

/// Records are words, compared from the first to the last. Instantiated for 1, 2, 3 and 5 words.
/// add() all of them, sort(), then next() as often as wanted, from the start again by rewind().
/// Beyond the space all four write or read the temporary file: they throw kIo, and kCancelled when
/// the space's stop is requested. Cost: each record is written and read once while its runs can be
/// merged at once in blocks of 64 KiB, which is up to bytes² / 64 KiB (64 GiB of records in
/// 64 MiB), and once more for each further factor of bytes / 64 KiB.
template <size_t kWords>
class ExternalSort {
 public:
  using Record = std::array<uint64_t, kWords>;

  explicit ExternalSort(SortSpace space = {});
  void add(const Record& record);
  void sort();
  /// The next record in order; equal ones all come. false at the end.
  bool next(Record& record);
  void rewind();
  [[nodiscard]] int64_t size() const { return size_; }
  /// Whether the records went to a file.
  [[nodiscard]] bool spilled() const { return file_ != nullptr; }

 private:
  /// Sorted records in the file, and the block of them that is in memory.
  struct Run {
    int64_t begin = 0, end = 0;  // records of the file
    int64_t read = 0;            // up to here
    std::vector<Record> block;
    size_t used = 0;
  };
  void spill();
  void append(const std::vector<Record>& records);
  void merge(size_t count);
  bool fill(Run& run);
  void push(size_t run);

  SortSpace space_;
  size_t capacity_;
  int64_t size_ = 0;
  std::vector<Record> records_;  // those that are in no run
  size_t at_ = 0;                // of records_
  std::unique_ptr<ScratchFile> file_;
  int64_t written_ = 0;  // records of the file
  std::vector<Run> runs_;
  size_t block_ = 1;          // records that a run has in memory while all are merged
  std::vector<size_t> heap_;  // runs, that of the smallest record on top
};

}  // namespace ingot::data
