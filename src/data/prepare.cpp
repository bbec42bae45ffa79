// SPDX-License-Identifier: Apache-2.0
// Two passes over the files: the first keeps fingerprints and decides, the second reads each kept
// file again, cleans it the same way, compares the hash and writes. Memory stays at one piece plus
// about one KB per document.
#include "data/prepare.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/corpus_file.h"
#include "data/report_text.h"

namespace ingot::data {
namespace {

void require_usable(const CleanResult& clean) {
  const CleanReport& r = clean.report;
  const Tally& locked = r.unreadable_folders;
  const std::string folders = locked.count > 0
                                  ? fmt::format(", {} folders may not be read, such as {}",
                                                locked.count, excerpt(locked.examples[0]))
                                  : "";
  require(
      !clean.documents.empty(), Code::kInvalidArgument,
      "data: no usable text in '{}': {} files, of them {} empty, {} near-empty, {} binary, {} "
      "not UTF-8, {} too large, {} unreadable; {} have other extensions, {} run directories are "
      "left out{}. Check data.path and data.extensions",
      clean.sources.root, r.files, r.empty.count, r.near_empty.count, r.binary.count,
      r.invalid_dropped.count, r.large_skipped.count, r.unreadable.count,
      clean.sources.other_extension, r.runs.count, folders);
}

/// What writing needs besides the documents.
struct WriteContext {
  const DataConfig& config;
  const StopFlag* stop;
  const Clock* clock;
  double mask_s = 0.0;
};

/// The kept pieces of one file, in order.
void write_file(const CleanResult& clean, const std::vector<int64_t>& documents,
                WriteContext& context, WritableFile& out) {
  const DataConfig& config = context.config;
  const int64_t source = clean.documents[static_cast<size_t>(documents[0])].source;
  const FileEntry& file = clean.sources.files[static_cast<size_t>(source)];
  PieceReader reader(join_path(clean.sources.root, file.path), config.max_file.bytes);
  size_t next = 0;
  std::string_view piece;
  for (int64_t index = 0; next < documents.size() && reader.next(piece); ++index) {
    const CleanDocument& document = clean.documents[static_cast<size_t>(documents[next])];
    if (document.piece != index) continue;
    throw_if_stopped(context.stop);
    const CleanedText cleaned = clean_text(piece, index == 0, config, context.clock);
    context.mask_s += cleaned.mask_s;
    if (sha256_hex(cleaned.text) != document.sha256) break;
    out.write_text(corpus_line(document.path, cleaned.text));
    ++next;
  }
  require(!reader.failed(), Code::kIo, "data: {}", reader.error());
  require(next == documents.size(), Code::kIo,
          "data: '{}' changed while it was being read; run the data stage again", file.path);
}

void write_split(FileSystem& files, const CleanResult& clean, const SplitResult& splits,
                 Split split, WriteContext& context, const std::string& path) {
  std::map<int64_t, std::vector<int64_t>> by_source;  // documents are sorted, so are the pieces
  for (size_t i = 0; i < clean.documents.size(); ++i) {
    if (splits.split[i] != split) continue;
    by_source[clean.documents[i].source].push_back(static_cast<int64_t>(i));
  }
  write_atomically(files, path, [&](WritableFile& out) {
    for (const auto& [source, documents] : by_source) write_file(clean, documents, context, out);
  });
}

}  // namespace

std::string corpus_path(const std::string& folder, Split split) {
  return join_path(folder, fmt::format("{}.jsonl", split_name(split)));
}

PrepareReport prepare_corpus(FileSystem& files, const DataConfig& config, const std::string& folder,
                             const StopFlag* stop, const Clock* clock) {
  const auto now = [&] { return clock != nullptr ? clock->now_s() : 0.0; };
  const double start = now();
  const CleanResult clean = clean_corpus(config, stop, clock);
  require_usable(clean);
  throw_if_stopped(stop);
  const double cleaned = now();
  const SplitResult splits = split_documents(clean.documents, config);
  require(splits.report.exact_across == 0, Code::kInternal,
          "data: {} texts stand in two splits after exact duplicates were dropped",
          splits.report.exact_across);
  make_directories(files, folder);
  WriteContext context{config, stop, clock};
  for (int64_t i = 0; i < kSplits; ++i) {
    const auto split = static_cast<Split>(i);
    write_split(files, clean, splits, split, context, corpus_path(folder, split));
  }
  const PrepareSeconds seconds{cleaned - start - clean.report.mask_s,
                               clean.report.mask_s + context.mask_s,
                               now() - cleaned - context.mask_s};
  return {clean.sources.root, clean.report, splits.report, seconds};
}

Json PrepareReport::to_json() const {
  return Json{{"root", root}, {"clean", clean.to_json()}, {"split", split.to_json()}};
}

std::string PrepareReport::table() const {
  return fmt::format("clean {}\n{}split\n{}", root, clean.table(), split.table());
}

}  // namespace ingot::data
