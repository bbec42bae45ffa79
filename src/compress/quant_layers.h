// SPDX-License-Identifier: Apache-2.0
// The layers of a compressed model: they take the places of nn::Linear and nn::Embedding and
// compute on quantised blocks (kernels/quant_matmul.h), usually in the mapped file itself. A tied
// head and its token table are two layers over one QuantMatrix. Inference only: no gradient flows
// through. Not here: which layers are swapped (load_quantized.h), the file (quant_format.h).
#pragma once

#include <memory>

#include "kernels/activation.h"
#include "kernels/quant.h"
#include "nn/module.h"

namespace ingot::compress {

using kernels::QuantFormat;

/// A quantised matrix; copies share its memory.
struct QuantMatrix {
  Tensor blocks;  ///< [out_features, in_features], q8 or q4, Layout::kBlocks
  std::shared_ptr<const void> owner = {};  ///< keeps borrowed blocks alive (a mapped file), or null

  [[nodiscard]] int64_t out_features() const { return blocks.dim(0); }
  [[nodiscard]] int64_t in_features() const { return blocks.dim(1); }
  [[nodiscard]] QuantFormat format() const {
    return blocks.dtype() == DType::kQ8 ? QuantFormat::kQ8 : QuantFormat::kQ4;
  }
  [[nodiscard]] int64_t size_bytes() const { return blocks.storage().bytes; }
};

/// Quantises a float32 matrix [out_features, in_features] into memory of its own.
/// Throws kShapeMismatch, kDtypeMismatch. The caller has refused NaN and infinity.
[[nodiscard]] QuantMatrix quantize_matrix(const Tensor& weight, QuantFormat format);

/// y = activation(x·weightᵀ + bias), x rounded to 8 bits per group of 32.
class QuantLinear : public nn::Layer {
 public:
  /// bias float32 [out_features] or empty. Throws kShapeMismatch, kDtypeMismatch.
  explicit QuantLinear(QuantMatrix weight, Tensor bias = {},
                       kernels::Activation activation = kernels::Activation::kNone);

  /// x [..., in_features] → [..., out_features]; a row's bytes do not depend on the other rows.
  /// Throws kShapeMismatch, kDtypeMismatch; kUnsupported while gradients are recorded for x.
  [[nodiscard]] Tensor forward(const Tensor& x) override;
  void visit(nn::Visitor& /*visitor*/) override {}
  [[nodiscard]] const QuantMatrix& weight() const { return weight_; }

 private:
  QuantMatrix weight_;
  Tensor bias_;
  kernels::Activation activation_;
};

/// Rows of a quantised table by id, as float32.
class QuantEmbedding : public nn::Layer {
 public:
  explicit QuantEmbedding(QuantMatrix table);

  /// ids int32 or int64 [...] → [..., dim]. Throws kInvalidArgument naming an id out of range.
  [[nodiscard]] Tensor forward(const Tensor& ids) override;
  void visit(nn::Visitor& /*visitor*/) override {}
  [[nodiscard]] const QuantMatrix& table() const { return table_; }

 private:
  QuantMatrix table_;
};

}  // namespace ingot::compress
