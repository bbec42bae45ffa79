// SPDX-License-Identifier: Apache-2.0
// Fitting streams the table once, and again for the features that ask for it; rows that a
// drop_row policy leaves out are left out for every feature. Storing: feature_set_json.cpp.
#include "data/transforms/feature_set.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/philox.h"
#include "base/text.h"
#include "data/transforms/image_feature.h"

namespace ingot::data {
namespace {

constexpr std::string_view kAllColumns = "*";

FeatureKind kind_of(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kNumber:
      return FeatureKind::kNumber;
    case ColumnKind::kCategory:
      return FeatureKind::kCategory;
    case ColumnKind::kText:
      return FeatureKind::kText;
    case ColumnKind::kImage:
      return FeatureKind::kImage;
    default:
      return FeatureKind::kIgnore;
  }
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const ColumnSchema& column : schema.columns) names.push_back(column.name);
  return names;
}

void check_names(const Schema& schema, std::span<const FeatureConfig> configs,
                 const TargetConfig& target) {
  const std::vector<std::string> names = names_of(schema);
  for (size_t i = 0; i < configs.size(); ++i) {
    const std::string& name = configs[i].name;
    require(name == kAllColumns || schema.find(name) != nullptr, Code::kInvalidArgument,
            "table.features: the table has no column \"{}\".{}", name, did_you_mean(name, names));
    require(
        name != kAllColumns || configs[i].kind == FeatureKind::kAuto ||
            configs[i].kind == FeatureKind::kIgnore,
        Code::kInvalidArgument,
        "table.features: kind={} cannot be set for \"*\", all columns; name the columns, or set "
        "kind: ignore to use only those that are named",
        enum_name(configs[i].kind));
    require(name != kAllColumns || configs[i].missing != Missing::kValue ||
                !configs[i].missing_value.empty(),
            Code::kInvalidArgument,
            "table.features: missing=value for \"*\", all columns, needs a missing_value, for "
            "example 0");
    require(name != target.column, Code::kInvalidArgument,
            "table.features: column \"{}\" is the target and cannot be a feature", name);
    for (size_t j = 0; j < i; ++j) {
      require(configs[j].name != name, Code::kInvalidArgument,
              "table.features: column \"{}\" is configured twice", name);
    }
  }
  require(target.column.empty() || schema.find(target.column) != nullptr, Code::kInvalidArgument,
          "table.target.column: the table has no column \"{}\".{}", target.column,
          did_you_mean(target.column, names));
}

}  // namespace

FeatureConfig feature_config(const ColumnSchema& column, std::span<const FeatureConfig> configs) {
  FeatureConfig config;
  bool own = false;
  for (const FeatureConfig& candidate : configs) {
    if (candidate.name == column.name || (!own && candidate.name == kAllColumns)) {
      config = candidate;
      own = candidate.name == column.name;
    }
  }
  config.name = column.name;
  if (config.kind == FeatureKind::kAuto) config.kind = kind_of(column.kind);
  if (own) return config;
  if (config.kind != FeatureKind::kNumber) config.noise = 0;
  if (config.kind != FeatureKind::kCategory && config.encode == CategoryEncode::kTarget) {
    config.encode = CategoryEncode::kOneHot;
  }
  if (!suits(config.missing, config.missing_value, config.kind)) config.missing = Missing::kAuto;
  return config;
}

bool lacks_value(std::string_view text, const FeatureConfig& config,
                 std::span<const std::string> missing) {
  if (is_missing(text, missing)) return true;
  if (config.kind != FeatureKind::kNumber || config.bad_number != BadNumber::kMissing) return false;
  const std::optional<double> value = parse_number(text);
  return !value || !std::isfinite(*value);
}

namespace {

/// Names for a message, at most forty.
std::string listed(std::span<const std::string> names) {
  constexpr size_t kListed = 40;
  if (names.empty()) return "none";
  std::string text = join(names.subspan(0, std::min(names.size(), kListed)), ", ");
  if (names.size() <= kListed) return text;
  return fmt::format("{} and {} more", text, names.size() - kListed);
}

TargetConfig resolve(TargetConfig target, const Schema& schema) {
  if (target.kind != TargetKind::kAuto) return target;
  const bool number = schema.find(target.column)->kind == ColumnKind::kNumber;
  target.kind = number ? TargetKind::kNumber : TargetKind::kClass;
  return target;
}

}  // namespace

FeatureSet::FeatureSet(const Schema& schema, std::span<const FeatureConfig> configs,
                       const TargetConfig& target)
    : missing_(schema.missing) {
  check_names(schema, configs, target);
  for (const ColumnSchema& column : schema.columns) {
    if (column.name == target.column) continue;
    const FeatureConfig config = feature_config(column, configs);
    if (config.kind == FeatureKind::kIgnore) {
      ignored_.push_back(column.name);
    } else {
      features_.push_back(make_feature(config));
    }
  }
  for (const auto& feature : features_) {
    require(!feature->learns_target() || !target.column.empty(), Code::kInvalidArgument,
            "table.features: column \"{}\": encode=target needs a target; set "
            "table.target.column=NAME, or encode: frequency",
            feature->name());
  }
  require(!features_.empty(), Code::kInvalidArgument,
          "features: none of {} columns is a feature; set the kind of one, such as {{name: COLUMN, "
          "kind: category}} in table.features",
          schema.columns.size());
  if (!target.column.empty()) target_.emplace(resolve(target, schema));
}

// ---- fitting

Cell FeatureSet::cell_of(const Feature& feature, std::string_view text, const ColumnMap& map,
                         int64_t line) const {
  return {text, lacks_value(text, feature.config(), missing_), line, map.folder, missing_};
}

TrainingRow FeatureSet::row_with_target(int64_t part_key, const Cell& target) const {
  if (target_->is_class()) return {part_key, target_->encode_class(target), 0.0};
  return {part_key, 0, static_cast<double>(target_->encode_number(target))};
}

/// The number of a training row, or that of its group.
int64_t FeatureSet::part_key(int64_t training_row, std::span<const std::string_view> cells,
                             const ColumnMap& map) const {
  if (training_row == kNotTrained || group_.empty()) return training_row;
  INGOT_ASSERT(map.group != ColumnMap::kAbsent);
  return static_cast<int64_t>(hash64(trim(cells[static_cast<size_t>(map.group)])) >> 1);
}

/// Groups matter to features that learn from the target alone.
void FeatureSet::set_groups(const TableReader& table, const std::string& column) {
  const bool learns = std::any_of(features_.begin(), features_.end(),
                                  [](const auto& feature) { return feature->learns_target(); });
  if (!learns || column.empty()) return;
  const std::vector<std::string>& columns = table.columns();
  require(std::find(columns.begin(), columns.end(), column) != columns.end(),
          Code::kInvalidArgument,
          "features: encode=target keeps rows of one group together, and \"{}\" has no column "
          "\"{}\" of groups; set table.split.column=NAME.{}",
          table.name(), column, did_you_mean(column, columns));
  group_ = column;
}

/// Streams the training rows past the features that want them; with `first` also past the target,
/// which is fitted after that.
void FeatureSet::fit_pass(TableReader& table, const RowFilter& is_training, FitPass& pass) {
  ColumnMap map = map_columns(table.columns(), table.name(), target_.has_value());
  RowFolder folder(table);
  std::vector<std::string_view> cells;
  std::vector<Cell> row(features_.size());
  table.rewind();
  pass.rows = 0;
  pass.dropped = 0;
  for (int64_t index = 0; table.next(cells); ++index) {
    if (is_training && !is_training(index)) continue;
    map.folder = folder.get();
    bool dropped = false;
    for (size_t i = 0; i < features_.size(); ++i) {
      row[i] =
          cell_of(*features_[i], cells[static_cast<size_t>(map.features[i])], map, table.line());
      dropped = dropped || features_[i]->drops(row[i]);
    }
    Cell target;
    if (target_) {
      target = target_cell(cells, map, table.line());
      dropped = dropped || target_->drops(target);
    }
    pass.dropped += dropped ? 1 : 0;
    if (dropped) continue;
    pass.rows += 1;
    if (target_ && pass.first) target_->add(target);
    for (size_t i = 0; i < features_.size(); ++i) {
      if (!pass.wants[i]) continue;
      if (pass.first || !features_[i]->learns_target()) {
        features_[i]->add(row[i]);
      } else {
        features_[i]->add_with_target(row[i], row_with_target(part_key(index, cells, map), target));
      }
    }
  }
}

FitReport FeatureSet::fit(TableReader& table, const RowFilter& is_training,
                          const MeansOptions& means) {
  require(!fitted_, Code::kInvalidArgument,
          "features: already fitted; make a new set to fit on other rows");
  set_groups(table, means.group);
  int64_t space = means.bytes;
  FitReport report;
  FitPass pass{true, std::vector<bool>(features_.size(), true), 0, 0};
  while (std::find(pass.wants.begin(), pass.wants.end(), true) != pass.wants.end()) {
    fit_pass(table, is_training, pass);
    require(pass.rows > 0, Code::kInvalidArgument,
            "features: no training row to fit on in \"{}\" ({} left out for missing values); check "
            "table.split, and missing: drop_row in table.features and table.target",
            table.name(), pass.dropped);
    if (target_ && pass.first) target_->finish(report.warnings);
    for (size_t i = 0; i < features_.size(); ++i) {
      if (!pass.wants[i]) continue;
      pass.wants[i] = features_[i]->finish_pass(report.warnings);
      if (pass.first && target_) space -= features_[i]->begin_target(*target_, means.seed, space);
    }
    pass.first = false;
  }
  table.rewind();
  report.rows = pass.rows;
  report.dropped = pass.dropped;
  fitted_ = true;
  lay_out();
  return report;
}

/// Where every feature writes.
void FeatureSet::lay_out() {
  std::vector<Block> others;
  int64_t ids = 0, pixels = 0;
  for (const auto& feature : features_) {
    const FeatureLayout layout = feature->layout();
    Place place;
    place.first = static_cast<int64_t>(columns_.size());
    place.count = static_cast<int64_t>(layout.columns.size());
    columns_.insert(columns_.end(), layout.columns.begin(), layout.columns.end());
    noise_.resize(columns_.size(), 0);
    // The noise is on the number, not on the flag beside it.
    if (feature->config().kind == FeatureKind::kNumber) {
      noise_[static_cast<size_t>(place.first)] = feature->config().noise;
    }
    if (layout.ids > 0) {
      place.ids = ids++;
      others.push_back({feature->name(), DType::kI32, {layout.ids}, layout.id_limit});
    }
    if (layout.pixels.rank() > 0) {
      place.pixels = pixels++;
      others.push_back({feature->name(), DType::kU8, layout.pixels, 0});
    }
    places_.push_back(place);
  }
  if (!columns_.empty()) {
    blocks_.push_back({std::string(kTableBlock), DType::kF32, {table_width()}, 0});
  }
  blocks_.insert(blocks_.end(), others.begin(), others.end());
  has_noise_ = std::any_of(noise_.begin(), noise_.end(), [](float sigma) { return sigma > 0; });
  for (const Block& block : others) {
    require(
        columns_.empty() || block.name != kTableBlock, Code::kInvalidArgument,
        "features: a column of ids or pictures may not be named \"table\", the name of the block "
        "of numbers; rename the column");
  }
}

// ---- encoding

ColumnMap FeatureSet::map_columns(std::span<const std::string> columns, std::string_view table,
                                  bool need_target) const {
  ColumnMap map;
  map.columns = static_cast<int64_t>(columns.size());
  std::vector<std::string> lacking;
  const auto find = [&](const std::string& name) {
    const auto at = std::find(columns.begin(), columns.end(), name);
    return at == columns.end() ? ColumnMap::kAbsent : static_cast<int32_t>(at - columns.begin());
  };
  for (const auto& feature : features_) {
    map.features.push_back(find(feature->name()));
    if (map.features.back() == ColumnMap::kAbsent) lacking.push_back(feature->name());
  }
  if (target_) map.target = find(target_->config().column);
  if (!group_.empty()) map.group = find(group_);
  if (need_target && target_ && map.target == ColumnMap::kAbsent) {
    lacking.push_back(target_->config().column);
  }
  require(lacking.empty(), Code::kInvalidArgument,
          "features: \"{}\" lacks the column{} {}; it has {}{}", table,
          lacking.size() > 1 ? "s" : "", listed(lacking), listed(columns),
          lacking.empty() ? "" : nearest_hint(lacking[0], columns));
  return map;
}

Record FeatureSet::make_record() const {
  require(fitted_, Code::kInvalidArgument, "features: not fitted yet; fit on training rows first");
  Record record;
  record.table.resize(columns_.size());
  for (const Block& block : blocks_) {
    const auto size = static_cast<size_t>(block.shape.size());
    if (block.dtype == DType::kI32) record.ids.emplace_back(size);
    if (block.dtype == DType::kU8) record.pixels.emplace_back(size);
  }
  return record;
}

bool FeatureSet::encode(std::span<const std::string_view> cells, const ColumnMap& map, int64_t line,
                        Record& record, int64_t training_row) const {
  require(fitted_, Code::kInvalidArgument, "features: not fitted yet; fit on training rows first");
  INGOT_ASSERT(static_cast<int64_t>(cells.size()) == map.columns &&
               map.features.size() == features_.size());
  record.unseen.clear();
  const int64_t key = part_key(training_row, cells, map);
  for (size_t i = 0; i < features_.size(); ++i) {
    const Feature& feature = *features_[i];
    Cell cell = cell_of(feature, cells[static_cast<size_t>(map.features[i])], map, line);
    cell.part_key = key;
    if (feature.drops(cell)) {
      record.scratch.reason = fmt::format("column \"{}\" has no value", excerpt(feature.name()));
      return false;
    }
    const Place& place = places_[i];
    Slots slots;
    slots.floats = std::span(record.table)
                       .subspan(static_cast<size_t>(place.first), static_cast<size_t>(place.count));
    if (place.ids >= 0) slots.ids = record.ids[static_cast<size_t>(place.ids)];
    if (place.pixels >= 0) slots.pixels = record.pixels[static_cast<size_t>(place.pixels)];
    record.scratch.is_unseen = false;
    if (!feature.encode(cell, slots, record.scratch)) {
      record.scratch.reason =
          fmt::format("column \"{}\": {}", excerpt(feature.name()), record.scratch.reason);
      return false;
    }
    if (record.scratch.is_unseen) record.unseen.push_back({&feature.config(), cell.text});
  }
  return true;
}

const ImageFeature* FeatureSet::find_image(std::string_view name) const {
  for (const auto& feature : features_) {
    if (feature->name() == name) return dynamic_cast<const ImageFeature*>(feature.get());
  }
  return nullptr;
}

Cell FeatureSet::target_cell(std::span<const std::string_view> cells, const ColumnMap& map,
                             int64_t line) const {
  INGOT_ASSERT(target_.has_value() && map.target != ColumnMap::kAbsent);
  const std::string_view text = cells[static_cast<size_t>(map.target)];
  return {text, is_missing(text, missing_), line};
}

/// One stream of random numbers per (seed, epoch), and eight words of it per number of a row, so
/// that rows may be encoded in any order and by any thread.
void FeatureSet::add_noise(uint64_t seed, uint64_t epoch, int64_t row,
                           std::span<float> table) const {
  constexpr uint64_t kWords = 8;
  INGOT_ASSERT(table.size() == noise_.size());
  if (!has_noise_) return;
  Philox random(seed, epoch);
  for (size_t i = 0; i < table.size(); ++i) {
    if (noise_[i] == 0) continue;
    random.seek((static_cast<uint64_t>(row) * table.size() + i) * kWords);
    table[i] += noise_[i] * static_cast<float>(random.normal());
  }
}

}  // namespace ingot::data
