// SPDX-License-Identifier: Apache-2.0
#include "data/external_sort.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/error.h"

namespace ingot::data {
namespace {

constexpr int64_t kLeastBlock = 64 << 10;  // bytes read at once, so that a disk need not seek

template <class Record>
int64_t bytes_of(int64_t records) {
  return records * static_cast<int64_t>(sizeof(Record));
}

}  // namespace

template <size_t kWords>
ExternalSort<kWords>::ExternalSort(SortSpace space)
    : space_(std::move(space)),
      capacity_(static_cast<size_t>(
          std::max<int64_t>(1, space_.bytes / static_cast<int64_t>(sizeof(Record))))) {}

template <size_t kWords>
void ExternalSort<kWords>::add(const Record& record) {
  // All at once, since growing would hold two of them; what is not written to takes no memory.
  if (records_.capacity() == 0) records_.reserve(capacity_);
  if (records_.size() == capacity_) spill();
  records_.push_back(record);
  ++size_;
}

template <size_t kWords>
void ExternalSort<kWords>::append(const std::vector<Record>& records) {
  throw_if_stopped(space_.stop);
  file_->append(std::as_bytes(std::span(records)));
  written_ += static_cast<int64_t>(records.size());
}

template <size_t kWords>
void ExternalSort<kWords>::spill() {
  std::sort(records_.begin(), records_.end());
  if (file_ == nullptr) file_ = std::make_unique<ScratchFile>(space_.folder);
  const int64_t begin = written_;
  append(records_);
  runs_.push_back({begin, written_, begin, {}, 0});
  records_.clear();
}

template <size_t kWords>
void ExternalSort<kWords>::sort() {
  if (file_ == nullptr) {
    std::sort(records_.begin(), records_.end());
  } else {
    if (!records_.empty()) spill();
    std::vector<Record>().swap(records_);  // the blocks of the runs come in its place
    const int64_t blocks = bytes_of<Record>(static_cast<int64_t>(capacity_)) / kLeastBlock;
    const auto most = static_cast<size_t>(std::max<int64_t>(2, blocks - 1));
    while (runs_.size() > most) merge(std::min(most, runs_.size() - most + 1));
  }
  rewind();
}

/// The first `count` runs become one, behind all others.
template <size_t kWords>
void ExternalSort<kWords>::merge(size_t count) {
  const auto first_kept = runs_.begin() + static_cast<int64_t>(count);
  std::vector<Run> kept(std::make_move_iterator(first_kept), std::make_move_iterator(runs_.end()));
  runs_.resize(count);
  rewind();
  const int64_t begin = written_;
  std::vector<Record> block;
  block.reserve(block_);
  for (Record record{}; next(record);) {
    block.push_back(record);
    if (block.size() < block_) continue;
    append(block);
    block.clear();
  }
  append(block);
  runs_ = std::move(kept);
  runs_.push_back({begin, written_, begin, {}, 0});
}

template <size_t kWords>
void ExternalSort<kWords>::rewind() {
  at_ = 0;
  heap_.clear();
  block_ = std::max<size_t>(1, capacity_ / (runs_.size() + 1));  // one more, to merge into
  for (size_t i = 0; i < runs_.size(); ++i) {
    runs_[i].read = runs_[i].begin;
    if (fill(runs_[i])) push(i);
  }
}

template <size_t kWords>
bool ExternalSort<kWords>::fill(Run& run) {
  throw_if_stopped(space_.stop);
  const int64_t count = std::min(run.end - run.read, static_cast<int64_t>(block_));
  run.used = 0;
  run.block.resize(static_cast<size_t>(count));
  file_->read_at(bytes_of<Record>(run.read), std::as_writable_bytes(std::span(run.block)));
  run.read += count;
  return count > 0;
}

template <size_t kWords>
void ExternalSort<kWords>::push(size_t run) {
  heap_.push_back(run);
  std::push_heap(heap_.begin(), heap_.end(), [this](size_t a, size_t b) {
    return runs_[a].block[runs_[a].used] > runs_[b].block[runs_[b].used];
  });
}

template <size_t kWords>
bool ExternalSort<kWords>::next(Record& record) {
  if (file_ == nullptr) {
    if (at_ == records_.size()) return false;
    record = records_[at_++];
    return true;
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), [this](size_t a, size_t b) {
    return runs_[a].block[runs_[a].used] > runs_[b].block[runs_[b].used];
  });
  const size_t top = heap_.back();
  heap_.pop_back();
  Run& run = runs_[top];
  record = run.block[run.used++];
  if (run.used < run.block.size() || fill(run)) push(top);
  return true;
}

template class ExternalSort<1>;
template class ExternalSort<2>;
template class ExternalSort<3>;
template class ExternalSort<5>;

}  // namespace ingot::data
