// SPDX-License-Identifier: Apache-2.0
#include "data/table_examples.h"

#include <cstring>
#include <memory>

namespace ingot::data {
namespace {

constexpr int64_t kMaxSchema = int64_t{1} << 26;

/// Writes one split's file while the table streams by; whole or absent in the end.
class SplitFile {
 public:
  SplitFile(FileSystem& files, std::string path, const ExampleLayout& layout)
      : files_(files),
        path_(std::move(path)),
        file_(files.open(path_ + ".tmp", OpenMode::kTruncate)),
        writer_(*file_, layout) {}
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

/// The schema of the table, with the kinds that the user fixed.
Schema schema_of(const TableConfig& config, TableReader& table,
                 std::vector<std::string>& warnings) {
  if (config.schema.empty()) return infer_schema(table, config.infer);
  const Schema locked = schema_from_yaml(read_file(config.schema, kMaxSchema), config.schema);
  Schema found = infer_schema(table, config.infer, &locked);
  SchemaCheck options;
  options.new_categories = true;  // unknown categories have a policy of their own
  warnings = check_schema(locked, found, table.name(), options);
  return found;
}

/// The cells that features are made from: what two rows must share to be duplicates.
std::vector<std::string_view> feature_cells(std::span<const std::string_view> cells,
                                            const ColumnMap& map) {
  std::vector<std::string_view> out;
  for (const int32_t column : map.features) {
    if (column != ColumnMap::kAbsent) out.push_back(cells[static_cast<size_t>(column)]);
  }
  return out;
}

struct Outputs {
  std::array<std::unique_ptr<SplitFile>, kSplits> files;
  LeakCheck leaks;
};

/// Encodes every row of one table into the file of its split.
void encode_table(TableReader& table, const FeatureSet& features,
                  const std::function<Split(int64_t)>& split_of, Outputs& out,
                  TableExamples& result) {
  const bool has_target = features.target() != nullptr;
  ExampleEncoder encoder(features, table.columns(), table.name(), has_target);
  const ColumnMap map = features.map_columns(table.columns(), table.name(), has_target);
  std::vector<std::byte> record(static_cast<size_t>(encoder.layout().record_bytes()));
  std::vector<std::string_view> cells;
  table.rewind();
  for (int64_t row = 0; table.next(cells); ++row) {
    const Split split = split_of(row);
    const auto at = static_cast<size_t>(split);
    out.leaks.add(feature_cells(cells, map), split, table.name(), table.line());
    if (encoder.encode(cells, table.line(), record)) {
      out.files[at]->add(record);
    } else {
      ++result.dropped[at];
    }
  }
}

}  // namespace

ExampleLayout example_layout(const FeatureSet& features, bool with_target) {
  std::vector<ExampleField> fields;
  for (const Block& block : features.blocks()) {
    fields.push_back({block.name, block.is_float ? DType::kF32 : DType::kI32, {block.width}, 0});
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

bool ExampleEncoder::encode(std::span<const std::string_view> cells, int64_t line,
                            std::span<std::byte> record) {
  INGOT_ASSERT(static_cast<int64_t>(record.size()) == layout_.record_bytes());
  if (!features_.encode(cells, map_, line, row_)) return false;
  size_t field = 0;
  size_t ids = 0;
  const auto put = [&](const void* from, size_t bytes) {
    std::memcpy(record.data() + layout_.fields()[field++].offset, from, bytes);
  };
  for (const Block& block : features_.blocks()) {
    if (block.is_float) {
      put(row_.table.data(), row_.table.size() * sizeof(float));
    } else {
      put(row_.ids[ids].data(), row_.ids[ids].size() * sizeof(int32_t));
      ++ids;
    }
  }
  if (!with_target_) return true;
  const Target& target = *features_.target();
  const Cell cell = features_.target_cell(cells, map_, line);
  if (target.drops(cell)) return false;
  if (target.is_class()) {
    const int32_t label = target.encode_class(cell);
    put(&label, sizeof(label));
  } else {
    const float value = target.encode_number(cell);
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
  require(!config.path.empty(), Code::kInvalidArgument,
          "table: no file is named. Set table.path=FILE.csv");
  require(!config.target.column.empty(), Code::kInvalidArgument,
          "table: nothing to predict is named. Set table.target.column=NAME");
  TableExamples result;
  const std::unique_ptr<TableReader> table = open_table(config.path, config.format);
  result.schema = schema_of(config, *table, result.warnings);
  FeatureSet features(result.schema, config.features, config.target);
  require(
      features.image_columns().empty(), Code::kUnsupported,
      "table: column \"{}\" holds paths of images, which are not learned from. Leave it out with "
      "table.features: [{{name: {}, kind: ignore}}]",
      features.image_columns().empty() ? "" : features.image_columns()[0],
      features.image_columns().empty() ? "" : features.image_columns()[0]);
  const TableSplit split = split_table(*table, config.split, config.target.column);
  result.fit = features.fit(*table, [&](int64_t row) { return split.at(row) == Split::kTrain; });

  make_directories(files, directory);
  const ExampleLayout layout = example_layout(features, true);
  Outputs out;
  for (size_t i = 0; i < kSplits; ++i) {
    out.files[i] =
        std::make_unique<SplitFile>(files, examples_path(directory, static_cast<Split>(i)), layout);
  }
  encode_table(
      *table, features, [&](int64_t row) { return split.at(row); }, out, result);
  const auto other = [&](const std::string& path, Split to) {
    if (path.empty()) return;
    const std::unique_ptr<TableReader> more = open_table(path, config.format);
    encode_table(
        *more, features, [&](int64_t /*row*/) { return to; }, out, result);
  };
  other(config.split.validation_file, Split::kValidation);
  other(config.split.test_file, Split::kTest);
  for (size_t i = 0; i < kSplits; ++i) result.rows[i] = out.files[i]->finish();
  result.leaks = out.leaks.report();
  write_atomically(files, join_path(directory, "schema.yaml"), schema_to_yaml(result.schema));
  features.save(files, join_path(directory, "features.json"));
  return result;
}

}  // namespace ingot::data
