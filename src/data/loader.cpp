// SPDX-License-Identifier: Apache-2.0
// Both orders fill rows with one function, fill_row: seq consecutive inputs of the circular stream
// and, from the tokens themselves, targets, document starts and positions. The stream is circular
// so that every token is a target in some window of an epoch grid whatever its shift, and so that
// the first document of the shard is opened by the last eos.
#include "data/loader.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/hash.h"
#include "data/permutation.h"

namespace ingot::data {
namespace {

struct Row {
  std::span<int32_t> inputs, targets, doc_start, positions;
};

std::span<int32_t> row_of(std::span<int32_t> all, int64_t row, int64_t seq) {
  if (all.empty()) return all;
  return all.subspan(static_cast<size_t>(row * seq), static_cast<size_t>(seq));
}

Row row_of(const BatchView& view, int64_t row, int64_t seq) {
  return {row_of(view.inputs, row, seq), row_of(view.targets, row, seq),
          row_of(view.doc_start, row, seq), row_of(view.positions, row, seq)};
}

void check_view(const BatchView& view, int64_t batch, int64_t seq, const char* who) {
  const auto size = static_cast<size_t>(batch * seq);
  const auto fits = [&](std::span<int32_t> part) { return part.empty() || part.size() == size; };
  require(view.inputs.size() == size && view.targets.size() == size && fits(view.doc_start) &&
              fits(view.positions),
          Code::kShapeMismatch,
          "{}: buffers hold {} inputs, {} targets, {} document starts, {} positions; batch * seq "
          "is {} * {}",
          who, view.inputs.size(), view.targets.size(), view.doc_start.size(),
          view.positions.size(), batch, seq);
}

/// Reads out.size() tokens of the circular stream from `begin`.
void read_circular(const ShardReader& shard, int64_t begin, std::span<int32_t> out) {
  while (!out.empty()) {
    const int64_t room = shard.tokens() - begin;
    const auto count = static_cast<size_t>(std::min<int64_t>(room, std::ssize(out)));
    shard.read(begin, out.first(count));
    out = out.subspan(count);
    begin = 0;
  }
}

/// Inputs of stream positions begin, begin + 1, ...; returns how many targets are not ignored.
int64_t fill_row(const ShardReader& shard, const PackConfig& pack, int64_t begin, const Row& row) {
  const int64_t seq = std::ssize(row.inputs);
  read_circular(shard, begin, row.inputs);
  std::copy(row.inputs.begin() + 1, row.inputs.end(), row.targets.begin());
  read_circular(shard, (begin + seq) % shard.tokens(), row.targets.last(1));

  // With eos_opens_document a document owns the eos before it instead of its own: look up the
  // document one token ahead.
  int64_t at = pack.eos_opens_document ? (begin + 1) % shard.tokens() : begin;
  int64_t document = shard.document_of(at);
  int64_t start = 0;
  int64_t targets = seq;
  for (int64_t p = 0; p < seq; ++p) {
    const auto i = static_cast<size_t>(p);
    if (!row.doc_start.empty()) {
      row.doc_start[i] = pack.isolate_documents ? static_cast<int32_t>(start) : 0;
    }
    if (!row.positions.empty()) {
      row.positions[i] = static_cast<int32_t>(pack.restart_positions ? p - start : p);
    }
    if (++at < shard.document_start(document + 1)) continue;
    start = p + 1;
    if (++document == shard.info().documents) document = at = 0;
    if (pack.isolate_documents && !pack.eos_opens_document) {
      row.targets[i] = kIgnoreTarget;
      --targets;
    }
  }
  return targets;
}

void require_usable(const ShardReader& shard, int64_t batch, int64_t seq, const char* who) {
  require(batch > 0 && seq > 0, Code::kInvalidArgument, "{}: batch {} and seq {} must be positive",
          who, batch, seq);
  require(shard.tokens() > 0, Code::kInvalidArgument,
          "{}: {} holds 0 tokens: the split is empty; add files, or raise its share of the corpus",
          who, shard.path());
}

}  // namespace

std::optional<BatchShape> nearest_batch(int64_t tokens, BatchShape wanted) {
  constexpr int64_t kLeastWindow = 16;  // shorter ones teach little
  if (tokens < 2) return std::nullopt;
  BatchShape shape = wanted;
  if (tokens <= shape.seq) {
    const int64_t each = std::max(tokens / shape.batch, kLeastWindow);
    shape.seq = std::min(each, tokens - 1);
  }
  shape.batch = std::min(shape.batch, tokens / shape.seq);
  return shape;
}

void require_batch(const ShardReader& shard, BatchShape wanted, int64_t eval_context) {
  require_usable(shard, wanted.batch, wanted.seq, "loader");
  const int64_t tokens = shard.tokens();
  const std::optional<BatchShape> nearest = nearest_batch(tokens, wanted);
  if (nearest == wanted) return;
  const std::string lacking =
      tokens > wanted.seq
          ? fmt::format("{} windows of {} tokens, fewer than one batch of {}", tokens / wanted.seq,
                        wanted.seq, wanted.batch)
          : fmt::format("{} tokens, fewer than one window of seq + 1 = {}", tokens, wanted.seq + 1);
  std::string change;
  if (nearest) {
    if (nearest->batch != wanted.batch) {
      change += fmt::format(" train.micro_batch={}", nearest->batch);
    }
    if (nearest->seq != wanted.seq) change += fmt::format(" train.seq={}", nearest->seq);
    if (eval_context >= nearest->seq) change += " eval.context=-1";
  }
  fail(Code::kInvalidArgument, "loader: {} holds {}; {}", shard.path(), lacking,
       change.empty() ? "add text" : "set" + change + ", or add text");
}

Loader::Loader(const ShardReader& shard, int64_t batch, int64_t seq, uint64_t seed,
               const PackConfig& pack)
    : shard_(shard), pack_(pack), batch_(batch), seq_(seq), windows_(0), seed_(seed) {
  require_batch(shard, {batch, seq});
  windows_ = shard.tokens() / seq;
}

double Loader::epoch_at(int64_t index) const {
  return static_cast<double>(index) * static_cast<double>(batch_) / static_cast<double>(windows_);
}

int64_t Loader::window_start(int64_t sample) const {
  const auto epoch = static_cast<uint64_t>(sample / windows_);
  const uint64_t key = mix64(seed_ ^ mix64(epoch + 1));
  const auto tokens = static_cast<uint64_t>(shard_.tokens());
  const auto shift = static_cast<int64_t>(mix64(key ^ 0x5bd1e9955bd1e995ULL) % tokens);
  const int64_t window = Permutation(windows_, key)(sample % windows_);
  return (shift + window * seq_) % shard_.tokens();
}

int64_t Loader::batch(int64_t index, const BatchView& view) const {
  check_view(view, batch_, seq_, "loader");
  INGOT_ASSERT(index >= 0);
  int64_t targets = 0;
  for (int64_t row = 0; row < batch_; ++row) {
    const int64_t start = window_start(index * batch_ + row);
    targets += fill_row(shard_, pack_, start, row_of(view, row, seq_));
  }
  return targets;
}

EvalWindows::EvalWindows(const ShardReader& shard, int64_t batch, int64_t seq, int64_t context,
                         const PackConfig& pack)
    : shard_(shard), pack_(pack), batch_(batch), seq_(seq), context_(context), windows_(1) {
  require_usable(shard, batch, seq, "evaluation");
  require(context >= 0 && context < seq, Code::kInvalidArgument,
          "evaluation: context {} must be at least 0 and below seq {}", context, seq);
  const int64_t stride = seq - context;
  if (shard.tokens() > seq) windows_ += (shard.tokens() - seq + stride - 1) / stride;
}

int64_t EvalWindows::scored_tokens() const {
  const bool all = pack_.eos_opens_document || !pack_.isolate_documents;
  return shard_.tokens() - (all ? 0 : shard_.info().documents);
}

int64_t EvalWindows::batch(int64_t index, const BatchView& view) const {
  check_view(view, batch_, seq_, "evaluation");
  INGOT_ASSERT(index >= 0 && index < batches());
  const int64_t tokens = shard_.tokens();
  int64_t scored = 0;
  for (int64_t r = 0; r < batch_; ++r) {
    const Row row = row_of(view, r, seq_);
    const int64_t window = index * batch_ + r;
    // Targets [first, first + seq) of the stream; the first `context` of them were scored before.
    const int64_t first = window * (seq_ - context_);
    const int64_t skip = window == 0 ? 0 : context_;
    const int64_t used = window < windows_ ? std::min(seq_, tokens - first) : 0;
    // The input of target `first` is the token before it; before the stream stands the last eos.
    if (used > 0) scored += fill_row(shard_, pack_, (first + tokens - 1) % tokens, row);
    for (int64_t p = 0; p < seq_; ++p) {
      if (p >= skip && p < used) continue;
      const auto i = static_cast<size_t>(p);
      if (used > 0 && row.targets[i] != kIgnoreTarget) --scored;
      row.targets[i] = kIgnoreTarget;
      if (p < used) continue;
      row.inputs[i] = shard_.info().eos;
      if (!row.doc_start.empty()) row.doc_start[i] = static_cast<int32_t>(p);
      if (!row.positions.empty()) row.positions[i] = 0;
    }
  }
  return scored;
}

double bits_per_byte(double nats, int64_t text_bytes) {
  require(text_bytes > 0, Code::kInvalidArgument, "bits per byte: the text has {} bytes",
          text_bytes);
  return nats / std::numbers::ln2 / static_cast<double>(text_bytes);
}

}  // namespace ingot::data
