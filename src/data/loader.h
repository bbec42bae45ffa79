// SPDX-License-Identifier: Apache-2.0
// Batches of token windows. The order is a pure function of (seed, epoch): epoch e shifts the
// window grid by a keyed offset on the circular token stream and visits the windows in a keyed
// permutation, each exactly once. The cursor is the global micro-batch index and nothing else, so
// resuming is calling batch() with the same number. No allocation after construction.
// EvalWindows is the in-order counterpart for losses and bits per byte. Called by train/ and cli/.
//
// One row of a batch, three documents a, b, c with eos `.` and eos_opens_document = true:
//   inputs     a3 a4 .  b0 b1 .  c0          targets    a4 .  b0 b1 .  c0 c1
//   doc_start  0  0  2  2  2  5  5           positions  0  1  0  1  2  0  1
// and with eos_opens_document = false:
//   doc_start  0  0  0  3  3  3  6           targets    a4 .  -1 b1 .  -1 c1
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "data/config.h"
#include "data/shard.h"

namespace ingot::data {

inline constexpr int32_t kIgnoreTarget = -1;

/// Caller-owned buffers, each [batch, seq] row-major. doc_start and positions may be empty spans:
/// then they are not filled.
struct BatchView {
  std::span<int32_t> inputs;
  std::span<int32_t> targets;    ///< next token, or kIgnoreTarget
  std::span<int32_t> doc_start;  ///< attention of position p reaches back to doc_start[p] only
  std::span<int32_t> positions;
};

/// Windows of seq tokens in one batch.
struct BatchShape {
  int64_t batch = 0;
  int64_t seq = 0;
  friend bool operator==(const BatchShape&, const BatchShape&) = default;
};

/// What is nearest to `wanted` of the batches that so many tokens fill: `wanted` itself, else fewer
/// windows, else, of a text shorter than one window, as many shorter ones where they keep 16
/// tokens. nullopt below two tokens, which fill none. A Loader takes what this gives.
[[nodiscard]] std::optional<BatchShape> nearest_batch(int64_t tokens, BatchShape wanted);

/// Throws kInvalidArgument when the training split `shard` is empty or fills no batch; the message
/// gives both numbers and all that is to be set, eval.context among it where the value given is not
/// below the shorter window.
void require_batch(const ShardReader& shard, BatchShape wanted, int64_t eval_context = -1);

/// Training order.
class Loader {
 public:
  /// The shard must outlive the loader. Throws what require_batch throws.
  Loader(const ShardReader& shard, int64_t batch, int64_t seq, uint64_t seed,
         const PackConfig& pack = {});

  [[nodiscard]] int64_t batch_size() const { return batch_; }
  [[nodiscard]] int64_t seq() const { return seq_; }
  [[nodiscard]] int64_t windows_per_epoch() const { return windows_; }
  /// Epochs completed before micro-batch `index`, as a fraction: index * batch / windows.
  [[nodiscard]] double epoch_at(int64_t index) const;
  /// Stream position of the first input token of sample `sample` = micro_batch * batch + row.
  [[nodiscard]] int64_t window_start(int64_t sample) const;
  /// Fills the view with micro-batch `index` (>= 0); returns how many targets are not ignored.
  int64_t batch(int64_t index, const BatchView& view) const;

 private:
  const ShardReader& shard_;
  PackConfig pack_;
  int64_t batch_;
  int64_t seq_;
  int64_t windows_;
  uint64_t seed_;
};

/// Evaluation order: every token of the shard is a target exactly once (with
/// eos_opens_document = false: every token but the first of each document).
class EvalWindows {
 public:
  /// Each window but the first repeats `context` tokens of the one before as unscored context,
  /// 0 <= context < seq. A shard shorter than a batch is fine: the rest is ignored targets.
  EvalWindows(const ShardReader& shard, int64_t batch, int64_t seq, int64_t context = 0,
              const PackConfig& pack = {});

  [[nodiscard]] int64_t batches() const { return (windows_ + batch_ - 1) / batch_; }
  /// Sum of the return values of all batches.
  [[nodiscard]] int64_t scored_tokens() const;
  /// Bytes of text those tokens stand for: the denominator of bits per byte.
  [[nodiscard]] int64_t text_bytes() const { return shard_.info().text_bytes; }
  int64_t batch(int64_t index, const BatchView& view) const;

 private:
  const ShardReader& shard_;
  PackConfig pack_;
  int64_t batch_;
  int64_t seq_;
  int64_t context_;
  int64_t windows_;
};

/// nats / ln 2 / bytes.
[[nodiscard]] double bits_per_byte(double nats, int64_t text_bytes);

}  // namespace ingot::data
