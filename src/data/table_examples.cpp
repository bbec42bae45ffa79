// SPDX-License-Identifier: Apache-2.0
#include "data/table_examples.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "base/machine.h"
#include "base/text.h"
#include "data/example_space.h"
#include "data/formats/array_pictures.h"
#include "data/formats/picture_table.h"
#include "data/transforms/image_feature.h"

namespace ingot::data {
namespace {

constexpr std::string_view kSchemaFile = "schema.yaml";

/// Writes one split's file while the table streams by; whole or absent in the end.
class SplitFile {
 public:
  SplitFile(FileSystem& files, std::string path, const ExampleLayout& layout)
      : files_(files),
        path_(std::move(path)),
        file_(files.open(path_ + ".tmp", OpenMode::kTruncate)),
        writer_(*file_, layout) {}
  SplitFile(const SplitFile&) = delete;
  SplitFile& operator=(const SplitFile&) = delete;
  ~SplitFile() {
    if (file_ == nullptr) return;
    file_.reset();
    try {
      files_.remove(path_ + ".tmp");
    } catch (const Error&) {  // what ends the writing is on its way to the user
    }
  }
  void add(std::span<const std::byte> record) { writer_.add(record); }
  int64_t finish() {
    const int64_t rows = writer_.finish();
    file_->sync();
    file_.reset();
    files_.rename(path_ + ".tmp", path_);
    return rows;
  }

 private:
  FileSystem& files_;
  std::string path_;
  std::unique_ptr<WritableFile> file_;
  ExampleWriter writer_;
};

Schema locked_schema(const TableConfig& config) {
  if (!file_exists(config.schema)) {
    const auto is_yaml = [](const std::string& path) { return path.ends_with(".yaml"); };
    fail(Code::kNotFound, "table: table.schema is \"{}\", which is not there.{}", config.schema,
         names_beside(config.schema, is_yaml));
  }
  return read_schema(config.schema);
}

void require_path(const TableConfig& config) {
  require(!config.path.empty(), Code::kInvalidArgument,
          "table: no file is named. Set table.path=FILE.csv");
  require_table(config.path, "table.path");
}

void require_held_out(const TableSplitConfig& split) {
  if (!split.validation_file.empty()) {
    require_table(split.validation_file, "table.split.validation_file");
  }
  if (!split.test_file.empty()) require_table(split.test_file, "table.split.test_file");
}

/// One that this call writes over would be another when the run goes on.
void require_schema_apart(const TableConfig& config, const std::string& directory) {
  const auto place = [](const std::string& path) {
    std::error_code unknown;
    return std::filesystem::weakly_canonical(parent_path(path), unknown) / base_name(path);
  };
  require(config.schema.empty() || place(config.schema) != place(join_path(directory, kSchemaFile)),
          Code::kInvalidArgument,
          "table: table.schema is \"{}\", which is written over here. Copy it to another place and "
          "name that, for example table.schema=mine.schema.yaml",
          config.schema);
}

std::unique_ptr<KeptRows> open_kept(const std::string& path, const TableConfig& config,
                                    Met needed) {
  return std::make_unique<KeptRows>(open_table(path, config.format), config.keep, needed,
                                    config.space.stop);
}

/// The texts that count as no value: those of the schema file, where there is one.
std::vector<std::string> missing_of(const TableConfig& config) {
  return config.schema.empty() ? config.infer.missing : locked_schema(config).missing;
}

/// What training does not refuse and cannot be meant.
void warn_of_constants(const Schema& schema, const TableConfig& config,
                       std::vector<std::string>& warnings) {
  if (config.infer.max_rows > 0) return;  // not all rows were looked at
  const auto varies = [&](const ColumnSchema& column) {
    const int64_t values = column.distinct + (column.missing > 0 ? 1 : 0);
    return column.name != config.target.column && values > 1 &&
           feature_config(column, config.features).kind != FeatureKind::kIgnore;
  };
  if (std::any_of(schema.columns.begin(), schema.columns.end(), varies)) return;
  warnings.emplace_back(
      "every column that is used has one value in all rows: nothing can be learned from them; use "
      "others (table.features)");
}

/// Keys that do nothing; columns that say nothing; columns that nobody left out, by kind or by "*",
/// and that are not used, those that the recipe names without a kind among them.
void warn_of_columns(const Schema& schema, const TableConfig& config,
                     std::vector<std::string>& warnings) {
  for (std::string& note : idle_keys(config.features)) warnings.push_back(std::move(note));
  warn_of_constants(schema, config, warnings);
  const auto find = [&](std::string_view name) {
    return std::find_if(config.features.begin(), config.features.end(),
                        [&](const FeatureConfig& feature) { return feature.name == name; });
  };
  const auto none = config.features.end(), rest = find("*");
  const bool is_rest_ignored = rest != none && rest->kind == FeatureKind::kIgnore;
  for (const ColumnSchema& column : schema.columns) {
    if (column.name == config.target.column || column.kind != ColumnKind::kIgnore) continue;
    const auto own = find(column.name);
    const bool is_named = own != none;
    if (is_named ? own->kind != FeatureKind::kAuto : is_rest_ignored) continue;
    const std::string name = excerpt(column.name);
    std::string note = fmt::format("column \"{}\" is {}not used: {}", name,
                                   is_named ? "named in table.features and " : "",
                                   column.note.empty() ? "its kind is ignore" : column.note);
    if (is_named && column.missing < schema.rows) {
      note += fmt::format(
          "; to use it, set {{name: \"{}\", kind: number}} in table.features, or "
          "kind: category or text",
          name);
    }
    warnings.push_back(std::move(note));
  }
}

/// Of a table without one, no row can be learned from; numbers that are not read as such would be
/// learned as classes.
void require_target(const Schema& schema, const TableConfig& config, const std::string& table) {
  const ColumnSchema* const target = schema.find(config.target.column);
  const std::string labels = target == nullptr ? labels_wanted(config.path) : std::string();
  require(
      labels.empty() || config.target.column != kClassColumn, Code::kNotFound,
      "target \"{}\": the classes of \"{}\" would be in \"{}\", which is not there; put it beside "
      "the pictures",
      config.target.column, config.path, labels);
  if (target == nullptr) return;  // the features say so
  require(config.infer.max_rows > 0 || target->missing < schema.rows, Code::kInvalidArgument,
          "target \"{}\": no row of \"{}\" has a value; name another column: "
          "table.target.column=NAME",
          config.target.column, table);
  const bool is_category =
      target->kind == ColumnKind::kCategory || config.target.kind == TargetKind::kClass;
  require(
      is_category || target->form == CellForm::kPlain, Code::kInvalidArgument,
      "target \"{}\" is no number: {}; where its cells are classes, set table.target.kind=class",
      config.target.column,
      target->note.empty() ? fmt::format("its cells are {}", enum_name(target->form))
                           : target->note);
}

MeansOptions means_options(const TableConfig& config) {
  const bool has_groups = config.split.method == SplitMethod::kGroup;
  return {config.split.seed, has_groups ? config.split.column : "", config.space.bytes};
}

/// Refuses what the disk has no room for. Of the rows, as many are counted as the fit did not leave
/// out of those that train; held-out files are not, since their rows are not known yet.
void require_room(const FeatureSet& features, const FitReport& fit, int64_t rows,
                  const std::string& directory) {
  const double kept = static_cast<double>(fit.rows) / static_cast<double>(fit.rows + fit.dropped);
  const auto expected = static_cast<int64_t>(kept * static_cast<double>(rows));
  require_space(features, std::max<int64_t>(expected, 1), directory, free_disk_bytes(directory));
}

/// Of a label that stands only in rows that the split holds out.
constexpr const char* kSplitCure =
    "Set table.split.method=stratified, which trains on every class, or correct it or leave the "
    "row out";

struct Outputs {
  explicit Outputs(const SortSpace& space) : leaks(space) {}
  std::array<std::unique_ptr<SplitFile>, kSplits> files;
  LeakCheck leaks;
  UnseenCategories unseen;  // in rows that are held out
};

/// Gives take(row, cells, record) of every row; the record is empty where the row is left out by
/// policy. is_training(row): whether the features were fitted on it.
template <class IsTraining, class Take>
void encode_rows(TableReader& table, ExampleEncoder& encoder, const IsTraining& is_training,
                 const Take& take) {
  std::vector<std::byte> record(static_cast<size_t>(encoder.layout().record_bytes()));
  std::vector<std::string_view> cells;
  table.rewind();
  for (int64_t row = 0; table.next(cells); ++row) {
    const int64_t training_row = is_training(row) ? row : kNotTrained;
    const bool is_kept = encoder.encode(cells, table.line(), record, training_row);
    take(row, cells, std::span<const std::byte>(record).first(is_kept ? record.size() : 0));
  }
}

/// Encodes every row of one table, through `encoder`, into the file of its split.
void encode_table(TableReader& table, ExampleEncoder encoder,
                  const std::function<Split(int64_t)>& split_of, Outputs& out,
                  TableExamples& result) {
  encode_rows(
      table, encoder, [&](int64_t row) { return split_of(row) == Split::kTrain; },
      [&](int64_t row, std::span<const std::string_view> cells, std::span<const std::byte> record) {
        const Split split = split_of(row);
        const auto at = static_cast<size_t>(split);
        if (record.empty()) {
          ++result.dropped[at];
          result.without_target[at] += encoder.lacks_target() ? 1 : 0;
          return;
        }
        if (split != Split::kTrain) {
          out.unseen.add(encoder.unseen(), table.name(), table.line());
        }
        out.leaks.add(encoder.feature_values(cells), split, table.name(), table.line());
        out.files[at]->add(record);
      });
}

/// The features that the recipe makes of the columns of a table; the schema and its warnings go
/// into `result`. All that can be refused before the rows are split.
FeatureSet unfitted_features(const TableConfig& config, TableReader& table, TableExamples& result) {
  require(!config.target.column.empty(), Code::kInvalidArgument,
          "table: nothing to predict is named. Set table.target.column=NAME");
  result.schema = schema_of(config, table, result.warnings);
  require_target(result.schema, config, table.name());
  FeatureSet features(result.schema, config.features, config.target);
  for (const auto& feature : features.features()) {
    require_no_later_rows(feature->config(), config.split);
  }
  return features;
}

}  // namespace

/// Means of the target are over rows of any time, those after a row among them: what a split by
/// time is there to forbid.
void require_no_later_rows(const FeatureConfig& feature, const TableSplitConfig& split) {
  const bool learns_target =
      feature.kind == FeatureKind::kCategory && feature.encode == CategoryEncode::kTarget;
  require(split.method != SplitMethod::kTime || !learns_target, Code::kInvalidArgument,
          "table.features: column \"{}\": encode=target would tell a training row the targets of "
          "later rows, which table.split.method=time rules out; set encode: frequency "
          "or index for it in table.features, or table.split.method=random",
          feature.name);
}

std::vector<std::string> idle_keys(std::span<const FeatureConfig> features) {
  std::vector<std::string> notes;
  for (const FeatureConfig& feature : features) {
    if (feature.encode == CategoryEncode::kTarget || (!feature.folds && !feature.smoothing))
      continue;
    notes.push_back(fmt::format("column \"{}\": {} only counts under encode: target, here it is {}",
                                excerpt(feature.name), feature.folds ? "folds" : "smoothing",
                                enum_name(feature.encode)));
  }
  return notes;
}

std::unique_ptr<CleanTable> open_clean_table(const TableConfig& config) {
  require_path(config);
  return std::make_unique<CleanTable>(open_kept(config.path, config, Met::kAll), config.clean,
                                      missing_of(config), config.space);
}

std::unique_ptr<TableReader> open_held_out(const std::string& path, const TableConfig& config) {
  require_held_out(config.split);
  return open_kept(path, config, Met::kAny);
}

void require_learnable(const TableConfig& config) {
  const std::unique_ptr<CleanTable> table = open_clean_table(config);
  TableExamples unused;
  (void)unfitted_features(config, *table, unused);
  require_held_out(config.split);
  for (const std::string& path : {config.split.validation_file, config.split.test_file}) {
    if (!path.empty()) (void)open_held_out(path, config);
  }
}

Schema schema_of(const TableConfig& config, TableReader& table,
                 std::vector<std::string>& warnings) {
  if (config.schema.empty()) return infer_schema(table, config.infer);
  const Schema locked = locked_schema(config);
  Schema found = infer_schema(table, config.infer, &locked);
  SchemaCheck options;
  options.file = config.schema;
  options.new_categories = true;  // unknown categories have a policy of their own
  warnings = check_schema(locked, found, table.name(), options);
  return found;
}

ExampleLayout example_layout(const FeatureSet& features, bool with_target) {
  std::vector<ExampleField> fields;
  for (const Block& block : features.blocks()) {
    require(!with_target || features.target() == nullptr || block.name != kTargetField,
            Code::kInvalidArgument,
            "examples: the column \"{}\" may not be named so beside the target \"{}\", whose field "
            "has that name; rename the column",
            block.name, features.target()->config().column);
    fields.push_back({block.name, block.dtype, block.shape, 0});
  }
  if (with_target && features.target() != nullptr) {
    fields.push_back({std::string(kTargetField),
                      features.target()->is_class() ? DType::kI32 : DType::kF32,
                      {1},
                      0});
  }
  return ExampleLayout(std::move(fields));
}

ExampleEncoder::ExampleEncoder(const FeatureSet& features, const std::vector<std::string>& columns,
                               const std::string& table, bool with_target)
    : features_(features),
      layout_(example_layout(features, with_target)),
      map_(features.map_columns(columns, table, with_target)),
      row_(features.make_record()),
      with_target_(with_target && features.target() != nullptr) {}

ExampleEncoder::ExampleEncoder(const FeatureSet& features, const TableReader& table,
                               bool with_target, std::string label_cure)
    : ExampleEncoder(features, table.columns(), table.name(), with_target) {
  folder_.emplace(table);
  table_ = table.name();
  label_cure_ = std::move(label_cure);
}

std::vector<std::string_view> ExampleEncoder::feature_values(
    std::span<const std::string_view> cells) {
  digests_.resize(row_.pixels.size());
  std::vector<std::string_view> values;
  size_t picture = 0;
  for (size_t i = 0; i < map_.features.size(); ++i) {
    if (features_.features()[i]->config().kind == FeatureKind::kImage) {
      std::string& digest = digests_[picture];
      digest = pixel_digest(row_.pixels[picture++]);
      values.emplace_back(digest);
    } else {
      values.push_back(cells[static_cast<size_t>(map_.features[i])]);
    }
  }
  return values;
}

bool ExampleEncoder::encode(std::span<const std::string_view> cells, int64_t line,
                            std::span<std::byte> record, int64_t training_row) {
  INGOT_ASSERT(static_cast<int64_t>(record.size()) == layout_.record_bytes());
  if (folder_) map_.folder = folder_->get();
  const Target* const target = with_target_ ? features_.target() : nullptr;
  const Cell answer = target != nullptr ? features_.target_cell(cells, map_, line) : Cell();
  lacks_target_ = target != nullptr && target->drops(answer);
  if (lacks_target_) {
    row_.scratch.reason = fmt::format("the target \"{}\" has no value", target->config().column);
    return false;
  }
  if (!features_.encode(cells, map_, line, row_, training_row)) return false;
  size_t field = 0;
  size_t ids = 0, pixels = 0;
  const auto put = [&](const void* from, size_t bytes) {
    std::memcpy(record.data() + layout_.fields()[field++].offset, from, bytes);
  };
  for (const Block& block : features_.blocks()) {
    if (block.dtype == DType::kF32) {
      put(row_.table.data(), row_.table.size() * sizeof(float));
    } else if (block.dtype == DType::kI32) {
      put(row_.ids[ids].data(), row_.ids[ids].size() * sizeof(int32_t));
      ++ids;
    } else {
      put(row_.pixels[pixels].data(), row_.pixels[pixels].size());
      ++pixels;
    }
  }
  if (target == nullptr) return true;
  if (target->is_class()) {
    const int32_t label = target->encode_class(answer, table_, label_cure_);
    put(&label, sizeof(label));
  } else {
    const float value = target->encode_number(answer);
    put(&value, sizeof(value));
  }
  return true;
}

std::string examples_path(const std::string& directory, Split split) {
  constexpr const char* kNames[] = {"train.examples", "validation.examples", "test.examples"};
  return join_path(directory, kNames[static_cast<size_t>(split)]);
}

TableExamples make_examples(FileSystem& files, const TableConfig& config,
                            const std::string& directory) {
  require_path(config);
  require_held_out(config.split);
  require_schema_apart(config, directory);
  auto kept = open_kept(config.path, config, Met::kAll);
  KeptRows& rows = *kept;
  CleanTable table(std::move(kept), config.clean, missing_of(config), config.space);
  TableExamples result;
  FeatureSet features = unfitted_features(config, table, result);
  warn_of_columns(result.schema, config, result.warnings);
  const TableSplit split = split_table(table, config.split, config.target.column, config.space);
  const auto is_training = [&](int64_t row) { return split.at(row) == Split::kTrain; };
  result.fit = features.fit(table, is_training, means_options(config));

  make_directories(files, directory);
  require_room(features, result.fit, split.rows.size(), directory);
  const ExampleLayout layout = example_layout(features, true);
  Outputs out(config.space);
  for (size_t i = 0; i < kSplits; ++i) {
    out.files[i] =
        std::make_unique<SplitFile>(files, examples_path(directory, static_cast<Split>(i)), layout);
  }
  encode_table(
      table, ExampleEncoder(features, table, true, kSplitCure),
      [&](int64_t row) { return split.at(row); }, out, result);
  result.left_out += rows.left_out();
  result.clean = table.counts();
  if (result.clean.kept() < result.clean.rows) result.warnings.push_back(result.clean.text());
  for (std::string& note : passed_over(table, config.format.prefix)) {
    result.warnings.push_back(std::move(note));
  }
  const auto other = [&](const std::string& path, Split to) {
    if (path.empty()) return;
    const std::unique_ptr<KeptRows> more = open_kept(path, config, Met::kAny);
    encode_table(
        *more, ExampleEncoder(features, *more, true), [&](int64_t /*row*/) { return to; }, out,
        result);
    result.left_out += more->left_out();
    for (const std::string& note : passed_over(*more, config.format.prefix)) {
      result.warnings.push_back(fmt::format("{}: {}", path, note));
    }
  };
  other(config.split.validation_file, Split::kValidation);
  other(config.split.test_file, Split::kTest);
  for (size_t i = 0; i < kSplits; ++i) result.rows[i] = out.files[i]->finish();
  result.leaks = out.leaks.report();
  const int64_t written = result.rows[0] + result.rows[1] + result.rows[2];
  std::string space = space_note(written, layout.record_bytes(), directory);
  if (!space.empty()) result.warnings.push_back(std::move(space));
  for (const std::string& note : out.unseen.notes()) {
    result.warnings.push_back("held-out rows: " + note);
  }
  write_atomically(files, join_path(directory, kSchemaFile), schema_to_yaml(result.schema));
  features.save(files, join_path(directory, "features.json"));
  return result;
}

HeldOutExamples encode_held_out(FileSystem& files, TableReader& table, const FeatureSet& features,
                                const std::string& path) {
  ExampleEncoder encoder(features, table, true);
  SplitFile file(files, path, encoder.layout());
  HeldOutExamples result;
  UnseenCategories unseen;
  encode_rows(
      table, encoder, [](int64_t /*row*/) { return false; },
      [&](int64_t /*row*/, std::span<const std::string_view> /*cells*/,
          std::span<const std::byte> record) {
        if (record.empty()) {
          ++result.dropped;
          return;
        }
        unseen.add(encoder.unseen(), table.name(), table.line());
        file.add(record);
      });
  result.rows = file.finish();
  result.notes = unseen.notes();
  return result;
}

}  // namespace ingot::data
