// SPDX-License-Identifier: Apache-2.0
// Both are defined by what Keras' functions return; see the golden file of the tests.
#include "text/sequences.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ingot::text {

void pad_sequence(std::span<const int32_t> ids, const PadOptions& options, std::span<int32_t> out) {
  if (ids.size() > out.size()) {
    const size_t cut = options.truncate == SequenceEnd::kPre ? ids.size() - out.size() : 0;
    ids = ids.subspan(cut, out.size());
  }
  const size_t fill = out.size() - ids.size();
  const size_t begin = options.pad == SequenceEnd::kPre ? fill : 0;
  std::fill(out.begin(), out.end(), options.value);
  std::copy(ids.begin(), ids.end(), out.begin() + static_cast<int64_t>(begin));
}

PaddedSequences pad_sequences(std::span<const std::vector<int32_t>> sequences, int64_t length,
                              const PadOptions& options) {
  require(length >= 0, Code::kInvalidArgument,
          "pad_sequences: length is {}, it must be >= 1, or 0 for that of the longest", length);
  PaddedSequences result{length, {}};
  if (length == 0) {
    for (const auto& sequence : sequences) {
      result.length = std::max(result.length, static_cast<int64_t>(sequence.size()));
    }
  }
  const auto row = static_cast<size_t>(result.length);
  result.ids.resize(row * sequences.size());
  for (size_t i = 0; i < sequences.size(); ++i) {
    pad_sequence(sequences[i], options, std::span(result.ids).subspan(i * row, row));
  }
  return result;
}

int64_t bag_width(const WordIndex& words) {
  const int64_t limit = words.config().num_words;
  return limit > 0 ? limit : static_cast<int64_t>(words.number_limit());
}

void bag_of_words(const WordIndex& words, std::span<const int32_t> ids, BagMode mode,
                  std::span<float> out) {
  INGOT_ASSERT(static_cast<int64_t>(out.size()) == bag_width(words));
  std::fill(out.begin(), out.end(), 0.0F);
  for (const int32_t id : ids) {
    // Counts of a text are small integers, exact in float32 below 2^24.
    if (static_cast<size_t>(id) < out.size()) out[static_cast<size_t>(id)] += 1.0F;
  }
  if (mode == BagMode::kCount) return;
  const auto texts = static_cast<double>(words.document_count());
  for (size_t id = 0; id < out.size(); ++id) {
    const auto count = static_cast<double>(out[id]);
    if (count == 0) continue;
    double value = 1;
    if (mode == BagMode::kFreq) {
      value = count / static_cast<double>(ids.size());
    } else if (mode == BagMode::kTfidf) {
      const auto with = static_cast<double>(words.documents_of(static_cast<int32_t>(id)));
      value = (1 + std::log(count)) * std::log(1 + texts / (1 + with));
    }
    out[id] = static_cast<float>(value);
  }
}

}  // namespace ingot::text
