// SPDX-License-Identifier: Apache-2.0
// Attention over a cache of pages, for inference: the rows of one call are the new tokens of many
// sequences (a decode step, a prefill chunk, or both mixed). A page holds kAttentionTile tokens, so
// a page is exactly one tile of attention.h, and a row's bytes equal those of the same row in a
// full causal forward, whatever else is in the batch (Kwon et al., "PagedAttention", 2023, for the
// page table; the exactness is ours). Called by serve/ and models/generate.
//   K page  [kv_heads][head_dim][64]   transposed, so that scores run over tokens in vectors
//   V page  [kv_heads][64][head_dim]
// Page p of a pool starts at pool + p * paged_page_elements(kv_heads, head_dim).
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

/// How numbers lie in the pages. kFloat16: IEEE half, rounded to nearest even when appended.
enum class PageType : int32_t { kFloat32, kFloat16 };

/// Elements of one K page (and of one V page).
[[nodiscard]] int64_t paged_page_elements(int64_t kv_heads, int64_t head_dim);

struct PagedAppendArgs {
  static constexpr int kPointers = 7;
  const float* k = nullptr;               // [rows, kv_heads, head_dim] with k_row_stride
  const float* v = nullptr;               // the same with v_row_stride
  const int32_t* row_sequence = nullptr;  // [rows]
  const int32_t* row_position = nullptr;  // [rows], position in its sequence, from 0
  const int32_t* page_table = nullptr;    // [sequences, max_pages], page number in the pools
  void* k_pool = nullptr;
  void* v_pool = nullptr;
  int64_t rows = 0, kv_heads = 0, head_dim = 0, max_pages = 0;
  int64_t k_row_stride = 0, v_row_stride = 0;
  PageType type = PageType::kFloat32;
};

/// Writes row r's key and value at its position. Rows must be distinct (sequence, position) pairs.
void paged_append(const PagedAppendArgs& args, Team& team);

struct PagedAttentionArgs {
  static constexpr int kPointers = 8;
  const float* q = nullptr;               // [rows, heads, head_dim] with q_row_stride
  const int32_t* row_sequence = nullptr;  // [rows]
  const int32_t* row_position = nullptr;  // [rows]; the row sees positions 0 .. row_position
  const int32_t* page_table = nullptr;    // [sequences, max_pages]
  const void* k_pool = nullptr;
  const void* v_pool = nullptr;
  float* out = nullptr;      // [rows, heads, head_dim] with out_row_stride
  float* scratch = nullptr;  // paged_attention_scratch_bytes(), 64-byte aligned
  int64_t rows = 0, heads = 0, kv_heads = 0, head_dim = 0, max_pages = 0;
  int64_t q_row_stride = 0, out_row_stride = 0;
  PageType type = PageType::kFloat32;
  float scale = 1.0F;
};

/// out[r] = attention of q[r] over its sequence's pages. Tokens past a row's position are never
/// read into its numbers (they may be garbage). Neighbouring rows of one sequence share tiles, so
/// pass prefill rows in order for speed; the bytes do not depend on it.
void paged_attention(const PagedAttentionArgs& args, Team& team);
[[nodiscard]] int64_t paged_attention_scratch_bytes(const PagedAttentionArgs& args, int workers);

}  // namespace ingot::kernels
