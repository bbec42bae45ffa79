// SPDX-License-Identifier: Apache-2.0
// `ingot tune lr`: which learning rate this recipe bears, found by a hundred steps that are thrown
// away (train/lr_finder.h). `ingot tune search`: which of several values of its keys are the best
// (pipeline/search.h).
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/help_text.h"
#include "cli/pipeline/look_folder.h"
#include "cli/pipeline/pipeline.h"
#include "cli/pipeline/search.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kTuneSections = {
    "tune.", "train.", "table.", "data.", "tokenizer.", "pack.", "layers.", "model.", "objective."};

constexpr size_t kLines = 25;  // of the curve
constexpr double kBar = 40;    // characters

/// Losses over rates, a bar each.
std::string curve_text(const train::LrSuggestion& found) {
  double low = found.points.front().smoothed, high = low;
  for (const train::LrPoint& p : found.points) {
    low = std::min(low, p.smoothed);
    high = std::max(high, p.smoothed);
  }
  const size_t every = std::max<size_t>(1, found.points.size() / kLines);
  std::string text = fmt::format("  {:>9}  {:>10}\n", "lr", "loss");
  for (size_t i = 0; i < found.points.size(); i += every) {
    const train::LrPoint& p = found.points[i];
    const double share = high > low ? (p.smoothed - low) / (high - low) : 0;
    text += fmt::format("  {:>9.2e}  {:>10.4f}  {}\n", p.lr, p.smoothed,
                        std::string(static_cast<size_t>(std::lround(1 + kBar * share)), '#'));
  }
  return text;
}

/// The rate with two digits that a recipe takes.
std::string rate_text(double lr) { return fmt::format("{:.1e}", lr); }

Json number_or_null(double x) { return std::isnan(x) ? Json(nullptr) : Json(x); }

Json to_json(const train::LrSuggestion& found) {
  Json points = Json::array();
  for (const train::LrPoint& p : found.points) {
    points.push_back({{"lr", p.lr}, {"loss", p.loss}, {"smoothed", p.smoothed}});
  }
  return {{"steepest", number_or_null(found.steepest)},
          {"minimum_tenth", number_or_null(found.minimum_tenth)},
          {"diverged", found.has_diverged},
          {"points", points}};
}

void tell(const Invocation& invocation, const train::LrSuggestion& found) {
  require(!found.points.empty(), Code::kNumeric,
          "tune: the loss is not finite at the first rate; look at the data, or set tune.lr.from "
          "lower");
  invocation.console.line(curve_text(found));
  if (std::isnan(found.steepest)) {
    invocation.console.line("tune: the loss never fell; widen tune.lr.from and tune.lr.to");
  } else {
    invocation.console.line(fmt::format(
        "tune: the loss falls fastest at {}, is lowest at {}{}\ntry: train.lr={}",
        rate_text(found.steepest), rate_text(10 * found.minimum_tenth),
        found.has_diverged ? " and then rises" : "; it had not risen yet at the end of the range",
        rate_text(std::min(found.steepest, found.minimum_tenth))));
  }
  invocation.console.result(to_json(found));
}

class TuneVerb : public Verb {
 public:
  std::string_view name() const override { return "tune"; }
  std::string_view summary() const override {
    return "find the learning rate and other settings of a recipe";
  }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot tune lr recipe.yaml [tune.lr.steps=100] [key=value ...]\n"
        "       ingot tune search recipe.yaml 'KEY=[VALUE, VALUE]' ... [key=value ...]\n\n"
        "lr trains tune.lr.steps steps with a learning rate that grows from tune.lr.from to\n"
        "tune.lr.to, shows the loss over the rate and suggests one. Nothing trained is kept.\n"
        "search trains a run in OUT-search for every combination of the values, or for\n"
        "tune.search.trials of them, and ranks them by the validation split. Several seeds,\n"
        "'seed=[1, 2, 3]', are averaged. Ctrl-C stops it, the same command goes on.",
        kTuneSections, keys);
  }
  VerbTakes takes() const override {
    return {verb_keys(kTuneSections), {"--fresh", "--print-config"}, {{"lr", {}}, {"search", {}}}};
  }

  bool continues(const Invocation& invocation) const override {
    return !invocation.words.empty() && invocation.words[0] == "search";
  }

  int run(Invocation& invocation) override {
    const std::string what = invocation.words.empty() ? "" : invocation.words[0];
    require(what == "lr" || what == "search", Code::kInvalidArgument,
            "tune: say what to look for: `ingot tune lr recipe.yaml` or `ingot tune search "
            "recipe.yaml 'train.lr=[0.001, 0.01]'`");
    Invocation rest = invocation;
    rest.words.erase(rest.words.begin());
    what == "lr" ? look_for_rate(rest) : search(rest);
    return 0;
  }

 private:
  static void look_for_rate(Invocation& rest) {
    const Recipe recipe = load_recipe(rest);
    if (print_config(rest, recipe)) return;
    recipe.train.check();
    recipe.tune.lr.check();
    const LookFolder place(rest, recipe);
    if (is_tabular(recipe)) {
      TablePipeline pipeline(rest, place.recipe(), FolderUse::kLook);
      pipeline.examples();
      pipeline.plan(false);  // refuses what does not fit
      tell(rest, pipeline.find_lr());
      return;
    }
    Pipeline pipeline(rest, place.recipe(), FolderUse::kLook);
    pipeline.check();
    pipeline.clean();
    pipeline.tokenizer();
    tell(rest, pipeline.find_lr());
  }
};

}  // namespace

Verb* tune_verb() {
  static TuneVerb verb;
  return &verb;
}

}  // namespace ingot::cli
