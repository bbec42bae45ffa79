// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/table_evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/display.h"
#include "base/scratch_folder.h"
#include "base/text.h"
#include "cli/network_model.h"
#include "data/split_rows.h"
#include "io/image.h"
#include "train/findings.h"
#include "train/importance.h"

namespace ingot::cli {
namespace {

constexpr int64_t kReplicates = 1000;  // of the bootstrap behind the intervals
constexpr size_t kShownClasses = 50;   // of the table for people
constexpr size_t kWorst = 20;
constexpr size_t kWorstPictures = 40;
constexpr int64_t kPictureSide = 96;  // pixels that are shown
constexpr size_t kPairs = 2000;       // of a scatter of numbers
constexpr size_t kMaxGroups = 12;     // a column of more categories makes no groups
constexpr int64_t kCellLength = 300;  // characters of a cell that are kept

/// Errors per category of the columns that have few.
class Groups {
 public:
  Groups(const std::vector<std::string>& columns, const data::Schema& schema,
         const std::string& target) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const data::ColumnSchema* column = schema.find(columns[i]);
      const bool is_small = column != nullptr && column->kind == data::ColumnKind::kCategory &&
                            column->values.size() <= kMaxGroups;
      if (is_small && columns[i] != target) columns_.push_back({i, columns[i], {}});
    }
  }
  void add(std::span<const std::string_view> cells, const train::Finding& finding) {
    for (Column& column : columns_) {
      const std::string value(trim(cells[column.index]));
      const bool has_room = column.groups.size() < 2 * kMaxGroups;  // and what was unseen
      if (has_room || column.groups.count(value) > 0) column.groups[value].add(finding);
    }
  }
  [[nodiscard]] Json to_json(bool has_classes) const {
    Json json = Json::array();
    for (const Column& column : columns_) {
      for (const auto& [value, group] : column.groups) {
        const auto n = static_cast<double>(group.count);
        Json row = {{"column", column.name},
                    {"value", value},
                    {"examples", group.count},
                    {"loss", group.loss / n}};
        if (has_classes) row["error"] = static_cast<double>(group.wrong) / n;
        json.push_back(std::move(row));
      }
    }
    return json;
  }

 private:
  struct Column {
    size_t index;
    std::string name;
    std::map<std::string, train::GroupError> groups;
  };
  std::vector<Column> columns_;
};

Json values_json(const train::Scores& scores) {
  Json json = Json::array();
  for (const train::MetricValue& v : scores.values) {
    json.push_back({{"name", v.name}, {"value", v.value}, {"low", v.low}, {"high", v.high}});
  }
  return json;
}

/// What is known of the classes: confusion, per class, calibration, the curve of two.
void add_classes(const train::Scores& scores, const data::Target& target, Json& details) {
  details["classes"] = std::vector<std::string>(target.classes().begin(), target.classes().end());
  details["confusion"] = scores.confusion;
  for (const train::ClassValues& c : scores.per_class) {
    details["per_class"].push_back({{"precision", c.precision},
                                    {"recall", c.recall},
                                    {"f1", c.f1},
                                    {"roc_auc", c.roc_auc},
                                    {"average_precision", c.average_precision},
                                    {"examples", c.support}});
  }
  for (const train::CalibrationBin& bin : scores.calibration) {
    details["calibration"].push_back(
        {{"examples", bin.count}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  }
  for (const train::RankingPoint& p : scores.curve) {
    details["curve"].push_back({p.false_positive_rate, p.recall, p.precision});
  }
}

/// Precision, recall and F1 of every class, as JSON and, for few classes, as a table for people.
std::string class_text(const train::Scores& scores, std::span<const std::string> classes,
                       Json& numbers) {
  numbers["confusion"] = scores.confusion;
  numbers["classes"] = std::vector<std::string>(classes.begin(), classes.end());
  size_t width = 5;
  for (const std::string& name : classes) width = std::max(width, display_width(excerpt(name)));
  std::string text = fmt::format("\n  {:<{}} {:>9}  {:>9}  {:>9}  {:>9}", "class", width,
                                 "precision", "recall", "f1", "examples");
  for (size_t i = 0; i < classes.size(); ++i) {
    const train::ClassValues& v = scores.per_class[i];
    numbers["per_class"][classes[i]] = {
        {"precision", v.precision}, {"recall", v.recall}, {"f1", v.f1}, {"examples", v.support}};
    text += fmt::format("\n  {:<{}} {:>9.4f}  {:>9.4f}  {:>9.4f}  {:>9}", excerpt(classes[i]),
                        width, v.precision, v.recall, v.f1, with_thousands(v.support));
  }
  return classes.size() <= kShownClasses ? text : "";
}

/// What the figures of numbers are of.
std::string unit_text(const data::Target& target) {
  const data::TargetConfig& config = target.config();
  return fmt::format("\n  of \"{}\" {}; mse in its square", excerpt(config.column),
                     config.unit == 1 ? "as in the table" : fmt::format("/ {:g}", config.unit));
}

/// Examples per class and split.
Json balance_json(const std::string& data, const data::Target& target) {
  Json rows = Json::array();
  for (const std::string& name : target.classes()) rows.push_back({{"class", name}});
  for (size_t s = 0; s < data::kSplits; ++s) {
    const auto split = static_cast<data::Split>(s);
    const data::ExampleReader examples(data::examples_path(data, split));
    const int64_t offset = examples.layout().find(data::kTargetField)->offset;
    std::vector<int64_t> counts(target.classes().size());
    for (int64_t i = 0; i < examples.rows(); ++i) {
      int32_t label = 0;
      std::memcpy(&label, examples.row(i).data() + offset, sizeof(label));
      ++counts[static_cast<size_t>(label)];
    }
    const std::string name(data::split_name(split));
    for (size_t k = 0; k < counts.size(); ++k) rows[k][name] = counts[k];
  }
  return rows;
}

/// The examples' first picture; nullptr when they have none.
const data::ExampleField* picture_of(const data::ExampleLayout& layout) {
  for (const data::ExampleField& field : layout.fields()) {
    if (field.dtype == DType::kU8 && field.shape.rank() == 3) return &field;
  }
  return nullptr;
}

/// A stored picture as a data URI of a PNG; larger ones lose rows and columns.
std::string picture_uri(const data::ExampleField& field, std::span<const std::byte> record) {
  const int64_t height = field.shape[0], width = field.shape[1], channels = field.shape[2];
  const int64_t stride = 1 + (std::max(height, width) - 1) / kPictureSide;
  const auto* pixels = reinterpret_cast<const uint8_t*>(record.data() + field.offset);
  io::Image small{(height + stride - 1) / stride, (width + stride - 1) / stride, channels};
  for (int64_t y = 0; y < height; y += stride) {
    for (int64_t x = 0; x < width; x += stride) {
      const uint8_t* from = pixels + (y * width + x) * channels;
      small.pixels.insert(small.pixels.end(), from, from + channels);
    }
  }
  return "data:image/png;base64," + to_base64(io::encode_png(small));
}

/// Where memory= was given not more than a training step takes, for which there is room: answers do
/// not depend on the batch.
int64_t batch_of(const Recipe& recipe) {
  const int64_t batch = recipe.predict.batch;
  return recipe.memory.bytes > 0 ? std::min(batch, recipe.train.micro_batch) : batch;
}

/// One evaluation in progress: of a split of the run, or of a file.
class Evaluator {
 public:
  Evaluator(const Invocation& invocation, Runtime& runtime, const Recipe& recipe,
            NetworkModel& model, data::ExampleReader examples)
      : invocation_(invocation),
        recipe_(recipe),
        team_(runtime.team),
        data_(join_path(recipe.out, "data")),
        examples_(std::move(examples)),
        model_(model),
        runner_(runtime.engine, model.network(), examples_.layout(), model.rows,
                {model.objective.link, batch_of(recipe), recipe.predict.tta, true},
                examples_.path()),
        target_(*model.features.target()),
        picture_(picture_of(examples_.layout())),
        worst_(picture_ != nullptr ? kWorstPictures : kWorst) {}

  /// {what: name, examples, metric: {value, low, high}, …}, printed too.
  Json numbers(const char* what, const std::string& name);
  TableEvaluation run(bool wants_details);

 private:
  void open_rows();
  void close_rows(const std::string& reason);
  void next_row(int64_t example);
  void look_at(const train::Answered& answered);
  [[nodiscard]] Json worst_json();
  [[nodiscard]] Json importance_json();
  [[nodiscard]] train::Scores score(train::ScoreOptions options);
  void note_dropped(const train::Scores& scores) const;
  [[nodiscard]] Json numbers_of(const train::Scores& scores, const char* what,
                                const std::string& name) const;
  [[nodiscard]] std::string name_of(double value) const {
    return target_.is_class() ? target_.classes()[static_cast<size_t>(value)]
                              : fmt::format("{:.6g}", value);
  }

  const Invocation& invocation_;
  const Recipe& recipe_;
  Team& team_;
  std::string data_;
  data::ExampleReader examples_;
  NetworkModel& model_;
  train::ExampleRunner runner_;
  const data::Target& target_;
  std::optional<data::SplitRows> rows_;
  std::vector<std::string> columns_;
  std::optional<Groups> groups_;
  const data::ExampleField* picture_;
  train::WorstFindings worst_;
  train::FindingSample sample_{kPairs};
  std::vector<std::string_view> cells_;
};

/// The table may be gone or changed since; then examples are shown by their number alone.
void Evaluator::open_rows() {
  try {
    rows_.emplace(recipe_.table, model_.features, recipe_.eval.split);
    columns_ = rows_->columns();
    constexpr int64_t kMaxSchema = int64_t{1} << 26;
    const std::string schema = join_path(data_, "schema.yaml");
    groups_.emplace(columns_, data::schema_from_yaml(read_file(schema, kMaxSchema), schema),
                    target_.config().column);
  } catch (const Error& error) {
    if (error.code() == Code::kCancelled) throw;
    close_rows(error.what());
  }
}

void Evaluator::close_rows(const std::string& reason) {
  rows_.reset();
  groups_.reset();
  invocation_.console.note("evaluate: without the cells of examples: " + reason);
}

/// The row of the example into cells_, as long as it is the one that the example was made from.
void Evaluator::next_row(int64_t example) {
  if (!rows_) return;
  try {
    const bool is_there = rows_->next(cells_);
    if (is_there && rows_->is_same(examples_.row(example))) return;
    close_rows(fmt::format("the table has changed since they were made (example {})", example));
  } catch (const Error& error) {
    if (error.code() == Code::kCancelled) throw;
    close_rows(error.what());
  }
}

void Evaluator::look_at(const train::Answered& answered) {
  const train::Finding finding = train::judge(model_.objective, answered);
  next_row(answered.example);
  if (rows_ && groups_) groups_->add(cells_, finding);
  if (!target_.is_class()) sample_.add(finding);
  if (target_.is_class() && !finding.is_wrong()) return;
  worst_.add(finding, [&] {
    std::vector<std::string> cells;
    if (!rows_) return cells;
    cells.push_back(std::to_string(rows_->line()));
    for (const std::string_view cell : cells_) {  // a cell may be a whole picture
      cells.push_back(io::is_image(cell) ? "" : excerpt(cell, kCellLength));
    }
    return cells;
  });
}

Json Evaluator::worst_json() {
  Json json = Json::array();
  for (train::WorstFindings::Entry& entry : worst_.take()) {
    const train::Finding& f = entry.finding;
    Json row = {{"example", f.example},
                {"true", name_of(f.truth)},
                {"predicted", name_of(f.predicted)},
                {"loss", f.loss}};
    if (target_.is_class()) row["probability"] = f.probability;
    if (picture_ != nullptr) row["picture"] = picture_uri(*picture_, examples_.row(f.example));
    if (!entry.cells.empty()) {
      row["line"] = std::stoll(entry.cells[0]);
      row["cells"] = std::vector<std::string>(entry.cells.begin() + 1, entry.cells.end());
    }
    json.push_back(std::move(row));
  }
  return json;
}

Json Evaluator::importance_json() {
  const std::vector<train::InputSlice> slices = train::feature_slices(model_.features);
  train::ImportanceOptions options;
  options.seed = static_cast<uint64_t>(recipe_.seed);
  options.stop = invocation_.stop;
  const train::Importance found =
      train::permutation_importance(runner_, model_.objective, examples_, slices, options);
  Json features = Json::array();
  for (size_t i = 0; i < slices.size(); ++i) {
    features.push_back({{"name", slices[i].name}, {"increase", found.increases[i]}});
  }
  return {{"examples", found.rows}, {"loss", found.loss}, {"features", features}};
}

/// Areas that there was no room for are null in the numbers, and not among what is printed.
void Evaluator::note_dropped(const train::Scores& scores) const {
  if (scores.ranking_dropped.empty()) return;
  invocation_.console.note(fmt::format(
      "evaluate: {}. Both are left out; judge fewer rows: a smaller table.split.test, or a file "
      "with some of them by `ingot eval {} table.split.test_file=FILE`",
      scores.ranking_dropped, recipe_.out));
}

/// The numbers of the stage; prints them as a table for people.
Json Evaluator::numbers_of(const train::Scores& scores, const char* what,
                           const std::string& name) const {
  Json numbers = {{what, name}, {"examples", examples_.rows()}};
  const bool has_tta = recipe_.predict.tta != train::Tta::kNone;
  if (has_tta) numbers["tta"] = std::string(enum_name(recipe_.predict.tta));
  std::string text;
  if (scores.replicates < kReplicates) {
    numbers["replicates"] = scores.replicates;
    text = fmt::format(" of {} bootstrap replicates", scores.replicates);
  }
  for (const train::MetricValue& v : scores.values) {
    numbers[v.name] = {{"value", v.value}, {"low", v.low}, {"high", v.high}};
    if (!scores.ranking_dropped.empty() && std::isnan(v.value)) continue;
    text += fmt::format("\n  {:<20} {:>9.4f}  [{:.4f}, {:.4f}]", v.name, v.value, v.low, v.high);
  }
  text += target_.is_class() ? class_text(scores, target_.classes(), numbers) : unit_text(target_);
  invocation_.console.line(fmt::format("{}: {} examples{}{}; 95 % intervals{}", name,
                                       with_thousands(examples_.rows()),
                                       has_tta ? ", test-time augmentation " : "",
                                       has_tta ? enum_name(recipe_.predict.tta) : "", text));
  note_dropped(scores);
  return numbers;
}

train::Scores Evaluator::score(train::ScoreOptions options) {
  options.bootstrap = {kReplicates, 0.95, static_cast<uint64_t>(recipe_.seed), &team_,
                       invocation_.stop};
  options.top_k = recipe_.eval.top_k;
  options.stop = invocation_.stop;
  return train::score(runner_, model_.objective, examples_, options);
}

Json Evaluator::numbers(const char* what, const std::string& name) {
  return numbers_of(score({}), what, name);
}

TableEvaluation Evaluator::run(bool wants_details) {
  const std::string split(data::split_name(recipe_.eval.split));
  TableEvaluation result;
  if (!wants_details) {
    result.numbers = numbers("split", split);
    return result;
  }
  train::ScoreOptions options;
  open_rows();
  options.each = [&](const train::Answered& answered) { look_at(answered); };
  const train::Scores scores = score(options);
  result.numbers = numbers_of(scores, "split", split);
  Json& details = result.details;
  details = {{"split", split},
             {"examples", examples_.rows()},
             {"target", target_.config().column},
             {"values", values_json(scores)},
             {"columns", columns_},
             {"worst", worst_json()},
             {"importance", importance_json()}};
  if (scores.replicates < kReplicates) details["replicates"] = scores.replicates;
  if (groups_) details["groups"] = groups_->to_json(target_.is_class());
  if (target_.is_class()) {
    add_classes(scores, target_, details);
    details["balance"] = balance_json(data_, target_);
  }
  for (const train::Finding& f : sample_.take()) details["pairs"].push_back({f.truth, f.predicted});
  return result;
}

/// The stored examples are what the run's own transforms made of the table: a network that learned
/// through others would be given numbers and classes that mean something else.
void require_same_features(const std::string& run, const std::string& model) {
  const auto used = [](const std::string& file) {
    Json json = parse_json(data::FeatureSet::load(file).to_json(), file);
    json.erase("ignored");  // makes no number
    return json;
  };
  const std::string own = join_path(run, "data/features.json");
  const std::string other = join_path(network_folder(model), "features.json");
  require(
      used(own) == used(other), Code::kInvalidArgument,
      "eval: the model in {} was fitted on other training rows or columns than {} (features.json "
      "differs), so the examples of the one say nothing about the other. Train it on the same "
      "table, features and split",
      model, run);
}

}  // namespace

TableEvaluation evaluate_table(const Invocation& invocation, Runtime& runtime, const Recipe& recipe,
                               const std::string& folder, bool wants_details) {
  recipe.predict.check();
  require_same_features(recipe.out, folder);
  const std::string name(data::split_name(recipe.eval.split));
  data::ExampleReader rows(data::examples_path(join_path(recipe.out, "data"), recipe.eval.split));
  require(rows.rows() > 0, Code::kInvalidArgument,
          "eval: the {} split is empty. Another one: eval.split=train, validation or test; a "
          "labelled file: table.split.test_file=FILE",
          name);
  const std::unique_ptr<NetworkModel> model = open_network(runtime.engine, folder);
  return Evaluator(invocation, runtime, recipe, *model, std::move(rows)).run(wants_details);
}

Json evaluate_file(const Invocation& invocation, Runtime& runtime, const Recipe& recipe,
                   const std::string& folder) {
  recipe.predict.check();
  const std::string& file = recipe.table.split.test_file;
  const std::unique_ptr<NetworkModel> model = open_network(runtime.engine, folder);
  model->features.set_missing_target(recipe.table.target.missing);
  const std::unique_ptr<data::TableReader> table = data::open_held_out(file, recipe.table);
  const ScratchFolder scratch;
  const std::string examples = data::examples_path(scratch.path(), data::Split::kTest);
  const data::HeldOutExamples made =
      data::encode_held_out(*invocation.files, *table, model->features, examples);
  if (made.dropped > 0) {
    invocation.console.note(fmt::format(
        "eval: {} rows of {} are left out: a value is missing or a picture broken, and the column "
        "leaves such rows out (missing=drop_row, image.bad=drop_row)",
        with_thousands(made.dropped), file));
  }
  for (const std::string& note : data::passed_over(*table, recipe.table.format.prefix)) {
    invocation.console.note("eval: " + note);
  }
  for (const std::string& note : made.notes) invocation.console.note("eval: " + note);
  require(made.rows > 0, Code::kInvalidArgument, "eval: {} has no row to judge {} by", file,
          folder);
  return Evaluator(invocation, runtime, recipe, *model, data::ExampleReader(examples))
      .numbers("file", file);
}

}  // namespace ingot::cli
