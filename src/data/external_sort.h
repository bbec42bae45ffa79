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

namespace ingot::data {

/// What one sort may take. A command runs up to four at once.
struct SortSpace {
  int64_t bytes = int64_t{64} << 20;  ///< of memory; 64 KiB more for each 64 GiB that is sorted
  std::string folder;                 ///< of the temporary file; "": scratch_folder()
};

/// Records are words, compared from the first to the last. Instantiated for 1, 2, 3 and 5 words.
/// add() all of them, sort(), then next() as often as wanted, from the start again by rewind().
template <size_t kWords>
class ExternalSort {
 public:
  using Record = std::array<uint64_t, kWords>;

  explicit ExternalSort(SortSpace space = {});
  /// Throws kIo when the temporary file cannot be written.
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
  bool fill(Run& run);
  void push(size_t run);

  SortSpace space_;
  size_t capacity_;
  int64_t size_ = 0;
  std::vector<Record> records_;  // those that are in no run
  size_t at_ = 0;                // of records_
  std::unique_ptr<ScratchFile> file_;
  std::vector<Run> runs_;
  std::vector<size_t> heap_;  // runs, that of the smallest record on top
};

}  // namespace ingot::data
