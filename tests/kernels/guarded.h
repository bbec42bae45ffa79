// SPDX-License-Identifier: Apache-2.0
// Floats that end where a page without access begins: a kernel that reads or writes behind them
// dies. Included by the tests of kernels.
#pragma once

#include <algorithm>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace ingot::kernels {

class Guarded {
 public:
  explicit Guarded(const std::vector<float>& values) {
    constexpr size_t kPage = 65536;  // a multiple of every page size in use
    const size_t bytes = values.size() * sizeof(float);
    size_ = (bytes + kPage - 1) / kPage * kPage + kPage;
    void* p = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<char*>(p);
    char* const end = memory_ + size_ - kPage;
    if (mprotect(end, kPage, PROT_NONE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<float*>(end - bytes);
    std::copy(values.begin(), values.end(), data_);
  }
  ~Guarded() { munmap(memory_, size_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  [[nodiscard]] float* data() const { return data_; }

 private:
  char* memory_;
  size_t size_;
  float* data_;
};

}  // namespace ingot::kernels
