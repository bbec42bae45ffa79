// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/table_data.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "data/formats/table_state.h"
#include "data/table_files.h"

namespace ingot::cli {
namespace {

class TableData : public RunFolder {
 public:
  TableData(Invocation& invocation, const Recipe& recipe)
      : RunFolder(invocation, by_rows(recipe), FolderUse::kData) {
    make_directories(*invocation_.files, path("data"));
  }

  void clean() {
    stage("clean_table", table_key(recipe_.table), [&] {
      const std::string file = path("data/clean.csv");
      const data::CleanFile made = data::write_clean_table(*invocation_.files, recipe_.table, file);
      invocation_.console.line("clean: " + made.counts.text());
      for (const std::string& note : made.notes) invocation_.console.note("clean: " + note);
      if (!data::cleans(recipe_.table.clean)) {
        invocation_.console.note(
            "clean: table.clean leaves nothing out, for example table.clean.duplicates=drop "
            "leaves out rows that occur twice");
      }
      Json numbers = made.counts.to_json();
      numbers["file"] = file;
      return numbers;
    });
  }

  void split() {
    stage("split_table", table_key(recipe_.table), [&] {
      const data::SplitFiles made =
          data::write_split_tables(*invocation_.files, recipe_.table, path("data"));
      if (made.clean.kept() < made.clean.rows) {
        invocation_.console.line("clean: " + made.clean.text());
      }
      for (const std::string& note : made.notes) invocation_.console.note("split: " + note);
      Json numbers = Json::object();
      for (size_t i = 0; i < data::kSplits; ++i) {
        const std::string name(data::split_name(static_cast<data::Split>(i)));
        numbers[name] = {{"rows", made.rows[i]}, {"file", made.paths[i]}};
        invocation_.console.line(fmt::format(
            "{:<11} {:>9} rows{}  {}", name, with_thousands(made.rows[i]),
            made.groups[i] > 0 ? fmt::format(" of {} groups", with_thousands(made.groups[i])) : "",
            made.paths[i]));
      }
      return numbers;
    });
  }
};

}  // namespace

std::string table_key(const data::TableConfig& table) {
  const std::string schema = file_exists(table.schema) ? sha256_file(table.schema) : "";
  const auto state = [&](const std::string& path) { return data::table_state(path, table.format); };
  return sha256_hex(to_yaml(table) + state(table.path) + "\n" + state(table.split.validation_file) +
                    "\n" + state(table.split.test_file) + "\n" + schema)
      .substr(0, 16);
}

void clean_table(Invocation& invocation, const Recipe& recipe) {
  TableData stages(invocation, recipe);
  stages.clean();
  invocation.console.line("data: written to " + stages.path("data/clean.csv"));
  invocation.console.result(stages.results());
}

void split_table(Invocation& invocation, const Recipe& recipe) {
  TableData stages(invocation, recipe);
  stages.split();
  invocation.console.line("data: written to " + stages.path("data"));
  invocation.console.result(stages.results());
}

}  // namespace ingot::cli
