// SPDX-License-Identifier: Apache-2.0
// Who of the engine's texts runs, who waits, and which pages of the KV cache each holds. First come
// first served; a text whose client does not read gives its seat to those who wait. It keeps its
// pages as long as nobody needs them and comes back in its order once its client has read.
// Invariants: running() and waiting() are in order of submission; a running text owns the pages of
// all its known tokens when it sits down and one more page at a time while decoding; the oldest
// running text can always go on, because the pool holds a full context. Used by Engine's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "models/decoder.h"
#include "models/generate.h"
#include "serve/metrics.h"
#include "serve/page_pool.h"
#include "serve/stream.h"

namespace ingot::serve {

/// One completion from submission to its last event.
struct Work {
  Work(models::Sequence s, std::shared_ptr<Stream> to)
      : text(std::move(s)), stream(std::move(to)) {}
  [[nodiscard]] bool paused() const { return paused_s >= 0.0; }

  models::Sequence text;
  std::shared_ptr<Stream> stream;
  int64_t choice = 0;
  int64_t order = 0;           ///< of submission
  int32_t slot = -1;           ///< row of the page table; -1: not running
  std::vector<int32_t> pages;  ///< also of a text that was set aside, until others need them
  double submitted_s = 0.0;
  double token_s = 0.0;    ///< of the last token
  double paused_s = -1.0;  ///< since when the client does not read; -1: it does
  bool scheduled = false;  ///< has run before
  std::string error;
};
using WorkPtr = std::unique_ptr<Work>;

class Seats {
 public:
  /// At most `max_batch` texts run at once; the predicted pages of those let in stay under
  /// `overcommit` times the pool. The metrics must outlive it.
  Seats(const models::DecoderSpec& spec, int64_t max_batch, double overcommit, Metrics& metrics);

  [[nodiscard]] std::vector<WorkPtr>& running() { return running_; }
  [[nodiscard]] std::deque<WorkPtr>& waiting() { return waiting_; }
  [[nodiscard]] Work& owner(int32_t slot) { return *owner_[static_cast<size_t>(slot)]; }
  /// [max_sequences, pages of a full context]
  [[nodiscard]] std::span<const int32_t> page_table() const { return page_table_; }
  [[nodiscard]] int64_t pages_used() const { return pool_.used(); }

  /// The text waits, in order of submission.
  void add(WorkPtr work);
  /// Lets in who fits, in order: a big prompt waits for pages and nobody overtakes it, but who is
  /// paused is passed over. Where a seat or pages lack, paused texts are set aside, the youngest
  /// first.
  void admit();
  /// Gives the running text `index` the page for its next token. Texts that are set aside pay
  /// first, then the youngest running ones. False: it paid itself and waits.
  [[nodiscard]] bool grow(size_t index);
  /// Forgets finished texts. Returns how many of them never ran.
  int64_t sweep();

 private:
  [[nodiscard]] bool fits(const Work& work) const;
  void sit_down(std::deque<WorkPtr>::iterator from);
  void stand_up(Work& work);
  bool set_paused_aside();
  bool reclaim(int64_t pages);
  void forget(Work& work);
  [[nodiscard]] int64_t pages_for(int64_t tokens) const {
    return (tokens + page_tokens_ - 1) / page_tokens_;
  }

  const int64_t page_tokens_;
  const int64_t row_pages_;  // entries of a page table row
  const double overcommit_;
  Metrics& metrics_;
  PagePool pool_;
  std::vector<int32_t> page_table_;
  std::vector<int32_t> free_slots_;
  std::vector<Work*> owner_;  // [max_sequences]
  std::vector<WorkPtr> running_;
  std::deque<WorkPtr> waiting_;
};

}  // namespace ingot::serve
