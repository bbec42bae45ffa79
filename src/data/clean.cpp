// SPDX-License-Identifier: Apache-2.0
// The cleaning pass. A file is judged as a whole (a NUL or, under policy drop, a broken character
// anywhere drops all of it), so its documents are held back until its last piece was read; what is
// held is fingerprints.
#include "data/clean.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/licence.h"
#include "data/mask.h"
#include "data/report_text.h"

namespace ingot::data {
namespace {

/// What one file contributes, committed only when the whole file is good.
struct FileOutcome {
  std::vector<CleanDocument> documents;
  std::vector<CleanedText> cleaned;  // texts emptied, flags kept
  bool binary = false;
  bool invalid = false;
  int64_t pieces = 0;
  double mask_s = 0.0;
};

FileOutcome read_file_pieces(PieceReader& reader, const FileEntry& file, int64_t source,
                             const DataConfig& config, const StopFlag* stop, const Clock* clock) {
  FileOutcome outcome;
  for (std::string_view piece; reader.next(piece); ++outcome.pieces) {
    throw_if_stopped(stop);
    if (piece.find('\0') != std::string_view::npos) {
      outcome.binary = true;
      return outcome;
    }
    CleanedText cleaned = clean_text(piece, outcome.pieces == 0, config, clock);
    outcome.mask_s += cleaned.mask_s;
    outcome.invalid = outcome.invalid || cleaned.was_invalid;
    if (cleaned.verdict == CleanedText::Verdict::kInvalidUtf8) return outcome;
    CleanDocument document;
    document.path =
        outcome.pieces == 0 ? file.path : fmt::format("{}#{}", file.path, outcome.pieces + 1);
    document.source = source;
    document.piece = outcome.pieces;
    document.bytes = static_cast<int64_t>(cleaned.text.size());
    if (cleaned.verdict == CleanedText::Verdict::kKept) {
      document.sha256 = sha256_hex(cleaned.text);
      document.signature = minhash(cleaned.text);
    }
    cleaned.text.clear();
    cleaned.text.shrink_to_fit();
    outcome.documents.push_back(std::move(document));
    outcome.cleaned.push_back(std::move(cleaned));
  }
  return outcome;
}

/// Counts what cleaning did and keeps the documents whose text is new.
void commit(FileOutcome& outcome, std::unordered_set<std::string>& seen, CleanResult& result) {
  CleanReport& report = result.report;
  for (size_t i = 0; i < outcome.documents.size(); ++i) {
    CleanDocument& document = outcome.documents[i];
    const CleanedText& cleaned = outcome.cleaned[i];
    if (cleaned.licence_bytes > 0) report.licence.add(document.path, cleaned.licence_bytes);
    if (cleaned.verdict == CleanedText::Verdict::kNearEmpty) {
      report.near_empty.add(document.path, document.bytes);
      continue;
    }
    if (!seen.insert(document.sha256).second) {
      report.duplicates.add(document.path, document.bytes);
      continue;
    }
    if (cleaned.emails > 0) report.emails.add(document.path, 0);
    report.addresses += cleaned.emails;
    report.kept_documents += 1;
    report.kept_bytes += document.bytes;
    result.documents.push_back(std::move(document));
  }
}

/// From outside: when to stop, and what to measure with.
struct Surroundings {
  const StopFlag* stop;
  const Clock* clock;
};

void clean_file(int64_t source, const DataConfig& config, const Surroundings& s,
                std::unordered_set<std::string>& seen, CleanResult& result) {
  const FileEntry& file = result.sources.files[static_cast<size_t>(source)];
  CleanReport& report = result.report;
  report.bytes += file.size;
  PieceReader reader(join_path(result.sources.root, file.path), config.max_file.bytes);
  const int64_t bytes = reader.file_bytes();
  if (reader.failed()) return report.unreadable.add(file.path, file.size);
  if (bytes == 0) return report.empty.add(file.path, 0);
  if (bytes > config.max_file.bytes && config.large_files == LargeFiles::kSkip) {
    return report.large_skipped.add(file.path, bytes);
  }
  FileOutcome outcome = read_file_pieces(reader, file, source, config, s.stop, s.clock);
  report.mask_s += outcome.mask_s;
  if (reader.failed()) return report.unreadable.add(file.path, bytes);
  if (outcome.binary) return report.binary.add(file.path, bytes);
  if (outcome.invalid) {
    switch (config.invalid_utf8) {
      case InvalidUtf8::kDrop:
        return report.invalid_dropped.add(file.path, bytes);
      case InvalidUtf8::kReplace:
        report.invalid_replaced.add(file.path, bytes);
        break;
      case InvalidUtf8::kKeep:
        report.invalid_kept.add(file.path, bytes);
        break;
    }
  }
  if (outcome.pieces > 1) report.large_split.add(file.path, bytes);
  commit(outcome, seen, result);
}

/// A size as a recipe takes it, rounded down; at least the smallest piece.
std::string piece_text(int64_t bytes) {
  if (bytes >= int64_t{1} << 20) return fmt::format("{}MiB", bytes >> 20);
  return fmt::format("{}KiB", std::max<int64_t>(bytes >> 10, 1));
}

/// Which bytes a run keeps must not depend on memory=, so a piece that is too large is refused, not
/// cut elsewhere.
void require_list_fits(const SourceList& sources, const DataConfig& config) {
  if (config.memory_bytes == 0) return;
  const int64_t most = config.memory_bytes / kPieceCopies;
  Tally large;
  int64_t largest = 0;
  for (const FileEntry& file : sources.files) {
    const int64_t piece = std::min(file.size, config.max_file.bytes);
    const bool is_skipped =
        file.size > config.max_file.bytes && config.large_files == LargeFiles::kSkip;
    if (is_skipped || piece <= most) continue;
    large.add(file.path, file.size);
    largest = std::max(largest, piece);
  }
  if (large.count == 0) return;
  fail(Code::kOutOfMemory,
       "data: {} files ({}), such as \"{}\", give pieces of up to {} (data.max_file is {}); up to "
       "{} copies of one are held, the cap is {}. Set data.max_file={} (data.large_files=skip "
       "leaves such files out), or memory={}MiB",
       large.count, human_bytes(large.bytes), large.examples[0], human_bytes(largest),
       human_bytes(config.max_file.bytes), kPieceCopies, human_bytes(config.memory_bytes),
       piece_text(most), (largest * kPieceCopies + (int64_t{1} << 20) - 1) >> 20);
}

}  // namespace

void require_pieces_fit(const DataConfig& config) {
  if (config.memory_bytes == 0 || config.max_file.bytes <= config.memory_bytes / kPieceCopies) {
    return;  // no file gives a larger piece
  }
  require_list_fits(list_corpus(corpus_root(config.path), config.extensions), config);
}

CleanedText clean_text(std::string_view raw, bool head, const DataConfig& config,
                       const Clock* clock) {
  CleanedText result;
  result.was_invalid = !is_valid_utf8(raw);
  std::string repaired;
  if (result.was_invalid && config.invalid_utf8 == InvalidUtf8::kDrop) {
    result.verdict = CleanedText::Verdict::kInvalidUtf8;
    return result;
  }
  if (result.was_invalid && config.invalid_utf8 == InvalidUtf8::kReplace) {
    repaired = replace_invalid_utf8(raw);
    raw = repaired;
  }
  if (head && config.strip_licence) {
    StrippedText stripped = strip_licence(raw);
    result.licence_bytes = stripped.removed_bytes;
    result.text = std::move(stripped.text);
  } else {
    result.text = raw;
  }
  if (config.mask_email) {
    const double start = clock != nullptr ? clock->now_s() : 0.0;
    MaskedText masked = mask_emails(result.text);
    if (clock != nullptr) result.mask_s = clock->now_s() - start;
    result.emails = masked.addresses;
    result.text = std::move(masked.text);
  }
  const auto spaces = std::count_if(result.text.begin(), result.text.end(), is_ascii_space);
  const int64_t solid = static_cast<int64_t>(result.text.size()) - spaces;
  if (solid < std::max<int64_t>(config.min_bytes, 1)) {
    result.verdict = CleanedText::Verdict::kNearEmpty;
  }
  return result;
}

CleanResult clean_corpus(const DataConfig& config, const StopFlag* stop, const Clock* clock) {
  check(config);
  CleanResult result;
  result.sources = list_corpus(corpus_root(config.path), config.extensions);
  require_list_fits(result.sources, config);
  const auto count = static_cast<int64_t>(result.sources.files.size());
  result.report.files = count;
  result.report.runs = result.sources.runs;
  result.report.unreadable_folders = result.sources.unreadable_folders;
  std::unordered_set<std::string> seen;
  for (int64_t source = 0; source < count; ++source) {
    throw_if_stopped(stop);
    clean_file(source, config, {stop, clock}, seen, result);
  }
  return result;
}

Json CleanReport::to_json() const {
  return Json{{"files", files},
              {"bytes", bytes},
              {"kept_documents", kept_documents},
              {"kept_bytes", kept_bytes},
              {"run_directories", tally_json(runs)},
              {"unreadable", tally_json(unreadable)},
              {"unreadable_folders", tally_json(unreadable_folders)},
              {"binary", tally_json(binary)},
              {"empty", tally_json(empty)},
              {"large_split", tally_json(large_split)},
              {"large_skipped", tally_json(large_skipped)},
              {"invalid_utf8_dropped", tally_json(invalid_dropped)},
              {"invalid_utf8_replaced", tally_json(invalid_replaced)},
              {"invalid_utf8_kept", tally_json(invalid_kept)},
              {"licence_removed", tally_json(licence)},
              {"near_empty", tally_json(near_empty)},
              {"exact_duplicates", tally_json(duplicates)},
              {"email_documents", tally_json(emails)},
              {"email_addresses", addresses}};
}

std::string CleanReport::table() const {
  Table table;
  table.row("files read", files);
  table.row("bytes read", human_bytes(bytes));
  table.row("run directories, left out", runs);
  table.row("unreadable", unreadable);
  table.row("unreadable folders", unreadable_folders);
  table.row("binary (NUL byte)", binary);
  table.row("empty", empty);
  table.row("large, split", large_split);
  table.row("large, skipped", large_skipped);
  table.row("invalid UTF-8, dropped", invalid_dropped);
  table.row("invalid UTF-8, replaced", invalid_replaced);
  table.row("invalid UTF-8, kept", invalid_kept);
  table.row("licence heads removed", licence);
  table.row("near-empty, dropped", near_empty);
  table.row("exact duplicates, dropped", duplicates);
  table.row("e-mail addresses masked", addresses);
  table.row("documents with addresses", emails);
  table.row("documents kept", kept_documents);
  table.row("bytes kept", human_bytes(kept_bytes));
  return table.take();
}

}  // namespace ingot::data
