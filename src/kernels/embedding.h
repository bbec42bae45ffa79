// SPDX-License-Identifier: Apache-2.0
// Rows of a float32 table by id, and the gradient. The gradient sorts the ids (stable radix sort),
// then sums each segment of equal ids in the order of the batch: deterministic, no atomics.
// Ids are checked by the op before (0 <= id < vocab); the kernels trust them.
// Row-sparse gradient: unique ids ascending with one summed row each, so its bytes do not depend on
// the vocabulary. Called by autograd/ops/embedding; optimizer.h has the matching sparse updates.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// out[i, :] = table[ids[i], :]; out is contiguous [count, cols].
struct EmbeddingArgs {
  static constexpr int kPointers = 3;
  const float* table = nullptr;
  const void* ids = nullptr;  ///< [count] of id_type
  float* out = nullptr;
  int64_t count = 0;
  int64_t cols = 0;
  IdType id_type = IdType::kInt32;
};
void embedding(const EmbeddingArgs& args, Team& team);

/// Bytes of scratch for both gradients; 8-byte aligned.
[[nodiscard]] int64_t embedding_grad_scratch_bytes(int64_t count);

/// dtable[v, :] (+)= sum over i with ids[i] == v of dy[i, :]; without accumulate untouched rows
/// become 0. padding_id: rows of this id get no gradient (-1: none).
struct EmbeddingGradArgs {
  static constexpr int kPointers = 4;
  const float* dy = nullptr;
  const void* ids = nullptr;
  float* dtable = nullptr;
  void* scratch = nullptr;
  int64_t count = 0;
  int64_t cols = 0;
  int64_t vocab = 0;
  int64_t padding_id = -1;
  IdType id_type = IdType::kInt32;
  bool accumulate = false;
};
void embedding_grad(const EmbeddingGradArgs& args, Team& team);

/// rows[u, :] = sum of dy over the positions of unique_ids[u]; unique_ids ascending;
/// *unique_count = how many. rows and unique_ids have room for `count`.
struct EmbeddingSparseGradArgs {
  static constexpr int kPointers = 6;
  const float* dy = nullptr;
  const void* ids = nullptr;
  int64_t* unique_ids = nullptr;
  float* rows = nullptr;
  int64_t* unique_count = nullptr;
  void* scratch = nullptr;
  int64_t count = 0;
  int64_t cols = 0;
  int64_t padding_id = -1;
  IdType id_type = IdType::kInt32;
};
void embedding_sparse_grad(const EmbeddingSparseGradArgs& args, Team& team);

/// dtable[unique_ids[u], :] += rows[u, :]: adds a row-sparse gradient into a dense one (tied
/// weights).
struct AddRowsArgs {
  static constexpr int kPointers = 4;
  const float* rows = nullptr;
  const int64_t* unique_ids = nullptr;
  const int64_t* unique_count = nullptr;
  float* dtable = nullptr;
  int64_t cols = 0;
};
void add_rows(const AddRowsArgs& args, Team& team);

}  // namespace ingot::kernels
