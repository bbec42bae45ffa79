// SPDX-License-Identifier: Apache-2.0
#include "compress/quant_format.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot::compress {
namespace {

constexpr const char* kSection = "quantization_config";
constexpr const char* kMethod = "ingot";

/// Takes a number from the front of `text`; false when there is none or it does not fit.
bool take_number(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

const Json& member(const Json& section, const char* key, const std::string& where) {
  require(section.contains(key), Code::kCorruptFile, "{}: {}.{} is missing", where, kSection, key);
  return section.at(key);
}

}  // namespace

std::string describe_matrix(QuantFormat format, const Shape& shape) {
  return std::string(enum_name(format)) + " " + shape.text();
}

MatrixDescription parse_matrix(const std::string& text, const std::string& where) {
  MatrixDescription m;
  std::string_view rest = text;
  int64_t rows = 0, cols = 0;
  const bool is_q8 = take(rest, "q8");
  const bool is_known = is_q8 || take(rest, "q4");
  m.format = is_q8 ? QuantFormat::kQ8 : QuantFormat::kQ4;
  require(is_known && take(rest, " [") && take_number(rest, rows) && take(rest, ", ") &&
              take_number(rest, cols) && rest == "]",
          Code::kCorruptFile, "{}: \"{}\" is not of the form \"q8 [out_features, in_features]\"",
          where, excerpt(text));
  m.shape = {rows, cols};
  return m;
}

Json quantization_json(QuantFormat format) {
  return {{"quant_method", kMethod},
          {"format", std::string(enum_name(format))},
          {"group_size", kernels::kQuantGroup}};
}

std::optional<QuantFormat> quantization_of(const Json& config, const std::string& where) {
  if (!config.contains(kSection) || config.at(kSection).is_null()) return {};
  const Json& section = config.at(kSection);
  require(section.is_object(), Code::kCorruptFile, "{}: {} must be an object", where, kSection);
  const Json& method = member(section, "quant_method", where);
  require(method == kMethod, Code::kUnsupported,
          "{}: {}.quant_method {} is not available, \"{}\" is. Compress the float model with ingot "
          "compress",
          where, kSection, excerpt(method.dump()), kMethod);
  const Json& group = member(section, "group_size", where);
  require(group == kernels::kQuantGroup, Code::kUnsupported,
          "{}: {}.group_size {} is not available, {} is", where, kSection, excerpt(group.dump()),
          kernels::kQuantGroup);
  const Json& format = member(section, "format", where);
  require(format == "q8" || format == "q4", Code::kUnsupported,
          "{}: {}.format {} is not available, \"q8\" and \"q4\" are", where, kSection,
          excerpt(format.dump()));
  return format == "q8" ? QuantFormat::kQ8 : QuantFormat::kQ4;
}

Json read_config(const std::string& directory) {
  require(directory_exists(directory), Code::kNotFound, "model: there is no folder \"{}\"",
          directory);
  const std::string path = join_path(directory, kConfigFile);
  JsonLimits limits;
  limits.code = Code::kCorruptFile;
  Json config = parse_json(read_file(path, int64_t{1} << 24), path, limits);
  require(config.is_object(), Code::kCorruptFile, "{}: a JSON object is needed", path);
  return config;
}

}  // namespace ingot::compress
