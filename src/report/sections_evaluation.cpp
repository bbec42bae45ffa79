// SPDX-License-Identifier: Apache-2.0
// A model of a table, judged: metrics with intervals, confusion, curves, calibration, residuals,
// what the model leans on, groups that fare worse, and the examples that went worst.
#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fields.h"
#include "report/histogram.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/sections.h"

namespace ingot::report {
namespace {

constexpr int kBars = 560;  // pixels
constexpr int kHalf = 456;
constexpr int kHeight = 300;
constexpr size_t kMatrixClasses = 14;  // a larger matrix is shown as its worst pairs
constexpr size_t kBeside = 4;          // a matrix of so many classes has room beside the metrics
constexpr size_t kPairsShown = 15;
constexpr size_t kClassesShown = 40;
constexpr size_t kFeaturesShown = 20;

std::vector<std::string> class_names(const Json& evaluation) {
  std::vector<std::string> names;
  for (const Json* name : members(evaluation, "classes")) {
    names.push_back(name->is_string() ? name->get<std::string>() : value_text(*name));
  }
  return names;
}

std::string metrics_table(const Json& evaluation) {
  Table table({{"Metric", false}, {"Value"}, {"95 % interval"}});
  for (const Json* row : members(evaluation, "values")) {
    const auto value = number(*row, "value");
    if (!value) continue;
    const auto low = number(*row, "low"), high = number(*row, "high");
    table.row({word({}, text(*row, "name")), significant(*value, 4),
               low && high ? significant(*low, 4) + " \u2026 " + significant(*high, 4) : ""});
  }
  return table.empty() ? std::string() : table.html();
}

/// How many examples the weights that were kept have learned from, each time counted.
double learned_examples(const Json& training) {
  const double all = number(training, "examples").value_or(0);
  const double steps = number(training, "steps").value_or(0);
  if (steps <= 0 || text(training, "kept") == "last") return all;
  return all * number(training, "best_step").value_or(steps) / steps;
}

/// What the examples were to the model. A split without a sentence of its own goes by its name.
std::string judged_by(const Json& evaluation, const Json& training) {
  std::string split = text(evaluation, "split");
  const std::string examples = count_at(evaluation, "examples");
  const double count = number(evaluation, "examples").value_or(HUGE_VAL);
  if (split == "train" && learned_examples(training) >= count) split += ", all";
  if (split == "validation" && text(training, "kept") == "best") split += ", best";
  const auto at = std::find_if(words::kJudged.begin(), words::kJudged.end(),
                               [&](const words::Word& word) { return word.first == split; });
  if (at == words::kJudged.end()) return fmt::format("{} {}", examples, split);
  return fmt::format(fmt::runtime(at->second), examples);
}

// Confusion.

struct Confusion {
  std::vector<std::string> names;
  std::vector<double> counts;  // [label, prediction]
  [[nodiscard]] double at(size_t label, size_t guess) const {
    return counts[label * names.size() + guess];
  }
  [[nodiscard]] double row(size_t label) const {
    double sum = 0;
    for (size_t k = 0; k < names.size(); ++k) sum += at(label, k);
    return sum;
  }
};

/// Empty names when the record holds no matrix that fits its classes.
Confusion confusion_of(const Json& evaluation) {
  Confusion c{class_names(evaluation), {}};
  for (const Json* count : members(evaluation, "confusion")) {
    c.counts.push_back(count->is_number() ? std::max(count->get<double>(), 0.0) : 0.0);
  }
  if (c.counts.size() != c.names.size() * c.names.size()) c.names.clear();
  return c;
}

std::string matrix_html(const Confusion& c) {
  std::string out = "<div class=\"scroll\"><table class=\"heat\">\n<thead><tr><th></th>";
  for (const std::string& name : c.names) {
    out += fmt::format("<th scope=\"col\">{}</th>", escape(excerpt(name, 24)));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (size_t label = 0; label < c.names.size(); ++label) {
    out += fmt::format("<tr><th scope=\"row\">{}</th>", escape(excerpt(c.names[label], 24)));
    const double all = c.row(label);
    for (size_t guess = 0; guess < c.names.size(); ++guess) {
      const double share = all > 0 ? c.at(label, guess) / all : 0;
      out += fmt::format("<td class=\"{}\" style=\"--h:{:.3f}\"><b>{}</b><small>{} %</small></td>",
                         label == guess ? "hit" : "miss", share,
                         with_thousands(std::llround(std::min(c.at(label, guess), 9e15))),
                         fixed(100 * share, share > 0 && share < 0.0995 ? 1 : 0));
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table></div>\n";
}

std::string pairs_table(const Confusion& c) {
  struct Pair {
    size_t label, guess;
  };
  std::vector<Pair> pairs;
  for (size_t label = 0; label < c.names.size(); ++label) {
    for (size_t guess = 0; guess < c.names.size(); ++guess) {
      if (label != guess && c.at(label, guess) > 0) pairs.push_back({label, guess});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [&](const Pair& a, const Pair& b) {
    return c.at(a.label, a.guess) > c.at(b.label, b.guess);
  });
  pairs.resize(std::min(pairs.size(), kPairsShown));
  Table table({{"True", false}, {"Predicted", false}, {"Examples"}, {"Of the class"}});
  for (const Pair& pair : pairs) {
    const double count = c.at(pair.label, pair.guess);
    table.row({c.names[pair.label], c.names[pair.guess], significant(count, 6),
               fixed(100 * count / c.row(pair.label), 1) + " %"});
  }
  return table.empty() ? std::string() : table.html();
}

std::string confusion_html(const Json& evaluation) {
  const Confusion c = confusion_of(evaluation);
  if (c.names.empty()) return {};
  const bool is_small = c.names.size() <= kMatrixClasses;
  return fmt::format("<h3>{}</h3>\n<p class=\"note\">{}</p>\n{}", words::kConfusion,
                     is_small ? words::kConfusionNote : words::kPairsNote,
                     is_small ? matrix_html(c) : pairs_table(c));
}

std::string class_table(const Json& evaluation) {
  const std::vector<std::string> names = class_names(evaluation);
  Table table({{"Class", false}, {"Precision"}, {"Recall"}, {"F1"}, {"ROC-AUC"}, {"Examples"}});
  const std::vector<const Json*> rows = members(evaluation, "per_class");
  for (size_t i = 0; i < std::min({rows.size(), names.size(), kClassesShown}); ++i) {
    table.row({names[i], fixed_at(*rows[i], "precision", 3), fixed_at(*rows[i], "recall", 3),
               fixed_at(*rows[i], "f1", 3), fixed_at(*rows[i], "roc_auc", 3),
               count_at(*rows[i], "examples")});
  }
  return table.empty() ? std::string() : table.html();
}

// Plots.

LinePlot half_plot(std::string_view title, std::string_view x_label) {
  LinePlot plot;
  plot.title = title;
  plot.x_label = x_label;
  plot.width = kHalf;
  plot.height = kHeight;
  return plot;
}

std::string calibration_figure(const Json& evaluation) {
  LinePlot plot = half_plot(words::kCalibration, words::kConfidence);
  Series model{.label = std::string(words::kThisModel), .points = {}, .colour = 0};
  model.markers = true;
  double gap = 0, all = 0;
  for (const Json* bin : members(evaluation, "calibration")) {
    const auto n = number(*bin, "examples"), p = number(*bin, "confidence");
    const auto right = number(*bin, "accuracy");
    if (!n || !p || !right || *n <= 0) continue;
    model.points.push_back({*p, *right});
    gap += *n * std::abs(*p - *right);
    all += *n;
  }
  if (model.points.empty()) return {};
  const double from = model.points.front().x;
  plot.series = {
      {.label = std::string(words::kIdeal), .points = {{from, from}, {1, 1}}, .colour = 5},
      std::move(model)};
  return figure(plot.title, line_plot(plot),
                fmt::format(words::kCalibrationNote, fixed(100 * gap / all, 1)));
}

/// Both curves of two classes.
std::string ranking_figures(const Json& evaluation) {
  Series roc{.label = std::string(words::kThisModel), .points = {}, .colour = 0};
  Series pr{.label = {}, .points = {}, .colour = 2};
  for (const Json* point : members(evaluation, "curve")) {
    const bool is_whole = point->is_array() && point->size() == 3 && (*point)[0].is_number() &&
                          (*point)[1].is_number() && (*point)[2].is_number();
    if (!is_whole) continue;
    roc.points.push_back({(*point)[0].get<double>(), (*point)[1].get<double>()});
    pr.points.push_back({(*point)[1].get<double>(), (*point)[2].get<double>()});
  }
  if (roc.points.empty()) return {};
  LinePlot roc_plot = half_plot(words::kRoc, words::kFalseRate);
  roc_plot.series = {
      {.label = std::string(words::kChance), .points = {{0, 0}, {1, 1}}, .colour = 5},
      std::move(roc)};
  LinePlot pr_plot = half_plot(words::kPr, words::kRecall);
  pr_plot.series = {std::move(pr)};
  pr_plot.from_zero = true;
  return figure(roc_plot.title, line_plot(roc_plot)) + figure(pr_plot.title, line_plot(pr_plot));
}

/// Predicted against true, and the differences, of numbers.
std::string number_figures(const Json& evaluation) {
  Series dots{.label = std::string(words::kExamplesSeries), .points = {}, .colour = 0};
  dots.scatter = true;
  Histogram residuals;
  for (const Json* pair : members(evaluation, "pairs")) {
    const bool is_whole =
        pair->is_array() && pair->size() == 2 && (*pair)[0].is_number() && (*pair)[1].is_number();
    if (!is_whole) continue;
    const Point point{(*pair)[0].get<double>(), (*pair)[1].get<double>()};
    dots.points.push_back(point);
    residuals.values.push_back(point.y - point.x);
  }
  if (dots.points.empty()) return {};
  std::sort(dots.points.begin(), dots.points.end(),
            [](const Point& a, const Point& b) { return a.x < b.x; });
  const double low = dots.points.front().x, high = dots.points.back().x;
  LinePlot plot = half_plot(words::kScatter, words::kTrueAxis);
  const std::string note = fmt::format(words::kSampleNote, with_thousands(std::ssize(dots.points)));
  plot.series = {
      std::move(dots),
      {.label = std::string(words::kExact), .points = {{low, low}, {high, high}}, .colour = 1}};
  residuals.title = words::kResiduals;
  residuals.x_label = words::kResidualAxis;
  residuals.width = kHalf;
  residuals.height = kHeight;
  return figure(plot.title, line_plot(plot), note) + figure(residuals.title, histogram(residuals));
}

std::string importance_figure(const Json& evaluation) {
  BarChart chart;
  chart.title = words::kImportance;
  chart.width = kBars;
  for (const Json* feature : members(evaluation, "importance.features")) {
    const auto increase = number(*feature, "increase");
    if (!increase) continue;
    chart.bars.push_back({excerpt(text(*feature, "name"), 40), std::max(*increase, 0.0),
                          (*increase > 0 ? "+" : "") + significant(*increase, 3), 0, false});
  }
  std::stable_sort(chart.bars.begin(), chart.bars.end(),
                   [](const Bar& a, const Bar& b) { return a.value > b.value; });
  if (chart.bars.size() < 2) return {};
  chart.bars.resize(std::min(chart.bars.size(), kFeaturesShown));
  const std::string note =
      fmt::format(words::kImportanceNote, count_at(evaluation, "importance.examples"),
                  fixed_at(evaluation, "importance.loss", 4));
  return "<div class=\"bars\">" + figure(chart.title, bar_chart(chart), note) + "</div>\n";
}

std::string groups_html(const Json& evaluation) {
  const std::vector<const Json*> rows = members(evaluation, "groups");
  if (rows.empty()) return {};
  const bool has_error = find(*rows[0], "error") != nullptr;
  double loss = 0, error = 0, all = 0;
  std::string column;  // all groups of one column hold every example once
  for (const Json* row : rows) {
    if (column.empty()) column = text(*row, "column");
    if (text(*row, "column") != column) continue;
    const double n = number(*row, "examples").value_or(0);
    loss += n * number(*row, "loss").value_or(0);
    error += n * number(*row, "error").value_or(0);
    all += n;
  }
  if (all <= 0) return {};
  const char* measure = has_error ? "error" : "loss";
  const double whole = (has_error ? error : loss) / all;
  Table table({{"Column", false},
               {"Value", false},
               {"Examples"},
               {has_error ? "Error rate" : "Mean loss"},
               {"Against all"}});
  for (const Json* row : rows) {
    const auto value = number(*row, measure);
    if (!value) continue;
    const std::string name = text(*row, "value");
    table.row({text(*row, "column"), name.empty() ? std::string(words::kNoValue) : name,
               count_at(*row, "examples"),
               has_error ? fixed(100 * *value, 1) + " %" : significant(*value, 4),
               whole > 0 ? percent_change(*value / whole) : ""});
  }
  return fmt::format("<h3>{}</h3>\n<p class=\"note\">{}</p>\n{}", words::kGroups,
                     words::kGroupsNote, table.html());
}

/// "longitude −122.2 · latitude 37.8"
std::string cells_html(const Json& mistake, const std::vector<std::string>& columns,
                       const std::string& target) {
  std::string out;
  const std::vector<const Json*> cells = members(mistake, "cells");
  for (size_t i = 0; i < std::min(cells.size(), columns.size()); ++i) {
    if (!cells[i]->is_string() || columns[i] == target) continue;
    out += fmt::format("<span><i>{}</i> {}</span> ", escape(excerpt(columns[i], 40)),
                       escape(excerpt(cells[i]->get<std::string>(), 300)));
  }
  return out.empty() ? out : "<p class=\"cells\">" + out + "</p>\n";
}

/// Nothing but a PNG written out: what is in the file is not trusted.
bool is_picture(const std::string& uri) {
  constexpr std::string_view kHead = "data:image/png;base64,";
  return uri.starts_with(kHead) &&
         std::all_of(uri.begin() + static_cast<int64_t>(kHead.size()), uri.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/' ||
                  c == '=';
         });
}

/// Pictures side by side, each with what is true and what was predicted.
std::string mistakes_grid(const Json& evaluation) {
  std::string out;
  for (const Json* mistake : members(evaluation, "worst")) {
    const std::string uri = text(*mistake, "picture");
    if (!is_picture(uri)) continue;
    out += fmt::format(
        "<figure><img src=\"{}\" alt=\"\"><figcaption>{} {} <b class=\"wrong\">{}</b> {}"
        "</figcaption></figure>\n",
        uri, escape(excerpt(text(*mistake, "true"), 30)), words::kTakenFor,
        escape(excerpt(text(*mistake, "predicted"), 30)), fixed_at(*mistake, "probability", 2));
  }
  return out.empty() ? out : "<div class=\"pictures\">\n" + out + "</div>\n";
}

std::string worst_html(const Json& evaluation) {
  std::vector<std::string> columns;
  for (const Json* name : members(evaluation, "columns")) {
    columns.push_back(name->is_string() ? name->get<std::string>() : "");
  }
  const std::string grid = mistakes_grid(evaluation);
  std::string out;
  for (const Json* mistake : members(evaluation, "worst")) {
    if (!grid.empty()) break;
    const std::string line = count_at(*mistake, "line");
    const std::string p = fixed_at(*mistake, "probability", 3);
    out += fmt::format(
        "<li><p class=\"verdict\"><b>{}</b> {} <b class=\"wrong\">{}</b>{} "
        "<span>{}</span></p>{}</li>\n",
        escape(excerpt(text(*mistake, "true"), 60)), words::kTakenFor,
        escape(excerpt(text(*mistake, "predicted"), 60)), p.empty() ? "" : fmt::format(" ({})", p),
        line.empty() ? fmt::format("{} {}", words::kExample, count_at(*mistake, "example"))
                     : fmt::format("{} {}", words::kLine, line),
        cells_html(*mistake, columns, text(evaluation, "target")));
  }
  if (!grid.empty()) {
    return fmt::format("<h3>{}</h3>\n<p class=\"note\">{}</p>\n{}", words::kWorst,
                       words::kMistakesNote, grid);
  }
  if (out.empty()) return {};
  return fmt::format("<h3>{}</h3>\n<p class=\"note\">{}</p>\n<ol class=\"worst\">\n{}</ol>\n",
                     words::kWorst, words::kWorstNote, out);
}

}  // namespace

std::string judgement_section(const RunRecord& run) {
  const Json& e = run.evaluation;
  const std::string metrics = metrics_table(e);
  if (metrics.empty()) return {};
  std::string body =
      fmt::format("<p class=\"note\">{}</p>\n", escape(judged_by(e, stage_numbers(run, "train"))));
  const std::string confusion = confusion_html(e);
  const bool is_beside = class_names(e).size() <= kBeside;
  body += "<div class=\"pair\">" + metrics + "<div>" + class_table(e) +
          (is_beside ? confusion : "") + "</div></div>\n" + (is_beside ? "" : confusion);
  const std::string figures = ranking_figures(e) + calibration_figure(e) + number_figures(e);
  if (!figures.empty()) body += "<div class=\"pair figures\">" + figures + "</div>\n";
  return section(words::kEvaluation, body + importance_figure(e) + groups_html(e) + worst_html(e));
}

}  // namespace ingot::report
