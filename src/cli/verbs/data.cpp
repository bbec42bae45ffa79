// SPDX-License-Identifier: Apache-2.0
// `ingot data inspect | clean | split | tokenize | get`: the data stages one by one, of a corpus or
// of a table, and published data.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/data_get.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/pipeline/pipeline.h"
#include "cli/pipeline/table_data.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"
#include "data/inspect.h"
#include "data/inspect_pictures.h"
#include "data/inspect_table.h"
#include "data/own_picture.h"
#include "data/sample_pictures.h"
#include "data/table_files.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kDataSections = {"data.", "tokenizer.", "table."};
const std::vector<std::string> kDataActions = {"inspect",  "clean",   "split",
                                               "tokenize", "preview", "get"};

class DataVerb : public Verb {
 public:
  std::string_view name() const override { return "data"; }
  std::string_view summary() const override {
    return "inspect, clean and split a corpus or a table; get a published one";
  }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot data inspect  [recipe.yaml | FILE.csv | FOLDER] [FILE.png] [key=value ...]\n"
        "       ingot data clean    [recipe.yaml | FILE.csv] [key=value ...]\n"
        "       ingot data split    [recipe.yaml | FILE.csv] [key=value ...]\n"
        "       ingot data tokenize [recipe.yaml] [key=value ...]\n"
        "       ingot data preview  recipe.yaml FILE.png [key=value ...]\n" +
            std::string(get_usage()) +
            "\n"
            "inspect changes nothing. A table (table.path, or the file itself): its schema, "
            "outliers,\n"
            "classes, duplicates, leaks between splits, texts that will be cut, some rows; of\n"
            "pictures sizes and what cannot be read, and some of every class in FILE.png, where "
            "one\n"
            "is named. clean writes out/data/clean.csv without the rows that table.clean leaves\n"
            "out; split writes train.csv, validation.csv and test.csv, the rows that training\n"
            "takes. A corpus\n"
            "(data.path): clean and split are two names of one pass over the files, which cleans,\n"
            "masks and splits: it writes out/data/*.jsonl, near duplicates in one split. tokenize\n"
            "adds the tokenizer and the token shards. preview draws some pictures of a recipe's\n"
            "table, each beside what training will make of it, under objective.mixup mixed with\n"
            "others as in training. get is the only command that uses the network: it shows\n"
            "licence, sizes and SHA-256 of a published data set, and fetches it with --yes.",
        kDataSections, keys);
  }
  VerbTakes takes() const override {
    std::vector<std::string> keys = verb_keys(kDataSections);
    for (std::string& key : get_keys()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
    }
    std::vector<VerbWord> words;
    for (const std::string& action : kDataActions) {
      words.push_back({action, action == "get" ? get_names() : std::vector<std::string>()});
    }
    return {keys, {"--yes", "--fresh", "--print-config"}, words};
  }
  bool continues(const Invocation& invocation) const override {
    const std::string what = invocation.words.empty() ? "" : invocation.words[0];
    return what != "inspect" && what != "preview";  // which only show
  }

  int run(Invocation& invocation) override {
    require(!invocation.words.empty(), Code::kInvalidArgument,
            "data: say what to do: inspect, clean, split, tokenize, preview or get");
    const std::string what = invocation.words[0];
    require(std::find(kDataActions.begin(), kDataActions.end(), what) != kDataActions.end(),
            Code::kInvalidArgument, "data: unknown action \"{}\".{}", what,
            did_you_mean(what, kDataActions));
    Invocation rest = invocation;
    rest.words.erase(rest.words.begin());
    if (what == "preview") return preview(rest);
    if (what == "get") {
      get_data(rest);
      return 0;
    }
    const std::string samples = what == "inspect" ? take_png(rest) : "";
    take_table(rest);
    const Recipe recipe = load_recipe(rest);
    if (print_config(invocation, recipe)) return 0;
    require(samples.empty() || is_tabular(recipe), Code::kInvalidArgument,
            "data: inspect draws pictures of a table into {}, and no table is named. Set "
            "table.path=FOLDER",
            samples);
    if (is_tabular(recipe)) {
      what == "inspect" ? inspect(rest, recipe, samples) : of_table(what, rest, recipe);
      return 0;
    }
    if (what == "inspect") {
      const data::CorpusReport report = data::inspect_corpus(recipe.data, invocation.stop);
      invocation.console.line(report.table());
      invocation.console.result(report.to_json());
      return 0;
    }
    if (what == "tokenize") (void)tokenizer_config(recipe);
    Pipeline pipeline(rest, recipe, FolderUse::kData);
    pipeline.clean();
    if (what == "tokenize") pipeline.tokenizer();
    invocation.console.line("data: written to " + pipeline.path("data"));
    invocation.console.result(pipeline.results());
    return 0;
  }

 private:
  static int preview(Invocation& rest) {
    require(rest.words.size() == 2 && rest.words[1].ends_with(".png"), Code::kInvalidArgument,
            "data: preview takes a recipe and a file to write, for example `ingot data preview "
            "recipe.yaml preview.png`");
    const std::string file = rest.words[1];
    rest.words.pop_back();
    const Recipe recipe = load_recipe(rest);
    if (print_config(rest, recipe)) return 0;
    require(is_tabular(recipe), Code::kInvalidArgument,
            "data: preview shows the pictures of a table. Set table.path=FOLDER");
    data::require_picture_apart(file, recipe.table);
    preview_table(rest, recipe, file);
    return 0;
  }

  /// The last word when it is a picture to write, else "".
  static std::string take_png(Invocation& rest) {
    if (rest.words.empty()) return {};
    const std::string& last = rest.words.back();
    require(rest.words.size() != 2 || last.ends_with(".png"), Code::kInvalidArgument,
            "data: inspect draws into a file that ends in .png, not into \"{}\"; for example "
            "samples.png",
            excerpt(last));
    if (!last.ends_with(".png")) return {};
    std::string file = std::move(rest.words.back());
    rest.words.pop_back();
    return file;
  }

  /// A table in place of a recipe.
  static void take_table(Invocation& rest) {
    if (rest.words.size() != 1) return;
    const std::string& word = rest.words[0];
    const bool is_folder = directory_exists(word) && !is_run_directory(word);
    if (!is_folder && !data::is_table_name(word)) return;
    rest.overrides.insert(rest.overrides.begin(), "table.path=" + rest.words[0]);
    rest.words.clear();
  }

  static void inspect(Invocation& rest, const Recipe& recipe, const std::string& samples) {
    if (!samples.empty()) {
      data::require_picture_apart(samples, recipe.table);
      require_pictures(recipe.table, samples);
    }
    const data::TableReport report = data::inspect_table(recipe.table, rest.stop);
    rest.console.stream(report.text());
    Json json = report.to_json();
    data::SampleOptions shown;
    for (const data::ColumnSchema& column : report.schema.columns) {
      if (column.kind != data::ColumnKind::kImage) continue;
      const data::FeatureConfig feature = data::feature_config(column, recipe.table.features);
      const data::PictureReport pictures =
          data::inspect_pictures(*data::open_clean_table(recipe.table), column.name,
                                 feature.image.max_pixels, report.schema.missing, rest.stop);
      rest.console.stream(pictures.text());
      json["pictures"].push_back(pictures.to_json());
      if (!shown.column.empty()) continue;  // samples are of the first column of pictures
      shown.column = column.name;
      shown.max_pixels = feature.image.max_pixels;
    }
    if (!samples.empty()) {
      shown.classes = data::sampled_classes(report.schema, report.target, report.is_class);
      shown.missing = report.schema.missing;
      json["samples"] = draw_samples(rest, recipe, shown, samples);
    }
    rest.console.result(json);
  }

  /// Before the passes of an inspection, which may take long.
  static void require_pictures(const data::TableConfig& config, const std::string& file) {
    std::vector<std::string> warnings;
    const data::Schema schema = data::schema_of(config, *data::open_clean_table(config), warnings);
    require(std::any_of(schema.columns.begin(), schema.columns.end(),
                        [](const auto& column) { return column.kind == data::ColumnKind::kImage; }),
            Code::kInvalidArgument, "data: {} has no column of pictures to draw; leave {} out",
            config.path, file);
  }

  static Json draw_samples(const Invocation& rest, const Recipe& recipe,
                           const data::SampleOptions& shown, const std::string& file) {
    const data::PictureSamples samples =
        data::sample_pictures(*data::open_clean_table(recipe.table), shown, rest.stop);
    write_atomically(*rest.files, file, data::mark_own_picture(io::encode_png(samples.grid)));
    std::string text = fmt::format("data: {} of the pictures: {}", samples.pictures, file);
    for (size_t i = 0; i < samples.classes.size(); ++i) {
      text += fmt::format("\n  row {:<3} {}", i + 1, excerpt(samples.classes[i]));
    }
    if (samples.has_more_classes) text += "\n  and classes that are not drawn";
    rest.console.line(text);
    return {{"file", file}, {"pictures", samples.pictures}, {"classes", samples.classes}};
  }

  static void of_table(const std::string& what, Invocation& rest, const Recipe& recipe) {
    require(what != "tokenize", Code::kInvalidArgument,
            "data: tokenize is for a corpus (data.path); the texts of a table become ids in "
            "`ingot train`, as table.features says");
    what == "clean" ? clean_table(rest, recipe) : split_table(rest, recipe);
  }
};

}  // namespace

Verb* data_verb() {
  static DataVerb verb;
  return &verb;
}

}  // namespace ingot::cli
