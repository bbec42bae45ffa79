// SPDX-License-Identifier: Apache-2.0
// One pass over every file. Characters are counted through a byte histogram per file, lines by
// memchr, UTF-8 by piece (pieces are cut between code points).
#include "data/inspect.h"

#include <algorithm>
#include <bit>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "data/report_text.h"

namespace ingot::data {
namespace {

/// Facts about one file, gathered piece by piece.
struct FileFacts {
  std::array<int64_t, 256> bytes{};
  Sha256 hash;
  Signature signature{};
  int64_t size = 0;
  int64_t pieces = 0;
  int64_t line = 0;  // bytes of the line at hand
  int64_t lines = 0;
  int64_t longest_line = 0;
  bool valid_utf8 = true;

  void add(std::string_view piece) {
    if (pieces++ == 0) signature = minhash(piece);
    size += static_cast<int64_t>(piece.size());
    hash.update(piece);
    for (const char c : piece) bytes[static_cast<unsigned char>(c)] += 1;
    valid_utf8 = valid_utf8 && is_valid_utf8(piece);
    for (size_t at = 0; at < piece.size();) {
      const size_t end = piece.find('\n', at);
      const size_t stop = std::min(end, piece.size());
      line += static_cast<int64_t>(stop - at);
      longest_line = std::max(longest_line, line);
      at = stop + 1;
      if (end == std::string_view::npos) break;
      lines += 1;
      line = 0;
    }
  }
  [[nodiscard]] int64_t all_lines() const { return lines + (line > 0 ? 1 : 0); }
  [[nodiscard]] int64_t sum(unsigned first, unsigned last) const {
    int64_t total = 0;
    for (unsigned i = first; i <= last; ++i) total += bytes[i];
    return total;
  }
};

void count_characters(const FileFacts& facts, CharacterCounts& counts) {
  const int64_t spaces = facts.bytes[' '] + facts.sum('\t', '\r');
  const int64_t letters = facts.sum('a', 'z') + facts.sum('A', 'Z');
  const int64_t digits = facts.sum('0', '9');
  const int64_t control = facts.sum(0, 0x1F) - facts.sum('\t', '\r') + facts.bytes[0x7F];
  counts.spaces += spaces;
  counts.letters += letters;
  counts.digits += digits;
  counts.control += control;
  counts.punctuation += facts.sum(0, 0x7F) - spaces - letters - digits - control;
  counts.non_ascii += facts.valid_utf8 ? facts.sum(0xC0, 0xFF) : facts.sum(0x80, 0xFF);
}

int64_t solid_bytes(const FileFacts& facts) {
  return facts.size - facts.bytes[' '] - facts.sum('\t', '\r');
}

struct Fingerprints {
  std::unordered_set<std::string> seen;
  std::vector<Signature> signatures;
  std::vector<int64_t> sizes;
};

void inspect_text(const FileEntry& file, FileFacts& facts, const DataConfig& config,
                  Fingerprints& prints, CorpusReport& report) {
  report.lines += facts.all_lines();
  if (facts.valid_utf8) {
    report.valid_utf8_files += 1;
  } else {
    report.invalid_utf8.add(file.path, facts.size);
  }
  if (solid_bytes(facts) < config.min_bytes) report.near_empty.add(file.path, facts.size);
  if (facts.longest_line > report.longest_line_bytes) {
    report.longest_line_bytes = facts.longest_line;
    report.longest_line_file = file.path;
  }
  count_characters(facts, report.characters);
  if (!prints.seen.insert(facts.hash.hex()).second) {
    report.exact_duplicates.add(file.path, facts.size);
    return;
  }
  prints.signatures.push_back(facts.signature);
  prints.sizes.push_back(facts.size);
}

void inspect_file(const std::string& root, const FileEntry& file, const DataConfig& config,
                  Fingerprints& prints, CorpusReport& report) {
  PieceReader reader(join_path(root, file.path), config.max_file.bytes);
  if (reader.failed()) return report.unreadable.add(file.path, file.size);
  const int64_t size = reader.file_bytes();
  report.bytes += size;
  ExtensionCount& extension = report.extensions[extension_of(file.path)];
  extension.files += 1;
  extension.bytes += size;
  const auto bits = std::bit_width(static_cast<uint64_t>(std::max<int64_t>(size, 1)));
  report.size_histogram[std::min<size_t>(static_cast<size_t>(bits) - 1,
                                         report.size_histogram.size() - 1)] += 1;
  if (size == 0) return report.empty.add(file.path, 0);
  if (size > config.max_file.bytes) report.larger.add(file.path, size);
  FileFacts facts;
  for (std::string_view piece; reader.next(piece);) {
    facts.add(piece);
    if (facts.bytes[0] > 0) return report.binary.add(file.path, size);
  }
  if (reader.failed()) return report.unreadable.add(file.path, size);
  inspect_text(file, facts, config, prints, report);
}

}  // namespace

CorpusReport inspect_corpus(const DataConfig& config, const StopFlag* stop) {
  check(config);
  const SourceList sources = list_corpus(corpus_root(config.path), config.extensions);
  CorpusReport report;
  report.root = sources.root;
  report.files = static_cast<int64_t>(sources.files.size());
  report.links_skipped = sources.links_skipped;
  report.unreadable_folders = sources.unreadable_folders;
  report.other_extension = sources.other_extension;
  report.runs = sources.runs;
  Fingerprints prints;
  for (const FileEntry& file : sources.files) {
    throw_if_stopped(stop);
    inspect_file(sources.root, file, config, prints, report);
  }
  report.near_duplicates = group_near_duplicates(prints.signatures, config.near_duplicate);
  for (size_t i = 0; i < prints.sizes.size(); ++i) {
    // Every member but the first of its group.
    if (report.near_duplicates.group[i] != static_cast<int64_t>(i)) {
      report.near_duplicate_bytes += prints.sizes[i];
    }
  }
  return report;
}

Json CorpusReport::to_json() const {
  Json json{{"root", root},
            {"files", files},
            {"bytes", bytes},
            {"lines", lines},
            {"valid_utf8_files", valid_utf8_files},
            {"longest_line", {{"bytes", longest_line_bytes}, {"file", longest_line_file}}},
            {"binary", tally_json(binary)},
            {"empty", tally_json(empty)},
            {"unreadable", tally_json(unreadable)},
            {"invalid_utf8", tally_json(invalid_utf8)},
            {"near_empty", tally_json(near_empty)},
            {"larger_than_max_file", tally_json(larger)},
            {"exact_duplicates", tally_json(exact_duplicates)},
            {"near_duplicates",
             {{"groups", near_duplicates.groups},
              {"files", near_duplicates.documents},
              {"largest_group", near_duplicates.largest},
              {"bytes_beyond_first", near_duplicate_bytes}}},
            {"characters",
             {{"letters", characters.letters},
              {"digits", characters.digits},
              {"spaces", characters.spaces},
              {"punctuation", characters.punctuation},
              {"control", characters.control},
              {"non_ascii", characters.non_ascii}}},
            {"links_skipped", links_skipped},
            {"unreadable_folders", tally_json(unreadable_folders)},
            {"other_extension", other_extension},
            {"run_directories", tally_json(runs)}};
  Json& histogram = json["size_histogram"] = Json::array();
  for (size_t i = 0; i < size_histogram.size(); ++i) {
    if (size_histogram[i] == 0) continue;
    const int64_t from = i == 0 ? 0 : int64_t{1} << i;
    histogram.push_back({{"from_bytes", from}, {"files", size_histogram[i]}});
  }
  Json& kinds = json["extensions"] = Json::object();
  for (const auto& [name, count] : extensions) {
    kinds[name] = {{"files", count.files}, {"bytes", count.bytes}};
  }
  return json;
}

std::string CorpusReport::table() const {
  constexpr size_t kShownExtensions = 8;
  Table table;
  table.row("folder", root);
  table.row("files", files);
  table.row("bytes", human_bytes(bytes));
  table.row("lines", lines);
  table.row("longest line", fmt::format("{} bytes in {}", with_thousands(longest_line_bytes),
                                        excerpt(longest_line_file)));
  table.row("valid UTF-8 files", valid_utf8_files);
  table.row("invalid UTF-8", invalid_utf8);
  table.row("binary (NUL byte)", binary);
  table.row("empty", empty);
  table.row("near-empty", near_empty);
  table.row("unreadable", unreadable);
  table.row("unreadable folders", unreadable_folders);
  table.row("larger than data.max_file", larger);
  table.row("run directories, left out", runs);
  table.row("exact duplicates", exact_duplicates);
  table.row("near-duplicate groups", with_thousands(near_duplicates.groups) + " (before cleaning)");
  table.row("  files in them", near_duplicates.documents);
  table.row("  largest group", near_duplicates.largest);
  table.row("letters", characters.letters);
  table.row("digits", characters.digits);
  table.row("spaces", characters.spaces);
  table.row("punctuation", characters.punctuation);
  table.row("control characters", characters.control);
  table.row("non-ASCII characters", characters.non_ascii);
  for (size_t i = 0; i < size_histogram.size(); ++i) {
    if (size_histogram[i] == 0) continue;
    table.row(fmt::format("files below {}", human_bytes(int64_t{2} << i)), size_histogram[i]);
  }
  std::vector<std::pair<std::string, ExtensionCount>> kinds(extensions.begin(), extensions.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  kinds.resize(std::min(kinds.size(), kShownExtensions));
  for (const auto& [name, count] : kinds) {
    table.row("  ." + name,
              fmt::format("{} files, {}", with_thousands(count.files), human_bytes(count.bytes)));
  }
  return table.take();
}

}  // namespace ingot::data
