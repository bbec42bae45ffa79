// SPDX-License-Identifier: Apache-2.0
// Nothing here throws once a text is in a list, except for memory, and then every text is still in
// one of the lists with what it holds. See seats.h.
#include "serve/seats.h"

#include <algorithm>

#include "base/error.h"

namespace ingot::serve {

Seats::Seats(const models::DecoderSpec& spec, int64_t max_batch, double overcommit,
             Metrics& metrics)
    : page_tokens_(spec.page_tokens),
      row_pages_((spec.context + spec.page_tokens - 1) / spec.page_tokens),
      overcommit_(overcommit),
      metrics_(metrics),
      pool_(spec.pages) {
  page_table_.resize(static_cast<size_t>(spec.max_sequences * row_pages_));
  owner_.resize(static_cast<size_t>(spec.max_sequences));
  for (int64_t i = max_batch - 1; i >= 0; --i) free_slots_.push_back(static_cast<int32_t>(i));
  running_.reserve(static_cast<size_t>(max_batch));
}

void Seats::add(WorkPtr work) {
  const auto place = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const WorkPtr& other) { return other->order > work->order; });
  waiting_.insert(place, std::move(work));
}

void Seats::admit() {
  for (;;) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const WorkPtr& work) { return !work->paused(); });
    if (next == waiting_.end()) return;
    if (!free_slots_.empty() && fits(**next)) {
      sit_down(next);
    } else if (!set_paused_aside()) {
      return;
    }
  }
}

bool Seats::fits(const Work& work) const {
  if (running_.empty()) return true;
  int64_t obtainable = pool_.available();
  for (const WorkPtr& other : waiting_) obtainable += static_cast<int64_t>(other->pages.size());
  // A page in reserve for each running text: whoever is let in is not thrown out at once.
  const auto reserve = static_cast<int64_t>(running_.size());
  if (obtainable < pages_for(work.text.length() + 1) + reserve) return false;
  int64_t predicted = pages_for(work.text.max_length());
  for (const WorkPtr& other : running_) predicted += pages_for(other->text.max_length());
  return static_cast<double>(predicted) <= overcommit_ * static_cast<double>(pool_.pages());
}

/// Moves it among the running ones, with a slot and the pages that it lacks.
void Seats::sit_down(std::deque<WorkPtr>::iterator from) {
  Work& work = **from;
  const auto place = std::find_if(running_.begin(), running_.end(),
                                  [&](const WorkPtr& other) { return other->order > work.order; });
  running_.insert(place, std::move(*from));  // there is room for max_batch
  waiting_.erase(from);
  work.slot = free_slots_.back();
  free_slots_.pop_back();
  owner_[static_cast<size_t>(work.slot)] = &work;
  const int64_t lacking = pages_for(work.text.length()) - static_cast<int64_t>(work.pages.size());
  const bool taken = lacking <= 0 || (reclaim(lacking) && pool_.take(lacking, work.pages));
  INGOT_ASSERT(taken);
  std::copy(work.pages.begin(), work.pages.end(), page_table_.begin() + work.slot * row_pages_);
}

void Seats::stand_up(Work& work) {
  if (work.slot < 0) return;
  owner_[static_cast<size_t>(work.slot)] = nullptr;
  free_slots_.push_back(work.slot);
  work.slot = -1;
}

/// The youngest paused text waits from here on, with its pages. False: none is paused.
bool Seats::set_paused_aside() {
  const auto last = std::find_if(running_.rbegin(), running_.rend(),
                                 [](const WorkPtr& work) { return work->paused(); });
  if (last == running_.rend()) return false;
  stand_up(**last);
  add(std::move(*last));
  running_.erase(std::next(last).base());
  return true;
}

bool Seats::grow(size_t index) {
  Work& work = *running_[index];
  const int64_t needed = pages_for(work.text.cached() + 1);
  while (static_cast<int64_t>(work.pages.size()) < needed) {
    if (reclaim(1) && pool_.take(1, work.pages)) {
      const auto entry = work.slot * row_pages_ + static_cast<int64_t>(work.pages.size()) - 1;
      page_table_[static_cast<size_t>(entry)] = work.pages.back();
      continue;
    }
    Work& victim = *running_.back();
    stand_up(victim);
    forget(victim);
    add(std::move(running_.back()));
    running_.pop_back();
    if (&victim == &work) return false;
  }
  return true;
}

/// True once so many pages are free: who was set aside gives up what it kept, the youngest first.
bool Seats::reclaim(int64_t pages) {
  for (auto last = waiting_.rbegin(); pool_.available() < pages && last != waiting_.rend(); ++last)
    forget(**last);
  return pool_.available() >= pages;
}

/// Its cache is computed again when it next sits down.
void Seats::forget(Work& work) {
  if (work.pages.empty()) return;
  pool_.give_back(work.pages);
  metrics_.recomputed_tokens += work.text.cached();
  ++metrics_.preemptions;
  work.text.forget_cache();
}

int64_t Seats::sweep() {
  int64_t never_ran = 0;
  const auto gone = [&](const WorkPtr& work) {
    if (!work->text.finished()) return false;
    if (!work->scheduled) ++never_ran;
    pool_.give_back(work->pages);
    stand_up(*work);
    return true;
  };
  std::erase_if(running_, gone);
  std::erase_if(waiting_, gone);
  return never_ran;
}

}  // namespace ingot::serve
