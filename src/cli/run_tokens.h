// SPDX-License-Identifier: Apache-2.0
// The token shards and the tokenizer that the stage "tokenizer" left in a run, opened for the work
// that follows: damaged and foreign ones are found here, before it, and every refusal says how they
// are made again. Called by the pipeline and by `ingot eval`.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "base/signals.h"
#include "data/shard.h"
#include "data/split.h"
#include "text/tokenizer.h"

namespace ingot::cli {

/// "<run>/data/train.shard" and so on.
[[nodiscard]] std::string shard_path(const std::string& run, data::Split split);

/// The shard of a split, its tokens compared with their check sum: a pass over the file. Throws
/// kNotFound, kCorruptFile, kUnsupported, each with the cure; kCancelled.
[[nodiscard]] data::ShardReader open_shard(const std::string& run, data::Split split,
                                           const StopFlag* stop);

/// The tokenizer of a run, whose tokenizer.json has to be the one that made these shards (by its
/// SHA-256) and whose end of text has to be theirs. Throws kNotFound, kCorruptFile, kUnsupported,
/// each with the cure.
[[nodiscard]] std::unique_ptr<text::Tokenizer> open_tokenizer(
    const std::string& run, std::initializer_list<const data::ShardReader*> shards);

/// The first digits of a SHA-256, for messages.
[[nodiscard]] std::string short_digest(const std::string& digest);

}  // namespace ingot::cli
