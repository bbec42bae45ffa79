// SPDX-License-Identifier: Apache-2.0
// See text.h. UTF-8 well-formedness follows Unicode 15, table 3-7; replacement follows its
// "maximal subpart" practice, so our texts agree with what Python and the browsers show.
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <fmt/core.h>

namespace ingot {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr int kMaxNearEdits = 4;
constexpr size_t kLeastPart = 4;  // characters of a word that is looked for inside names
constexpr size_t kMaxKnownNames = 12;

std::string folded(std::string_view name) {
  std::string result = lower_ascii(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

/// The only candidate that holds `wanted`, which is folded.
std::string only_holder(const std::string& wanted, std::span<const std::string> candidates) {
  std::string holder;
  if (wanted.size() < kLeastPart) return holder;
  for (const std::string& candidate : candidates) {
    if (folded(candidate).find(wanted) == std::string::npos) continue;
    if (!holder.empty()) return {};
    holder = candidate;
  }
  return holder;
}

/// The longest candidate of which `wanted`, which is folded, is a longer form: seq for seq_len.
std::string shorter_form(const std::string& wanted, std::span<const std::string> candidates) {
  std::string form;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > form.size() && wanted.starts_with(folded(candidate) + "_")) {
      form = candidate;
    }
  }
  return form;
}

struct Utf8Step {
  int length;  // bytes of the character, or of the maximal ill-formed part
  bool valid;
};

// Range of the second byte for a lead byte; the others are 80..BF.
struct SecondRange {
  unsigned char low, high;
};

SecondRange second_range(unsigned char lead) {
  switch (lead) {
    case 0xE0:
      return {0xA0, 0xBF};  // no overlong three-byte forms
    case 0xED:
      return {0x80, 0x9F};  // no surrogates
    case 0xF0:
      return {0x90, 0xBF};  // no overlong four-byte forms
    case 0xF4:
      return {0x80, 0x8F};  // at most U+10FFFF
    default:
      return {0x80, 0xBF};
  }
}

Utf8Step utf8_step(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const SecondRange second = second_range(lead);
  for (int i = 1; i < length; ++i) {
    const size_t p = at + static_cast<size_t>(i);
    const unsigned char low = i == 1 ? second.low : 0x80;
    const unsigned char high = i == 1 ? second.high : 0xBF;
    if (p >= text.size() || byte(p) < low || byte(p) > high) return {i, false};
  }
  return {length, true};
}

// Index after the run of ASCII that starts at `at`, eight bytes at a time.
size_t skip_ascii(std::string_view text, size_t at) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  while (at + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the Levenshtein table, one more for the swap.
  const size_t width = b.size() + 1;
  std::vector<int> before(width), above(width), row(width);
  for (size_t j = 0; j < width; ++j) above[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string nearest_name(std::string_view word, std::span<const std::string> candidates) {
  const std::string wanted = folded(word);
  if (wanted.size() > 200) return {};
  const int length = static_cast<int>(wanted.size());
  int best = std::min(kMaxNearEdits, std::max(1, length / 3)) + 1;
  int best_prefix = 0;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const std::string name = folded(candidate);
    const int longer = std::max(length, static_cast<int>(name.size()));
    const int distance = edit_distance(wanted, name);
    const auto shared = std::mismatch(wanted.begin(), wanted.end(), name.begin(), name.end());
    const auto prefix = static_cast<int>(shared.first - wanted.begin());
    const bool is_nearer =
        distance < best || (distance == best && !nearest.empty() && prefix > best_prefix);
    if (is_nearer && distance < longer) {
      best = distance;
      best_prefix = prefix;
      nearest = candidate;
    }
  }
  if (nearest.empty()) nearest = only_holder(wanted, candidates);
  return nearest.empty() ? shorter_form(wanted, candidates) : nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string nearest = nearest_name(word, candidates);
  if (!nearest.empty()) return fmt::format(" Did you mean \"{}\"?", nearest);
  if (candidates.empty()) return {};
  const size_t shown = std::min(candidates.size(), kMaxKnownNames);
  const std::string names = join(candidates.first(shown), ", ");
  const bool all = shown == candidates.size();
  return all ? fmt::format(" Known: {}.", names)
             : fmt::format(" Known: {} and {} more.", names, candidates.size() - shown);
}

std::string nearest_hint(std::string_view word, std::span<const std::string> candidates) {
  const std::string nearest = nearest_name(word, candidates);
  return nearest.empty() ? std::string() : fmt::format(". Did you mean \"{}\"?", nearest);
}

std::string human_bytes(int64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = std::abs(static_cast<double>(bytes));
  size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  const std::string_view sign = bytes < 0 ? "-" : "";
  const int decimals = unit > 0 && value < 99.95 ? 1 : 0;
  return fmt::format("{}{:.{}f} {}", sign, value, decimals, kUnits[unit]);
}

std::string human_count(double count) {
  constexpr std::array<std::string_view, 5> kUnits{"", "k", "M", "B", "T"};
  double value = std::abs(count);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const std::string_view sign = count < 0 ? "-" : "";
  const bool whole = unit == 0 && value == std::floor(value);
  const int decimals = whole || value >= 99.95 ? 0 : 1;
  return fmt::format("{}{:.{}f}{}", sign, value, decimals, kUnits[unit]);
}

std::string human_duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  if (seconds < 0) return fmt::format("-{}", human_duration(-seconds));
  if (seconds < 9.995) return fmt::format("{:.2f}s", seconds);
  if (seconds < 59.5) return fmt::format("{:.0f}s", seconds);
  if (seconds < 3599.5) {
    const auto total = static_cast<int64_t>(seconds + 0.5);
    return fmt::format("{}m{:02}s", total / 60, total % 60);
  }
  constexpr double kCenturies = 3.2e11;  // ten thousand years: a pace of zero, not an estimate
  if (seconds > kCenturies) return "?";
  const auto minutes = static_cast<int64_t>(seconds / 60 + 0.5);
  if (minutes < 48 * 60) return fmt::format("{}h{:02}m", minutes / 60, minutes % 60);
  const int64_t hours = (minutes + 30) / 60;
  return fmt::format("{}d{:02}h", hours / 24, hours % 24);
}

std::string with_thousands(int64_t number) {
  std::string digits = fmt::format("{}", number);
  const size_t first = number < 0 ? 2 : 1;
  for (size_t at = digits.size(); at >= first + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string result;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) result += separator;
    result += parts[i];
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == text.npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower_ascii(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

int64_t first_invalid_utf8(std::string_view text) {
  for (size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
    const Utf8Step step = utf8_step(text, at);
    if (!step.valid) return static_cast<int64_t>(at);
    at += static_cast<size_t>(step.length);
  }
  return -1;
}

bool is_valid_utf8(std::string_view text) { return first_invalid_utf8(text) < 0; }

std::string replace_invalid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    const auto length = static_cast<size_t>(step.length);
    result += step.valid ? text.substr(at, length) : kReplacement;
    at += length;
  }
  return result;
}

std::string excerpt(std::string_view text, int64_t max_bytes) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    const auto length = static_cast<size_t>(step.length);
    std::string piece(step.valid ? text.substr(at, length) : kReplacement);
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '\n') {
      piece = "\\n";
    } else if (c == '\t') {
      piece = "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      piece = fmt::format("\\x{:02x}", c);
    }
    if (static_cast<int64_t>(result.size() + piece.size()) > max_bytes) return result + "...";
    result += piece;
    at += length;
  }
  return result;
}

TextPosition position_of(std::string_view text, int64_t offset) {
  const std::string_view before = text.substr(0, static_cast<size_t>(std::max<int64_t>(offset, 0)));
  const size_t line_start = before.rfind('\n');
  const size_t column = before.size() - (line_start == before.npos ? 0 : line_start + 1);
  return {1 + std::count(before.begin(), before.end(), '\n'), static_cast<int64_t>(column) + 1};
}

}  // namespace ingot
