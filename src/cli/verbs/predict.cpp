// SPDX-License-Identifier: Apache-2.0
// `ingot predict RUN [FILE]`: answers for the rows of a table, in their order, through the
// transforms that were fitted in training. Streams: a batch of rows is in memory at a time.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/help_text.h"
#include "cli/network_model.h"
#include "cli/runtime.h"
#include "cli/verbs/verbs.h"
#include "io/byte_source.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kSections = {"predict."};

constexpr const char* kStandardInput = "standard input.csv";
constexpr size_t kReadBlock = size_t{1} << 20;

/// All of it: a pipe cannot be read twice, which telling its delimiter and header needs.
std::string read_standard_input() {
  std::string text;
  for (size_t got = kReadBlock; got > 0;) {
    const size_t before = text.size();
    text.resize(before + kReadBlock);
    got = std::fread(text.data() + before, 1, kReadBlock, stdin);
    text.resize(before + got);
  }
  require(std::ferror(stdin) == 0, Code::kIo, "predict: standard input could not be read");
  return text;
}

/// A cell of CSV, quoted when it must be.
std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// One answer as text: the class and the probabilities of all classes, or the number.
class AnswerWriter {
 public:
  AnswerWriter(const NetworkModel& model, PredictFormat format, const Console& console)
      : model_(model), format_(format), console_(console) {
    if (format != PredictFormat::kCsv) return;
    std::string head = "prediction";
    if (model.objective.classes > 0) {
      for (const std::string& name : classes()) head += "," + csv_cell("p(" + name + ")");
    }
    console.stream(head + "\n");
  }

  /// `answer` is empty for a row that was left out by policy.
  void write(std::span<const float> answer) {
    console_.stream(format_ == PredictFormat::kCsv ? csv(answer) : jsonl(answer));
  }

 private:
  [[nodiscard]] std::span<const std::string> classes() const {
    return model_.features.target()->classes();
  }
  [[nodiscard]] std::vector<float> probabilities(std::span<const float> answer) const {
    if (answer.size() > 1) return {answer.begin(), answer.end()};
    return {1.0F - answer[0], answer[0]};  // one output: of the second class
  }
  [[nodiscard]] float number(std::span<const float> answer) const {
    return static_cast<float>(model_.objective.decode(double{answer[0]}));
  }
  [[nodiscard]] size_t best(const std::vector<float>& p) const {
    return static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  }
  [[nodiscard]] std::string csv(std::span<const float> answer) const {
    if (model_.objective.classes == 0) {
      return answer.empty() ? "\n" : fmt::format("{}\n", number(answer));
    }
    if (answer.empty()) return std::string(classes().size(), ',') + "\n";
    const std::vector<float> p = probabilities(answer);
    std::string line = csv_cell(classes()[best(p)]);
    for (const float x : p) line += fmt::format(",{}", x);
    return line + "\n";
  }
  [[nodiscard]] std::string jsonl(std::span<const float> answer) const {
    Json json = {{"prediction", nullptr}};
    if (!answer.empty() && model_.objective.classes == 0) {
      json["prediction"] = number(answer);
    } else if (!answer.empty()) {
      const std::vector<float> p = probabilities(answer);
      json["prediction"] = classes()[best(p)];
      for (size_t i = 0; i < p.size(); ++i) json["probabilities"][classes()[i]] = p[i];
    }
    return dump_json(json) + "\n";
  }

  const NetworkModel& model_;
  PredictFormat format_;
  const Console& console_;
};

class PredictVerb : public Verb {
 public:
  std::string_view name() const override { return "predict"; }
  std::string_view summary() const override { return "answers of a trained model for a table"; }
  std::string help() const override {
    return verb_help(
        "usage: ingot predict RUN [FILE] [key=value ...]\n\n"
        "RUN is a run directory or its model folder; FILE a table with the columns of training, "
        "or\n"
        "standard input (CSV). Answers go to standard output, one line per row.",
        kSections);
  }
  std::vector<std::string> keys() const override { return verb_keys(kSections); }

  int run(Invocation& invocation) override {
    const std::vector<std::string>& words = invocation.words;
    require(!words.empty() && words.size() <= 2, Code::kInvalidArgument,
            "predict: give a run and a table, for example `ingot predict runs/houses new.csv`");
    const Recipe recipe = load_model_recipe(words[0], invocation);
    if (print_config(invocation, recipe)) return 0;
    Runtime runtime(recipe);
    const std::unique_ptr<NetworkModel> model = open_network(runtime.engine, words[0]);
    const std::string file = words.size() > 1 ? words[1] : "-";
    const std::unique_ptr<data::TableReader> table =
        file == "-" ? data::open_table(io::memory_source(read_standard_input(), kStandardInput),
                                       kStandardInput, recipe.predict.input)
                    : data::open_table(file, recipe.predict.input);
    predict(runtime, *model, *table, recipe.predict, invocation);
    return 0;
  }

 private:
  static void predict(Runtime& runtime, NetworkModel& model, data::TableReader& table,
                      const PredictConfig& config, const Invocation& invocation) {
    models::NetworkRunner runner(runtime.engine, model.network(), config.batch,
                                 model.objective.link);
    data::ExampleEncoder encoder(model.features, table.columns(), table.name(), false);
    const auto fields = train::input_fields(encoder.layout(), model.network(), table.name());
    AnswerWriter writer(model, config.format, invocation.console);
    std::vector<std::byte> record(static_cast<size_t>(encoder.layout().record_bytes()));
    std::vector<std::string_view> cells;
    std::vector<bool> is_kept;
    int64_t rows = 0;
    const auto flush = [&] {
      const std::span<const float> answers = runner.run(rows);
      const auto width = static_cast<size_t>(runner.width());
      size_t at = 0;
      for (const bool kept : is_kept) {
        writer.write(kept ? answers.subspan(at, width) : std::span<const float>());
        if (kept) at += width;
      }
      is_kept.clear();
      rows = 0;
    };
    while (table.next(cells)) {
      throw_if_stopped(invocation.stop);
      is_kept.push_back(encoder.encode(cells, table.line(), record));
      if (is_kept.back()) {
        for (size_t i = 0; i < fields.size(); ++i) {
          train::copy_field(*fields[i], record, rows, runner.input(i));
        }
        ++rows;
      }
      if (rows == runner.batch() || is_kept.size() == static_cast<size_t>(config.batch)) flush();
    }
    flush();
  }
};

}  // namespace

Verb* predict_verb() {
  static PredictVerb verb;
  return &verb;
}

}  // namespace ingot::cli
