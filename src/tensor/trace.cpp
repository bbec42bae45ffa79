// SPDX-License-Identifier: Apache-2.0
#include "tensor/trace.h"

#include <cstring>

#include "base/error.h"

namespace ingot {

std::byte* Trace::allocate(int64_t bytes, Storage* storage) {
  const int64_t padded = (bytes + kAlign - 1) / kAlign * kAlign;
  require(padded <= kMaxBytes - static_cast<int64_t>(next_ - kBase), Code::kOutOfMemory,
          "memory: a step whose tensors take more than {} bytes together cannot be recorded",
          kMaxBytes);
  const uintptr_t address = next_;
  next_ +=
      static_cast<uintptr_t>(padded + kAlign);  // a gap, so that one-past-the-end is not shared
  blocks.push_back({padded, static_cast<int64_t>(calls.size()), -1, address, storage});
  return reinterpret_cast<std::byte*>(address);
}

void Trace::release(int64_t block) {
  Block& b = blocks[static_cast<size_t>(block)];
  b.died = static_cast<int64_t>(calls.size());
  b.storage = nullptr;
}

void Trace::record(const Call& call, const void* args, int64_t size) {
  constexpr int64_t kWord = 16;
  calls.push_back(call);
  calls.back().args_offset = static_cast<int64_t>(arena.size());
  arena.resize(arena.size() + static_cast<size_t>((size + kWord - 1) / kWord * kWord));
  std::memcpy(arena.data() + calls.back().args_offset, args, static_cast<size_t>(size));
}

}  // namespace ingot
