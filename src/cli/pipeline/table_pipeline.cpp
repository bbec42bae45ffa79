// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/table_pipeline.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"

namespace ingot::cli {
namespace {

constexpr int64_t kReplicates = 1000;  // of the bootstrap behind the test's intervals
constexpr int64_t kShownWarnings = 20;

/// A training window of a table is one row.
Recipe by_rows(Recipe recipe) {
  recipe.train.seq = 1;
  return recipe;
}

/// Size of a file, so that a table which grew is read again.
int64_t size_of(const std::string& path) {
  return path.empty() || !file_exists(path) ? 0 : file_size(path);
}

Json examples_json(const data::TableExamples& made) {
  Json json = {{"rows", made.schema.rows}, {"columns", made.schema.columns.size()}};
  for (size_t i = 0; i < data::kSplits; ++i) {
    const std::string name(data::split_name(static_cast<data::Split>(i)));
    json["splits"][name] = {{"examples", made.rows[i]}, {"dropped", made.dropped[i]}};
  }
  json["leakage"] = made.leaks.to_json();
  json["warnings"] = made.fit.warnings;
  return json;
}

std::string number_text(double value) { return fmt::format("{:.4f}", value); }

}  // namespace

std::string layer_table(models::Network& network) {
  const std::vector<models::Network::Line> lines = network.lines();
  size_t name = 5, type = 4, shape = 5;
  int64_t parameters = 0, flops = 0;
  for (const models::Network::Line& line : lines) {
    name = std::max(name, line.name.size());
    type = std::max(type, line.type.size());
    shape = std::max(shape, line.shape.size());
    parameters += line.parameters;
    flops += line.flops;
  }
  const auto row = [&](std::string_view n, std::string_view t, std::string_view s,
                       const std::string& p, const std::string& f, std::string_view from) {
    return fmt::format("  {:<{}}  {:<{}}  {:<{}}  {:>12}  {:>12}  {}\n", n, name, t, type, s, shape,
                       p, f, from);
  };
  std::string text = row("layer", "type", "shape", "parameters", "FLOP", "from");
  for (const models::Network::Line& line : lines) {
    text += row(line.name, line.type, line.shape, with_thousands(line.parameters),
                with_thousands(line.flops), line.inputs);
  }
  return text + row("total", "", "", with_thousands(parameters), with_thousands(flops), "");
}

TablePipeline::TablePipeline(Invocation& invocation, const Recipe& recipe)
    : RunFolder(invocation, by_rows(recipe)) {
  require(!recipe.layers.empty(), Code::kInvalidArgument,
          "recipe: a table is named but no network. List layers, such as layers: [{{type: dense, "
          "units: 1}}]");
}

std::string TablePipeline::data_key() const {
  const data::TableSplitConfig& s = recipe_.table.split;
  return sha256_hex(fmt::format("{}{} {} {}", to_yaml(recipe_.table), size_of(recipe_.table.path),
                                size_of(s.validation_file), size_of(s.test_file)))
      .substr(0, 16);
}

std::string TablePipeline::train_key() const {
  return sha256_hex(data_key() + recipe_hash(recipe_)).substr(0, 16);
}

data::FeatureSet TablePipeline::features() const {
  return data::FeatureSet::load(path("data/features.json"));
}

data::ExampleReader TablePipeline::split(data::Split split) const {
  return data::ExampleReader(data::examples_path(path("data"), split));
}

void TablePipeline::examples() {
  stage("examples", data_key(), [&] {
    const data::TableExamples made =
        data::make_examples(*invocation_.files, recipe_.table, path("data"));
    invocation_.console.note(
        fmt::format("examples: {} rows: {} to train, {} to validate, {} to test",
                    with_thousands(made.schema.rows), with_thousands(made.rows[0]),
                    with_thousands(made.rows[1]), with_thousands(made.rows[2])));
    std::vector<std::string> notes = made.warnings;
    notes.insert(notes.end(), made.fit.warnings.begin(), made.fit.warnings.end());
    if (made.leaks.duplicates > 0) notes.push_back(made.leaks.text());
    for (size_t i = 0; i < std::min<size_t>(notes.size(), kShownWarnings); ++i) {
      invocation_.console.note("examples: " + notes[i]);
    }
    return examples_json(made);
  });
  features_.emplace(features());
}

void TablePipeline::plan() {
  models::Network network(recipe_.layers, network_inputs(*features_));
  (void)objective_of(recipe_.objective, *features_, network);
  stage("plan", train_key(), [&] {
    invocation_.console.note(layer_table(network));
    int64_t flops = 0;
    for (const models::Network::Line& line : network.lines()) flops += line.flops;
    return Json{{"parameters", nn::parameter_count(network)},
                {"flops_per_example", flops},
                {"mermaid", network.mermaid()}};
  });
}

void TablePipeline::train() {
  stage("train", train_key(), [&] {
    models::Network network(recipe_.layers, network_inputs(*features_));
    const train::Objective objective = objective_of(recipe_.objective, *features_, network);
    const data::ExampleReader rows = split(data::Split::kTrain);
    const data::ExampleReader held_out = split(data::Split::kValidation);
    train::SupervisedTask task(runtime_->engine, recipe_.train, objective, network, rows,
                               &held_out);
    if (features_->has_noise()) {
      task.noise = [&](uint64_t epoch, int64_t row, std::span<float> table) {
        features_->add_noise(runtime_->engine.seed(), epoch, row, table);
      };
    }
    Json numbers = run_training(task, [&] {
      models::save_network(*invocation_.files, network, recipe_.layers, path("model"));
      features_->save(*invocation_.files, path("model/features.json"));
    });
    for (const char* suffix : {"", "_per_second"}) {  // of a table, a token is an example
      numbers[std::string("examples") + suffix] = numbers[std::string("tokens") + suffix];
      numbers.erase(std::string("tokens") + suffix);
    }
    return numbers;
  });
}

void TablePipeline::evaluate() {
  if (split(recipe_.eval.split).rows() == 0) {
    invocation_.console.note(fmt::format("evaluate   skipped: the {} split is empty (table.split)",
                                         data::split_name(recipe_.eval.split)));
    return;
  }
  stage("evaluate", train_key() + ingot::to_json(recipe_.eval),
        [&] { return eval_table(invocation_, *runtime_, recipe_, path("model")); });
}

Json eval_table(const Invocation& invocation, Runtime& runtime, const Recipe& recipe,
                const std::string& folder) {
  const std::string name(data::split_name(recipe.eval.split));
  const data::ExampleReader rows(
      data::examples_path(join_path(recipe.out, "data"), recipe.eval.split));
  require(rows.rows() > 0, Code::kInvalidArgument,
          "eval: the {} split is empty. Set table.split.{}=0.1, or another eval.split", name, name);
  const std::unique_ptr<NetworkModel> model = open_network(runtime.engine, folder);
  const train::Scores scores =
      train::score(runtime.engine, model->network(), model->objective, rows, recipe.predict.batch,
                   {kReplicates, 0.95, static_cast<uint64_t>(recipe.seed)});
  Json numbers = {{"split", name}, {"examples", rows.rows()}};
  std::string text;
  for (const train::MetricValue& v : scores.values) {
    numbers[v.name] = {{"value", v.value}, {"low", v.low}, {"high", v.high}};
    text += fmt::format("\n  {:<20} {:>9}  [{}, {}]", v.name, number_text(v.value),
                        number_text(v.low), number_text(v.high));
  }
  if (!scores.confusion.empty()) {
    numbers["confusion"] = scores.confusion;
    const auto classes = model->features.target()->classes();
    numbers["classes"] = std::vector<std::string>(classes.begin(), classes.end());
  }
  invocation.console.line(
      fmt::format("{}: {} examples; 95 % intervals{}", name, with_thousands(rows.rows()), text));
  return numbers;
}

void plan_table(Invocation& invocation, const Recipe& recipe) {
  TablePipeline pipeline(invocation, recipe);
  pipeline.examples();
  pipeline.plan();
  invocation.console.result(pipeline.results());
}

void train_table(Invocation& invocation, const Recipe& recipe, bool is_whole_run) {
  const double start = invocation.clock->now_s();
  TablePipeline pipeline(invocation, recipe);
  pipeline.examples();
  pipeline.plan();
  pipeline.train();
  if (is_whole_run) {
    pipeline.evaluate();
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
