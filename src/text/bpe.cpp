// SPDX-License-Identifier: Apache-2.0
// Both merge loops do the same: take the pair of lowest rank, leftmost first, until no pair has a
// rank. ranks[i] is the rank of symbols[i] with its right neighbour. The short loop searches an
// array of at most kShortWord entries; the long one keeps (rank, position) in a heap, where an
// entry counts only if ranks[position] still says the same.
#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <span>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "text/pretokenize.h"
#include "text/tokenizer_json.h"

namespace ingot::text {
namespace {

constexpr size_t kShortWord = 48;  // where the heap begins to win over the array
constexpr uint64_t kEmptyKey = ~uint64_t{0};
constexpr int64_t kMaxTokens = int64_t{1} << 30;

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

using TokenIds = std::unordered_map<std::string_view, int32_t>;

// Ordinary tokens first: an added token never hides one with the same bytes.
TokenIds index_tokens(const BpeModel& model) {
  std::vector<bool> is_added(model.tokens.size(), false);
  for (const AddedToken& token : model.added) is_added[static_cast<size_t>(token.id)] = true;
  TokenIds ids;
  ids.reserve(model.tokens.size());
  for (size_t id = 0; id < model.tokens.size(); ++id) {
    if (is_added[id]) continue;
    const auto [at, fresh] = ids.emplace(model.tokens[id], static_cast<int32_t>(id));
    require(fresh, Code::kInvalidArgument, "bpe: tokens {} and {} are both \"{}\"", at->second, id,
            excerpt(model.tokens[id]));
  }
  for (const AddedToken& token : model.added) ids.emplace(token.content, token.id);
  return ids;
}

void check_added(const BpeModel& model) {
  const auto size = static_cast<int64_t>(model.tokens.size());
  require(size < kMaxTokens, Code::kInvalidArgument, "bpe: {} tokens, at most {} are possible",
          size, kMaxTokens);
  std::vector<bool> seen(model.tokens.size(), false);
  for (const AddedToken& token : model.added) {
    require(token.id >= 0 && token.id < size, Code::kInvalidArgument,
            "bpe: added token \"{}\" has id {}, the vocabulary has {}", excerpt(token.content),
            token.id, size);
    const auto id = static_cast<size_t>(token.id);
    require(!token.content.empty(), Code::kInvalidArgument, "bpe: added token {} is empty", id);
    require(token.content == model.tokens[id], Code::kInvalidArgument,
            "bpe: added token \"{}\" has id {}, which is \"{}\"", excerpt(token.content), id,
            excerpt(model.tokens[id]));
    require(!seen[id], Code::kInvalidArgument, "bpe: id {} is added twice", id);
    seen[id] = true;
  }
}

int32_t merged_id(const BpeModel& model, const TokenIds& ids, size_t rank, std::string& buffer) {
  const MergePair pair = model.merges[rank];
  const auto size = static_cast<int64_t>(model.tokens.size());
  require(pair.left >= 0 && pair.left < size && pair.right >= 0 && pair.right < size,
          Code::kInvalidArgument, "bpe: merge {} joins ids {} and {}, the vocabulary has {}", rank,
          pair.left, pair.right, size);
  const std::string& left = model.tokens[static_cast<size_t>(pair.left)];
  const std::string& right = model.tokens[static_cast<size_t>(pair.right)];
  buffer.assign(left).append(right);
  const auto at = ids.find(buffer);
  require(at != ids.end(), Code::kInvalidArgument,
          "bpe: merge {} makes \"{}\" from \"{}\" and \"{}\", which is no token", rank,
          excerpt(buffer), excerpt(left), excerpt(right));
  return at->second;
}

std::optional<int32_t> role_id(const std::string& token, const TokenIds& ids, const char* role) {
  if (token.empty()) return std::nullopt;
  const auto at = ids.find(token);
  require(at != ids.end(), Code::kInvalidArgument, "bpe: {} \"{}\" is no token", role,
          excerpt(token));
  return at->second;
}

uint64_t model_fingerprint(const BpeModel& model) {
  uint64_t hash = hash64(model.split_words ? "words" : "whole");
  hash = hash64(model.ignore_merges ? "ignore" : "merge", hash);
  for (const std::string& token : model.tokens) hash = hash64(token, hash);
  for (const MergePair& pair : model.merges) hash = mix64(hash ^ pair_key(pair.left, pair.right));
  return hash;
}

}  // namespace

void BpeModel::check() const {
  check_added(*this);
  const TokenIds ids = index_tokens(*this);
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    require(ids.contains(std::string_view(&c, 1)), Code::kInvalidArgument,
            "bpe: byte 0x{:02X} has no token; a byte-level vocabulary needs all 256", byte);
  }
  std::string buffer;
  for (size_t rank = 0; rank < merges.size(); ++rank) (void)merged_id(*this, ids, rank, buffer);
  (void)role_id(eos_token, ids, "eos_token");
  (void)role_id(bos_token, ids, "bos_token");
  (void)role_id(pad_token, ids, "pad_token");
}

MergeTable::MergeTable(int64_t merges) {
  const uint64_t size = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(merges, 4)) * 2);
  slots_.assign(size, Slot{kEmptyKey, kNone, -1});
  mask_ = size - 1;
  shift_ = 64 - std::countr_zero(size);
}

void MergeTable::insert(MergePair pair, uint32_t rank, int32_t merged) {
  const uint64_t key = pair_key(pair.left, pair.right);
  uint64_t i = (key * 0x9E3779B97F4A7C15ULL) >> shift_;
  while (slots_[i].key != key && slots_[i].key != kEmptyKey) i = (i + 1) & mask_;
  slots_[i] = Slot{key, rank, merged};
}

const MergeTable::Slot& MergeTable::find(int32_t left, int32_t right) const {
  const uint64_t key = pair_key(left, right);
  uint64_t i = (key * 0x9E3779B97F4A7C15ULL) >> shift_;
  while (slots_[i].key != key && slots_[i].key != kEmptyKey) i = (i + 1) & mask_;
  return slots_[i];  // an empty slot has rank kNone
}

ByteBpe::ByteBpe(BpeModel model) : model_(std::move(model)) {
  model_.check();
  ids_ = index_tokens(model_);
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[byte] = ids_.at(std::string_view(&c, 1));
  }
  merges_ = MergeTable(static_cast<int64_t>(model_.merges.size()));
  std::string buffer;
  for (size_t rank = 0; rank < model_.merges.size(); ++rank) {
    const int32_t merged = merged_id(model_, ids_, rank, buffer);
    merges_.insert(model_.merges[rank], static_cast<uint32_t>(rank), merged);
  }
  matcher_ = AddedTokenMatcher(model_.added);
  fingerprint_ = model_fingerprint(model_);
  specials_.eos = role_id(model_.eos_token, ids_, "eos_token");
  specials_.bos = role_id(model_.bos_token, ids_, "bos_token");
  specials_.pad = role_id(model_.pad_token, ids_, "pad_token");
  for (const AddedToken& token : model_.added) {
    if (token.special) specials_.all.push_back(token.id);
  }
  std::sort(specials_.all.begin(), specials_.all.end());
}

int64_t ByteBpe::vocab_size() const { return static_cast<int64_t>(model_.tokens.size()); }

std::string_view ByteBpe::token_bytes(int32_t id) const {
  require(id >= 0 && id < vocab_size(), Code::kInvalidArgument,
          "decode: id {} is outside the vocabulary of {}", id, vocab_size());
  return model_.tokens[static_cast<size_t>(id)];
}

std::optional<int32_t> ByteBpe::token_id(std::string_view bytes) const {
  const auto at = ids_.find(bytes);
  return at == ids_.end() ? std::nullopt : std::optional<int32_t>(at->second);
}

void ByteBpe::save(FileSystem& files, const std::string& directory) const {
  write_atomically(files, join_path(directory, "tokenizer.json"), tokenizer_json(model_));
  write_atomically(files, join_path(directory, "tokenizer_config.json"),
                   tokenizer_config_json(model_));
}

void ByteBpe::encode(std::string_view text, Added added, EncodeScratch& scratch,
                     std::vector<int32_t>& out) const {
  scratch.cache.bind(fingerprint_);
  if (added == Added::kPlain || matcher_.empty()) {
    encode_segment(text, scratch, out);
    return;
  }
  for (const Segment& segment : matcher_.split(text)) {
    if (segment.id >= 0) {
      out.push_back(segment.id);
    } else {
      encode_segment(segment.text, scratch, out);
    }
  }
}

void ByteBpe::encode_segment(std::string_view segment, EncodeScratch& scratch,
                             std::vector<int32_t>& out) const {
  if (segment.empty()) return;
  std::string prefixed;
  if (model_.add_prefix_space && segment.front() != ' ') {
    prefixed.assign(" ").append(segment);
    segment = prefixed;
  }
  if (model_.split_words) {
    for_each_word(segment, [&](std::string_view word) { encode_word(word, scratch, out); });
    return;
  }
  while (!segment.empty()) {
    const size_t size = std::min<size_t>(segment.size(), kMaxWordBytes);
    encode_word(segment.substr(0, size), scratch, out);
    segment.remove_prefix(size);
  }
}

void ByteBpe::encode_word(std::string_view word, EncodeScratch& scratch,
                          std::vector<int32_t>& out) const {
  if (word.size() == 1) {
    out.push_back(byte_ids_[static_cast<uint8_t>(word[0])]);
    return;
  }
  const bool cacheable = word.size() <= static_cast<size_t>(WordCache::kKeyBytes);
  const uint64_t hash = cacheable ? hash64(word) : 0;
  if (cacheable) {
    const std::span<const int32_t> known = scratch.cache.find(word, hash);
    out.insert(out.end(), known.begin(), known.end());
    if (!known.empty()) return;
  }
  const size_t begin = out.size();
  const auto whole = model_.ignore_merges ? token_id(word) : std::nullopt;
  if (whole) {
    out.push_back(*whole);
  } else {
    scratch.symbols.resize(word.size());
    scratch.ranks.resize(word.size());
    for (size_t i = 0; i < word.size(); ++i) {
      scratch.symbols[i] = byte_ids_[static_cast<uint8_t>(word[i])];
    }
    if (word.size() <= kShortWord) {
      merge_short(scratch, out);
    } else {
      merge_long(scratch, out);
    }
  }
  if (cacheable) scratch.cache.insert(word, hash, std::span(out).subspan(begin));
}

uint32_t ByteBpe::rank(int32_t left, int32_t right) const { return merges_.find(left, right).rank; }

void ByteBpe::merge_short(EncodeScratch& scratch, std::vector<int32_t>& out) const {
  int32_t* symbols = scratch.symbols.data();
  uint32_t* ranks = scratch.ranks.data();
  size_t size = scratch.symbols.size();
  for (size_t i = 0; i + 1 < size; ++i) ranks[i] = rank(symbols[i], symbols[i + 1]);
  while (size > 1) {
    const size_t best = static_cast<size_t>(std::min_element(ranks, ranks + size - 1) - ranks);
    if (ranks[best] == MergeTable::kNone) break;
    symbols[best] = merges_.find(symbols[best], symbols[best + 1]).merged;
    std::copy(symbols + best + 2, symbols + size, symbols + best + 1);
    std::copy(ranks + best + 1, ranks + size - 1, ranks + best);
    --size;
    if (best + 1 < size) ranks[best] = rank(symbols[best], symbols[best + 1]);
    if (best > 0) ranks[best - 1] = rank(symbols[best - 1], symbols[best]);
  }
  out.insert(out.end(), symbols, symbols + size);
}

void ByteBpe::merge_long(EncodeScratch& scratch, std::vector<int32_t>& out) const {
  std::vector<int32_t>& symbols = scratch.symbols;
  std::vector<uint32_t>& ranks = scratch.ranks;
  std::vector<int32_t>& next = scratch.next;
  std::vector<int32_t>& previous = scratch.previous;
  std::vector<uint64_t>& heap = scratch.heap;
  const auto size = static_cast<int32_t>(symbols.size());
  next.resize(symbols.size());
  previous.resize(symbols.size());
  heap.clear();
  const auto at = [](int32_t i) { return static_cast<size_t>(i); };
  const auto entry = [](uint32_t rank, int32_t i) {
    return (static_cast<uint64_t>(rank) << 32) | static_cast<uint32_t>(i);
  };
  for (int32_t i = 0; i < size; ++i) {
    next[at(i)] = i + 1;
    previous[at(i)] = i - 1;
    ranks[at(i)] = i + 1 < size ? rank(symbols[at(i)], symbols[at(i + 1)]) : MergeTable::kNone;
    if (ranks[at(i)] != MergeTable::kNone) heap.push_back(entry(ranks[at(i)], i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto update = [&](int32_t i) {  // the pair that starts at i has changed
    const int32_t right = next[at(i)];
    ranks[at(i)] = right < size ? rank(symbols[at(i)], symbols[at(right)]) : MergeTable::kNone;
    if (ranks[at(i)] == MergeTable::kNone) return;
    heap.push_back(entry(ranks[at(i)], i));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint64_t top = heap.back();
    heap.pop_back();
    const auto i = static_cast<int32_t>(top & 0xFFFFFFFFU);
    if (ranks[at(i)] != static_cast<uint32_t>(top >> 32)) continue;
    const int32_t gone = next[at(i)];
    symbols[at(i)] = merges_.find(symbols[at(i)], symbols[at(gone)]).merged;
    ranks[at(gone)] = MergeTable::kNone;
    next[at(i)] = next[at(gone)];
    if (next[at(i)] < size) previous[at(next[at(i)])] = i;
    update(i);
    if (previous[at(i)] >= 0) update(previous[at(i)]);
  }
  for (int32_t i = 0; i < size; i = next[at(i)]) out.push_back(symbols[at(i)]);
}

}  // namespace ingot::text
