// SPDX-License-Identifier: Apache-2.0
#include "models/paged_decoder.h"

#include <algorithm>
#include <cstring>

#include "autograd/op.h"
#include "autograd/ops/shape.h"
#include "kernels/attention.h"
#include "kernels/paged_attention.h"

namespace ingot::models {

PagedDecoder::PagedDecoder(Engine& engine, Transformer& model, PagedDecoderOptions options)
    : engine_(engine), model_(model), options_(options) {
  const TransformerConfig& c = model.config();
  require(options.pages > 0 && options.max_sequences > 0 && options.max_rows > 0,
          Code::kInvalidArgument,
          "decoder: pages {}, max_sequences {} and max_rows {} must be positive", options.pages,
          options.max_sequences, options.max_rows);
  const int64_t elements = kernels::paged_page_elements(c.kv(), c.head_dim());
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    for (std::vector<Tensor>* pools : {&k_pools_, &v_pools_}) {
      pools->push_back(options.prefault ? Tensor::zeros(engine, {options.pages, elements})
                                        : Tensor::empty(engine, {options.pages, elements}));
    }
  }
}

int64_t PagedDecoder::max_pages() const {
  return (model_.config().context + kernels::kAttentionTile - 1) / kernels::kAttentionTile;
}

DecoderSpec PagedDecoder::spec() const {
  const TransformerConfig& c = model_.config();
  DecoderSpec s;
  s.vocab = c.vocab;
  s.context = c.context;
  s.page_tokens = kernels::kAttentionTile;
  s.pages = options_.pages;
  s.max_sequences = options_.max_sequences;
  s.max_rows = options_.max_rows;
  s.page_bytes = 2 * c.layers * kernels::paged_page_elements(c.kv(), c.head_dim()) *
                 static_cast<int64_t>(sizeof(float));
  return s;
}

void PagedDecoder::forward(std::span<const DecodeRow> rows, std::span<const int32_t> page_table,
                           std::span<float> logits) {
  const auto n = static_cast<int64_t>(rows.size());
  if (n == 0) return;
  INGOT_ASSERT(n <= options_.max_rows);
  INGOT_ASSERT(static_cast<int64_t>(page_table.size()) == options_.max_sequences * max_pages());
  const Recording off(engine_, nullptr);
  const Tensor ids = Tensor::empty(engine_, {n}, DType::kI32);
  sequences_ = Tensor::empty(engine_, {n}, DType::kI32);
  positions_ = Tensor::empty(engine_, {n}, DType::kI32);
  page_table_ = Tensor::from<int32_t>(engine_, page_table, {options_.max_sequences, max_pages()});
  std::vector<int32_t> wanted;
  for (int64_t i = 0; i < n; ++i) {
    const DecodeRow& row = rows[static_cast<size_t>(i)];
    INGOT_ASSERT(row.sequence >= 0 && row.sequence < options_.max_sequences);
    INGOT_ASSERT(row.position >= 0 && row.position < model_.config().context);
    ids.data<int32_t>()[i] = row.token;
    sequences_.data<int32_t>()[i] = row.sequence;
    positions_.data<int32_t>()[i] = row.position;
    if (row.wants_logits) wanted.push_back(static_cast<int32_t>(i));
  }
  nn::SequenceContext context;
  context.positions = positions_;
  context.cache = this;
  Tensor hidden = model_.forward(ids, context);  // [rows, dim]
  if (wanted.empty()) return;
  const auto count = static_cast<int64_t>(wanted.size());
  if (count < n) hidden = ops::gather(hidden, Tensor::from<int32_t>(engine_, wanted, {count}));
  const Tensor out = model_.logits(hidden);  // [count, vocab]
  INGOT_ASSERT(out.size() == static_cast<int64_t>(logits.size()));
  std::memcpy(logits.data(), out.raw(), logits.size_bytes());
}

Tensor PagedDecoder::attend(int64_t layer, const Tensor& q, const Tensor& k_in, const Tensor& v_in,
                            float scale) {
  // q [rows, 1, heads, head_dim]; k, v [rows, 1, kv_heads, head_dim]
  const Tensor k = ops::contiguous(k_in), v = ops::contiguous(v_in), queries = ops::contiguous(q);
  const auto at = static_cast<size_t>(layer);
  kernels::PagedAppendArgs append;
  append.k = k.data<float>();
  append.v = v.data<float>();
  append.row_sequence = sequences_.data<int32_t>();
  append.row_position = positions_.data<int32_t>();
  append.page_table = page_table_.data<int32_t>();
  append.k_pool = k_pools_[at].raw();
  append.v_pool = v_pools_[at].raw();
  append.rows = k.dim(0), append.kv_heads = k.dim(2), append.head_dim = k.dim(3);
  append.max_pages = max_pages();
  append.k_row_stride = append.v_row_stride = k.dim(2) * k.dim(3);
  engine_.launch("paged_append", &kernels::paged_append, append);
  Tensor out = Tensor::empty(engine_, queries.shape());
  kernels::PagedAttentionArgs args;
  args.q = queries.data<float>();
  args.row_sequence = append.row_sequence;
  args.row_position = append.row_position;
  args.page_table = append.page_table;
  args.k_pool = append.k_pool;
  args.v_pool = append.v_pool;
  args.out = out.data<float>();
  args.rows = q.dim(0), args.heads = q.dim(2), args.kv_heads = k.dim(2), args.head_dim = q.dim(3);
  args.max_pages = max_pages();
  args.q_row_stride = args.out_row_stride = q.dim(2) * q.dim(3);
  args.scale = scale;
  const Tensor work =
      ops::scratch(engine_, kernels::paged_attention_scratch_bytes(args, engine_.team().size()));
  args.scratch = work.data<float>();
  engine_.launch("paged_attention", &kernels::paged_attention, args);
  return out;
}

}  // namespace ingot::models
