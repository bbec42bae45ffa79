// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/table_pipeline.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "cli/pipeline/look_folder.h"
#include "cli/pipeline/table_evaluation.h"
#include "data/own_picture.h"
#include "data/preview.h"
#include "data/transforms/feature_rows.h"
#include "models/network/channels_first.h"
#include "train/mixup.h"

namespace ingot::cli {
namespace {

constexpr int64_t kShownWarnings = 20;

Json examples_json(const data::TableExamples& made, const std::vector<std::string>& warnings) {
  Json json = {{"rows", made.clean.kept()},
               {"columns", made.schema.columns.size()},
               {"left_out", made.left_out}};
  for (size_t i = 0; i < data::kSplits; ++i) {
    const std::string name(data::split_name(static_cast<data::Split>(i)));
    json["splits"][name] = {{"examples", made.rows[i]},
                            {"dropped", made.dropped[i]},
                            {"without_target", made.without_target[i]}};
  }
  json["leakage"] = made.leaks.to_json();
  json["warnings"] = warnings;
  return json;
}

/// Rows that no split has, by what left them out.
std::vector<std::string> left_out_notes(const data::TableExamples& made,
                                        const std::string& target) {
  std::vector<std::string> notes;
  const auto note = [&](int64_t rows, const std::string& why) {
    if (rows > 0) notes.push_back(fmt::format("{} rows left out{}", with_thousands(rows), why));
  };
  const auto sum = [](const auto& counts) { return counts[0] + counts[1] + counts[2]; };
  const int64_t without_target = sum(made.without_target);
  note(without_target,
       fmt::format(": \"{}\", the target, has no value (table.target.missing)", excerpt(target)));
  note(sum(made.dropped) - without_target,
       ": a value is missing or a picture broken (missing, image.bad in table.features)");
  note(made.left_out, " by table.keep");
  return notes;
}

/// What a training row is learned as: its class, or its number as people read it.
std::string learned_as(const data::FeatureSet& features, const data::ExampleReader& rows,
                       int64_t row) {
  const std::byte* at = rows.row(row).data() + rows.layout().find(data::kTargetField)->offset;
  const data::Target& target = *features.target();
  if (target.is_class()) {
    int32_t label = 0;
    std::memcpy(&label, at, sizeof(label));
    return target.classes()[static_cast<size_t>(label)];
  }
  float number = 0.0F;
  std::memcpy(&number, at, sizeof(number));
  return fmt::format("{:.6g}", target.decode_number(static_cast<double>(number)));
}

/// Mixtures as training draws them, and what they make of the targets: a line per row shown.
class Mixtures {
 public:
  Mixtures(const data::FeatureSet& features, const data::ExampleReader& rows, uint64_t seed,
           double alpha)
      : features_(features), rows_(rows), seed_(seed), alpha_(alpha) {}

  data::PreviewMix draw(int64_t row, uint64_t epoch) {
    const train::Mix mix = train::draw_mix(seed_, epoch, row, rows_.rows(), alpha_);
    if (epoch == 0) text_ += fmt::format("\n  {}:", excerpt(learned_as(features_, rows_, row)));
    text_ += fmt::format("{} {:.0f} % {}", epoch == 0 ? "" : ",",
                         100.0 * (1.0 - static_cast<double>(mix.share)),
                         excerpt(learned_as(features_, rows_, mix.partner)));
    return {mix.partner, mix.share};
  }
  [[nodiscard]] std::string text() const {
    return fmt::format(
        "data: objective.mixup={} mixes every version, and its target, with another example; what "
        "the rows have of others, epoch by epoch:{}",
        alpha_, text_);
  }

 private:
  const data::FeatureSet& features_;
  const data::ExampleReader& rows_;
  uint64_t seed_;
  double alpha_;
  std::string text_;
};

/// Why a split has no examples, in the words of the recipe.
std::string why_empty(const data::TableSplitConfig& config, data::Split split) {
  const bool is_test = split == data::Split::kTest;
  std::string file = is_test ? config.test_file : config.validation_file;
  if (split == data::Split::kTrain || file.empty()) return "table.split";
  return fmt::format("no row of table.split.{}={} can be judged",
                     is_test ? "test_file" : "validation_file", file);
}

/// `t.csv; its columns are the same, its rows are not`: which files are not those that a model was
/// made with, as far as the record of its examples tells, and how the columns changed.
std::string what_changed(const Json& record, const TableState& now, const std::string& table,
                         std::vector<std::string> changes) {
  constexpr size_t kNamedChanges = 5;
  const bool is_recorded = record.contains("digests") && record["digests"].is_object();
  std::vector<std::string> files;
  for (const auto& [file, digest] : now.files) {
    const bool is_same =
        is_recorded && record["digests"].contains(file) && record["digests"][file] == Json(digest);
    if (!is_same) files.push_back(file);
  }
  if (files.empty()) return "the recipe's table section; its files are the same";
  const std::string text = join(files, is_recorded ? " and " : " or ");
  if (changes.size() > kNamedChanges) {
    changes.resize(kNamedChanges);
    changes.emplace_back("...");
  }
  if (!changes.empty()) return text + ": " + join(changes, "; ");
  if (files.size() == 1 && files[0] == table) {
    return text + "; its columns are the same, its rows are not";
  }
  return text + fmt::format("; the columns of {} are the same", table);
}

/// The recipe itself, once it lists layers.
const Recipe& with_network(const Recipe& recipe) {
  require(!recipe.layers.empty(), Code::kInvalidArgument,
          "recipe: a table is named but no network. List layers, such as layers: [{{type: dense, "
          "units: 1}}]");
  return recipe;
}

}  // namespace

TablePipeline::TablePipeline(Invocation& invocation, const Recipe& recipe, FolderUse use)
    : RunFolder(invocation, by_rows(with_network(recipe)), use), table_(state_of(recipe.table)) {}

std::string TablePipeline::train_key() const {
  return sha256_hex(table_.key + recipe_hash(recipe_)).substr(0, 16);
}

data::FeatureSet TablePipeline::features() const {
  return data::FeatureSet::load(path("data/features.json"));
}

data::ExampleReader TablePipeline::split(data::Split split) const {
  return data::ExampleReader(data::examples_path(path("data"), split));
}

/// A model stays with the table that it was made with. Says which file and which column changed, as
/// far as it can be known.
void TablePipeline::require_same_table() const {
  const Json before = read_stage("examples");
  if (!has_model() || before.value("state", "") != "done" ||
      before.value("key", "") == table_.key) {
    return;
  }
  const data::Schema locked = data::read_schema(path("data/schema.yaml"));
  const auto table = data::open_clean_table(recipe_.table);
  (void)data::check_schema(locked, data::infer_schema(*table, recipe_.table.infer, &locked),
                           recipe_.table.path, {{}, true});
  std::vector<std::string> unused;
  const std::vector<std::string> changes =
      data::column_changes(locked, data::schema_of(recipe_.table, *table, unused));
  fail(Code::kInvalidArgument, "run: {} {} another state of {}. Use another out=DIR, or --fresh",
       recipe_.out, has_checkpoints() ? "was trained on" : "holds a model of",
       what_changed(before["numbers"], table_, recipe_.table.path, changes));
}

void TablePipeline::examples() {
  require_same_table();
  stage("examples", table_.key, [&] {
    const data::TableExamples made =
        data::make_examples(*invocation_.files, recipe_.table, path("data"));
    invocation_.console.note(
        fmt::format("examples: {} rows: {} to train, {} to validate, {} to test",
                    with_thousands(made.clean.kept()), with_thousands(made.rows[0]),
                    with_thousands(made.rows[1]), with_thousands(made.rows[2])));
    std::vector<std::string> notes = left_out_notes(made, recipe_.table.target.column);
    notes.insert(notes.end(), made.warnings.begin(), made.warnings.end());
    notes.insert(notes.end(), made.fit.warnings.begin(), made.fit.warnings.end());
    if (!recipe_.table.split.validation_file.empty() && made.rows[1] == 0) {
      notes.push_back(why_empty(recipe_.table.split, data::Split::kValidation));
    }
    Json numbers = examples_json(made, notes);
    if (made.leaks.duplicates > 0) notes.push_back(made.leaks.text());  // "leakage" of the numbers
    for (size_t i = 0; i < std::min<size_t>(notes.size(), kShownWarnings); ++i) {
      invocation_.console.note("examples: " + notes[i]);
    }
    numbers["digests"] = table_.files;
    return numbers;
  });
  features_.emplace(features());
}

void TablePipeline::with_task(
    const std::function<void(train::SupervisedTask&, models::Network&)>& use) const {
  models::Network network(recipe_.layers, train::network_inputs(*features_));
  const train::Objective objective = train::objective_of(recipe_.objective, *features_, network);
  const data::ExampleReader rows = split(data::Split::kTrain);
  const data::ExampleReader held_out = split(data::Split::kValidation);
  const data::FeatureRows filler(*features_, runtime_->engine.seed());
  train::SupervisedTask task(runtime_->engine, recipe_.train, objective, network,
                             {rows, &held_out, filler});
  use(task, network);
}

void TablePipeline::train() {
  const auto work = [&] {
    Json numbers;
    const data::Target& target = *features_->target();
    if (!target.is_class() && data::is_logarithm(target.config().scale)) {
      invocation_.console.note(fmt::format(
          "train: loss is of the logarithm of \"{}\" (table.target.scale={}), val of itself",
          excerpt(target.config().column), enum_name(target.config().scale)));
    }
    with_task([&](train::SupervisedTask& task, models::Network& network) {
      numbers = run_training(task, [&] { save_model(network); });
    });
    return numbers;
  };
  stage("train", train_key(), work, {"model"});
}

train::LrSuggestion TablePipeline::find_lr() {
  train::LrSuggestion found;
  with_task([&](train::SupervisedTask& task, models::Network& /*network*/) {
    train::Step step(runtime_->engine, recipe_.train, task);
    found = train::find_lr(step, recipe_.tune.lr);
  });
  return found;
}

void TablePipeline::preview(const std::string& file) {
  data::PreviewOptions options;
  options.seed = runtime_->engine.seed();
  const data::ExampleReader rows = split(data::Split::kTrain);
  std::optional<Mixtures> mixtures;
  if (recipe_.objective.mixup != 0) {
    models::Network network(recipe_.layers, train::network_inputs(*features_));
    (void)train::objective_of(recipe_.objective, *features_, network);  // whether it can be had
    mixtures.emplace(*features_, rows, options.seed, recipe_.objective.mixup);
    options.mix = [&](int64_t row, uint64_t epoch) { return mixtures->draw(row, epoch); };
  }
  const io::Image grid = data::preview(*features_, rows, options);
  write_atomically(*invocation_.files, file, data::mark_own_picture(io::encode_png(grid)));
  invocation_.console.line(fmt::format(
      "data: {} training pictures and {} versions of each, as the first epochs will see "
      "them: {}",
      options.rows, options.versions, file));
  if (mixtures) invocation_.console.line(mixtures->text());
}

void TablePipeline::save_model(models::Network& network) {
  models::save_network(*invocation_.files, network, recipe_.layers, path("model"));
  features_->save(*invocation_.files, path("model/features.json"));
}

void TablePipeline::import_weights(const std::string& file) {
  const auto work = [&] {
    models::Network network(recipe_.layers, train::network_inputs(*features_));
    (void)train::objective_of(recipe_.objective, *features_, network);
    const nn::ParameterStore store(runtime_->engine, network);
    const int64_t tensors = models::load_torch_file(file, network);
    save_model(network);
    invocation_.console.note(fmt::format("import: {} tensors, {} numbers", tensors,
                                         with_thousands(store.parameter_count())));
    return Json{{"file", file}, {"tensors", tensors}, {"numbers", store.parameter_count()}};
  };
  stage("import", train_key() + sha256_file(file), work, {"model"});
}

void TablePipeline::evaluate(std::optional<data::Split> other) {
  if (other) recipe_.eval.split = *other;
  if (split(recipe_.eval.split).rows() == 0) {
    invocation_.console.note(fmt::format("evaluate   skipped: the {} split is empty ({})",
                                         data::split_name(recipe_.eval.split),
                                         why_empty(recipe_.table.split, recipe_.eval.split)));
    return;
  }
  const std::string tta(enum_name(recipe_.predict.tta));
  const std::string weights = sha256_file(path("model/model.safetensors"));
  stage("evaluate", train_key() + weights + ingot::to_json(recipe_.eval) + tta, [&] {
    TableEvaluation found = evaluate_table(invocation_, *runtime_, recipe_, path("model"), true);
    write_atomically(*invocation_.files, path("evaluation.json"), dump_json(found.details) + "\n");
    return std::move(found.numbers);
  });
}

Graph TablePipeline::graph() const {
  models::Network network(recipe_.layers, train::network_inputs(*features_));
  return table_graph(recipe_, *features_, network,
                     train::objective_of(recipe_.objective, *features_, network),
                     layer_table(network));
}

void preview_table(Invocation& invocation, const Recipe& recipe, const std::string& file) {
  const LookFolder place(invocation, recipe);
  TablePipeline pipeline(invocation, place.recipe(), FolderUse::kLook);
  pipeline.examples();
  pipeline.preview(file);
  invocation.console.result(pipeline.results());
}

void plan_table(Invocation& invocation, const Recipe& recipe) {
  const LookFolder place(invocation, recipe);
  TablePipeline pipeline(invocation, place.recipe(), FolderUse::kLook);
  pipeline.examples();
  pipeline.plan(true);
  invocation.console.line(pipeline.plan_text());
  Json result = pipeline.results();
  if (invocation.wants_graph) {
    const Graph graph = pipeline.graph();
    invocation.console.line(graph.text());
    result["graph"] = graph.to_json();
  }
  invocation.console.result(result);
}

void train_table(Invocation& invocation, const Recipe& recipe, bool is_whole_run) {
  const double start = invocation.clock->now_s();
  TablePipeline pipeline(invocation, recipe, FolderUse::kTrain);
  try {
    pipeline.examples();
    pipeline.plan(is_whole_run);
    if (is_whole_run) invocation.console.note(pipeline.plan_text());
    pipeline.train();
    if (is_whole_run) pipeline.evaluate();
  } catch (const Error& error) {
    if (is_whole_run && error.code() == Code::kCancelled) pipeline.report_stop();
    throw;
  }
  if (is_whole_run) {
    pipeline.finish();
    pipeline.report();
    invocation.console.line("run: done in " + human_duration(invocation.clock->now_s() - start) +
                            "; predict with: ingot predict " + pipeline.out() + " FILE");
  } else {
    invocation.console.line("train: done; the model is in " + pipeline.path("model"));
  }
  invocation.console.result(pipeline.results());
}

}  // namespace ingot::cli
