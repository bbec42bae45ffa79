// SPDX-License-Identifier: Apache-2.0
// See config_scalar.h.
#include "base/config_scalar.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"

namespace ingot {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: below it a double counts by ones

template <class T>
T& as(void* value) {
  return *static_cast<T*>(value);
}
template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

enum class Parsed { kGood, kNotNumber, kOutOfRange };

// Decimal digits and exponent only; from_chars alone would also take "nan(x)" and "infinity".
template <class T>
Parsed parse_float(std::string_view text, T& out) {
  std::string_view body = text;
  const bool negative = body.starts_with('-');
  if (negative || body.starts_with('+')) body.remove_prefix(1);
  if (body == ".inf" || body == "inf") {
    out = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return Parsed::kGood;
  }
  if (text == ".nan") {
    out = std::numeric_limits<T>::quiet_NaN();
    return Parsed::kGood;
  }
  if (body.find_first_not_of("0123456789.eE+-") != body.npos || body.starts_with('-')) {
    return Parsed::kNotNumber;
  }
  T value{};
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (error == std::errc::invalid_argument || end != body.data() + body.size()) {
    return Parsed::kNotNumber;
  }
  if (error == std::errc::result_out_of_range) return Parsed::kOutOfRange;
  out = negative ? -value : value;
  return Parsed::kGood;
}

// "42", "1_000_000", and whole numbers in exponent form such as 2e6.
template <class T>
Parsed parse_int(std::string_view text, T& out) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between = text[i] == '_' && i > 0 && i + 1 < text.size();
    if (!between) digits += text[i];
  }
  if (digits.starts_with("+-")) return Parsed::kNotNumber;
  const std::string_view body = std::string_view(digits).substr(digits.starts_with('+') ? 1 : 0);
  T value{};
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (end == body.data() + body.size() && !body.empty()) {
    if (error == std::errc::result_out_of_range) return Parsed::kOutOfRange;
    if (error == std::errc()) {
      out = value;
      return Parsed::kGood;
    }
  }
  double wide = 0;
  const Parsed parsed = parse_float(text, wide);
  if (parsed != Parsed::kGood) return parsed;
  if (!std::isfinite(wide) || wide != std::floor(wide)) return Parsed::kNotNumber;
  const bool exact = std::abs(wide) <= kExactIntegers;
  if (!exact || (wide < 0 && !std::is_signed_v<T>)) return Parsed::kOutOfRange;
  const auto whole = static_cast<int64_t>(wide);
  if (!std::in_range<T>(whole)) return Parsed::kOutOfRange;
  out = static_cast<T>(whole);
  return Parsed::kGood;
}

template <class T>
std::string store_int(void* value, std::string_view text) {
  switch (parse_int(text, as<T>(value))) {
    case Parsed::kGood:
      return {};
    case Parsed::kNotNumber:
      return "expected a whole number";
    case Parsed::kOutOfRange:
      break;
  }
  return fmt::format("expected a whole number from {} to {}", std::numeric_limits<T>::min(),
                     std::numeric_limits<T>::max());
}

template <class T>
std::string store_float(void* value, std::string_view text) {
  switch (parse_float(text, as<T>(value))) {
    case Parsed::kGood:
      return {};
    case Parsed::kNotNumber:
      return "expected a number";
    case Parsed::kOutOfRange:
      break;
  }
  return fmt::format("expected a number that fits in {} bits", sizeof(T) * 8);
}

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 9> kSizeUnits{{{"b", 1.0},
                                          {"kb", 1e3},
                                          {"mb", 1e6},
                                          {"gb", 1e9},
                                          {"tb", 1e12},
                                          {"kib", 1024.0},
                                          {"mib", 1048576.0},
                                          {"gib", 1073741824.0},
                                          {"tib", 1099511627776.0}}};
constexpr std::array<Unit, 6> kTimeUnits{
    {{"ms", 1e-3}, {"s", 1.0}, {"min", 60.0}, {"m", 60.0}, {"h", 3600.0}, {"d", 86400.0}}};

std::optional<double> unit_factor(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

// Takes a number and the word behind it off the front of `text`.
bool take_quantity(std::string_view& text, double& number, std::string& word) {
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  if (digits == 0 || parse_float(text.substr(0, digits), number) != Parsed::kGood) return false;
  text = trim(text.substr(digits));
  const size_t letters = std::min(text.find_first_of("0123456789."), text.size());
  word = lower_ascii(trim(text.substr(0, letters)));
  text = text.substr(letters);
  return true;
}

std::string store_size(void* value, std::string_view text) {
  constexpr const char* kExpected = "expected a size such as 512MiB, 8GB or a number of bytes";
  int64_t plain = 0;
  if (parse_int(text, plain) == Parsed::kGood && plain >= 0) {
    as<Size>(value).bytes = plain;
    return {};
  }
  double number = 0;
  std::string word;
  std::string_view rest = trim(text);
  if (!take_quantity(rest, number, word) || !rest.empty()) return kExpected;
  const auto factor = unit_factor(kSizeUnits, word);
  if (!factor || number * *factor >= kTwoTo63) return kExpected;
  int64_t bytes = std::llround(number * *factor);
  // A whole count of units is multiplied as integers: a double holds only 53 bits of it.
  const std::string_view count = trim(text).substr(0, trim(text).find_first_not_of("0123456789"));
  const bool whole =
      parse_int(count, plain) == Parsed::kGood && trim(text).substr(count.size(), 1) != ".";
  if (whole && __builtin_mul_overflow(plain, static_cast<int64_t>(*factor), &bytes)) {
    return kExpected;
  }
  as<Size>(value).bytes = bytes;
  return {};
}

std::string store_duration(void* value, std::string_view text) {
  constexpr const char* kExpected = "expected a time such as 90s, 5m, 1h30m or a number of seconds";
  double seconds = 0;
  const Parsed plain = parse_float(text, seconds);
  if (plain == Parsed::kGood && seconds >= 0) {
    as<Duration>(value).seconds = seconds;
    return {};
  }
  seconds = 0;
  std::string_view rest = trim(text);
  if (rest.empty()) return kExpected;
  while (!rest.empty()) {
    double number = 0;
    std::string word;
    if (!take_quantity(rest, number, word)) return kExpected;
    const auto factor = unit_factor(kTimeUnits, word);
    if (!factor) return kExpected;
    // Division keeps "250ms" the double nearest to 0.25.
    seconds += word == "ms" ? number / 1000 : number * *factor;
  }
  as<Duration>(value).seconds = seconds;
  return {};
}

std::vector<std::string> texts_of(std::span<const EnumName> names) {
  std::vector<std::string> texts;
  for (const EnumName& name : names) texts.emplace_back(name.name);
  return texts;
}

std::string store_enum(const FieldOps& ops, void* value, std::string_view text) {
  for (const EnumName& name : ops.names()) {
    if (name.name == text) {
      ops.set(value, name.value);
      return {};
    }
  }
  return fmt::format("expected one of {}", join(texts_of(ops.names()), ", "));
}

template <class T>
std::string format_float(T value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  return fmt::format("{}", value);  // the shortest text that reads back as the same bits
}

std::string format_size(int64_t bytes) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 8> kUnits{{{"TiB", int64_t{1} << 40},
                                                                        {"GiB", int64_t{1} << 30},
                                                                        {"MiB", int64_t{1} << 20},
                                                                        {"KiB", int64_t{1} << 10},
                                                                        {"TB", 1'000'000'000'000},
                                                                        {"GB", 1'000'000'000},
                                                                        {"MB", 1'000'000},
                                                                        {"KB", 1'000}}};
  int64_t count = bytes;
  std::string_view unit;
  for (const auto& [name, factor] : kUnits) {
    if (bytes <= 0 || bytes % factor != 0 || bytes / factor >= count) continue;
    count = bytes / factor;
    unit = name;
  }
  return fmt::format("{}{}", count, unit);
}

std::string format_duration(double seconds) {
  const bool whole = seconds == std::floor(seconds) && std::abs(seconds) < kExactIntegers;
  if (whole && seconds != 0) {
    const auto count = static_cast<int64_t>(seconds);
    if (count % 3600 == 0) return fmt::format("{}h", count / 3600);
    if (count % 60 == 0) return fmt::format("{}m", count / 60);
    return fmt::format("{}s", count);
  }
  const double milli = std::round(seconds * 1000);
  if (seconds > 0 && seconds < 1 && milli / 1000 == seconds) return fmt::format("{}ms", milli);
  // Plain seconds where an exponent follows, which no unit could stand behind.
  const std::string text = format_float(seconds);
  return text.find_first_not_of("0123456789.") == text.npos ? fmt::format("{}s", text) : text;
}

bool plain_in_yaml(std::string_view text) {
  constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/";
  constexpr std::string_view kRest =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/0123456789.-";
  constexpr std::array<std::string_view, 10> kWords{"null", "true", "false", "yes", "no",
                                                    "on",   "off",  "y",     "n",   "inf"};
  if (text.empty() || kFirst.find(text.front()) == kFirst.npos) return false;
  if (text.find_first_not_of(kRest) != text.npos) return false;
  const std::string lower = lower_ascii(text);
  for (const std::string_view word : kWords) {
    if (lower == word) return false;
  }
  return true;
}

std::string enum_text(const FieldOps& ops, const void* value) {
  return std::string(enum_name_of(ops.names(), ops.get(value)));
}

}  // namespace

std::string_view enum_name_of(std::span<const EnumName> names, int64_t value) {
  for (const EnumName& name : names) {
    if (name.value == value) return name.name;
  }
  return "?";
}

int64_t enum_value_of(std::span<const EnumName> names, std::string_view text,
                      std::string_view what) {
  for (const EnumName& name : names) {
    if (name.name == text) return name.value;
  }
  const std::vector<std::string> known = texts_of(names);
  fail(Code::kInvalidArgument, "{}: expected one of {}, got \"{}\"{}", what, join(known, ", "),
       excerpt(text), nearest_hint(text, known));
}

std::string scalar_hint(const FieldOps& ops, std::string_view text) {
  return ops.kind == FieldKind::kEnum ? nearest_hint(text, texts_of(ops.names())) : std::string();
}

std::string store_scalar(const FieldOps& ops, void* value, std::string_view text, bool quoted) {
  const bool words = ops.kind == FieldKind::kString || ops.kind == FieldKind::kEnum ||
                     ops.kind == FieldKind::kSize || ops.kind == FieldKind::kDuration;
  if (quoted && !words) {
    return fmt::format("expected {} without quotes",
                       ops.kind == FieldKind::kBool ? "true or false" : "a number");
  }
  switch (ops.kind) {
    case FieldKind::kBool:
      if (text != "true" && text != "false") return "expected true or false";
      as<bool>(value) = text == "true";
      return {};
    case FieldKind::kInt32:
      return store_int<int32_t>(value, text);
    case FieldKind::kInt64:
      return store_int<int64_t>(value, text);
    case FieldKind::kUint64:
      return store_int<uint64_t>(value, text);
    case FieldKind::kFloat:
      return store_float<float>(value, text);
    case FieldKind::kDouble:
      return store_float<double>(value, text);
    case FieldKind::kString:
      as<std::string>(value) = text;
      return {};
    case FieldKind::kSize:
      return store_size(value, text);
    case FieldKind::kDuration:
      return store_duration(value, text);
    case FieldKind::kEnum:
      return store_enum(ops, value, text);
    default:
      break;
  }
  INGOT_ASSERT(false && "a scalar field");
  return {};
}

std::string format_scalar(const FieldOps& ops, const void* value) {
  switch (ops.kind) {
    case FieldKind::kBool:
      return as<bool>(value) ? "true" : "false";
    case FieldKind::kInt32:
      return fmt::format("{}", as<int32_t>(value));
    case FieldKind::kInt64:
      return fmt::format("{}", as<int64_t>(value));
    case FieldKind::kUint64:
      return fmt::format("{}", as<uint64_t>(value));
    case FieldKind::kFloat:
      return format_float(as<float>(value));
    case FieldKind::kDouble:
      return format_float(as<double>(value));
    case FieldKind::kString:
      return yaml_text(as<std::string>(value));
    case FieldKind::kSize:
      return format_size(as<Size>(value).bytes);
    case FieldKind::kDuration:
      return format_duration(as<Duration>(value).seconds);
    case FieldKind::kEnum:
      return yaml_text(enum_text(ops, value));
    default:
      break;
  }
  INGOT_ASSERT(false && "a scalar field");
  return {};
}

std::string format_scalar_json(const FieldOps& ops, const void* value) {
  const auto finite = [](double number, std::string text) {
    return std::isfinite(number) ? std::move(text) : std::string("null");
  };
  switch (ops.kind) {
    case FieldKind::kFloat:
      return finite(as<float>(value), format_float(as<float>(value)));
    case FieldKind::kDouble:
      return finite(as<double>(value), format_float(as<double>(value)));
    case FieldKind::kDuration: {
      const double seconds = as<Duration>(value).seconds;
      return finite(seconds, format_float(seconds));
    }
    case FieldKind::kSize:
      return fmt::format("{}", as<Size>(value).bytes);
    case FieldKind::kString:
      return quote_json(as<std::string>(value));
    case FieldKind::kEnum:
      return quote_json(enum_text(ops, value));
    default:
      return format_scalar(ops, value);
  }
}

std::string type_text(const FieldOps& ops) {
  switch (ops.kind) {
    case FieldKind::kBool:
      return "bool";
    case FieldKind::kInt32:
    case FieldKind::kInt64:
      return "int";
    case FieldKind::kUint64:
      return "int >= 0";
    case FieldKind::kFloat:
    case FieldKind::kDouble:
      return "float";
    case FieldKind::kString:
      return "text";
    case FieldKind::kSize:
      return "size";
    case FieldKind::kDuration:
      return "time";
    case FieldKind::kObject:
      return "map";
    case FieldKind::kList:
      return fmt::format("list of {}", type_text(*ops.element));
    case FieldKind::kOptional:
      return fmt::format("{} or null", type_text(*ops.element));
    case FieldKind::kEnum:
      break;
  }
  return fmt::format("one of {}", join(texts_of(ops.names()), ", "));
}

std::string yaml_text(std::string_view text) {
  if (plain_in_yaml(text)) return std::string(text);
  std::string result(1, '"');
  for (const char c : replace_invalid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

}  // namespace ingot
