// SPDX-License-Identifier: Apache-2.0
// Corpus file -> token shard: every document is encoded as plain text (an added token spelled in
// the text stays text) and closed with eos. Documents are encoded in parallel in blocks of a few
// MB and written in order, so the shard does not depend on the number of threads. Called by
// `ingot data tokenize` and `ingot run`.
#pragma once

#include <string>

#include "base/files.h"
#include "base/signals.h"
#include "base/team.h"
#include "data/shard.h"
#include "text/tokenizer.h"

namespace ingot::data {

/// Throws kInvalidArgument when the tokenizer names no eos token, kCorruptFile, kIo, kCancelled
/// (between blocks; no shard is half written).
ShardInfo tokenize_corpus(FileSystem& files, const std::string& corpus_file,
                          const text::Tokenizer& tokenizer, const std::string& tokenizer_sha256,
                          const std::string& shard_file, Team& team,
                          const StopFlag* stop = nullptr);

}  // namespace ingot::data
