// SPDX-License-Identifier: Apache-2.0
// What text generation and the server need of a language model: a forward pass over rows that may
// belong to many sequences, against a paged KV cache whose page table the caller keeps.
// Implemented by models/paged_decoder; used by models/generate and serve/engine. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>

namespace ingot::models {

/// One token to run: it is appended to the cache of `sequence` at `position`.
struct DecodeRow {
  int32_t token = 0;
  int32_t sequence = 0;  ///< row of the page table, 0 <= sequence < max_sequences
  int32_t position = 0;  ///< 0-based; rows of a sequence must arrive in order without holes
  bool wants_logits = false;
};

struct DecoderSpec {
  int64_t vocab = 0;
  int64_t context = 0;        ///< longest sequence, prompt and completion together
  int64_t page_tokens = 0;    ///< tokens per KV page (64)
  int64_t pages = 0;          ///< pages in the pool
  int64_t max_sequences = 0;  ///< rows of the page table
  int64_t max_rows = 0;       ///< rows per forward call
  int64_t page_bytes = 0;     ///< bytes of one page over all layers, keys and values
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  [[nodiscard]] virtual DecoderSpec spec() const = 0;

  /// page_table [max_sequences, max_pages] with max_pages = ceil(context / page_tokens); entry i of
  /// a row is the pool page that holds tokens [i·page_tokens, (i+1)·page_tokens) of that sequence.
  /// logits [number of rows with wants_logits, vocab], in row order. The bytes of a row's logits
  /// depend only on its own sequence, never on the other rows of the call.
  virtual void forward(std::span<const DecodeRow> rows, std::span<const int32_t> page_table,
                       std::span<float> logits) = 0;
};

}  // namespace ingot::models
