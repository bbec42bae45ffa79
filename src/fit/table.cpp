// SPDX-License-Identifier: Apache-2.0
#include "fit/table.h"

#include "train/feature_network.h"

namespace ingot {

std::vector<Flow> Table::inputs() const {
  std::vector<Flow> flows;
  for (models::Value& value : train::network_inputs(features)) {
    flows.push_back(input(std::move(value)));
  }
  return flows;
}

data::ExampleReader Table::encode(const std::vector<std::string>& columns,
                                  const std::vector<std::vector<std::string>>& rows) const {
  data::ExampleEncoder encoder(features, columns, "rows", false);
  std::vector<std::byte> records, record(static_cast<size_t>(encoder.layout().record_bytes()));
  for (size_t i = 0; i < rows.size(); ++i) {
    require(rows[i].size() == columns.size(), Code::kInvalidArgument,
            "table: row {} has {} cells, {} columns are named", i, rows[i].size(), columns.size());
    const std::vector<std::string_view> cells(rows[i].begin(), rows[i].end());
    require(encoder.encode(cells, static_cast<int64_t>(i), record), Code::kInvalidArgument,
            "table: row {} lacks a value that the features need (missing=drop_row)", i);
    records.insert(records.end(), record.begin(), record.end());
  }
  return {"rows", encoder.layout(), std::move(records)};
}

Table read_table(const data::TableConfig& config, const std::string& folder) {
  const std::unique_ptr<FileSystem> files = real_files();
  data::TableExamples report = data::make_examples(*files, config, folder);
  const auto examples = [&](data::Split split) {
    return data::ExampleReader(data::examples_path(folder, split));
  };
  return {data::FeatureSet::load(join_path(folder, "features.json")), examples(data::Split::kTrain),
          examples(data::Split::kValidation), examples(data::Split::kTest), std::move(report)};
}

}  // namespace ingot
