// SPDX-License-Identifier: Apache-2.0
#include "compress/quant_layers.h"

#include <algorithm>

#include "autograd/op.h"
#include "kernels/quant_matmul.h"

namespace ingot::compress {
namespace {

void require_matrix(const char* op, const QuantMatrix& m) {
  require(m.blocks.defined() && m.blocks.rank() == 2, Code::kShapeMismatch,
          "{}: a quantised matrix [out_features, in_features] is needed", op);
  require(m.blocks.layout() == Layout::kBlocks &&
              (m.blocks.dtype() == DType::kQ8 || m.blocks.dtype() == DType::kQ4),
          Code::kDtypeMismatch, "{}: the matrix is {}, q8 or q4 blocks are needed", op,
          dtype_name(m.blocks.dtype()));
  const int64_t bytes = kernels::quant_matrix_bytes(m.format(), m.out_features(), m.in_features());
  require(m.size_bytes() == bytes, Code::kShapeMismatch, "{}: {} {} takes {} bytes, {} are there",
          op, dtype_name(m.blocks.dtype()), m.blocks.shape().text(), bytes, m.size_bytes());
  require(reinterpret_cast<uintptr_t>(m.blocks.raw()) % kernels::kQuantAlignment == 0,
          Code::kInvalidArgument, "{}: the matrix must start at a multiple of {} bytes", op,
          kernels::kQuantAlignment);
}

/// Throws kInvalidArgument naming the first id outside [0, limit).
void require_ids_below(const Tensor& ids, int64_t limit) {
  if (ids.engine().trace() != nullptr) return;  // values come later; the recorder's caller vouches
  const auto check = [&](const auto* p) {
    for (int64_t i = 0; i < ids.size(); ++i) {
      require(p[i] >= 0 && p[i] < limit, Code::kInvalidArgument,
              "quant_embedding: id {} at position {} is outside [0, {})", p[i], i, limit);
    }
  };
  if (ids.dtype() == DType::kI64) {
    check(ids.data<int64_t>());
  } else {
    check(ids.data<int32_t>());
  }
}

}  // namespace

QuantMatrix quantize_matrix(const Tensor& weight, QuantFormat format) {
  ops::require_f32("quantize", "weight", weight);
  require(weight.rank() == 2, Code::kShapeMismatch, "quantize: weight is {}, a matrix is needed",
          weight.shape().text());
  const Tensor w = ops::contiguous(weight);
  const DType dtype = format == QuantFormat::kQ8 ? DType::kQ8 : DType::kQ4;
  QuantMatrix m;
  m.blocks = Tensor::opaque(w.engine(), w.shape(), dtype, Layout::kBlocks,
                            kernels::quant_matrix_bytes(format, w.dim(0), w.dim(1)));
  kernels::QuantizeArgs args;
  args.weights = w.data<float>();
  args.quantized = m.blocks.raw();
  args.out_features = w.dim(0);
  args.in_features = args.row_stride = w.dim(1);
  args.format = format;
  w.engine().launch("quantize", &kernels::quantize, args);
  return m;
}

QuantLinear::QuantLinear(QuantMatrix weight, Tensor bias, kernels::Activation activation)
    : weight_(std::move(weight)), bias_(std::move(bias)), activation_(activation) {
  require_matrix("quant_linear", weight_);
  if (!bias_.defined()) return;
  ops::require_f32("quant_linear", "bias", bias_);
  require(bias_.shape() == Shape{weight_.out_features()} && bias_.is_contiguous(),
          Code::kShapeMismatch, "quant_linear: bias is {}, [{}] is needed", bias_.shape().text(),
          weight_.out_features());
}

Tensor QuantLinear::forward(const Tensor& input) {
  const int64_t in = weight_.in_features(), out = weight_.out_features();
  ops::require_f32("quant_linear", "x", input);
  require(input.rank() > 0 && input.dim(-1) == in, Code::kShapeMismatch,
          "quant_linear: x is {}, its last axis must be in_features {}", input.shape().text(), in);
  require(
      !ops::is_recorded({&input}), Code::kUnsupported,
      "quant_linear: a quantised weight has no gradient. Train the float model, then compress it");
  const Tensor x = ops::contiguous(input);
  Engine& engine = x.engine();
  Shape shape;
  for (int i = 0; i + 1 < x.rank(); ++i) shape.push(x.dim(i));
  const int64_t rows = shape.size();
  shape.push(out);
  Tensor y = Tensor::empty(engine, shape);  // [..., out_features]
  const Tensor work = ops::scratch(engine, kernels::quant_matmul_scratch_bytes(rows, in));
  kernels::QuantMatmulArgs args;
  args.x = x.data<float>();
  args.weights = weight_.blocks.raw();
  args.bias = bias_.defined() ? bias_.data<float>() : nullptr;
  args.y = y.data<float>();
  args.activations = work.raw();
  args.rows = rows, args.out_features = out, args.in_features = in;
  args.x_stride = in, args.y_stride = out;
  args.format = weight_.format();
  args.activation = activation_;
  engine.launch("quant_linear", &kernels::quant_matmul, args, 2 * rows * out * in);
  if (engine.check_finite) ops::require_finite("quant_linear", "result", y);
  return y;
}

QuantEmbedding::QuantEmbedding(QuantMatrix table) : table_(std::move(table)) {
  require_matrix("quant_embedding", table_);
}

Tensor QuantEmbedding::forward(const Tensor& ids_in) {
  ops::require_ids("quant_embedding", "ids", ids_in);
  const Tensor ids = ops::contiguous(ids_in);
  require_ids_below(ids, table_.out_features());
  Shape shape = ids.shape();
  shape.push(table_.in_features());
  Tensor y = Tensor::empty(ids.engine(), shape);  // [..., dim]
  kernels::DequantizeArgs args;
  args.quantized = table_.blocks.raw();
  args.ids = ids.raw();
  args.out = y.data<float>();
  args.in_features = args.out_stride = table_.in_features();
  args.count = ids.size();
  args.format = table_.format();
  args.id_type = ids.dtype() == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
  ids.engine().launch("quant_embedding", &kernels::dequantize, args);
  if (ids.engine().check_finite) ops::require_finite("quant_embedding", "result", y);
  return y;
}

}  // namespace ingot::compress
