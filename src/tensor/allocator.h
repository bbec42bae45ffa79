// SPDX-License-Identifier: Apache-2.0
// Memory of tensors: size classes, 64-byte aligned, huge pages advised for large blocks. Released
// blocks are kept for the next of their class and go back to the system in trim() alone, which runs
// between the stages of a run and before the cap refuses a block. Debug builds (INGOT_POISON) fill
// fresh blocks with NaN and put red zones behind each block that are checked when it comes back.
// Single-threaded: one engine, one caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace ingot {

class Allocator {
 public:
  /// limit_bytes 0: no cap.
  explicit Allocator(int64_t limit_bytes = 0) : limit_(limit_bytes) {}
  ~Allocator();
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  /// A block of at least `bytes`, 64-byte aligned. Throws kOutOfMemory over the cap, naming both.
  [[nodiscard]] std::byte* allocate(int64_t bytes);
  void release(std::byte* data, int64_t bytes);
  /// Gives cached blocks back to the system. Done before a block is refused, too.
  void trim();
  /// Bytes that others hold under the same cap (the engine's slab).
  void set_outside_bytes(int64_t bytes) { outside_ = bytes; }

  /// What a block of so many bytes takes: at most a quarter more up to 1 MiB, then steps of 2 MiB.
  [[nodiscard]] static int64_t block_bytes(int64_t bytes);
  [[nodiscard]] int64_t live_bytes() const { return live_; }
  [[nodiscard]] int64_t held_bytes() const { return held_; }  ///< live and cached
  [[nodiscard]] int64_t peak_bytes() const { return peak_; }
  [[nodiscard]] int64_t calls() const { return calls_; }
  [[nodiscard]] int64_t limit_bytes() const { return limit_; }

 private:
  std::map<int64_t, std::vector<std::byte*>> free_;  // size class → blocks
  int64_t limit_;
  int64_t live_ = 0;
  int64_t held_ = 0;
  int64_t outside_ = 0;
  int64_t peak_ = 0;
  int64_t calls_ = 0;
};

/// Throws kOutOfMemory: the system, not a cap, refused so many bytes.
[[noreturn]] void fail_refused(int64_t bytes);

/// Anonymous zero pages, huge pages advised, for slabs that live as long as the run.
[[nodiscard]] std::byte* map_pages(int64_t bytes);
void unmap_pages(std::byte* data, int64_t bytes);

}  // namespace ingot
