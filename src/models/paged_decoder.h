// SPDX-License-Identifier: Apache-2.0
// A Transformer as a Decoder: rows of many sequences against a paged KV cache. Rows are independent
// down to the last bit, because every kernel under them is. Owns the cache's pools, not the page
// table. Used by generate and by the server's engine thread.
#pragma once

#include <vector>

#include "models/decoder.h"
#include "models/transformer.h"

namespace ingot::models {

struct PagedDecoderOptions {
  int64_t pages = 64;  ///< pages of 64 tokens in the pool
  int64_t max_sequences = 1;
  int64_t max_rows = 256;
  bool prefault = false;  ///< the pool's memory is taken now, not at each page's first use
};

class PagedDecoder : public Decoder, private nn::KvCache {
 public:
  /// model must outlive the decoder and have been prepared for inference or not; both work.
  PagedDecoder(Engine& engine, Transformer& model, PagedDecoderOptions options);

  [[nodiscard]] DecoderSpec spec() const override;
  void forward(std::span<const DecodeRow> rows, std::span<const int32_t> page_table,
               std::span<float> logits) override;

 private:
  Tensor attend(int64_t layer, const Tensor& q, const Tensor& k, const Tensor& v,
                float scale) override;
  [[nodiscard]] int64_t max_pages() const;

  Engine& engine_;
  Transformer& model_;
  PagedDecoderOptions options_;
  std::vector<Tensor> k_pools_, v_pools_;      // per layer [pages, kv_heads·head_dim·64]
  Tensor sequences_, positions_, page_table_;  // of the present call
};

}  // namespace ingot::models
