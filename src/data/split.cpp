// SPDX-License-Identifier: Apache-2.0
// Groups are the unit: sorted by a keyed hash of their smallest text hash, they fill the held-out
// splits greedily. The leakage check is written against the definition, pair by pair.
#include "data/split.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "data/report_text.h"

namespace ingot::data {
namespace {

struct Group {
  uint64_t key = 0;
  std::string smallest_sha;
  int64_t bytes = 0;
  std::vector<int64_t> members;
  Split split = Split::kTrain;
  bool taken = false;
};

std::vector<Group> make_groups(std::span<const CleanDocument> documents,
                               const DuplicateGroups& duplicates, uint64_t seed) {
  std::map<int64_t, Group> by_root;
  for (size_t i = 0; i < documents.size(); ++i) {
    Group& group = by_root[duplicates.group[i]];
    const std::string& sha = documents[i].sha256;
    if (group.members.empty() || sha < group.smallest_sha) group.smallest_sha = sha;
    group.bytes += documents[i].bytes;
    group.members.push_back(static_cast<int64_t>(i));
  }
  std::vector<Group> groups;
  groups.reserve(by_root.size());
  for (auto& [root, group] : by_root) {
    group.key = hash64(group.smallest_sha, seed);
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.key != b.key ? a.key < b.key : a.smallest_sha < b.smallest_sha;
  });
  return groups;
}

/// Fills one held-out split up to `target` bytes, leaving at least `reserve` groups.
void fill_split(std::vector<Group>& groups, Split split, double target, int64_t reserve) {
  constexpr double kOver = 1.05;  // a group may overshoot the share by this much
  constexpr double kFull = 0.90;  // full enough: stop at the first group that does not fit
  int64_t open = std::count_if(groups.begin(), groups.end(), [](auto& g) { return !g.taken; });
  double filled = 0;
  const auto take = [&](Group& group) {
    group.split = split;
    group.taken = true;
    filled += static_cast<double>(group.bytes);
    --open;
  };
  for (Group& group : groups) {
    if (open <= reserve) break;
    if (group.taken) continue;
    if (filled + static_cast<double>(group.bytes) <= target * kOver) {
      take(group);
    } else if (filled >= target * kFull) {
      break;
    }
  }
  if (filled > 0) return;
  // Every group is larger than the share: the smallest one comes nearest.
  Group* smallest = nullptr;
  for (Group& group : groups) {
    if (!group.taken && (smallest == nullptr || group.bytes < smallest->bytes)) smallest = &group;
  }
  if (smallest != nullptr) take(*smallest);
}

/// Pieces of one file start in one group.
std::vector<int64_t> groups_by_file(std::span<const CleanDocument> documents) {
  std::unordered_map<int64_t, int64_t> first;
  std::vector<int64_t> already(documents.size());
  for (size_t i = 0; i < documents.size(); ++i) {
    already[i] = first.try_emplace(documents[i].source, static_cast<int64_t>(i)).first->second;
  }
  return already;
}

}  // namespace

std::string_view split_name(Split split) {
  constexpr std::array<std::string_view, kSplits> kNames{"train", "validation", "test"};
  return kNames[static_cast<size_t>(split)];
}

SplitResult split_documents(std::span<const CleanDocument> documents, const DataConfig& config) {
  std::vector<Signature> signatures;
  signatures.reserve(documents.size());
  int64_t bytes = 0;
  for (const CleanDocument& document : documents) {
    signatures.push_back(document.signature);
    bytes += document.bytes;
  }
  SplitResult result;
  result.split.resize(documents.size(), Split::kTrain);
  result.report.groups =
      group_near_duplicates(signatures, config.near_duplicate, groups_by_file(documents));
  std::vector<Group> groups =
      make_groups(documents, result.report.groups, static_cast<uint64_t>(config.seed));

  const int64_t wanted = 1 + (config.validation > 0 ? 1 : 0) + (config.test > 0 ? 1 : 0);
  const char* cure = config.validation == 0 ? "data.test=0"
                     : config.test == 0     ? "data.validation=0"
                     : groups.size() == 2   ? "data.validation=0 or data.test=0"
                                            : "data.validation=0 and data.test=0";
  require(
      static_cast<int64_t>(groups.size()) >= wanted, Code::kInvalidArgument,
      "split: {} documents in {} groups of near duplicates cannot fill {} splits; add files, or "
      "set {}",
      documents.size(), groups.size(), wanted, cure);
  const double total = static_cast<double>(bytes);
  const int64_t after_test = config.validation > 0 ? 2 : 1;
  if (config.test > 0) fill_split(groups, Split::kTest, total * config.test, after_test);
  if (config.validation > 0) {
    fill_split(groups, Split::kValidation, total * config.validation, 1);
  }
  for (const Group& group : groups) {
    for (const int64_t member : group.members) {
      result.split[static_cast<size_t>(member)] = group.split;
    }
    const auto split = static_cast<size_t>(group.split);
    result.report.documents[split] += static_cast<int64_t>(group.members.size());
    result.report.bytes[split] += group.bytes;
  }
  const Leakage leakage = find_leakage(documents, result.split, config.near_duplicate);
  result.report.exact_across = leakage.exact;
  result.report.near_pairs_across = leakage.near_pairs;
  return result;
}

Leakage find_leakage(std::span<const CleanDocument> documents, std::span<const Split> split,
                     double threshold) {
  INGOT_ASSERT(documents.size() == split.size());
  constexpr int64_t kMaxPairs = 200'000'000;  // some seconds; beyond it every n-th document
  Leakage leakage;
  std::unordered_map<std::string_view, Split> first;
  int64_t held_out = 0;
  for (size_t i = 0; i < documents.size(); ++i) {
    const Split seen = first.try_emplace(documents[i].sha256, split[i]).first->second;
    if (seen != split[i]) leakage.exact += 1;
    if (split[i] != Split::kTrain) held_out += 1;
  }
  const int64_t pairs = held_out * static_cast<int64_t>(documents.size());
  const int64_t stride = pairs / kMaxPairs + 1;
  int64_t turn = 0;
  for (size_t i = 0; i < documents.size(); ++i) {
    if (split[i] == Split::kTrain || turn++ % stride != 0) continue;
    for (size_t j = 0; j < documents.size(); ++j) {
      // A pair of two held-out splits is met from both sides: count it from the first.
      const bool once = split[j] == Split::kTrain || i < j;
      if (split[j] == split[i] || !once) continue;
      if (estimate_jaccard(documents[i].signature, documents[j].signature) >= threshold) {
        leakage.near_pairs += 1;
      }
    }
  }
  return leakage;
}

Json SplitReport::to_json() const {
  Json json{{"near_duplicate_groups", groups.groups},
            {"documents_in_groups", groups.documents},
            {"largest_group", groups.largest},
            {"cut_searches", groups.cut_searches},
            {"exact_duplicates_across_splits", exact_across},
            {"near_duplicate_pairs_across_splits", near_pairs_across}};
  for (size_t i = 0; i < kSplits; ++i) {
    json[std::string(split_name(static_cast<Split>(i)))] = {{"documents", documents[i]},
                                                            {"bytes", bytes[i]}};
  }
  return json;
}

std::string SplitReport::table() const {
  Table table;
  table.row("near-duplicate groups", with_thousands(groups.groups) + " (after cleaning)");
  table.row("  documents in them", groups.documents);
  table.row("  largest group", groups.largest);
  for (size_t i = 0; i < kSplits; ++i) {
    table.row(split_name(static_cast<Split>(i)),
              fmt::format("{} documents, {} ({} bytes)", with_thousands(documents[i]),
                          human_bytes(bytes[i]), with_thousands(bytes[i])));
  }
  table.row("exact duplicates across", exact_across);
  table.row("near-duplicate pairs across", near_pairs_across);
  return table.take();
}

}  // namespace ingot::data
