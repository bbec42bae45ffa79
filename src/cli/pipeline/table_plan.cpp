// SPDX-License-Identifier: Apache-2.0
// The stage "plan" of a table: the network's layers, what becomes of the columns, and what training
// will take (cost/network_planner.h).
#include <algorithm>

#include <fmt/format.h>

#include "base/display.h"
#include "base/text.h"
#include "cli/lm.h"
#include "cli/pipeline/table_pipeline.h"
#include "cost/network_planner.h"
#include "data/transforms/describe.h"
#include "data/transforms/feature_rows.h"

namespace ingot::cli {
namespace {

constexpr int64_t kMaxSchema = int64_t{1} << 26;

Json layers_json(models::Network& network) {
  Json layers = Json::array();
  for (const models::LayerLine& line : network.lines()) {
    layers.push_back({{"name", line.name},
                      {"type", line.type},
                      {"from", line.inputs},
                      {"shape", line.shape},
                      {"parameters", line.parameters},
                      {"flops", line.flops}});
  }
  return layers;
}

/// A row per column that is learned from: what it holds, what is made of it.
Json features_json(const data::FeatureSet& features, const data::Schema& schema) {
  Json rows = Json::array();
  for (const auto& feature : features.features()) {
    const data::ColumnSchema* column = schema.find(feature->name());
    const data::FeatureLayout layout = feature->layout();
    const data::FeatureText text = data::describe(*feature);
    rows.push_back({{"name", feature->name()},
                    {"kind", std::string(enum_name(feature->config().kind))},
                    {"missing", column != nullptr ? column->missing : 0},
                    {"distinct", column != nullptr ? column->distinct : 0},
                    {"inputs", std::ssize(layout.columns) + layout.ids +
                                   (layout.pixels.rank() > 0 ? layout.pixels.size() : 0)},
                    {"transform", text.transform},
                    {"fitted", text.fitted}});
  }
  return rows;
}

Json plan_json(const cost::NetworkPlan& p, const PriceConfig& price) {
  Json json = {{"parameters", p.parameters},     {"steps", p.steps},
               {"examples", p.examples},         {"flops_per_step", p.flops_per_step},
               {"peak_bytes", p.peak_bytes},     {"needed_bytes", p.needed_bytes},
               {"mapped_bytes", p.mapped_bytes}, {"state_bytes", p.state_bytes},
               {"slab_bytes", p.slab_bytes},     {"metric_bytes", p.metric_bytes},
               {"judged_bytes", p.judged_bytes}, {"program_bytes", p.program_bytes}};
  if (p.seconds_per_step == 0.0) return json;
  json["seconds_per_step"] = p.seconds_per_step;
  json["seconds_per_evaluation"] = p.seconds_per_evaluation;
  json["seconds"] = p.seconds;
  json["examples_per_second"] = p.examples_per_second;
  if (price.per_hour > 0) {
    json["cost"] = p.seconds / 3600.0 * price.per_hour;
    json["currency"] = price.currency;
  }
  return json;
}

/// Inputs and layers as a text table, with totals.
std::string lines_table(const std::vector<models::LayerLine>& lines) {
  size_t name = 5, type = 4, shape = 5;  // columns of the longest
  int64_t parameters = 0, flops = 0;
  for (const models::LayerLine& line : lines) {
    name = std::max(name, display_width(excerpt(line.name)));
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
  for (const models::LayerLine& line : lines) {
    text += row(excerpt(line.name), line.type, line.shape, with_thousands(line.parameters),
                with_thousands(line.flops), excerpt(join(line.inputs, ", ")));
  }
  return text + row("total", "", "", with_thousands(parameters), with_thousands(flops), "");
}

/// Steps of small networks take far less than the hundredths that human_duration shows.
std::string short_time(double seconds) {
  return seconds < 1.0 ? fmt::format("{:.3g} ms", 1000.0 * seconds) : human_duration(seconds);
}

/// How a table would have validation rows: a share of them or, where what was held out is not left,
/// others.
std::string validation_cure(const data::TableSplitConfig& split) {
  if (!split.validation_file.empty()) {
    return fmt::format(
        "No row of table.split.validation_file \"{}\" is left (missing values, broken pictures); "
        "name another file",
        split.validation_file);
  }
  if (split.validation == 0.0) return "Set table.split.validation=0.1";
  return fmt::format(
      "No row of table.split.validation={} is left (missing values, broken pictures); hold out "
      "more",
      split.validation);
}

/// The recipe's network. Of layers that do not meet, the table shows those before.
models::Network planned_network(const Recipe& recipe, const data::FeatureSet& features,
                                const Console& console) {
  const std::vector<models::Value> inputs = train::network_inputs(features);
  try {
    return models::Network(recipe.layers, inputs);
  } catch (const Error& error) {
    if (error.code() == Code::kShapeMismatch || error.code() == Code::kDtypeMismatch) {
      console.note(lines_table(models::Network::lines_before_error(recipe.layers, inputs)));
    }
    throw;
  }
}

}  // namespace

std::string layer_table(models::Network& network) { return lines_table(network.lines()); }

/// threads, memory and what is judged decide what is planned, the price what it costs; none of them
/// the weights.
std::string TablePipeline::plan_key(bool is_timed) const {
  return fmt::format("{}/{}/{}/{}/{}{}", train_key(), memory_cap(recipe_), runtime_->team.size(),
                     data::split_name(recipe_.eval.split), ingot::to_json(recipe_.price),
                     is_timed ? "" : "/untimed");
}

Json TablePipeline::planned(models::Network& network, const train::Objective& objective,
                            bool is_timed) const {
  const data::ExampleReader rows = split(data::Split::kTrain);
  const data::ExampleReader held_out = split(data::Split::kValidation);
  const data::FeatureRows filler(*features_, runtime_->engine.seed());
  cost::NetworkRequest request{
      recipe_.train, recipe_.layers, network.inputs(), objective, {rows, &held_out, filler}};
  request.seed = runtime_->engine.seed();
  request.memory_bytes = memory_cap(recipe_);
  request.watch = plan_watch(invocation_);
  if (is_timed) {
    request.judged_rows = split(recipe_.eval.split).rows();
  } else {  // `ingot train`, which judges nothing after it
    request.measure_s = 0.0;
  }
  const cost::NetworkPlan plan = cost::plan_network(runtime_->team, request);
  throw_if_stopped(invocation_.stop);
  cost::require_fits(runtime_->team, request, plan);
  return plan_json(plan, recipe_.price);
}

/// Whether the plan on record is to stay, beside the numbers of the run that it was made for. The
/// same one without times says less, and makes room.
bool TablePipeline::keeps_plan() const {
  const bool has_plan =
      read_stage("plan").value("state", "") == "done" && !is_done("plan", plan_key(false));
  return has_plan && is_done("train", train_key());
}

void TablePipeline::plan(bool is_timed) {
  train::require_validation(recipe_.train, split(data::Split::kValidation).rows() > 0,
                            validation_cure(recipe_.table.split));
  train::require_no_link(recipe_.layers, *features_);
  models::Network network = planned_network(recipe_, *features_, invocation_.console);
  invocation_.console.note(layer_table(network));
  const train::Objective objective = train::objective_of(recipe_.objective, *features_, network);
  const bool has_timed = is_done("plan", plan_key(true));  // which says more
  const std::string key = plan_key(is_timed || has_timed);
  const auto work = [&] {
    Json numbers = planned(network, objective, is_timed);
    const std::string schema = path("data/schema.yaml");
    numbers["flops_per_example"] = network.flops();
    numbers["mermaid"] = network.mermaid();
    numbers["layers"] = layers_json(network);
    numbers["features"] =
        features_json(*features_, data::schema_from_yaml(read_file(schema, kMaxSchema), schema));
    return numbers;
  };
  if (!is_done("plan", key) && keeps_plan()) {
    (*results_)["plan"] = work();
    return;
  }
  Json kept;
  const Json& all = stage("plan", key, work);
  for (const auto& [name, value] : all.items()) {
    if (value.is_number() || name == "currency") kept[name] = value;
  }
  write_atomically(*invocation_.files, path("plan.json"), dump_json(kept, 1) + "\n");
}

std::string TablePipeline::plan_text() const {
  const Json& n = results_->at("plan");
  const auto count = [&](const char* name) { return n.value(name, int64_t{0}); };
  const auto bytes = [&](const char* name) { return human_bytes(count(name)); };
  std::string text = fmt::format(
      "plan: {} parameters; {} steps of {} rows; peak memory {} (weights, optimiser and batches "
      "{}, step {}, program {}, mapped rows {})",
      with_thousands(count("parameters")), with_thousands(count("steps")),
      with_thousands(recipe_.train.micro_batch * recipe_.train.accumulate), bytes("peak_bytes"),
      bytes("state_bytes"), bytes("slab_bytes"), bytes("program_bytes"), bytes("mapped_bytes"));
  if (count("judged_bytes") > count("state_bytes") + count("slab_bytes") + count("metric_bytes")) {
    text += fmt::format("; {} of it to judge rows after the training", bytes("judged_bytes"));
  }
  if (!n.contains("seconds")) return text;
  text += fmt::format(
      "\nplan: {} per step, {:.0f} rows/s, {} per evaluation; {} for the run",
      short_time(n.value("seconds_per_step", 0.0)), n.value("examples_per_second", 0.0),
      short_time(n.value("seconds_per_evaluation", 0.0)), human_duration(n.value("seconds", 0.0)));
  if (n.contains("cost")) {
    text += fmt::format("; {:.2f} {}", n.value("cost", 0.0), n.value("currency", ""));
  }
  return text;
}

}  // namespace ingot::cli
