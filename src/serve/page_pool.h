// SPDX-License-Identifier: Apache-2.0
// The free list of the paged KV cache. Pages are given out lowest number first after start and most
// recently returned first afterwards, which keeps the working set small. Only the engine's thread
// uses it. It knows numbers of pages, not what they hold.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"

namespace ingot::serve {

class PagePool {
 public:
  explicit PagePool(int64_t pages) : pages_(pages), out_(static_cast<size_t>(pages), false) {
    for (int64_t page = pages - 1; page >= 0; --page) free_.push_back(static_cast<int32_t>(page));
  }

  [[nodiscard]] int64_t pages() const { return pages_; }
  [[nodiscard]] int64_t available() const { return static_cast<int64_t>(free_.size()); }
  [[nodiscard]] int64_t used() const { return pages_ - available(); }

  /// Appends `count` pages to `to`, or changes nothing and returns false.
  [[nodiscard]] bool take(int64_t count, std::vector<int32_t>& to) {
    if (count > available()) return false;
    for (int64_t i = 0; i < count; ++i) {
      const int32_t page = free_.back();
      free_.pop_back();
      out_[static_cast<size_t>(page)] = true;
      to.push_back(page);
    }
    return true;
  }

  /// Takes all pages back and empties `from`.
  void give_back(std::vector<int32_t>& from) {
    while (!from.empty()) {
      const int32_t page = from.back();
      INGOT_ASSERT(page >= 0 && page < pages_ && out_[static_cast<size_t>(page)]);
      out_[static_cast<size_t>(page)] = false;
      free_.push_back(page);
      from.pop_back();
    }
  }

 private:
  int64_t pages_;
  std::vector<int32_t> free_;
  std::vector<bool> out_;  // [pages] given to a text
};

}  // namespace ingot::serve
