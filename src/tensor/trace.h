// SPDX-License-Identifier: Apache-2.0
// What a step does, as data: the kernel calls in order with their arguments, and the life of every
// block of memory between them. While an engine traces, ops compute shapes and record calls but run
// nothing, and memory is handed out as addresses that no machine has; tensor/plan.h then packs the
// blocks into one slab, rewrites the pointers and replays. See
// docs/decisions/0005-tape-and-replay.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/team.h"

namespace ingot {

struct Storage;

/// One kernel call. `args` lies in the trace's arena; its first `pointers` words are pointers.
struct Call {
  void (*invoke)(void (*kernel)(), const void* args, Team& team);
  void (*kernel)();
  const char* name;
  int64_t args_offset;
  int64_t flops;
  int32_t pointers;
};

/// A block of memory: allocated before call `born`, released before call `died`.
struct Block {
  int64_t bytes;
  int64_t born;
  int64_t died;       // -1: outlives the trace
  uintptr_t address;  // virtual while tracing; offset in the slab once planned
  Storage* storage;   // null once released
};

class Trace {
 public:
  static constexpr uintptr_t kBase = uintptr_t{1} << 60;  // not an address on any 64-bit machine
  static constexpr int64_t kAlign = 64;
  static constexpr int64_t kMaxBytes = int64_t{1} << 60;  // of all blocks of a step

  [[nodiscard]] static bool is_virtual(const void* p) {
    return reinterpret_cast<uintptr_t>(p) >= kBase;
  }

  std::byte* allocate(int64_t bytes, Storage* storage);
  void release(int64_t block);
  void record(const Call& call, const void* args, int64_t size);

  /// Ends a part of the step: parts are replayed apart (tensor/plan.h).
  void mark() { marks.push_back(static_cast<int64_t>(calls.size())); }

  std::vector<Call> calls;
  std::vector<int64_t> marks;  // first call of part 1, 2, …
  std::vector<Block> blocks;   // addresses increase
  std::vector<std::byte> arena;

 private:
  uintptr_t next_ = kBase;
};

}  // namespace ingot
