// SPDX-License-Identifier: Apache-2.0
// Writing, cutting back and reading of metrics.jsonl. A line is a record when it ends in a newline,
// parses as a JSON object and has an integer "step" and a string "kind".
#include "ledger/metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace ingot::ledger {
namespace {

constexpr std::array<std::string_view, 4> kReserved{"step", "kind", "clock", "nonfinite"};

template <class T>
std::string shortest(T value) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

std::string_view nonfinite_name(double value) {
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

/// The record in a complete line, or nothing.
std::optional<Json> parse_record(std::string_view line) {
  Json record = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return std::nullopt;
  const auto step = record.find("step");
  const auto kind = record.find("kind");
  if (step == record.end() || !step->is_number_integer()) return std::nullopt;
  if (kind == record.end() || !kind->is_string()) return std::nullopt;
  return record;
}

struct Prefix {
  int64_t bytes = 0;
  int64_t lines = 0;
  int64_t last_step = 0;
};

/// The longest run of complete records from the start with step <= resume_step.
Prefix kept_prefix(std::string_view text, int64_t resume_step, int64_t keep_lines) {
  Prefix kept;
  while (keep_lines < 0 || kept.lines < keep_lines) {
    const auto begin = static_cast<size_t>(kept.bytes);
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    const auto record = parse_record(text.substr(begin, end - begin));
    if (!record) break;
    const auto step = (*record)["step"].get<int64_t>();
    if (step > resume_step) break;
    kept = {static_cast<int64_t>(end) + 1, kept.lines + 1, std::max(kept.last_step, step)};
  }
  return kept;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kTrain:
      return "train";
    case Kind::kEpoch:
      return "epoch";
    case Kind::kValidation:
      return "validation";
    case Kind::kTest:
      return "test";
    case Kind::kSample:
      return "sample";
    case Kind::kEvent:
      return "event";
    case Kind::kStage:
      return "stage";
  }
  fail(Code::kInternal, "kind_name: no name for value {}", static_cast<int>(kind));
}

Fields& Fields::add(std::string_view name, std::string_view text) {
  return add_raw(name, quote_json(text));
}

Fields& Fields::add(std::string_view name, const Json& value) {
  return add_raw(name, dump_json(value));
}

Fields& Fields::add_raw(std::string_view name, std::string value, std::string nonfinite) {
  const bool reserved = std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
  require(!reserved, Code::kInvalidArgument,
          "metrics: field name \"{}\" is taken by the record itself, choose another", name);
  const bool twice = std::any_of(members_.begin(), members_.end(),
                                 [&](const Member& member) { return member.name == name; });
  require(!twice, Code::kInvalidArgument, "metrics: field \"{}\" is given twice in one record",
          name);
  members_.push_back({std::string(name), std::move(value), std::move(nonfinite)});
  return *this;
}

Fields& Fields::add_float(std::string_view name, float value) {
  if (std::isfinite(value)) return add_raw(name, shortest(value));
  return add_double(name, static_cast<double>(value));
}

Fields& Fields::add_double(std::string_view name, double value) {
  if (std::isfinite(value)) return add_raw(name, shortest(value));
  return add_raw(name, "null", std::string(nonfinite_name(value)));
}

Fields& Fields::add_signed(std::string_view name, int64_t value) {
  return add_raw(name, shortest(value));
}

Fields& Fields::add_unsigned(std::string_view name, uint64_t value) {
  return add_raw(name, shortest(value));
}

std::string Fields::members() const {
  std::string text;
  std::string flags;
  for (const Member& member : members_) {
    const std::string name = quote_json(member.name);
    text += (text.empty() ? "" : ",") + name + ":" + member.value;
    if (member.nonfinite.empty()) continue;
    flags += (flags.empty() ? "" : ",") + name + ":\"" + member.nonfinite + "\"";
  }
  if (!flags.empty()) text += ",\"nonfinite\":{" + flags + "}";
  return text;
}

MetricsWriter::MetricsWriter(const std::filesystem::path& path, int64_t resume_step,
                             int64_t keep_lines)
    : file_(path, AppendFile::Open::kKeep) {
  if (file_.size() == 0) return;
  const Prefix kept =
      resume_step < 0 ? Prefix{} : kept_prefix(read_file(path.string()), resume_step, keep_lines);
  if (kept.bytes != file_.size()) file_.truncate(kept.bytes);
  lines_ = kept.lines;
  last_step_ = kept.last_step;
}

void MetricsWriter::write(int64_t step, Kind kind, const Fields& fields, const Fields& clock) {
  require(step >= last_step_, Code::kInvalidArgument,
          "metrics: step {} after step {}; records are written in the order of steps", step,
          last_step_);
  std::string line = "{\"step\":" + shortest(step) + ",\"kind\":\"";
  line += kind_name(kind);
  line += '"';
  if (!fields.empty()) line += "," + fields.members();
  if (!clock.empty()) line += ",\"clock\":{" + clock.members() + "}";
  line += "}\n";
  file_.append(line);
  last_step_ = step;
  ++lines_;
}

Metrics read_metrics(const std::filesystem::path& path) {
  const std::string text = read_file(path.string());
  Metrics metrics;
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) {
      metrics.torn = true;
      break;
    }
    ++number;
    auto record = parse_record(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    if (record) {
      metrics.records.push_back(std::move(*record));
      continue;
    }
    if (metrics.bad_lines++ == 0) metrics.first_bad_line = number;
  }
  return metrics;
}

std::string without_clock(std::string_view line) {
  // The writer puts "clock" last, and a quote inside a JSON string is always escaped, so the last
  // occurrence of this text is the member itself.
  constexpr std::string_view kMember = ",\"clock\":{";
  const size_t at = line.rfind(kMember);
  if (at == std::string_view::npos) return std::string(line);
  const size_t newline = !line.empty() && line.back() == '\n' ? 1 : 0;
  return std::string(line.substr(0, at)) + "}" + (newline == 1 ? "\n" : "");
}

}  // namespace ingot::ledger
