// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/display.h"
#include "base/text.h"
#include "cli/pipeline/look_folder.h"
#include "cli/pipeline/pipeline.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/search_words.h"
#include "train/metrics/classification.h"
#include "train/metrics/regression.h"
#include "tune/ranking.h"

namespace ingot::cli {
namespace {

struct SearchTrial {
  tune::Point point;
  Recipe recipe;
  double score = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();  ///< interval over the rows; NaN: unknown
  double high = std::numeric_limits<double>::quiet_NaN();
  int64_t judged = 0;  ///< rows of a table behind the score
  double seconds = 0.0;
  std::string failure{};
  Code code = Code::kNumeric;  ///< of the failure
};

/// Trials of these keys are judged on other rows, or in other units, each.
void require_comparable(const tune::Axis& axis, const Recipe& recipe) {
  const std::string& key = axis.key;
  const bool is_table = is_tabular(recipe);
  const bool is_of_rows =
      key != "table.target.scale" &&
      (!key.starts_with("table.features") || key.ends_with(".missing") || key.ends_with(".bad"));
  const bool is_of_data = is_table ? key.starts_with("table.") && is_of_rows
                                   : key.starts_with("data.") || key.starts_with("tokenizer.");
  require(!is_of_data, Code::kInvalidArgument,
          "tune search: {} makes the validation {} others, so its trials cannot be compared. "
          "Search train., {}",
          key, is_table ? "rows" : "tokens",
          is_table ? "layers., objective. or table.features" : "model. or pack.");
  const bool is_part = recipe.train.eval_batches > 0 && key == "train.micro_batch";
  require(is_table || (key != "train.eval_batches" && !is_part), Code::kInvalidArgument,
          "tune search: {} makes the validation tokens others, so its trials cannot be compared. "
          "Set train.eval_batches=0, which takes the whole split",
          key);
  require(key != "out" && key != "name", Code::kInvalidArgument,
          "tune search: {} changes nothing that is learned. Search train.lr=[0.001, 0.01] or the "
          "like",
          key);
}

void require_validation(const Recipe& recipe) {
  const data::TableSplitConfig& split = recipe.table.split;
  const bool has_table_rows = split.validation > 0.0 || !split.validation_file.empty();
  const bool is_table = is_tabular(recipe);
  require(is_table ? has_table_rows : recipe.data.validation > 0.0, Code::kInvalidArgument,
          "tune search: the validation split decides, and it is empty. Set {}.validation=0.1",
          is_table ? "table.split" : "data");
}

/// The recipe of each combination, all of them read before one is trained.
std::vector<SearchTrial> trials_of(const Invocation& invocation, const SearchWords& words,
                                   const Recipe& base) {
  std::vector<SearchTrial> trials;
  std::map<std::string, std::string> texts;  // by hash
  for (tune::Point& point :
       tune::draw_points(words.axes, base.tune.search.trials, static_cast<uint64_t>(base.seed))) {
    std::vector<std::string> overrides;
    for (size_t i = 0; i < point.size(); ++i) {
      overrides.push_back(fmt::format("{}={}", words.axes[i].key, point[i]));
    }
    Recipe recipe = with_overrides(invocation, base, overrides);
    recipe.train.check();
    const std::string hash = recipe_hash(recipe);
    const std::string text = tune::point_text(words.axes, point);
    const auto [other, is_new] = texts.emplace(hash, text);
    require(is_new, Code::kInvalidArgument,
            "tune search: \"{}\" and \"{}\" train the same model. Leave one out", other->second,
            text);
    recipe.out = join_path(base.out + "-search", hash.substr(0, 12));
    trials.push_back({std::move(point), std::move(recipe)});
  }
  return trials;
}

/// What a pipeline found, its stages done before or now.
Json train_trial(Invocation& invocation, const Recipe& recipe) {
  if (is_tabular(recipe)) {
    TablePipeline pipeline(invocation, recipe, FolderUse::kTrain);
    pipeline.examples();
    pipeline.plan(false);
    pipeline.train();
    pipeline.evaluate(data::Split::kValidation);
    return pipeline.results();
  }
  Pipeline pipeline(invocation, recipe, FolderUse::kTrain);
  pipeline.check();
  pipeline.clean();
  pipeline.tokenizer();
  pipeline.train();
  return pipeline.results();
}

/// The metric that decides, where tune.search.by names none.
std::string deciding_metric(const Json& numbers) {
  return numbers.contains("log_loss") ? "log_loss" : "mse";
}

void require_metric(const std::vector<std::string>& names, const std::string& by) {
  require(std::find(names.begin(), names.end(), by) != names.end(), Code::kInvalidArgument,
          "tune.search.by: no metric is called \"{}\"; there are {}{}", by, join(names, ", "),
          nearest_hint(by, names));
}

/// Refuses what is no metric's name before anything is trained.
void require_known_metric(const Recipe& recipe) {
  const std::string& by = recipe.tune.search.by;
  if (by.empty()) return;
  if (!is_tabular(recipe)) {
    require(by == "loss", Code::kInvalidArgument,
            "tune.search.by is {}: language models are ranked by \"loss\"; leave the key out", by);
    return;
  }
  const data::TargetKind kind = recipe.table.target.kind;  // kAuto: the data tell, both may be
  std::vector<std::string> names;
  if (kind != data::TargetKind::kClass) names = train::regression_metric_names();
  for (const int64_t classes : {int64_t{2}, recipe.eval.top_k + 1}) {
    train::ClassificationOptions options;
    if (kind == data::TargetKind::kNumber) break;
    options.classes = classes;
    options.top_k = recipe.eval.top_k;
    for (std::string& name : train::metric_names(options)) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  require_metric(names, by);
}

/// A number, or NaN for what a record has as null.
double number_of(const Json& json) {
  return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

void set_table_score(const Json& results, std::string& by, SearchTrial& trial) {
  require(results.contains("evaluate"), Code::kInvalidArgument,
          "tune search: the validation split decides, and it has no rows. Raise "
          "table.split.validation");
  const Json& numbers = results["evaluate"];
  std::vector<std::string> names;
  for (const auto& [name, value] : numbers.items()) {
    if (value.is_object() && value.contains("value")) names.push_back(name);
  }
  if (by.empty()) by = deciding_metric(numbers);
  require_metric(names, by);
  trial.score = number_of(numbers[by]["value"]);
  trial.low = number_of(numbers[by].value("low", Json(nullptr)));
  trial.high = number_of(numbers[by].value("high", Json(nullptr)));
  trial.judged = numbers.value("examples", int64_t{0});
}

/// Reads the score of a trained run; `by` becomes the metric's name where it was empty.
void set_score(const Json& results, std::string& by, SearchTrial& trial) {
  const Json& training = results.at("train");
  trial.seconds = training.value("seconds", 0.0);
  if (is_tabular(trial.recipe)) {
    set_table_score(results, by, trial);
  } else {
    require(training.contains("validation_loss"), Code::kInvalidArgument,
            "tune search: the validation split decides, and no evaluation of it was made. Raise "
            "data.validation, or lower train.eval_every");
    by = "loss";
    const bool is_best = trial.recipe.train.keep_best;
    trial.score = number_of(training.at(is_best ? "best_validation_loss" : "validation_loss"));
  }
  if (!std::isfinite(trial.score)) {
    trial.score = std::numeric_limits<double>::quiet_NaN();
    trial.failure = fmt::format("{} is not a number here", by);
  }
}

/// Whether a trial failed by its own settings, so that the others may go on. One that had begun to
/// train was able to: what it refuses now, such as another table, holds for the others too.
bool is_of_trial(Code code, bool had_begun) {
  switch (code) {
    case Code::kNumeric:
    case Code::kOutOfMemory:
      return true;
    case Code::kInvalidArgument:
    case Code::kShapeMismatch:
    case Code::kDtypeMismatch:
    case Code::kNotFound:
    case Code::kCorruptFile:
    case Code::kUnsupported:
      return !had_begun;
    default:
      return false;
  }
}

std::string score_text(const std::string& by, const SearchTrial& trial) {
  return trial.failure.empty() ? fmt::format("{} {:.5g}", by, trial.score)
                               : "failed: " + trial.failure;
}

/// As a word of the shell: 'it'\''s'.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// All trials of a search, and what they are ranked by.
class Search {
 public:
  Search(Invocation& invocation, const Recipe& base, const SearchWords& words)
      : invocation_(invocation),
        words_(words),
        by_(base.tune.search.by),
        trials_(trials_of(invocation, words, base)) {}

  void run() {
    const double start = invocation_.clock->now_s();
    for (size_t i = 0; i < trials_.size(); ++i) {
      SearchTrial& trial = trials_[i];
      invocation_.console.note(fmt::format("search: trial {} of {}: {}", i + 1, trials_.size(),
                                           tune::point_text(words_.axes, trial.point)));
      run_trial(trial);
      const double spent = invocation_.clock->now_s() - start;
      const auto left = static_cast<double>(trials_.size() - i - 1);
      invocation_.console.note(fmt::format(
          "search: {}{}", score_text(by_, trial),
          left > 0
              ? fmt::format("; {} left", human_duration(spent / static_cast<double>(i + 1) * left))
              : ""));
    }
  }

  void tell() const {
    std::vector<tune::Trial> scores;
    scores.reserve(trials_.size());
    for (const SearchTrial& trial : trials_) scores.push_back({trial.point, trial.score});
    const std::vector<tune::Rank> ranks =
        tune::rank_trials(words_.axes, scores, tune::is_higher_better(by_));
    const tune::Rank& best = ranks.front();
    if (best.has_failed()) {
      const SearchTrial& failed = first_failure();
      fail(failed.code,
           "tune search: no combination could be trained and judged; the first that failed: {}",
           failed.failure);
    }
    invocation_.console.line(table(ranks));
    const SearchTrial& first = trials_[best.trials.front()];
    const int64_t near = count_near(ranks);
    invocation_.console.line(fmt::format(
        "search: ranked by {} of the validation split; the test split had no say{}", by_,
        near > 0 ? fmt::format(". {} more within the best one's interval: the rows do not tell "
                               "them apart",
                               near)
                 : ""));
    invocation_.console.line(fmt::format("try: {}\nits model: {}, test it with: ingot eval {}",
                                         words_to_type(first.point), first.recipe.out,
                                         first.recipe.out));
    invocation_.console.result(to_json(ranks));
  }

 private:
  void run_trial(SearchTrial& trial) {
    Invocation quiet = invocation_;
    quiet.console = Console(true);  // the ranking alone is the result
    if (!directory_exists(trial.recipe.out) && trained_ != nullptr) {
      share_stages(*invocation_.files, trained_->recipe.out, trial.recipe.out);
      quiet.is_fresh = false;  // there is nothing to set aside
    }
    const bool had_begun = !quiet.is_fresh && holds_model(*invocation_.files, trial.recipe.out);
    Json results;
    try {
      results = train_trial(quiet, trial.recipe);
    } catch (const Error& error) {
      if (!is_of_trial(error.code(), had_begun) || trials_.size() == 1) throw;
      trial.failure = error.what();
      trial.code = error.code();
      return;
    }
    set_score(results, by_, trial);
    if (trained_ == nullptr) trained_ = &trial;
    require(trial.judged == trained_->judged, Code::kInvalidArgument,
            "tune search: \"{}\" is judged by {} validation rows and \"{}\" by {}, so they cannot "
            "be compared. Leave out what drops rows",
            tune::point_text(words_.axes, trial.point), trial.judged,
            tune::point_text(words_.axes, trained_->point), trained_->judged);
  }

  [[nodiscard]] const SearchTrial& first_failure() const {
    const auto failed = std::find_if(trials_.begin(), trials_.end(),
                                     [](const SearchTrial& t) { return !t.failure.empty(); });
    return failed == trials_.end() ? trials_.front() : *failed;
  }

  /// "key=value" of the point but for the seed, over which a combination is averaged.
  [[nodiscard]] std::vector<std::string> overrides_of(const tune::Point& point) const {
    std::vector<std::string> overrides;
    for (size_t i = 0; i < point.size(); ++i) {
      if (words_.axes[i].key == tune::kSeedKey) continue;
      overrides.push_back(fmt::format("{}={}", words_.axes[i].key, point[i]));
    }
    return overrides;
  }

  [[nodiscard]] std::string settings(const tune::Point& point) const {
    const std::vector<std::string> overrides = overrides_of(point);
    return overrides.empty() ? "the recipe as it is" : join(overrides, " ");
  }

  /// The same as a shell takes it.
  [[nodiscard]] std::string words_to_type(const tune::Point& point) const {
    std::vector<std::string> words;
    for (const std::string& word : overrides_of(point)) {
      const bool is_plain = word.find_first_of(" []{}()'\"\\$&|;<>*?`#~!") == std::string::npos;
      words.push_back(is_plain ? word : quoted(word));
    }
    return words.empty() ? "the recipe as it is" : join(words, " ");
  }

  /// Of the ranks behind the best, those whose score its interval or spread holds.
  [[nodiscard]] int64_t count_near(const std::vector<tune::Rank>& ranks) const {
    const tune::Rank& best = ranks.front();
    const SearchTrial& first = trials_[best.trials.front()];
    const bool is_alone = best.trials.size() == 1;
    const double low = is_alone ? first.low : best.mean - best.deviation;
    const double high = is_alone ? first.high : best.mean + best.deviation;
    return std::count_if(ranks.begin() + 1, ranks.end(), [&](const tune::Rank& rank) {
      return rank.mean >= low && rank.mean <= high;
    });
  }

  /// A line per combination, best first.
  [[nodiscard]] std::string table(const std::vector<tune::Rank>& ranks) const {
    size_t width = 0;
    for (const SearchTrial& trial : trials_) {
      width = std::max(width, display_width(settings(trial.point)));
    }
    std::string text;
    for (const tune::Rank& rank : ranks) {
      const SearchTrial& first = trials_[rank.trials.front()];
      const std::string words = settings(first.point);
      text += fmt::format("{}  {}{}  {}", text.empty() ? "" : "\n", words,
                          std::string(width - display_width(words), ' '), rank_text(rank));
    }
    return text;
  }

  [[nodiscard]] std::string rank_text(const tune::Rank& rank) const {
    if (rank.has_failed()) {
      std::string why;
      for (const size_t i : rank.trials) {
        if (why.empty()) why = trials_[i].failure;
      }
      return "failed: " + excerpt(why, 200);
    }
    const SearchTrial& first = trials_[rank.trials.front()];
    double seconds = 0.0;
    for (const size_t i : rank.trials) seconds += trials_[i].seconds;
    std::string spread;
    if (rank.trials.size() > 1) {
      spread = fmt::format(" ± {:.2g} over {} seeds", rank.deviation, rank.trials.size());
    } else if (first.high > first.low) {
      spread = fmt::format(" [{:.4g}, {:.4g}]", first.low, first.high);
    }
    return fmt::format("{} {:.5g}{}  {:.1f} s  {}", by_, rank.mean, spread, seconds,
                       first.recipe.out);
  }

  [[nodiscard]] Json to_json(const std::vector<tune::Rank>& ranks) const {
    Json list = Json::array();
    for (const tune::Rank& rank : ranks) {
      Json runs = Json::array();
      for (const size_t i : rank.trials) {
        const SearchTrial& t = trials_[i];
        Json run = {{"out", t.recipe.out}, {"seed", t.recipe.seed}, {"seconds", t.seconds}};
        if (t.failure.empty()) run["score"] = t.score;
        if (!t.failure.empty()) run["failure"] = t.failure;
        if (t.high > t.low) run["low"] = t.low, run["high"] = t.high;
        runs.push_back(std::move(run));
      }
      const tune::Point& point = trials_[rank.trials.front()].point;
      Json values = Json::object();
      for (size_t i = 0; i < point.size(); ++i) {
        if (words_.axes[i].key != tune::kSeedKey) values[words_.axes[i].key] = point[i];
      }
      list.push_back({{"values", values},
                      {"score", rank.has_failed() ? Json(nullptr) : Json(rank.mean)},
                      {"deviation", rank.deviation},
                      {"runs", runs}});
    }
    return {{"by", by_}, {"split", "validation"}, {"ranking", list}};
  }

  Invocation& invocation_;
  const SearchWords& words_;
  std::string by_;
  std::vector<SearchTrial> trials_;
  const SearchTrial* trained_ = nullptr;  // the first that was, whose data the others take
};

}  // namespace

void search(Invocation& invocation) {
  const SearchWords words = search_words(invocation.overrides);
  Invocation base = invocation;
  base.overrides = words.fixed;
  const Recipe recipe = load_recipe(base);
  if (print_config(invocation, recipe)) return;
  recipe.tune.search.check();
  require(!words.axes.empty(), Code::kInvalidArgument,
          "tune search: no key has several values. Give some in brackets, such as "
          "'train.lr=[0.001, 0.01]'");
  for (const tune::Axis& axis : words.axes) require_comparable(axis, recipe);
  require_validation(recipe);
  require_known_metric(recipe);
  Search trials(invocation, recipe, words);
  trials.run();
  trials.tell();
}

}  // namespace ingot::cli
