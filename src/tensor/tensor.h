// SPDX-License-Identifier: Apache-2.0
// Tensor: a value that shares its storage. Shape, strides and offset are inline; layout is a fact
// of the storage: plain (strided) or opaque (packed panels, quantised blocks), and an op that has
// not declared an opaque layout refuses it. Gradients live elsewhere: `slot` and `slot_step` are
// the tape's integers for this tensor (autograd/tape.h), and nothing here knows what they mean.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/engine.h"
#include "tensor/shape.h"

namespace ingot {

enum class Layout : uint8_t {
  kPlain,   ///< element (i, j, …) at offset + i·stride0 + j·stride1 + …
  kPacked,  ///< float32 weight panels of kernels/gemm.h
  kBlocks,  ///< quantised blocks of kernels/quant.h
};

/// A block of memory with its owner. Freed when the last tensor lets go.
struct Storage {
  static constexpr int64_t kAllocated = -1;  // `block`: from the engine's allocator
  static constexpr int64_t kPlanned = -2;    // in the slab of a plan
  static constexpr int64_t kBorrowed = -3;   // somebody else's memory

  Storage(Engine& owner, int64_t size_bytes, Layout layout_kind);
  Storage(Engine& owner, std::byte* memory, int64_t size_bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  Engine* engine;
  std::byte* data;
  int64_t bytes;
  int64_t block = kAllocated;  // index in the trace while tracing
  uint32_t version = 0;        // bumped by in-place writes; saved tensors check it
  Layout layout = Layout::kPlain;
};

class Tensor {
 public:
  Tensor() = default;

  static Tensor empty(Engine& engine, const Shape& shape, DType dtype = DType::kF32);
  static Tensor zeros(Engine& engine, const Shape& shape, DType dtype = DType::kF32);
  static Tensor full(Engine& engine, const Shape& shape, float value);
  /// Copies values.size() elements. Throws kShapeMismatch unless that is shape.size().
  template <class T>
  static Tensor from(Engine& engine, std::span<const T> values, const Shape& shape) {
    return from_bytes(engine, std::as_bytes(values), shape, DTypeOf<T>::kValue);
  }
  static Tensor from_bytes(Engine& engine, std::span<const std::byte> bytes, const Shape& shape,
                           DType dtype);
  /// A block of `bytes` with a layout of its own; `shape` is what it stands for.
  static Tensor opaque(Engine& engine, const Shape& shape, DType dtype, Layout layout,
                       int64_t bytes);
  /// Wraps memory that outlives the tensor (a mapped file).
  static Tensor borrow(Engine& engine, std::byte* data, int64_t bytes, const Shape& shape,
                       DType dtype, Layout layout = Layout::kPlain);

  [[nodiscard]] bool defined() const { return storage_ != nullptr; }
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] int rank() const { return shape_.rank(); }
  /// Size of an axis; negative counts from the end.
  [[nodiscard]] int64_t dim(int axis) const { return shape_[axis < 0 ? axis + rank() : axis]; }
  [[nodiscard]] int64_t size() const { return shape_.size(); }
  [[nodiscard]] int64_t size_bytes() const { return size() * dtype_size(dtype_); }
  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] Layout layout() const { return storage_->layout; }
  [[nodiscard]] const Strides& strides() const { return strides_; }
  [[nodiscard]] int64_t stride(int axis) const {
    return strides_[static_cast<size_t>(axis < 0 ? axis + rank() : axis)];
  }
  [[nodiscard]] int64_t offset() const { return offset_; }
  [[nodiscard]] Engine& engine() const { return *storage_->engine; }
  [[nodiscard]] Storage& storage() const { return *storage_; }
  [[nodiscard]] bool shares_storage(const Tensor& other) const {
    return storage_ == other.storage_;
  }
  [[nodiscard]] bool sole_owner() const { return storage_.use_count() == 1; }
  [[nodiscard]] bool is_contiguous() const;

  /// First element. The pointer may be virtual while tracing: hand it to launch, do not follow it.
  template <class T>
  [[nodiscard]] T* data() const {
    return reinterpret_cast<T*>(raw());
  }
  /// The same, nullptr when undefined: an optional operand of a kernel.
  template <class T>
  [[nodiscard]] T* data_or_null() const {
    return defined() ? data<T>() : nullptr;
  }
  [[nodiscard]] std::byte* raw() const { return storage_->data + offset_ * dtype_size(dtype_); }

  /// The single element of a one-element tensor. Throws while tracing.
  [[nodiscard]] float item() const;
  /// All elements in row-major order as T (f32, i64, i32 or u8 tensors of that type).
  template <class T>
  [[nodiscard]] std::vector<T> to_vector() const;

  /// Same elements, other shape; contiguous tensors only (ops::reshape copies when it must).
  [[nodiscard]] Tensor view(const Shape& shape) const;
  /// Same storage with the given geometry; the caller vouches for the bounds.
  [[nodiscard]] Tensor strided(const Shape& shape, const Strides& strides, int64_t offset) const;
  /// The same tensor without its gradient slot.
  [[nodiscard]] Tensor detach() const;

  int32_t slot = -1;       ///< gradient slot on the tape, -1: no gradient flows here
  uint32_t slot_step = 0;  ///< step of the tape that gave the slot, 0: it is for good

 private:
  std::shared_ptr<Storage> storage_;
  Shape shape_;
  Strides strides_{};
  int64_t offset_ = 0;
  DType dtype_ = DType::kF32;
};

/// "float32 [2, 3]: 0.5, -1.25, …" with at most `limit` elements.
[[nodiscard]] std::string to_text(const Tensor& tensor, int64_t limit = 8);

}  // namespace ingot
