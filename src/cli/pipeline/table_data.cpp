// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/table_data.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
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
    stage("clean_table", state_of(recipe_.table).key, [&] {
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
    stage("split_table", state_of(recipe_.table).key, [&] {
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

constexpr size_t kDigest = 16;  // characters of one

/// Of what a schema file says, however it is written; "" without one.
std::string schema_digest(const std::string& file) {
  if (!file_exists(file)) return "";
  try {
    return sha256_hex(data::schema_to_yaml(data::read_schema(file)));
  } catch (const Error&) {  // the stage that needs it says what is wrong with it
    return sha256_file(file);
  }
}

}  // namespace

TableState state_of(const data::TableConfig& table) {
  TableState state;
  std::string all = to_yaml(table);
  const auto add = [&](const std::string& file, const std::string& digest) {
    all += digest;
    if (!file.empty()) state.files[file] = digest.substr(0, kDigest);
  };
  for (const std::string& file : {table.path, table.split.validation_file, table.split.test_file}) {
    add(file, data::table_state(file, table.format));
    all += '\n';
  }
  add(table.schema, schema_digest(table.schema));
  state.key = sha256_hex(all).substr(0, kDigest);
  return state;
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
