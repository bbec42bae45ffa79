// SPDX-License-Identifier: Apache-2.0
// What ordinary compressors make of the same text: the baselines a language model's bits per byte
// are printed beside. gzip is zlib at level 9 with the gzip container (as `gzip -9 < file`, whose
// size it equals), xz is liblzma preset 9 (as `xz -9`). Called by the report and by evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/signals.h"
#include "data/corpus_file.h"

namespace ingot::data {

struct CompressorBaselines {
  int64_t text_bytes = 0;
  int64_t documents = 0;
  double gzip_per_file = 0;  ///< bits per byte, every document compressed alone
  double gzip_joined = 0;    ///< bits per byte of the path-sorted concatenation
  double xz_joined = 0;
};

/// Compressed size in bytes.
[[nodiscard]] int64_t gzip_size(std::string_view text);
[[nodiscard]] int64_t xz_size(std::string_view text);

/// Cost: about 0.5 s per MB. Zeros for an empty split. Throws kOutOfMemory, kInternal,
/// kCancelled (between documents).
[[nodiscard]] CompressorBaselines compressor_baselines(std::span<const Document> documents,
                                                       const StopFlag* stop = nullptr);

}  // namespace ingot::data
