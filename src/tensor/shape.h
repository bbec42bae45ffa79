// SPDX-License-Identifier: Apache-2.0
// Sizes of a tensor's axes, stored inline (no heap). Rank 0 is a scalar with one element.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "base/error.h"

namespace ingot {

constexpr int kMaxRank = 6;

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) {
    for (const int64_t d : dims) push(d);
  }

  /// Appends an axis. Throws kShapeMismatch beyond rank 6 or for a negative size.
  void push(int64_t dim) {
    require(rank_ < kMaxRank, Code::kShapeMismatch, "shape: rank over {} is not supported",
            kMaxRank);
    require(dim >= 0, Code::kShapeMismatch, "shape: an axis of size {} is negative", dim);
    dims_[static_cast<size_t>(rank_++)] = dim;
  }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int64_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  int64_t& operator[](int axis) { return dims_[static_cast<size_t>(axis)]; }

  [[nodiscard]] int64_t size() const {
    int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= (*this)[i];
    return n;
  }

  /// Product of the axes [begin, end).
  [[nodiscard]] int64_t size(int begin, int end) const {
    int64_t n = 1;
    for (int i = begin; i < end; ++i) n *= (*this)[i];
    return n;
  }

  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i) {
      if ((*this)[i] != other[i]) return false;
    }
    return true;
  }

  /// "[2, 3, 4]"
  [[nodiscard]] std::string text() const {
    std::string s = "[";
    for (int i = 0; i < rank_; ++i) s += (i == 0 ? "" : ", ") + std::to_string((*this)[i]);
    return s + "]";
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

using Strides = std::array<int64_t, kMaxRank>;

/// Row-major strides, in elements.
[[nodiscard]] inline Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = step;
    step *= shape[i];
  }
  return strides;
}

/// The shape that a and b broadcast to (NumPy rules). Throws kShapeMismatch naming `op`.
[[nodiscard]] Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

/// axis in [-rank, rank) → [0, rank). Throws kInvalidArgument naming `op`.
[[nodiscard]] int normal_axis(const char* op, int axis, int rank);

}  // namespace ingot
