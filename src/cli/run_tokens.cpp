// SPDX-License-Identifier: Apache-2.0
#include "cli/run_tokens.h"

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

namespace ingot::cli {
namespace {

constexpr const char* kRecord = "stages/tokenizer.json";

/// The run that was named: plan and tune look at a run through a folder of links to its files.
std::string named_run(const std::string& run) {
  std::error_code no_link;
  const auto record = std::filesystem::read_symlink(join_path(run, kRecord), no_link);
  return no_link ? run : parent_path(parent_path(record.string()));
}

std::string cure(const std::string& run) {
  const std::string named = named_run(run);
  const std::string record = join_path(named, kRecord);
  if (!file_exists(record))
    return fmt::format("`ingot train {}` makes tokenizer and shards", named);
  return fmt::format("Remove {}, and `ingot train {}` makes tokenizer and shards again", record,
                     named);
}

template <class Open>
auto with_cure(const std::string& run, const Open& open) {
  try {
    return open();
  } catch (const Error& error) {
    const Code code = error.code();
    if (code != Code::kNotFound && code != Code::kCorruptFile && code != Code::kUnsupported) throw;
    std::string_view what = error.what();
    if (what.ends_with('.')) what.remove_suffix(1);
    fail(code, "{}. {}", what, cure(run));
  }
}

}  // namespace

std::string shard_path(const std::string& run, data::Split split) {
  return join_path(run, fmt::format("data/{}.shard", data::split_name(split)));
}

data::ShardReader open_shard(const std::string& run, data::Split split, const StopFlag* stop) {
  return with_cure(run, [&] {
    data::ShardReader shard(shard_path(run, split));
    shard.check_tokens(stop);
    return shard;
  });
}

std::unique_ptr<text::Tokenizer> open_tokenizer(
    const std::string& run, std::initializer_list<const data::ShardReader*> shards) {
  return with_cure(run, [&] {
    const std::string folder = join_path(run, "tokenizer");
    const std::string path = join_path(folder, "tokenizer.json");
    const std::string digest = sha256_file(path);
    for (const data::ShardReader* shard : shards) {
      const std::string& made_by = shard->info().tokenizer_sha256;
      require(digest == made_by, Code::kCorruptFile,
              "tokenizer: {} is not the file that made {}: its SHA-256 is {}, the shard names {}",
              path, shard->path(), short_digest(digest), short_digest(made_by));
    }
    auto tokenizer = text::load_tokenizer(folder);
    for (const data::ShardReader* shard : shards) {
      require(
          tokenizer->eos_id() == shard->info().eos, Code::kCorruptFile,
          "tokenizer: the end of text of {}/tokenizer_config.json is token {}, that of {} is {}",
          folder, tokenizer->eos_id().value_or(-1), shard->path(), shard->info().eos);
    }
    return tokenizer;
  });
}

std::string short_digest(const std::string& digest) { return digest.substr(0, 12); }

}  // namespace ingot::cli
