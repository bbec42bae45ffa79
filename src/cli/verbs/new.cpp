// SPDX-License-Identifier: Apache-2.0
// `ingot new NAME --from data.csv`: a commented recipe that fits the table and trains as it is.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/text.h"
#include "cli/new_recipe.h"
#include "cli/recipe.h"
#include "cli/verbs/verbs.h"
#include "data/clean_table.h"
#include "data/formats/image_folder.h"
#include "data/formats/npy_table.h"
#include "data/formats/table.h"
#include "data/keep_rows.h"
#include "io/image.h"

namespace ingot::cli {
namespace {

struct NewConfig {
  std::string from;
  std::string target;
  double minutes = 0;
  std::vector<std::string> missing;
  data::TableFormat format{.prefix = "format."};
  void visit(auto& field) {
    field("from", from,
          "the table: .csv, .tsv, .jsonl, .npy, a folder of pictures by class, CIFAR, IDX");
    field("target", target, "column to predict; empty: found by name, or the last one that can be");
    field("minutes", minutes, "time budget of the training; 0: epochs by the number of rows");
    field("missing", missing,
          "texts that count as no value, besides the empty cell, NA, N/A, NaN and null");
    field("format", format, "how the bytes of the table are read");
  }
};

/// `"price" has numbers with a decimal comma, the first "1,5" on line 2`, of the first column that
/// has; "" where none has.
std::string decimal_commas(const data::Schema& schema) {
  for (const data::ColumnSchema& column : schema.columns) {
    if (column.form != data::CellForm::kDecimalComma) continue;
    return fmt::format("\"{}\" has {}", excerpt(column.name),
                       column.note.substr(0, column.note.find(';')));
  }
  return "";
}

/// Its passes stop between rows once `stop` is requested.
std::unique_ptr<data::TableReader> open_watched(const NewConfig& config, const StopFlag* stop) {
  return std::make_unique<data::KeptRows>(data::open_table(config.from, config.format),
                                          data::KeepConfig{}, data::Met::kAll, stop);
}

/// Whether some picture of the first record is a file of its own, not pixels in the table.
bool holds_paths(data::TableReader& table, const data::Schema& schema) {
  std::vector<std::string_view> cells;
  table.rewind();
  bool found = false;
  if (table.next(cells)) {
    for (size_t i = 0; i < cells.size(); ++i) {
      found |= schema.columns[i].kind == data::ColumnKind::kImage && !io::is_image(cells[i]);
    }
  }
  table.rewind();
  return found;
}

std::map<std::string, data::SizeCount> sizes_of_pictures(data::TableReader& table,
                                                         const data::Schema& schema) {
  std::map<std::string, data::SizeCount> sizes;
  for (const data::ColumnSchema& column : schema.columns) {
    if (column.kind != data::ColumnKind::kImage) continue;
    const auto size = data::shared_size(table, column.name, schema.rows, schema.missing);
    if (size) sizes[column.name] = *size;
  }
  return sizes;
}

/// Rows of the training split that have a target: what is learned from.
int64_t training_rows(data::TableReader& table, const data::TableSplit& split,
                      const std::string& target, const data::Schema& schema) {
  const std::vector<std::string>& columns = table.columns();
  const auto at =
      static_cast<size_t>(std::find(columns.begin(), columns.end(), target) - columns.begin());
  int64_t rows = 0;
  std::vector<std::string_view> cells;
  table.rewind();
  for (int64_t row = 0; table.next(cells); ++row) {
    const bool has_target = !data::is_missing(cells[at], schema.missing);
    rows += has_target && split.at(row) == data::Split::kTrain ? 1 : 0;
  }
  table.rewind();
  return rows;
}

/// A split that the rows do not allow gives way to one at random; the reason stays in the recipe.
void settle_split(data::TableReader& table, const data::Schema& schema, const StopFlag* stop,
                  RecipeDraft& draft) {
  data::SortSpace space;
  space.stop = stop;
  data::TableSplit split;
  try {
    split = data::split_table(table, draft.split, draft.target, space);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    draft.proposals.insert(draft.proposals.begin(), draft.split);
    draft.split.method = data::SplitMethod::kRandom;
    draft.split.column.clear();
    draft.why_split = std::string("rows at random, because ") + error.what();
    split = data::split_table(table, draft.split, draft.target, space);
  }
  draft.train_rows = training_rows(table, split, draft.target, schema);
}

/// What stands in a command and in a file name as it is.
bool is_plain_name(std::string_view name) {
  const auto is_plain = [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_foreign = static_cast<unsigned char>(c) >= 0x80;  // letters of other scripts
    return is_letter || is_foreign || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !name.empty() && name.front() != '.' && is_valid_utf8(name) &&
         std::all_of(name.begin(), name.end(), is_plain);
}

/// The keys that differ from their defaults, so that the recipe reads the same bytes.
/// `why`: of them, for a comment.
std::string format_yaml(const data::TableFormat& format, const std::string& why) {
  const std::string defaults = to_yaml(data::TableFormat{});
  const std::vector<std::string_view> usual = split(defaults, '\n');
  std::string text;
  const std::string all = to_yaml(format);
  for (const std::string_view line : split(all, '\n')) {
    if (line.empty() || std::find(usual.begin(), usual.end(), line) != usual.end()) continue;
    text += "    " + std::string(line) + "\n";
  }
  const std::string comment = why.empty() ? "" : "  # " + why + ".\n";
  return text.empty() ? text : comment + "  format:\n" + text;
}

class NewVerb : public Verb {
 public:
  std::string_view name() const override { return "new"; }
  std::string_view summary() const override { return "a recipe for a table of yours"; }
  std::string help(HelpKeys /*keys*/) const override {
    return "usage: ingot new NAME --from data.csv | FOLDER [--target COLUMN] [key=value ...]\n\n"
           "Reads the table three times (its columns, the split, the rows that train), once more\n"
           "for decimal commas and for each column of picture files, and writes NAME.yaml, a\n"
           "commented recipe (what is predicted and why, features, split, network, horizon) that\n"
           "trains as it is, and NAME.schema.yaml, the columns as found. --fresh replaces files\n"
           "of these names.\n\nkeys:\n" +
           ingot::help(NewConfig{});
  }
  VerbTakes takes() const override {
    std::vector<std::string> names;
    for (const KeyInfo& key : list_keys(NewConfig{})) names.push_back(key.path);
    return {names, {"--from", "--target", "--fresh"}};
  }

  int run(Invocation& invocation) override {
    NewConfig config;
    for (const std::string& text : own_overrides(invocation)) apply_override(text, config);
    NewRequest request = request_of(invocation, config);
    const std::string recipe_file = request.name + ".yaml";
    for (const std::string& file : {recipe_file, request.schema_file}) {
      require(invocation.is_fresh || !file_exists(file), Code::kInvalidArgument,
              "new: {} is there already. Use another name, or --fresh to replace it", file);
    }
    config.format.joins_target = data::joins_target(request.target);
    data::require_table(config.from, "from");
    std::unique_ptr<data::TableReader> table = open_watched(config, invocation.stop);
    const std::string parts =
        directory_exists(config.from) ? data::note_of_parts(config.from) : std::string();
    if (!parts.empty()) invocation.console.note("new: " + parts);
    data::SchemaOptions infer;
    infer.format_prefix = config.format.prefix;
    infer.missing.insert(infer.missing.end(), config.missing.begin(), config.missing.end());
    data::Schema schema = data::infer_schema(*table, infer);
    const std::string commas = decimal_commas(schema);
    if (!commas.empty()) {
      config.format.decimal = data::Decimal::kComma;
      table = open_watched(config, invocation.stop);
      schema = data::infer_schema(*table, infer);
      invocation.console.note(
          fmt::format("new: {}; they are read as such (format.decimal=comma)", commas));
    }
    request.picture_files = holds_paths(*table, schema);
    if (request.picture_files) request.picture_sizes = sizes_of_pictures(*table, schema);
    RecipeDraft draft = draft_recipe(schema, request);
    data::TableCleanConfig clean;
    clean.ranges = draft.ranges;
    table = std::make_unique<data::CleanTable>(std::move(table), clean, schema.missing);
    settle_split(*table, schema, invocation.stop, draft);
    write_atomically(*invocation.files, request.schema_file, data::schema_to_yaml(schema));
    write_atomically(*invocation.files, recipe_file,
                     recipe_text(draft, schema, request, format_yaml(config.format, commas)));
    tell(invocation, draft, schema, recipe_file);
    return 0;
  }

 private:
  static NewRequest request_of(const Invocation& invocation, const NewConfig& config) {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "new: give the recipe one name, for example `ingot new houses --from houses.csv`");
    const std::string& name = invocation.words[0];
    require(
        is_plain_name(name), Code::kInvalidArgument,
        "new: name \"{}\" must be a plain file name of letters, digits, \"_\", \"-\" and \".\", "
        "for example houses",
        excerpt(name));
    require(!config.from.empty(), Code::kInvalidArgument,
            "new: say which table: `ingot new {} --from FILE.csv`", name);
    require(config.minutes >= 0, Code::kInvalidArgument, "new: minutes {} must not be negative",
            config.minutes);
    NewRequest request;
    request.name = name;
    request.path = config.from;
    request.schema_file = name + ".schema.yaml";
    request.target = config.target;
    request.minutes = config.minutes;
    return request;
  }

  static void tell(const Invocation& invocation, const RecipeDraft& draft,
                   const data::Schema& schema, const std::string& recipe_file) {
    const std::string task =
        draft.is_class ? fmt::format("{} classes", draft.classes) : std::string("a number");
    invocation.console.line(fmt::format(
        "new: {} learns \"{}\" ({}; {}) from {} of {} columns, {} rows\ntry: ingot run {}",
        recipe_file, draft.target, task, draft.why_target, draft.used(), schema.columns.size(),
        with_thousands(schema.rows), recipe_file));
    invocation.console.result({{"recipe", recipe_file},
                               {"target", draft.target},
                               {"task", draft.is_class ? "class" : "number"},
                               {"classes", draft.classes},
                               {"features", draft.used()},
                               {"rows", schema.rows},
                               {"split", std::string(enum_name(draft.split.method))}});
  }
};

}  // namespace

Verb* new_verb() {
  static NewVerb verb;
  return &verb;
}

}  // namespace ingot::cli
