// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace ingot {

Storage::Storage(Engine& owner, int64_t size_bytes, Layout layout_kind)
    : engine(&owner), bytes(size_bytes), layout(layout_kind) {
  if (Trace* trace = owner.trace(); trace != nullptr) {
    data = trace->allocate(size_bytes, this);
    block = static_cast<int64_t>(trace->blocks.size()) - 1;
  } else {
    data = owner.allocator().allocate(size_bytes);
  }
}

Storage::Storage(Engine& owner, std::byte* memory, int64_t size_bytes)
    : engine(&owner), data(memory), bytes(size_bytes), block(kBorrowed) {}

Storage::~Storage() {
  if (block == kAllocated) {
    engine->allocator().release(data, bytes);
  } else if (block >= 0 && engine->trace() != nullptr) {
    engine->trace()->release(block);
  }
}

namespace {

/// Calls visit(element index in storage) for every element in row-major order.
template <class Visit>
void for_each_offset(const Tensor& t, const Visit& visit) {
  const int64_t n = t.size();
  std::array<int64_t, kMaxRank> index{};
  for (int64_t i = 0; i < n; ++i) {
    int64_t at = 0;
    for (int a = 0; a < t.rank(); ++a) at += index[static_cast<size_t>(a)] * t.stride(a);
    visit(at);
    for (int a = t.rank() - 1; a >= 0; --a) {
      if (++index[static_cast<size_t>(a)] < t.dim(a)) break;
      index[static_cast<size_t>(a)] = 0;
    }
  }
}

}  // namespace

Tensor Tensor::empty(Engine& engine, const Shape& shape, DType dtype) {
  require(dtype_size(dtype) > 0, Code::kDtypeMismatch, "tensor: {} needs Tensor::opaque",
          dtype_name(dtype));
  return opaque(engine, shape, dtype, Layout::kPlain, shape.size() * dtype_size(dtype));
}

Tensor Tensor::opaque(Engine& engine, const Shape& shape, DType dtype, Layout layout,
                      int64_t bytes) {
  Tensor t;
  t.storage_ = std::make_shared<Storage>(engine, bytes, layout);
  t.shape_ = shape;
  t.strides_ = contiguous_strides(shape);
  t.dtype_ = dtype;
  return t;
}

Tensor Tensor::borrow(Engine& engine, std::byte* data, int64_t bytes, const Shape& shape,
                      DType dtype, Layout layout) {
  Tensor t;
  t.storage_ = std::make_shared<Storage>(engine, data, bytes);
  t.storage_->layout = layout;
  t.shape_ = shape;
  t.strides_ = contiguous_strides(shape);
  t.dtype_ = dtype;
  return t;
}

Tensor Tensor::zeros(Engine& engine, const Shape& shape, DType dtype) {
  engine.require_values("zeros");
  Tensor t = empty(engine, shape, dtype);
  std::memset(t.raw(), 0, static_cast<size_t>(t.size_bytes()));
  return t;
}

Tensor Tensor::full(Engine& engine, const Shape& shape, float value) {
  engine.require_values("full");
  Tensor t = empty(engine, shape);
  std::fill_n(t.data<float>(), t.size(), value);
  return t;
}

Tensor Tensor::from_bytes(Engine& engine, std::span<const std::byte> bytes, const Shape& shape,
                          DType dtype) {
  engine.require_values("from");
  const int64_t need = shape.size() * dtype_size(dtype);
  require(static_cast<int64_t>(bytes.size()) == need, Code::kShapeMismatch,
          "tensor: {} bytes given, shape {} of {} takes {}", bytes.size(), shape.text(),
          dtype_name(dtype), need);
  Tensor t = empty(engine, shape, dtype);
  if (need > 0) std::memcpy(t.raw(), bytes.data(), bytes.size());
  return t;
}

bool Tensor::is_contiguous() const {
  if (storage_->layout != Layout::kPlain) return false;
  int64_t step = 1;
  for (int i = rank() - 1; i >= 0; --i) {
    if (shape_[i] != 1 && stride(i) != step) return false;
    step *= shape_[i];
  }
  return true;
}

float Tensor::item() const {
  require(size() == 1, Code::kShapeMismatch, "item: shape {} has {} elements, one is needed",
          shape_.text(), size());
  return to_vector<float>()[0];
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  engine().require_values("to_vector");
  require(dtype_ == DTypeOf<T>::kValue, Code::kDtypeMismatch,
          "to_vector: tensor is {}, asked as {}", dtype_name(dtype_),
          dtype_name(DTypeOf<T>::kValue));
  require(layout() == Layout::kPlain, Code::kUnsupported, "to_vector: the tensor is packed");
  std::vector<T> out;
  out.reserve(static_cast<size_t>(size()));
  const T* p = data<T>();
  for_each_offset(*this, [&](int64_t at) { out.push_back(p[at]); });
  return out;
}

template std::vector<float> Tensor::to_vector<float>() const;
template std::vector<int64_t> Tensor::to_vector<int64_t>() const;
template std::vector<int32_t> Tensor::to_vector<int32_t>() const;
template std::vector<uint8_t> Tensor::to_vector<uint8_t>() const;

Tensor Tensor::view(const Shape& shape) const {
  require(shape.size() == size(), Code::kShapeMismatch, "view: shape {} has {} elements, {} has {}",
          shape_.text(), size(), shape.text(), shape.size());
  require(is_contiguous(), Code::kShapeMismatch, "view: the tensor is not contiguous");
  Tensor t = *this;
  t.shape_ = shape;
  t.strides_ = contiguous_strides(shape);
  return t;
}

Tensor Tensor::strided(const Shape& shape, const Strides& strides, int64_t offset) const {
  Tensor t = *this;
  t.shape_ = shape;
  t.strides_ = strides;
  t.offset_ = shape.size() == 0 ? 0 : offset;  // an empty view points at its block, not beside it
  return t;
}

Tensor Tensor::detach() const {
  Tensor t = *this;
  t.slot = -1;
  return t;
}

std::string to_text(const Tensor& tensor, int64_t limit) {
  std::string s = fmt::format("{} {}", dtype_name(tensor.dtype()), tensor.shape().text());
  if (tensor.dtype() != DType::kF32 || tensor.layout() != Layout::kPlain) return s;
  const std::vector<float> values = tensor.to_vector<float>();
  const auto count = std::min<int64_t>(limit, tensor.size());
  for (int64_t i = 0; i < count; ++i) {
    s += fmt::format("{}{}", i == 0 ? ": " : ", ", values[static_cast<size_t>(i)]);
  }
  return count < tensor.size() ? s + ", …" : s;
}

}  // namespace ingot
