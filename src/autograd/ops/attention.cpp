// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/attention.h"

#include <cmath>
#include <string_view>

#include "autograd/op.h"
#include "kernels/attention.h"

namespace ingot::ops {
namespace {

kernels::AttentionStrides strides_of(const Tensor& t) {
  return {t.stride(0), t.stride(1), t.stride(2)};
}

struct AttentionAttrs {
  float scale;
  bool is_causal;
};

int64_t attention_flops(const Tensor& q, const Tensor& k, bool is_causal, int64_t products) {
  const int64_t full = products * 2 * q.dim(0) * q.dim(2) * q.dim(1) * k.dim(1) * q.dim(3);
  return is_causal ? full / 2 : full;
}

/// doc_start and doc_end: int32 [batch, seq]. Every token's document begins at the token or before
/// it. Values are not known while a step is recorded.
void check_border(const char* op, const char* name, const Tensor& border, const Tensor& q) {
  if (!border.defined()) return;
  require_plain(op, name, border);
  const int64_t seq = q.dim(1);
  require(
      border.dtype() == DType::kI32 && border.is_contiguous() && border.size() == q.dim(0) * seq,
      Code::kShapeMismatch, "{}: {} is {} {}, int32 [{}, {}] is needed", op, name,
      dtype_name(border.dtype()), border.shape().text(), q.dim(0), seq);
  if (border.engine().trace() != nullptr) return;
  const bool is_start = std::string_view(name) == "doc_start";
  for (int64_t i = 0; i < border.size(); ++i) {
    const int64_t value = border.data<int32_t>()[i], limit = is_start ? i % seq : seq;
    require(value >= 0 && value <= limit, Code::kInvalidArgument,
            "{}: {} is {} at position {} of its sequence, 0 to {} can be", op, name, value, i % seq,
            limit);
  }
}

/// First position of each token's document and the one behind it; either may be empty.
struct Documents {
  Tensor start, end;
};

void check(const char* op, const Tensor& q, const Tensor& k, const Tensor& v,
           const Documents& documents) {
  require_f32(op, "q", q);
  require_f32(op, "k", k);
  require_f32(op, "v", v);
  require(q.rank() == 4 && k.rank() == 4 && k.shape() == v.shape() && q.dim(0) == k.dim(0) &&
              q.dim(1) == k.dim(1) && q.dim(3) == k.dim(3),
          Code::kShapeMismatch,
          "{}: q {}, k {}, v {}: [batch, seq, heads, head_dim] with equal batch, seq and "
          "head_dim are needed",
          op, q.shape().text(), k.shape().text(), v.shape().text());
  require(k.dim(2) > 0 && q.dim(2) % k.dim(2) == 0, Code::kShapeMismatch,
          "{}: {} query heads are not a multiple of {} key heads", op, q.dim(2), k.dim(2));
  require(q.dim(3) >= 1 && q.dim(3) <= kernels::kAttentionMaxHeadDim, Code::kUnsupported,
          "{}: head_dim is {}, 1 to {} are available", op, q.dim(3), kernels::kAttentionMaxHeadDim);
  require(q.stride(3) == 1 && k.stride(3) == 1 && v.stride(3) == 1, Code::kShapeMismatch,
          "{}: the head_dim axis of q, k and v must be dense", op);
  check_border(op, "doc_start", documents.start, q);
  check_border(op, "doc_end", documents.end, q);
}

/// out and lse of one forward pass.
void forward(const Tensor& q, const Tensor& k, const Tensor& v, const Documents& documents,
             const Tensor& out, const Tensor& lse, AttentionAttrs attrs) {
  Engine& engine = q.engine();
  kernels::AttentionArgs args;
  args.q = q.data<float>();
  args.k = k.data<float>();
  args.v = v.data<float>();
  args.doc_start = documents.start.data_or_null<int32_t>();
  args.doc_end = documents.end.data_or_null<int32_t>();
  args.out = out.data<float>();
  args.lse = lse.defined() ? lse.data<float>() : nullptr;
  args.batch = q.dim(0), args.seq = q.dim(1), args.heads = q.dim(2);
  args.kv_heads = k.dim(2), args.head_dim = q.dim(3);
  args.q_stride = strides_of(q), args.k_stride = strides_of(k), args.v_stride = strides_of(v);
  args.out_stride = strides_of(out);
  args.causal = attrs.is_causal;
  args.scale = attrs.scale;
  const Tensor work = scratch(engine, kernels::attention_scratch_bytes(args, engine.team().size()));
  args.scratch = work.data<float>();
  engine.launch("attention", &kernels::attention, args, attention_flops(q, k, attrs.is_causal, 2));
}

/// Saved: q, k, v, out, lse, doc_start, doc_end. Writes dq, dk, dv through views of any strides.
void backward(Backward& b, const Tensor& dq, const Tensor& dk, const Tensor& dv, bool accumulate) {
  const Tensor &q = b.saved(0), &k = b.saved(1), &v = b.saved(2), &out = b.saved(3);
  const auto attrs = b.attrs<AttentionAttrs>();
  Engine& engine = b.engine();
  const Tensor dout = b.grad().view(out.shape());
  kernels::AttentionBackwardArgs args;
  args.q = q.data<float>();
  args.k = k.data<float>();
  args.v = v.data<float>();
  args.doc_start = b.saved(5).data_or_null<int32_t>();
  args.doc_end = b.saved(6).data_or_null<int32_t>();
  args.out = out.data<float>();
  args.lse = b.saved(4).data<float>();
  args.dout = dout.data<float>();
  args.dq = dq.data<float>();
  args.dk = dk.data<float>();
  args.dv = dv.data<float>();
  args.batch = q.dim(0), args.seq = q.dim(1), args.heads = q.dim(2);
  args.kv_heads = k.dim(2), args.head_dim = q.dim(3);
  args.q_stride = strides_of(q), args.k_stride = strides_of(k), args.v_stride = strides_of(v);
  args.out_stride = strides_of(out), args.dout_stride = strides_of(dout);
  args.dq_stride = strides_of(dq), args.dk_stride = strides_of(dk), args.dv_stride = strides_of(dv);
  args.causal = attrs.is_causal;
  args.accumulate = accumulate;
  args.scale = attrs.scale;
  const Tensor work =
      scratch(engine, kernels::attention_backward_scratch_bytes(args, engine.team().size()));
  args.scratch = work.data<float>();
  engine.launch("attention_grad", &kernels::attention_backward, args,
                attention_flops(q, k, attrs.is_causal, 5));
}

/// One kernel writes all three with one accumulate flag; when theirs differ, or one tensor is two
/// inputs, they are written apart and added.
void attention_backward(Backward& b) {
  bool is_direct = !b.is_same(0, 1) && !b.is_same(0, 2) && !b.is_same(1, 2);
  for (int i = 0; i < 3; ++i) is_direct &= b.needs(i) && b.is_written(i) == b.is_written(0);
  Backward::Target d[3];
  for (int i = 0; i < 3; ++i) {
    d[i] = is_direct ? b.target(i)
                     : Backward::Target{Tensor::empty(b.engine(), b.saved(i).shape()), false};
  }
  backward(b, d[0].grad, d[1].grad, d[2].grad, d[0].accumulate);
  for (int i = 0; i < 3 && !is_direct; ++i) {
    if (b.needs(i)) b.add(i, d[i].grad);
  }
}

/// The three parts of a packed projection (or of its gradient) as views.
struct Parts {
  Tensor q, k, v;
};

Parts parts_of(const Tensor& qkv, int64_t heads, int64_t kv_heads) {
  const int64_t head_dim = qkv.dim(2) / (heads + 2 * kv_heads);
  const auto view = [&](int64_t first, int64_t count) {
    Strides s{};
    s[0] = qkv.stride(0), s[1] = qkv.stride(1), s[2] = head_dim, s[3] = 1;
    return qkv.strided({qkv.dim(0), qkv.dim(1), count, head_dim}, s,
                       qkv.offset() + first * head_dim);
  };
  return {view(0, heads), view(heads, kv_heads), view(heads + kv_heads, kv_heads)};
}

void attention_qkv_backward(Backward& b) {
  const Backward::Target target = b.target(0);
  const Parts d = parts_of(target.grad, b.saved(0).dim(2), b.saved(1).dim(2));
  backward(b, d.q, d.k, d.v, target.accumulate);
}

AttentionAttrs attrs_of(const AttentionOptions& options, int64_t head_dim) {
  const float scale =
      options.scale != 0.0F ? options.scale : 1.0F / std::sqrt(static_cast<float>(head_dim));
  return {scale, options.is_causal};
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& doc_start,
                 const AttentionOptions& options) {
  const Documents documents{doc_start, options.doc_end};
  check("attention", q, k, v, documents);
  Engine& engine = q.engine();
  const AttentionAttrs attrs = attrs_of(options, q.dim(3));
  Tensor out = Tensor::empty(engine, q.shape());
  const Tensor lse =
      is_recorded({&q, &k, &v}) ? Tensor::empty(engine, {q.dim(0), q.dim(2), q.dim(1)}) : Tensor();
  forward(q, k, v, documents, out, lse, attrs);
  record_op("attention", &attention_backward, {&q, &k, &v}, out,
            {&q, &k, &v, &out, &lse, &doc_start, &options.doc_end}, attrs);
  return out;
}

Tensor attention_qkv(const Tensor& input, int64_t heads, int64_t kv_heads, const Tensor& doc_start,
                     const AttentionOptions& options) {
  require_f32("attention_qkv", "qkv", input);
  require(heads > 0 && kv_heads > 0, Code::kInvalidArgument,
          "attention_qkv: {} heads and {} key heads, both must be positive", heads, kv_heads);
  require(input.rank() == 3 && input.dim(2) % (heads + 2 * kv_heads) == 0, Code::kShapeMismatch,
          "attention_qkv: qkv is {}, its last axis must be a multiple of {} heads",
          input.shape().text(), heads + 2 * kv_heads);
  const Tensor qkv = contiguous(input);
  const Parts p = parts_of(qkv, heads, kv_heads);
  const Documents documents{doc_start, options.doc_end};
  check("attention_qkv", p.q, p.k, p.v, documents);
  Engine& engine = qkv.engine();
  const AttentionAttrs attrs = attrs_of(options, p.q.dim(3));
  const Tensor out = Tensor::empty(engine, p.q.shape());
  const Tensor lse =
      is_recorded({&qkv}) ? Tensor::empty(engine, {qkv.dim(0), heads, qkv.dim(1)}) : Tensor();
  forward(p.q, p.k, p.v, documents, out, lse, attrs);
  Tensor y = out.view({qkv.dim(0), qkv.dim(1), heads * p.q.dim(3)});
  record_op("attention_qkv", &attention_qkv_backward, {&qkv}, y,
            {&p.q, &p.k, &p.v, &out, &lse, &doc_start, &options.doc_end}, attrs);
  return y;
}

TokenBounds token_bounds(const Tensor& ids) {
  require_plain("token_bounds", "ids", ids);
  require(ids.dtype() == DType::kI32 && ids.rank() == 2, Code::kShapeMismatch,
          "token_bounds: ids are {} {}, int32 [batch, seq] is needed", dtype_name(ids.dtype()),
          ids.shape().text());
  const Tensor dense = contiguous(ids);
  TokenBounds bounds{Tensor::empty(ids.engine(), ids.shape(), DType::kI32),
                     Tensor::empty(ids.engine(), ids.shape(), DType::kI32)};
  kernels::TokenBoundsArgs args;
  args.ids = dense.data<int32_t>();
  args.start = bounds.start.data<int32_t>();
  args.end = bounds.end.data<int32_t>();
  args.batch = ids.dim(0), args.seq = ids.dim(1);
  ids.engine().launch("token_bounds", &kernels::token_bounds, args);
  return bounds;
}

}  // namespace ingot::ops
