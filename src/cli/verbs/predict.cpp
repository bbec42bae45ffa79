// SPDX-License-Identifier: Apache-2.0
// `ingot predict RUN [FILE]`: answers for the rows of a table, in their order, through the
// transforms that were fitted in training. Streams: a batch of rows is in memory at a time.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/help_text.h"
#include "cli/network_answers.h"
#include "cli/runtime.h"
#include "cli/verbs/verbs.h"
#include "data/formats/csv_writer.h"
#include "data/formats/image_folder.h"
#include "data/formats/picture_table.h"
#include "io/image.h"
#include "io/stream_source.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kPredictSections = {"predict."};

constexpr size_t kInputHead = size_t{1} << 16;  // looked at to tell the format
constexpr size_t kNamedRows = 5;                // of those without an answer

/// The kind of table, as the name of a file would tell it: JSON lines begin with a brace, before
/// which a byte order mark may stand.
std::string kind_of_input(io::ByteSource& source) {
  std::string text(kInputHead, '\0');
  text.resize(static_cast<size_t>(io::read_fully(source, std::as_writable_bytes(std::span(text)))));
  source.rewind();
  const size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const size_t first = text.find_first_not_of(" \t\r\n", begin);
  const bool is_json = first != std::string::npos && text[first] == '{';
  return is_json ? ".jsonl" : ".csv";
}

/// What has come. Waits in turns: a signal does not end the wait of read() itself.
int64_t read_standard_input(std::span<std::byte> out, const StopFlag* stop) {
  constexpr int kTurn = 100;  // milliseconds
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (true) {
    throw_if_stopped(stop);
    const int ready = ::poll(&input, 1, kTurn);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ::read(STDIN_FILENO, out.data(), out.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    require(got >= 0, Code::kIo, "predict: standard input could not be read: {}",
            std::strerror(errno));
    return got;
  }
}

/// A pipe cannot be read twice, which telling its delimiter and header needs: its beginning is kept
/// until the table stands at its first row.
std::unique_ptr<data::TableReader> open_standard_input(const data::TableFormat& format,
                                                       const StopFlag* stop) {
  const auto pull = [stop](std::span<std::byte> out) { return read_standard_input(out, stop); };
  auto stream = std::make_unique<io::StreamSource>(std::string(), pull, "standard input");
  io::StreamSource& once = *stream;  // the table holds it
  auto source = io::unpacked(std::move(stream));
  const std::string kind = kind_of_input(*source);
  auto table = data::open_table(std::move(source), kind, format);
  once.seal();
  return table;
}

/// The model's only column of pictures, else the name that tables of pictures give theirs.
std::string picture_column(const data::FeatureSet& features) {
  std::vector<std::string> names;
  for (const auto& feature : features.features()) {
    if (feature->config().kind == data::FeatureKind::kImage) names.push_back(feature->name());
  }
  return names.size() == 1 ? names[0] : data::kImageColumn;
}

/// A file, a folder of pictures, a picture, or standard input when none is named.
std::unique_ptr<data::TableReader> open_input(const std::vector<std::string>& words,
                                              const data::FeatureSet& features,
                                              const data::TableFormat& format,
                                              const StopFlag* stop) {
  if (words.size() > 1) {
    data::require_table(words[1], "FILE");
    const bool is_picture = data::is_image_name(words[1]) && file_exists(words[1]);
    if (is_picture || directory_exists(words[1])) {
      return data::open_pictures(words[1], picture_column(features));
    }
    return data::open_table(words[1], format);
  }
  return open_standard_input(format, stop);
}

/// A table without names, such as a CSV whose first line is a row, was given some.
void require_names(const data::TableReader& table, const data::FeatureSet& features) {
  const std::vector<std::string>& columns = table.columns();
  std::vector<std::string> names;
  for (const auto& feature : features.features()) names.push_back(feature->name());
  const bool is_known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
  });
  if (names.empty() || is_known || columns.front() != "column_1") return;
  const bool is_same = columns.size() == names.size();
  fail(Code::kInvalidArgument,
       "predict: \"{}\" has no names of columns; give those of its {}, in their order: "
       "predict.input.columns=[{}]",
       table.name(), columns.size(), is_same ? join(names, ",") : names.front() + ",...");
}

/// The columns of the input that predict.keep writes before the answers, such as an id.
class CarriedColumns {
 public:
  /// `is_json`: the answers are JSON, not CSV. Throws kInvalidArgument for a column that `table`
  /// lacks, that is named twice or that is called as one of the answers.
  CarriedColumns(std::vector<std::string> names, const data::TableReader& table,
                 const serve::AnswerForm& form, bool is_json)
      : names_(std::move(names)), table_(table), is_json_(is_json) {
    const std::vector<std::string>& columns = table.columns();
    for (auto name = names_.begin(); name != names_.end(); ++name) {
      const auto at = std::find(columns.begin(), columns.end(), *name);
      require(at != columns.end(), Code::kInvalidArgument,
              "predict.keep: \"{}\" has no column \"{}\"; it has {}{}", table.name(),
              excerpt(*name), join(columns, ", "), nearest_hint(*name, columns));
      require(std::find(names_.begin(), name, *name) == name, Code::kInvalidArgument,
              "predict.keep: \"{}\" is listed twice", excerpt(*name));
      require(!is_of_answers(*name, form), Code::kInvalidArgument,
              "predict.keep: the answers have a \"{}\" of their own; give the column of \"{}\" "
              "another name",
              excerpt(*name), table.name());
      places_.push_back(static_cast<size_t>(at - columns.begin()));
    }
  }

  /// What stands before the names of the answers in a CSV.
  [[nodiscard]] std::string head() const {
    std::string text;
    for (const std::string& name : names_) text += data::csv_cell(name) + ",";
    return text;
  }
  /// What stands before an answer: `a17,"Main St, 3",` or `"id":"a17",`. Without cells, of a ragged
  /// row, nothing is known of it: `,` or `"id":null,`.
  [[nodiscard]] std::string before(std::span<const std::string_view> cells) const {
    std::string text;
    for (size_t i = 0; i < places_.size(); ++i) {
      const std::string_view cell = cells.empty() ? std::string_view() : cells[places_[i]];
      if (io::is_image(cell)) {
        fail(Code::kInvalidArgument,
             "predict.keep: column \"{}\" of \"{}\" holds pictures, which are no texts; leave it "
             "out",
             excerpt(names_[i]), table_.name());
      }
      if (is_json_) {
        text += quote_json(names_[i]) + ":" + (cells.empty() ? "null" : quote_json(cell));
      } else {
        text += data::csv_cell(cell);
      }
      text += ',';
    }
    return text;
  }

 private:
  [[nodiscard]] bool is_of_answers(const std::string& name, const serve::AnswerForm& form) const {
    if (name == "prediction") return true;
    if (is_json_) return name == "probabilities";
    return std::any_of(form.classes().begin(), form.classes().end(),
                       [&](const std::string& label) { return name == "p(" + label + ")"; });
  }

  std::vector<std::string> names_;
  const data::TableReader& table_;
  bool is_json_;
  std::vector<size_t> places_;  // in a row
};

/// Answers as lines, CSV or JSON, or, with --json, as the list of one object at the end.
class AnswerWriter {
 public:
  /// `head`: of the CSV, before the names of the answers.
  AnswerWriter(const serve::AnswerForm& form, PredictFormat format, const Console& console,
               std::string head)
      : form_(form), format_(format), console_(console) {
    if (console.is_json() || format != PredictFormat::kCsv) return;
    text_ = std::move(head) + "prediction";
    for (const std::string& name : form_.classes()) {
      text_ += "," + data::csv_cell("p(" + name + ")");
    }
    text_ += "\n";
    flush();
  }

  /// `before`: of the row's CarriedColumns. `answer` is empty for a row that was left out by
  /// policy.
  void add(const std::string& before, std::span<const float> answer) {
    if (console_.is_json()) {
      answers_.push_back(parse_json(json(before, answer), "predict"));
    } else {
      text_ +=
          (format_ == PredictFormat::kCsv ? before + csv(answer) : json(before, answer)) + "\n";
    }
  }
  void flush() {
    if (!text_.empty()) console_.stream(text_);
    text_.clear();
  }
  [[nodiscard]] Json take_answers() { return std::move(answers_); }

 private:
  [[nodiscard]] std::string json(const std::string& before, std::span<const float> answer) const {
    std::string object = form_.json(answer);
    object.insert(1, before);  // behind its brace
    return object;
  }
  [[nodiscard]] std::string csv(std::span<const float> answer) const {
    // Readers of CSV skip a line without anything in it, and the answers below would move up.
    if (answer.empty() && form_.is_number()) return "\"\"";
    if (answer.empty()) return std::string(form_.classes().size(), ',');
    if (form_.is_number()) return serve::number_text(answer[0]);
    std::string line = data::csv_cell(form_.classes()[form_.best(answer)]);
    for (const float p : answer) line += "," + serve::number_text(p);
    return line;
  }

  const serve::AnswerForm& form_;
  PredictFormat format_;
  const Console& console_;
  std::string text_;  // of a batch
  Json answers_ = Json::array();
};

/// Rows of a table on their way to answers, a batch at a time.
class RowAnswers {
 public:
  RowAnswers(NetworkAnswers& answers, const CarriedColumns& carried, AnswerWriter& writer)
      : answers_(answers),
        carried_(carried),
        writer_(writer),
        bytes_(static_cast<size_t>(answers.record_bytes())),
        width_(static_cast<size_t>(answers.form().width())),
        records_(static_cast<size_t>(answers.max_batch()) * bytes_),
        values_(static_cast<size_t>(answers.max_batch()) * width_) {}

  void add(data::ExampleEncoder& encoder, std::span<const std::string_view> cells,
           const data::TableReader& table) {
    before_.push_back(carried_.before(cells));
    if (cells.empty()) {
      ++ragged_;
      leave_out(table, "another number of cells than the table has columns");
      return;
    }
    const auto place = std::span(records_).subspan(rows_.size() * bytes_, bytes_);
    if (!encoder.encode(cells, table.line(), place)) return leave_out(table, encoder.reason());
    rows_.push_back(place.data());
    unseen_.add(encoder.unseen(), table.name(), table.line());
    push(true);
  }
  void flush() {
    answers_.run(rows_, values_);
    size_t at = 0;
    for (size_t row = 0; row < is_kept_.size(); ++row) {
      const bool kept = is_kept_[row];
      writer_.add(before_[row], kept ? std::span<const float>(values_).subspan(at, width_)
                                     : std::span<const float>());
      if (kept) at += width_;
    }
    writer_.flush();
    count_ += std::ssize(is_kept_);
    before_.clear();
    is_kept_.clear();
    rows_.clear();
  }
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] int64_t left_out() const { return left_out_; }
  /// Of the answers that rest on categories which training did not have.
  [[nodiscard]] std::vector<std::string> unseen_notes() const { return unseen_.notes(); }
  /// What to say of the rows without an answer: how many, and the first of them.
  [[nodiscard]] std::string left_out_text() const {
    std::string text = fmt::format("predict: {} rows have no answer: {}:", left_out_, cause());
    for (const std::string& reason : reasons_) text += "\n  " + reason;
    const int64_t more = left_out_ - std::ssize(reasons_);
    return more > 0 ? text + fmt::format("\n  and {} more", more) : text;
  }

 private:
  void push(bool is_kept) {
    is_kept_.push_back(is_kept);
    if (is_kept_.size() == static_cast<size_t>(answers_.max_batch())) flush();
  }
  void leave_out(const data::TableReader& table, const std::string& reason) {
    if (left_out_++ < static_cast<int64_t>(kNamedRows)) {
      reasons_.push_back(fmt::format("{}, line {}: {}", table.name(), table.line(), reason));
    }
    push(false);
  }
  [[nodiscard]] std::string_view cause() const {
    if (ragged_ == left_out_) return "predict.input.ragged=skip";
    if (ragged_ == 0) {
      return "a value is missing or a picture broken, and the model leaves such rows out";
    }
    return "a value is missing or a picture broken, and the model leaves such rows out; "
           "predict.input.ragged=skip";
  }

  NetworkAnswers& answers_;
  const CarriedColumns& carried_;
  AnswerWriter& writer_;
  size_t bytes_, width_;
  std::vector<std::byte> records_;  // of a batch
  std::vector<float> values_;
  std::vector<const std::byte*> rows_;  // the records that are kept
  std::vector<std::string> before_;     // per row, as is_kept_
  std::vector<bool> is_kept_;
  int64_t count_ = 0, left_out_ = 0;
  int64_t ragged_ = 0;                // of left_out_
  std::vector<std::string> reasons_;  // of the first rows left out
  data::UnseenCategories unseen_;
};

class PredictVerb : public Verb {
 public:
  std::string_view name() const override { return "predict"; }
  std::string_view summary() const override { return "answers of a trained model for a table"; }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot predict RUN [FILE] [key=value ...]\n\n"
        "RUN is a run directory or its model folder; FILE a table with the columns of training\n"
        "(CSV, TSV, JSON lines, .npy; CIFAR or IDX of pictures), a picture, a folder of pictures\n"
        "(with those in its folders, in the order of their paths), or standard input (CSV,\n"
        "or JSON lines when it begins with a brace), which is read in blocks: 64 KiB of CSV, 256\n"
        "KiB of JSON lines, of which 1,000 come before the first answer; paths of pictures in it\n"
        "start from the current folder. Answers go to standard output, one line per row, in the\n"
        "order of the rows; with --json as the list \"answers\" of one object, which takes the\n"
        "memory of all of them. A row that is left out, ragged ones under\n"
        "predict.input.ragged=skip too, has an empty answer: \"\" or null.\n"
        "predict.keep=[id] writes columns of the table before each answer, as texts.\n"
        "`ingot serve` answers with the same bytes.",
        kPredictSections, keys);
  }
  VerbTakes takes() const override { return {verb_keys(kPredictSections), {"--print-config"}}; }

  int run(Invocation& invocation) override {
    const std::vector<std::string>& words = invocation.words;
    require(!words.empty() && words.size() <= 2, Code::kInvalidArgument,
            "predict: give a run and a table, for example `ingot predict runs/houses new.csv`");
    const Recipe recipe = load_model_recipe(words[0], invocation);
    if (print_config(invocation, recipe)) return 0;
    recipe.predict.check();
    Runtime runtime(recipe);
    const std::unique_ptr<NetworkModel> model = open_network(runtime.engine, words[0]);
    data::TableFormat format = recipe.predict.input;
    format.gives_ragged = true;
    format.decimal = decimal_of(recipe);
    const std::unique_ptr<data::TableReader> table =
        open_input(words, model->features, format, invocation.stop);
    require_names(*table, model->features);
    predict(runtime, *model, *table, recipe.predict, invocation);
    return 0;
  }

 private:
  static void predict(Runtime& runtime, NetworkModel& model, data::TableReader& table,
                      const PredictConfig& config, const Invocation& invocation) {
    data::ExampleEncoder encoder(model.features, table, false);
    NetworkAnswers answers(runtime.engine, model, encoder.layout(), table.name(), config.batch,
                           config.tta);
    const bool is_json = invocation.console.is_json() || config.format == PredictFormat::kJsonl;
    const CarriedColumns carried(config.keep, table, answers.form(), is_json);
    AnswerWriter writer(answers.form(), config.format, invocation.console, carried.head());
    RowAnswers rows(answers, carried, writer);
    std::vector<std::string_view> cells;
    while (table.next(cells)) {
      throw_if_stopped(invocation.stop);
      rows.add(encoder, cells, table);
    }
    rows.flush();
    if (rows.count() == 0) invocation.console.note("predict: the input has no rows");
    if (rows.left_out() > 0) invocation.console.note(rows.left_out_text());
    for (const std::string& note : data::passed_over(table, config.input.prefix)) {
      invocation.console.note("predict: " + note);
    }
    for (const std::string& note : rows.unseen_notes()) {
      invocation.console.note("predict: " + note);
    }
    invocation.console.result({{"rows", rows.count()},
                               {"left_out", rows.left_out()},
                               {"answers", writer.take_answers()}});
  }
};

}  // namespace

Verb* predict_verb() {
  static PredictVerb verb;
  return &verb;
}

}  // namespace ingot::cli
