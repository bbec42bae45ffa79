// SPDX-License-Identifier: Apache-2.0
#include "cli/graph.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/display.h"
#include "base/text.h"

namespace ingot::cli {
namespace {

/// A chain of boxes, each "title<br/>detail".
class Chain {
 public:
  explicit Chain(std::string_view direction) : text_(fmt::format("graph {}\n", direction)) {}
  void add(const std::string& name, std::string_view title, const std::string& detail) {
    text_ += fmt::format("  {}[\"{}{}\"]\n", name, title,
                         detail.empty() ? "" : "<br/>" + mermaid_label(detail));
    if (!last_.empty()) text_ += fmt::format("  {} --> {}\n", last_, name);
    last_ = name;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_, last_;
};

/// "9 numbers, 1 category, 1 text".
std::string kinds_text(const data::FeatureSet& features) {
  constexpr std::pair<data::FeatureKind, std::string_view> kKinds[] = {
      {data::FeatureKind::kNumber, "number"},
      {data::FeatureKind::kCategory, "category"},
      {data::FeatureKind::kText, "text"},
      {data::FeatureKind::kImage, "image"}};
  std::vector<std::string> parts;
  for (const auto& [kind, name] : kKinds) {
    const auto count = std::count_if(
        features.features().begin(), features.features().end(),
        [kind = kind](const auto& feature) { return feature->config().kind == kind; });
    if (count > 0) parts.push_back(fmt::format("{} {}", count, name));
  }
  return join(parts, ", ");
}

std::string split_detail(const data::TableSplitConfig& split) {
  const auto part = [](double share, const std::string& file) {
    return file.empty() ? fmt::format("{}", share) : file;
  };
  return fmt::format("{}: validation {}, test {}", enum_name(split.method),
                     part(split.validation, split.validation_file),
                     part(split.test, split.test_file));
}

std::string training_detail(const train::TrainConfig& train) {
  return fmt::format("{}, lr {}, batch {}", enum_name(train.optimizer.name), train.lr,
                     train.micro_batch * train.accumulate);
}

/// Parts of a transformer: its parameters by module, the blocks as one line.
struct Part {
  std::string name;
  int64_t parameters = 0;
  int64_t flops = 0;  // per token, forward: two per weight that multiplies
  int64_t copies = 1;
};

/// "model.layers.3.self_attn.q_proj.weight" → {"layers.self_attn", 3}; a part outside the blocks
/// keeps its name without the last word.
std::pair<std::string, int64_t> part_of(std::string_view parameter) {
  std::vector<std::string> words;
  int64_t block = -1;
  for (const std::string_view word : split(parameter, '.')) {
    if (!word.empty() && word.front() >= '0' && word.front() <= '9') {
      block = std::stoll(std::string(word));
    } else if (word != "model" && word != "transformer") {
      words.emplace_back(word);
    }
  }
  words.resize(std::min<size_t>(words.size() - 1, 2));
  return {join(words, "."), block};
}

std::vector<Part> parts_of(models::Transformer& model) {
  std::vector<Part> parts;
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    const auto [name, block] = part_of(p.name);
    auto at = std::find_if(parts.begin(), parts.end(),
                           [&name = name](const Part& part) { return part.name == name; });
    if (at == parts.end()) at = parts.insert(parts.end(), Part{name, 0, 0, 1});
    at->copies = std::max(at->copies, block + 1);
    const bool is_lookup = p.parameter->row_sparse || name == "wpe";
    at->parameters += p.parameter->shape.size();
    if (p.parameter->shape.rank() == 2 && !is_lookup) {
      at->flops += 2 * p.parameter->shape.size();
    }
  }
  return parts;
}

std::string parts_table(const std::vector<Part>& parts) {
  std::string text = fmt::format("  {:<32}  {:>6}  {:>14}  {:>14}\n", "part", "copies",
                                 "parameters", "FLOP/token");
  int64_t parameters = 0, flops = 0;
  for (const Part& part : parts) {
    text += fmt::format("  {:<32}  {:>6}  {:>14}  {:>14}\n", part.name, part.copies,
                        with_thousands(part.parameters), with_thousands(part.flops));
    parameters += part.parameters;
    flops += part.flops;
  }
  return text + fmt::format("  {:<32}  {:>6}  {:>14}  {:>14}\n", "total", "",
                            with_thousands(parameters), with_thousands(flops));
}

Json parts_json(const std::vector<Part>& parts) {
  Json json = Json::array();
  for (const Part& part : parts) {
    json.push_back({{"part", part.name},
                    {"copies", part.copies},
                    {"parameters", part.parameters},
                    {"flops_per_token", part.flops}});
  }
  return json;
}

std::string blocks_mermaid(const models::TransformerConfig& c) {
  Chain chain("TD");
  chain.add("ids", "token ids", fmt::format("[{}]", c.context));
  chain.add("embedding", "embedding", fmt::format("{} x {}", c.vocab, c.dim));
  chain.add("attention", "norm, attention, add",
            fmt::format("{} heads of {}, {} of keys and values", c.heads, c.head_dim(), c.kv()));
  chain.add("mlp", "norm, MLP, add", fmt::format("{} to {} to {}", c.dim, c.mlp_width(), c.dim));
  chain.add("norm", "norm", "");
  chain.add("head", "logits",
            fmt::format("{}{}", c.vocab, c.tie_embeddings ? ", shares the embedding" : ""));
  return chain.text() + fmt::format("  mlp -->|{} blocks| attention\n", c.layers);
}

}  // namespace

std::string Graph::text() const {
  return fmt::format("{}\nnetwork:\n{}\npipeline:\n{}", table, network, pipeline);
}

Json Graph::to_json() const {
  Json json = {{"network", network}, {"pipeline", pipeline}};
  if (!layers.empty()) json["layers"] = layers;
  return json;
}

Graph table_graph(const Recipe& recipe, const data::FeatureSet& features,
                  const models::Network& network, const train::Objective& objective,
                  std::string table) {
  Chain chain("LR");
  chain.add("data", "data", recipe.table.path);
  if (data::cleans(recipe.table.clean)) chain.add("clean", "clean", "table.clean");
  chain.add("split", "split", split_detail(recipe.table.split));
  chain.add("features", "features", kinds_text(features));
  chain.add("layers", "layers", fmt::format("{}", recipe.layers.size()));
  chain.add("loss", "loss", std::string(enum_name(objective.loss)));
  chain.add("training", "training", training_detail(recipe.train));
  chain.add("evaluation", "evaluation",
            objective.classes > 0 ? "accuracy, F1, AUC, log loss, calibration" : "MSE, MAE, R2");
  chain.add("deployment", "deployment", "predict, serve");
  return {std::move(table), {}, network.mermaid(), chain.text()};
}

Graph language_graph(Engine& engine, const Recipe& recipe,
                     const models::TransformerConfig& config) {
  models::Transformer model(engine, config);
  Chain chain("LR");
  chain.add("data", "data", recipe.data.path);
  chain.add("clean", "clean, mask, split",
            fmt::format("validation {}, test {}", recipe.data.validation, recipe.data.test));
  chain.add("tokens", "tokens", fmt::format("byte-level BPE of {}", config.vocab));
  chain.add("layers", "layers", fmt::format("{} of {}", config.layers, config.dim));
  chain.add("loss", "loss", "cross entropy of the next token");
  chain.add("training", "training", training_detail(recipe.train));
  chain.add("evaluation", "evaluation", "bits per byte, perplexity");
  chain.add("deployment", "deployment", "compress, generate, serve");
  const std::vector<Part> parts = parts_of(model);
  return {parts_table(parts), parts_json(parts), blocks_mermaid(config), chain.text()};
}

}  // namespace ingot::cli
