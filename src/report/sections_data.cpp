// SPDX-License-Identifier: Apache-2.0
// Stages, data, tokenizer, and the table of everything the stages recorded.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fields.h"
#include "report/html.h"
#include "report/sections.h"

namespace ingot::report {
namespace {

constexpr int kDeepest = 4;           // of nested objects in the details
constexpr size_t kFallbackItems = 3;  // shown for a stage nobody described

/// "a, b, c" of those that are not empty.
std::string listed(std::vector<std::string> parts) {
  std::erase(parts, "");
  return join(parts, ", ");
}

std::string with(const std::string& value, std::string_view unit) {
  return value.empty() ? value : value + " " + std::string(unit);
}

std::string arrow(const std::string& from, const std::string& to, std::string_view unit) {
  if (from.empty() || to.empty()) return with(to, unit);
  return fmt::format("{} \xE2\x86\x92 {} {}", from, to, unit);
}

std::string split_summary(const Json& numbers) {
  std::vector<std::string> parts;
  for (const auto& [key, name] : words::kSplits) {
    const std::string files = count_at(numbers, fmt::format("splits.{}.files", key));
    if (!files.empty()) parts.push_back(fmt::format("{} {}", name, files));
  }
  return with(join(parts, ", "), parts.empty() ? "" : "files");
}

std::string compress_summary(const Json& numbers) {
  const Json* variants = find(numbers, "variants");
  if (variants == nullptr || !variants->is_array() || variants->empty()) return {};
  const auto base = number(variants->front(), "bytes");
  std::vector<std::string> parts;
  for (const Json& variant : *variants) {
    const auto bytes = number(variant, "bytes");
    if (&variant == &variants->front() || !bytes || !base || *base <= 0) continue;
    parts.push_back(fmt::format("{} {}\xC3\x97", text(variant, "name"), fixed(*bytes / *base, 2)));
  }
  return join(parts, ", ");
}

std::string duration_at(const Json& value, std::string_view path) {
  const auto found = number(value, path);
  return found ? human_duration(*found) : std::string();
}

std::string parameters_at(const Json& value) {
  const auto found = number(value, "parameters");
  return found ? human_count(*found) + " parameters" : std::string();
}

std::string fallback_summary(const Json& numbers) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : numbers.items()) {
    if (parts.size() == kFallbackItems) break;
    if (value.is_number()) parts.push_back(word({}, key) + " " + value_text(value));
  }
  return join(parts, ", ");
}

std::string state_cell(const std::string& state) {
  const bool known = std::any_of(words::kStates.begin(), words::kStates.end(),
                                 [&](const words::Word& word) { return word.first == state; });
  return fmt::format("<span class=\"state {}\">{}</span>", known ? state : "other",
                     escape(word(words::kStates, state)));
}

std::string share_cell(double seconds, double longest) {
  if (seconds < 0 || longest <= 0) return {};
  return fmt::format("<span class=\"share\" style=\"width:{:.1f}%\"></span>",
                     100 * seconds / longest);
}

/// "4,000 / 500 / 500 examples"
std::string examples_summary(const Json& numbers) {
  std::vector<std::string> parts;
  for (const auto& [key, name] : words::kSplits) {
    parts.push_back(count_at(numbers, fmt::format("splits.{}.examples", key)));
  }
  std::erase(parts, "");
  return with(join(parts, " / "), parts.empty() ? "" : "examples");
}

/// "accuracy 0.881", "R² 0.812", "1.243 bits per byte": what the model is judged by.
std::string evaluate_summary(const Json& numbers) {
  const std::string accuracy = fixed_at(numbers, "accuracy.value", 3);
  const std::string r2 = fixed_at(numbers, "r2.value", 3);
  if (!accuracy.empty()) return "accuracy " + accuracy;
  if (!r2.empty()) return "R\u00b2 " + r2;
  return with(fixed_at(numbers, "bits_per_byte", 3), "bits per byte");
}

/// Rows of {reason, files, bytes}; a reason's value is a count of files or {files, bytes}.
void removed_rows(const Json& numbers, Table& table) {
  const Json* removed = find(numbers, "removed");
  if (removed == nullptr || !removed->is_object()) return;
  for (const auto& [key, value] : removed->items()) {
    std::string files = value.is_number() ? count_at(*removed, key) : count_at(value, "files");
    if (files.empty() || files == "0") continue;
    std::string bytes = bytes_at(value, "bytes");
    table.row({"removed: " + word(words::kRemoved, key), "\xE2\x88\x92" + files,
               bytes.empty() ? "" : "\xE2\x88\x92" + bytes});
  }
}

std::string cleaning_table(const Json& numbers) {
  Table table({{"Cleaning", false}, {"Files"}, {"Bytes"}});
  const std::string before = count_at(numbers, "files_before");
  const std::string after = count_at(numbers, "files_after");
  if (!before.empty()) table.row({"before", before, bytes_at(numbers, "bytes_before")});
  removed_rows(numbers, table);
  const std::string heads = count_at(numbers, "licence_heads.files");
  if (!heads.empty() && heads != "0") {
    table.row({std::string(words::kLicenceHeads), heads,
               "\xE2\x88\x92" + bytes_at(numbers, "licence_heads.bytes")});
  }
  if (!after.empty()) table.row({"after", after, bytes_at(numbers, "bytes_after")}, true);
  return table.empty() ? std::string() : table.html();
}

/// `tokens`: of each split, counted by the stage that made the shards.
std::string split_table(const Json& numbers, const Json& tokens) {
  Table table({{"Split", false}, {"Files"}, {"Bytes"}, {"Tokens"}});
  const Json* splits = find(numbers, "splits");
  if (splits == nullptr || !splits->is_object()) return {};
  for (const auto& [key, value] : splits->items()) {
    table.row({word(words::kSplits, key), count_at(value, "files"), bytes_at(value, "bytes"),
               count_at(tokens, "tokens." + key)});
  }
  return table.empty() ? std::string() : table.html();
}

void detail_rows(const Json& value, const std::string& prefix, int depth, Table& table) {
  for (const auto& [key, member] : value.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    const bool nested =
        member.is_object() || (member.is_array() && !member.empty() && member.front().is_object());
    if (nested && depth < kDeepest)
      detail_rows(member, path, depth + 1, table);
    else
      table.row({path, value_text(member)});
  }
}

std::string folded(std::string_view title, const std::string& body) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escape(title), body);
}

std::string detail_table(std::string_view title, const Json& value) {
  Table table({{"Key", false}, {"Value"}});
  if (value.is_object()) detail_rows(value, "", 0, table);
  return table.empty() ? std::string() : folded(title, table.html());
}

}  // namespace

std::string section(std::string_view heading, const std::string& body) {
  if (body.empty()) return {};
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape(heading), body);
}

std::string facts_html(const Facts& facts, std::string_view style) {
  std::string out;
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value));
  }
  return out.empty() ? out : fmt::format("<dl class=\"{}\">\n{}</dl>\n", style, out);
}

std::string stage_summary(const RunRecord& run, const StageRecord& stage) {
  const Json& n = stage.numbers;
  std::string summary;
  if (stage.name == "inspect") {
    summary = listed({with(count_at(n, "files"), "files"), bytes_at(n, "bytes")});
  } else if (stage.name == "examples") {
    summary = examples_summary(n);
  } else if (stage.name == "clean") {
    summary = arrow(count_at(n, "files_before"), count_at(n, "files_after"), "files");
  } else if (stage.name == "mask") {
    summary = with(count_at(n, "emails"), "e-mail addresses");
  } else if (stage.name == "split") {
    summary = split_summary(n);
  } else if (stage.name == "tokenizer") {
    summary = listed({with(count_at(n, "vocabulary"), "tokens"),
                      with(fixed_at(n, "bytes_per_token", 2), "bytes per token")});
  } else if (stage.name == "plan") {
    const Json& plan = n.empty() ? run.plan : n;
    summary =
        listed({parameters_at(plan), duration_at(plan, "seconds"), bytes_at(plan, "peak_bytes")});
  } else if (stage.name == "train") {
    const std::string loss = fixed_at(n, "best_validation_loss", 3);
    summary = listed(
        {with(count_at(n, "steps"), "steps"), loss.empty() ? loss : "validation loss " + loss});
  } else if (stage.name == "evaluate") {
    summary = evaluate_summary(n);
  } else if (stage.name == "compress") {
    summary = compress_summary(n);
  } else if (stage.name == "serve") {
    summary = with(count_at(n, "tokens_per_second"), "tokens/s");
  }
  return summary.empty() ? fallback_summary(n) : summary;
}

std::string stages_section(const RunRecord& run) {
  if (run.stages.empty()) return {};
  double longest = 0;
  double total = 0;
  for (const StageRecord& stage : run.stages) {
    longest = std::max(longest, stage.seconds);
    total += std::max(stage.seconds, 0.0);
  }
  Table table({{"Stage", false}, {"State", false}, {"Time"}, {"", false}, {"Result", false}});
  for (const StageRecord& stage : run.stages) {
    table.html_row({escape(word(words::kStageNames, stage.name)), state_cell(stage.state),
                    stage.seconds < 0 ? "" : human_duration(stage.seconds),
                    share_cell(stage.seconds, longest), escape(stage_summary(run, stage))});
  }
  table.row({"Total", "", human_duration(total)}, true);
  return section(words::kStages, "<div class=\"stages\">" + table.html() + "</div>\n");
}

std::string data_section(const RunRecord& run) {
  const Json& mask = stage_numbers(run, "mask");
  const Json& split = stage_numbers(run, "split");
  const std::string clean_html = cleaning_table(stage_numbers(run, "clean"));
  const std::string split_html = split_table(split, stage_numbers(run, "tokenizer"));
  std::string body;
  if (!clean_html.empty() || !split_html.empty()) {
    body += "<div class=\"pair\">" + clean_html + split_html + "</div>\n";
  }
  if (const std::string emails = count_at(mask, "emails"); !emails.empty()) {
    const std::string files = count_at(mask, "files");
    body +=
        "<p>" + escape(fmt::format(words::kMasked, emails, files.empty() ? "0" : files)) + "</p>\n";
  }
  if (const std::string near = count_at(split, "near_duplicate_files"); !near.empty()) {
    const std::string groups = count_at(split, "near_duplicate_groups");
    body +=
        "<p>" + escape(fmt::format(words::kNear, near, groups.empty() ? "0" : groups)) + "</p>\n";
  }
  return section(words::kData, body);
}

std::string tokenizer_section(const RunRecord& run) {
  const Json& n = stage_numbers(run, "tokenizer");
  const auto speed = number(n, "encode_bytes_per_second");
  return section(words::kTokenizer,
                 facts_html({{"tokens in the vocabulary", count_at(n, "vocabulary")},
                             {"bytes per token", fixed_at(n, "bytes_per_token", 2)},
                             {"trained on", bytes_at(n, "bytes")},
                             {"training time", duration_at(n, "train_seconds")},
                             {"encoding", speed ? fixed(*speed / 1e6, 1) + " MB/s" : ""}}));
}

std::string details_section(const RunRecord& run) {
  std::string body;
  for (const StageRecord& stage : run.stages) {
    body += detail_table(word(words::kStageNames, stage.name), stage.numbers);
  }
  body += detail_table(words::kPlan, run.plan);
  if (!run.recipe.empty()) {
    body += folded(words::kRecipe, "<pre>" + escape(run.recipe) + "</pre>\n");
  }
  return section(words::kDetails, body);
}

}  // namespace ingot::report
