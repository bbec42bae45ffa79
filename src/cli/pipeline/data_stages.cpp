// SPDX-License-Identifier: Apache-2.0
// From a folder of files to token shards: inspect, clean (with mask and split), tokenizer.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "cli/lm.h"
#include "cli/pipeline/pipeline.h"
#include "cli/run_tokens.h"
#include "data/corpus_file.h"
#include "data/inspect.h"
#include "data/prepare.h"
#include "data/tokenize.h"
#include "text/bpe_train.h"

namespace ingot::cli {
namespace {

constexpr data::Split kSplits[] = {data::Split::kTrain, data::Split::kValidation,
                                   data::Split::kTest};

Json tally(const data::Tally& t) { return {{"files", t.count}, {"bytes", t.bytes}}; }

/// What clean, mask and split did, under the names of docs/formats/run_directory.md.
Json clean_numbers(const data::PrepareReport& report) {
  const data::CleanReport& c = report.clean;
  const data::SplitReport& s = report.split;
  Json removed = Json::object();
  const auto add = [&](const char* reason, const data::Tally& t) {
    if (t.count > 0) removed[reason] = tally(t);
  };
  add("invalid_utf8", c.invalid_dropped);
  add("exact_duplicates", c.duplicates);
  add("near_empty", c.near_empty);
  add("empty", c.empty);
  add("binary", c.binary);
  add("too_large", c.large_skipped);
  add("unreadable", c.unreadable);
  Json splits = Json::object();
  for (const data::Split split : kSplits) {
    const auto i = static_cast<size_t>(split);
    splits[std::string(data::split_name(split))] = {{"files", s.documents[i]},
                                                    {"bytes", s.bytes[i]}};
  }
  return {{"files_before", c.files},
          {"bytes_before", c.bytes},
          {"removed", removed},
          {"licence_heads", tally(c.licence)},
          {"files_after", c.kept_documents},
          {"bytes_after", c.kept_bytes},
          {"mask", {{"emails", c.addresses}, {"files", c.emails.count}}},
          {"split",
           {{"near_duplicate_files", s.groups.documents},
            {"near_duplicate_groups", s.groups.groups},
            {"exact_duplicates_across", s.exact_across},
            {"near_duplicates_across", s.near_pairs_across},
            {"splits", splits}}},
          {"report", report.to_json()}};
}

}  // namespace

void Pipeline::inspect() {
  stage("inspect", sha256_hex(to_yaml(recipe_.data)).substr(0, 16), [&] {
    const data::CorpusReport report = data::inspect_corpus(recipe_.data, invocation_.stop);
    invocation_.console.note(report.table());
    return report.to_json();
  });
}

void Pipeline::clean() {
  const std::string key = sha256_hex(to_yaml(recipe_.data)).substr(0, 16);
  stage("clean", key, [&] {
    const data::PrepareReport report = data::prepare_corpus(
        *invocation_.files, recipe_.data, path("data"), invocation_.stop, invocation_.clock);
    invocation_.console.note(report.table());
    Json numbers = clean_numbers(report);
    // One pass does all three; each has a record and a time of its own.
    write_stage("mask", key, "done", report.seconds.mask, numbers.at("mask"));
    write_stage("split", key, "done", report.seconds.split, numbers.at("split"));
    recorded_s_ = report.seconds.mask + report.seconds.split;
    return numbers;
  });
}

void Pipeline::tokenizer() {
  stage("tokenizer", data_key(), [&] {
    const double start = invocation_.clock->now_s();
    text::BpeTrainer trainer(tokenizer_config(recipe_));
    data::CorpusReader corpus(data::corpus_path(path("data"), data::Split::kTrain));
    int64_t bytes = 0;
    for (data::Document document; corpus.next(document);) {
      throw_if_stopped(invocation_.stop);
      trainer.feed(document.text);
      bytes += static_cast<int64_t>(document.text.size());
    }
    const text::ByteBpe bpe(trainer.train(invocation_.stop));
    make_directories(*invocation_.files, path("tokenizer"));
    bpe.save(*invocation_.files, path("tokenizer"));
    const double trained = invocation_.clock->now_s();
    const std::string digest = sha256_file(path("tokenizer/tokenizer.json"));
    Json numbers = {
        {"vocabulary", bpe.vocab_size()}, {"bytes", bytes}, {"train_seconds", trained - start}};
    int64_t tokens = 0, encoded = 0;
    for (const data::Split split : kSplits) {
      const data::ShardInfo info =
          data::tokenize_corpus(*invocation_.files, data::corpus_path(path("data"), split), bpe,
                                digest, shard_path(out(), split), runtime_->team, invocation_.stop);
      numbers["tokens"][std::string(data::split_name(split))] = info.tokens;
      tokens += info.tokens;
      encoded += info.text_bytes;
    }
    numbers["bytes_per_token"] = static_cast<double>(encoded) / static_cast<double>(tokens);
    numbers["encode_bytes_per_second"] =
        static_cast<double>(encoded) / std::max(1e-9, invocation_.clock->now_s() - trained);
    invocation_.console.note(
        fmt::format("tokenizer: {} tokens, {:.2f} bytes each; {} tokens in all", bpe.vocab_size(),
                    numbers["bytes_per_token"].get<double>(), with_thousands(tokens)));
    return numbers;
  });
  load_data();
}

void Pipeline::load_data() {
  const auto open = [&](data::Split split) { return open_shard(out(), split, invocation_.stop); };
  train_.emplace(open(data::Split::kTrain));
  validation_.emplace(open(data::Split::kValidation));
  test_.emplace(open(data::Split::kTest));
  tokenizer_ = open_tokenizer(out(), {&*train_, &*validation_, &*test_});
}

}  // namespace ingot::cli
