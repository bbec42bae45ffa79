// SPDX-License-Identifier: Apache-2.0
// The draft as a recipe that a person reads: each choice with its reason, other choices as
// comments. Sizes of network, batch and horizon are chosen here, by the number of rows.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/new_recipe.h"
#include "train/config.h"

namespace ingot::cli {
namespace {

constexpr int64_t kLinearRows = 100;    // fewer are not enough for hidden layers
constexpr int64_t kDropoutRows = 5000;  // fewer are soon known by heart
constexpr int64_t kSteps = 3000;        // that a run should have
constexpr int64_t kMostEpochs = 60;
constexpr double kSoundPictures = 0.9;  // of files, at least, as the batch must be filled

/// A text of the table as YAML.
std::string yaml_text(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_plain_character = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '/';
  };
  const bool is_plain = !text.empty() &&
                        (is_letter(text.front()) || text.front() == '_' || text.front() == '/') &&
                        std::all_of(text.begin(), text.end(), is_plain_character);
  constexpr std::string_view kWords[] = {"y",   "n",    "yes",   "no",  "on",
                                         "off", "true", "false", "null"};
  const std::string lower = lower_ascii(text);
  const bool is_word = std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
  return is_plain && !is_word ? std::string(text) : dump_json(Json(std::string(text)));
}

/// Text for a comment: one line of it.
std::string remark(std::string_view text) { return excerpt(text, 200); }

struct Sizes {
  int64_t train_rows = 0;  // at least, so that they fill a batch
  int64_t batch = 0;
  int64_t epochs = 0;
  int64_t steps_per_epoch = 0;
  int64_t steps = 0;  // as `ingot plan` counts them
};

Sizes sizes_of(const RecipeDraft& draft) {
  Sizes s;
  const double rows =
      static_cast<double>(draft.rows) * (draft.drops_pictures ? kSoundPictures : 1.0);
  const double held_out = draft.split.validation + draft.split.test;
  const double kept = std::floor(rows * (1 - held_out));
  s.train_rows = std::max<int64_t>(1, static_cast<int64_t>(kept) - (held_out > 0 ? 2 : 0));
  constexpr std::pair<int64_t, int64_t> kBatches[] = {
      {256, 8}, {5'000, 32}, {50'000, 64}, {1'000'000, 256}};
  s.batch = 1024;
  for (const auto& [most, batch] : kBatches) {
    if (s.train_rows < most) {
      s.batch = batch;
      break;
    }
  }
  s.batch = std::min(s.batch, s.train_rows);
  s.steps_per_epoch = std::max<int64_t>(1, s.train_rows / s.batch);
  const bool is_costly = !draft.texts.empty() || !draft.pictures.empty();
  const int64_t most = is_costly                    ? kMostEpochs / 3
                       : s.train_rows < kLinearRows ? kSteps
                                                    : kMostEpochs;
  s.epochs = std::clamp<int64_t>((kSteps + s.steps_per_epoch - 1) / s.steps_per_epoch, 1, most);
  train::TrainConfig config;
  config.epochs = static_cast<double>(s.epochs);
  config.micro_batch = s.batch;
  config.seq = 1;  // rows are counted
  s.steps = train::horizon_steps(config, draft.train_rows > 0 ? draft.train_rows : s.train_rows, 0);
  return s;
}

std::string head_text(const RecipeDraft& draft, const data::Schema& schema,
                      const NewRequest& request) {
  return fmt::format(
      "# {0}: learns {1} of {2} ({3} rows, {4} of {5} columns used). Every line is yours to edit.\n"
      "#   ingot data inspect {0}.yaml          what is in the table\n"
      "#   ingot plan {0}.yaml --graph          the network, before anything is trained\n"
      "#   ingot run {0}.yaml                   split, fit, train, test, report\n"
      "#   ingot predict runs/{0} new.csv       answers for new rows\n"
      "name: {6}\n",
      request.name, remark(draft.target), remark(request.path), with_thousands(schema.rows),
      draft.used(), schema.columns.size(), yaml_text(request.name));
}

std::string target_text(const RecipeDraft& draft) {
  std::string text =
      fmt::format("  # {}; `ingot new --target NAME` takes another column.\n", draft.why_target);
  text += draft.is_class
              ? fmt::format("  # {} classes; kind: number would measure distances instead.\n",
                            draft.classes)
              : "  # scale: the network learns the standardised number; answers are scaled back.\n";
  text += fmt::format("  target: {{column: {}, {}{}}}\n", yaml_text(draft.target),
                      draft.is_class ? "kind: class" : "kind: number, scale: standard",
                      draft.drops_missing_target ? ", missing: drop_row" : "");
  for (const data::ColumnRange& range : draft.ranges) {
    text += fmt::format(
        "  # Rows whose answer is infinite are left out.\n"
        "  clean: {{ranges: [{{column: {}, low: {}, high: {}}}]}}\n",
        yaml_text(range.column), *range.low, *range.high);
  }
  return text;
}

/// Why a column is what it is; of numbers with a few other texts among them what takes them in.
std::string why_text(const ColumnDraft& column) {
  if (column.why.empty()) return {};
  const bool is_number = column.kind == data::ColumnKind::kIgnore &&
                         column.why.find(" are no number") != std::string::npos;
  return "  # " + remark(column.why) +
         (is_number ? "; here kind: number, bad_number: missing takes it in without them" : "");
}

std::string features_text(const RecipeDraft& draft) {
  std::string text =
      "  # What each column becomes, fitted on the training rows alone. Leave out (kind: ignore) "
      "what\n"
      "  # is known only after the answer is: such a column looks brilliant here and fails in "
      "use.\n"
      "  features:\n";
  for (const ColumnDraft& column : draft.columns) {
    text += fmt::format("    - {{name: {}, kind: {}{}}}{}\n", yaml_text(column.name),
                        enum_name(column.kind), column.options.empty() ? "" : ", " + column.options,
                        why_text(column));
  }
  return text;
}

std::string split_yaml(const data::TableSplitConfig& split) {
  return fmt::format("{{method: {}{}, validation: {}, test: {}, seed: {}}}",
                     enum_name(split.method),
                     split.column.empty() ? "" : ", column: " + yaml_text(split.column),
                     split.validation, split.test, split.seed);
}

std::string split_text(const RecipeDraft& draft) {
  std::string text =
      fmt::format("  # {}.\n  split: {}\n", remark(draft.why_split), split_yaml(draft.split));
  for (const data::TableSplitConfig& other : draft.proposals) {
    text += fmt::format("  # split: {}  # {}\n", split_yaml(other),
                        other.method == data::SplitMethod::kTime
                            ? "if what comes later must be predicted"
                            : "if rows of one " + remark(other.column) + " must not be apart");
  }
  return text;
}

/// Dense layers over numbers, hidden as often as the rows allow.
std::string hidden_layers(int64_t train_rows) {
  std::string text;
  for (int i = 0; i < 2 && train_rows >= kLinearRows; ++i) {
    text += "  - {type: dense, units: 64, activation: relu}\n";
    if (train_rows < kDropoutRows) text += "  - {type: dropout, rate: 0.1}\n";
  }
  return text;
}

/// Ids → one row of numbers, called `name`.
std::string text_layers(const std::string& column, const std::string& name) {
  return fmt::format(
      "  - {{type: embedding, inputs: [{}], size: 32}}\n"
      "  - {{type: global_average_pool, name: {}, mask: true}}  # padding is left out\n",
      yaml_text(column), name);
}

/// Pixels → one row of numbers, called `name`; for every size of pictures.
std::string picture_layers(const std::string& column, const std::string& name) {
  std::string text;
  for (const int filters : {32, 64, 128}) {
    text += fmt::format(
        "  - {{type: conv2d, {}filters: {}, kernel: 3, padding: same, bias: false}}\n"
        "  - {{type: batch_norm, activation: relu}}\n",
        filters == 32 ? fmt::format("inputs: [{}], ", yaml_text(column)) : "", filters);
    if (filters < 128) text += "  - {type: max_pool2d}\n";
  }
  return text + fmt::format("  - {{type: global_average_pool, name: {}}}\n", name);
}

/// A layer's name that no input of the network has: texts and pictures go by their columns.
std::string free_name(const RecipeDraft& draft, std::string name) {
  const auto is_taken = [&](const ColumnDraft& column) { return column.name == name; };
  while (std::any_of(draft.columns.begin(), draft.columns.end(), is_taken)) name += "_layer";
  return name;
}

std::string layers_text(const RecipeDraft& draft, int64_t train_rows) {
  std::string text = "layers:\n";
  std::vector<std::string> parts;
  for (const TextDraft& t : draft.texts) {
    parts.push_back(free_name(draft, fmt::format("words_{}", parts.size() + 1)));
    text += text_layers(t.column, parts.back());
  }
  for (const std::string& picture : draft.pictures) {
    parts.push_back(free_name(draft, fmt::format("pixels_{}", parts.size() + 1)));
    text += picture_layers(picture, parts.back());
  }
  if (draft.has_table && !parts.empty()) {
    parts.push_back(free_name(draft, "numbers"));
    text +=
        fmt::format("  - {{type: dense, name: {}, inputs: [table], units: 64, activation: relu}}\n",
                    parts.back());
  }
  if (parts.size() > 1) {
    text += fmt::format("  - {{type: concatenate, inputs: [{}]}}\n", join(parts, ", "));
  }
  if (!draft.pictures.empty()) text += "  - {type: dropout, rate: 0.2}\n";
  text += parts.empty() ? hidden_layers(train_rows)
                        : "  - {type: dense, units: 32, activation: relu}\n";
  return text + fmt::format("  - {{type: dense, units: {}}}  # {}\n", draft.outputs(),
                            !draft.is_class      ? "the number"
                            : draft.classes == 2 ? "of two classes, the second one's score"
                                                 : "a score per class");
}

std::string train_text(const RecipeDraft& draft, const Sizes& sizes, double minutes) {
  const bool is_linear =
      draft.texts.empty() && draft.pictures.empty() && sizes.train_rows < kLinearRows;
  std::string text;
  if (draft.is_unbalanced) {
    text += "# objective: {class_weights: auto}  # a rare class counts as much as a frequent one\n";
  }
  // Broken pictures are not known yet.
  const bool is_exact = draft.train_rows > 0 && !draft.drops_pictures;
  const std::string steps = fmt::format("{}{} steps", is_exact ? "" : "about ", sizes.steps);
  text += "train:\n";
  text += minutes > 0 ? fmt::format("  minutes: {}  # on this machine; epochs: {} would be {}\n",
                                    minutes, sizes.epochs, steps)
                      : fmt::format("  epochs: {}  # {}; or minutes: 5, a time budget\n",
                                    sizes.epochs, steps);
  return text + fmt::format(
                    "  micro_batch: {}\n"
                    "  lr: {}\n"
                    "  schedule: {{name: one_cycle}}\n"
                    "  eval_every: 0\n"
                    "  eval_epochs: 1  # validated after every epoch; the best weights are kept\n"
                    "  log_every: {}\n",
                    sizes.batch, is_linear ? 0.03 : 0.003,
                    std::max<int64_t>(1, sizes.epochs * sizes.steps_per_epoch / 200));
}

}  // namespace

std::string recipe_text(const RecipeDraft& draft, const data::Schema& schema,
                        const NewRequest& request, const std::string& format) {
  const Sizes sizes = sizes_of(draft);
  std::string text = head_text(draft, schema, request);
  text += fmt::format(
      "table:\n  path: {}\n{}"
      "  # The columns as they were found. A table that no longer fits them is refused, by name.\n"
      "  schema: {}\n",
      yaml_text(request.path), format, yaml_text(request.schema_file));
  text += target_text(draft) + features_text(draft) + split_text(draft);
  return text + layers_text(draft, sizes.train_rows) + train_text(draft, sizes, request.minutes);
}

}  // namespace ingot::cli
