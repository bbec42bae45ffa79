// SPDX-License-Identifier: Apache-2.0
// A recipe: everything a run is made of, in one YAML file. Defaults are usable; `--print-config`
// shows all of them. The hash of the resolved recipe goes into every artefact.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "cli/verb.h"
#include "data/config.h"
#include "data/corpus.h"
#include "data/split.h"
#include "data/table_examples.h"
#include "models/network/layer_config.h"
#include "models/transformer.h"
#include "serve/config.h"
#include "train/config.h"
#include "train/lr_finder.h"
#include "train/supervised_task.h"
#include "tune/space.h"

namespace ingot::cli {

struct TokenizerConfig {
  int64_t vocab_size = 4096;
  int64_t min_frequency = 2;
  void visit(auto& field) {
    field("vocab_size", vocab_size,
          "tokens in all: <|endoftext|> + 256 bytes + merges, 257 to 16777216");
    field("min_frequency", min_frequency, "a pair seen less often is not merged, >= 1");
  }
};

struct EvalConfig {
  data::Split split = data::Split::kTest;
  int64_t context = -1;
  bool baselines = true;
  int64_t top_k = 5;
  void visit(auto& field) {
    field("split", split,
          "measured on by `ingot eval`; by `ingot run` of a table, else it takes test");
    field("context", context, "tokens of the window before that each test window sees; -1: half");
    field("baselines", baselines, "print gzip and xz of the same files beside the model");
    field("top_k", top_k,
          "of a table of more classes: the right one counts among so many (top_5_accuracy); 5 "
          "while training");
  }
};

struct CompressConfig {
  std::vector<std::string> formats = {"q8", "q4"};
  void visit(auto& field) { field("formats", formats, "formats to write and measure: q8, q4"); }
};

struct GenerateConfig {
  std::string prompt = "\n";
  int64_t max_tokens = 100;
  float temperature = 0.8F;
  int64_t top_k = 0;
  float top_p = 0.95F;
  float repetition_penalty = 1.0F;
  int64_t seed = 1;
  std::vector<std::string> stop;
  void visit(auto& field) {
    field("prompt", prompt, "text to continue");
    field("max_tokens", max_tokens,
          "longest completion; cut, with a note, to what the context has behind the prompt");
    field("temperature", temperature, "0: always the likeliest token; at most 2");
    field("top_k", top_k, "draw among the k likeliest; 0: all");
    field("top_p", top_p, "draw among the likeliest that hold this mass, in (0, 1]");
    field("repetition_penalty", repetition_penalty,
          "above 1 makes seen tokens less likely; 0.01 to 10");
    field("seed", seed, "same seed and prompt, same text");
    field("stop", stop, "texts that end the completion");
  }
  /// Throws kInvalidArgument naming the key; the ranges are those of a request to the server.
  void check() const;
};

enum class PredictFormat : uint8_t { kCsv, kJsonl };
inline constexpr EnumName kPredictFormatNames[] = {{"csv", PredictFormat::kCsv},
                                                   {"jsonl", PredictFormat::kJsonl}};
constexpr std::span<const EnumName> enum_names(PredictFormat /*tag*/) {
  return kPredictFormatNames;
}

struct PredictConfig {
  PredictFormat format = PredictFormat::kCsv;
  int64_t batch = 256;
  train::Tta tta = train::Tta::kNone;
  std::vector<std::string> keep;
  data::TableFormat input{.prefix = "predict.input.", .joins_target = false};
  void visit(auto& field) {
    field("format", format, "of the answers");
    field("batch", batch, "rows computed at once; the answers do not depend on it");
    field("tta", tta,
          "pictures, also in eval and serve: the mean of several versions: flip (mirrored too), "
          "flip_translate (moved by a pixel too)");
    field("keep", keep,
          "columns of the table that are written before each answer, such as [id]; as texts");
    field("input", input, "how the bytes of the table to answer for are read");
  }
  void check() const {
    require(batch >= 1, Code::kInvalidArgument, "predict.batch is {}; 256 is usual", batch);
  }
};

struct TuneConfig {
  train::LrFinderConfig lr;
  tune::SearchConfig search;
  void visit(auto& field) {
    field("lr", lr, "`ingot tune lr`: the range of learning rates");
    field("search", search, "`ingot tune search`: which combinations, and what decides");
  }
};

struct PriceConfig {
  double per_hour = 0.0;
  std::string currency = "EUR";
  void visit(auto& field) {
    field("per_hour", per_hour, "price of this machine per hour; 0: not known");
    field("currency", currency, "of prices");
  }
};

struct Recipe {
  std::string name = "run";
  std::string out;
  int64_t threads = 0;
  int64_t seed = 42;
  Size memory{0};
  data::DataConfig data;
  data::TableConfig table;
  TokenizerConfig tokenizer;
  data::PackConfig pack;
  models::TransformerConfig model;
  std::vector<models::LayerConfig> layers;
  train::ObjectiveConfig objective;
  train::TrainConfig train;
  EvalConfig eval;
  CompressConfig compress;
  GenerateConfig generate;
  PredictConfig predict;
  TuneConfig tune;
  serve::ServeConfig serve;
  PriceConfig price;

  void visit(auto& field) {
    field("name", name, "of the run");
    field("out", out, "run directory; empty: runs/NAME");
    field("threads", threads, "cores to use; 0: all this process may use");
    field("seed", seed, "of weights, order and dropout");
    field("memory", memory,
          "cap on memory, such as 4GiB; 0: what the machine allows. Of a corpus, pieces of files "
          "(data.max_file) may take a sixteenth of it");
    field("data", data, "the corpus and its cleaning");
    field("table", table, "the table to learn from, instead of a corpus");
    field("tokenizer", tokenizer, "byte-level BPE");
    field("pack", pack, "how windows see document borders");
    field("model", model, "the transformer");
    field("layers", layers, "the network for a table, layer by layer");
    field("objective", objective, "what learning from a table makes small");
    field("train", train, "optimisation");
    field("eval", eval, "the test at the end");
    field("compress", compress, "quantised copies");
    field("generate", generate, "the sample completion");
    field("predict", predict, "answers for a table");
    field("tune", tune, "search for good settings");
    field("serve", serve, "the HTTP server");
    field("price", price, "for the cost column");
  }
};

/// The recipe of a command line: defaults, then the file named first (if any word is given), then
/// the overrides. A run directory in place of the file gives its recipe.yaml, with `out` set to the
/// directory itself, whatever it was called before. Fills `out`. Throws kInvalidArgument with file,
/// line and column.
[[nodiscard]] Recipe load_recipe(const Invocation& invocation);
/// The recipe with some keys changed; `out` stays. Throws as load_recipe does.
[[nodiscard]] Recipe with_overrides(const Invocation& invocation, Recipe recipe,
                                    std::span<const std::string> overrides);
/// Throws kInvalidArgument for a command line that names no recipe and sets no key of one: what to
/// give, and which recipes lie in recipes/.
void require_recipe(const Invocation& invocation, std::string_view verb);
/// The recipe.yaml of a run directory, then the overrides.
[[nodiscard]] Recipe load_run_recipe(const std::string& run, const Invocation& invocation);
/// For verbs that take a run directory or a model folder: the recipe of the run that `folder` is or
/// lies in, where there is one, then the overrides.
[[nodiscard]] Recipe load_model_recipe(const std::string& folder, const Invocation& invocation);

/// The overrides but threads=, seed= and memory=, which every verb takes: for verbs without a
/// recipe, which have no use for them. Throws kInvalidArgument for values that they cannot have.
[[nodiscard]] std::vector<std::string> own_overrides(const Invocation& invocation);

using data::is_run_directory;

/// True when the recipe learns from a table: it names one.
[[nodiscard]] inline bool is_tabular(const Recipe& recipe) { return !recipe.table.path.empty(); }

/// How the numbers of rows to answer for are written: as in training, or as predict.input says.
[[nodiscard]] inline data::Decimal decimal_of(const Recipe& recipe) {
  const bool has_commas = recipe.table.format.decimal == data::Decimal::kComma;
  return has_commas ? data::Decimal::kComma : recipe.predict.input.decimal;
}

/// A training window of a table is one row.
[[nodiscard]] Recipe by_rows(Recipe recipe);
/// The parts that decide the bytes of a run: not threads, memory, out, serve, generate, price.
[[nodiscard]] std::string recipe_hash(const Recipe& recipe);
/// Which of those parts differ, for messages: "train.steps is 30 there, 40 here"; the first three,
/// and how many more. Empty when none does.
[[nodiscard]] std::string recipe_differences(const Recipe& there, const Recipe& here);
[[nodiscard]] std::vector<std::string> recipe_keys();
/// "layers.0.units" as they have it: "layers.N.units".
[[nodiscard]] std::string key_pattern(std::string_view key);
/// Prints the resolved recipe and returns true when --print-config was given.
bool print_config(const Invocation& invocation, const Recipe& recipe);

}  // namespace ingot::cli
