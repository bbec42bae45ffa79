// SPDX-License-Identifier: Apache-2.0
// Training: the plots, the plan beside what was measured, the samples.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fields.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/sections.h"

namespace ingot::report {
namespace {

constexpr int kWide = 936;  // pixels; the column of the page
constexpr int kThird = 300;
constexpr int kWideHeight = 320;
constexpr int kSmallHeight = 190;
constexpr double kLogRatio = 4;    // a loss that falls further than this gets a logarithmic axis
constexpr double kLargest = 9e15;  // figures beyond are nonsense, and do not fit an integer
constexpr size_t kSamples = 6;     // shown, evenly spread over the run

std::vector<Point> points_of(const RunRecord& run, std::string_view kind, std::string_view field) {
  std::vector<Point> points;
  for (const Json& record : run.metrics.records) {
    if (text(record, "kind") != kind) continue;
    const auto step = number(record, "step");
    const auto value = number(record, field);
    if (step && value) points.push_back({*step, *value});
  }
  return points;
}

bool falls_far(const LinePlot& plot) {
  double low = INFINITY;
  double high = 0;
  for (const Series& series : plot.series) {
    for (const Point& point : series.points) {
      low = std::min(low, point.y);
      high = std::max(high, point.y);
    }
  }
  return low > 0 && high / low > kLogRatio;
}

std::string loss_figure(const RunRecord& run) {
  LinePlot plot;
  plot.title = is_of_table(run) ? words::kTableLossPlot : words::kLossPlot;
  plot.x_label = words::kStepAxis;
  plot.width = kWide;
  plot.height = kWideHeight;
  plot.series = {{.label = std::string(words::kTrainSeries),
                  .points = points_of(run, "train", "loss"),
                  .colour = 0,
                  .raw = true},
                 {.label = std::string(words::kValidationSeries),
                  .points = points_of(run, "validation", "loss"),
                  .colour = 1,
                  .markers = true}};
  plot.mark = Mark::kMinimum;
  plot.mark_label = words::kBest;
  plot.marked = 1;
  plot.log_y = falls_far(plot);
  return figure(plot.title, line_plot(plot),
                plot.series[0].points.empty() ? std::string_view() : words::kLossNote);
}

struct SmallPlot {
  std::string_view title;
  std::string_view field;
  int colour;
  bool raw;
  bool from_zero;
  std::string_view kind = "train";
};

std::string small_figure(const RunRecord& run, const SmallPlot& small) {
  LinePlot plot;
  plot.title = small.title;
  plot.x_label = words::kStepAxis;
  plot.width = kThird;
  plot.height = kSmallHeight;
  plot.from_zero = small.from_zero;
  plot.series = {{.label = {},
                  .points = points_of(run, small.kind, small.field),
                  .colour = small.colour,
                  .raw = small.raw,
                  .markers = small.kind == "validation"}};
  return figure(plot.title, line_plot(plot));
}

struct Quantity {
  std::string_view name;
  std::string_view planned;   // path in plan.json
  std::string_view measured;  // path in the numbers of stage train
  std::string (*print)(double);
};

int64_t rounded(double value) { return std::llround(std::clamp(value, -kLargest, kLargest)); }
std::string print_count(double value) { return with_thousands(rounded(value)); }
std::string print_bytes(double value) { return human_bytes(rounded(value)); }

/// Left out of the table when only one of the two is known.
std::string deviation(double planned, double measured) {
  if (planned == 0) return {};
  return planned == measured ? "exact" : percent_change(measured / planned);
}

/// The measured value; training time falls back to the time of its stage.
std::optional<double> measured_value(const RunRecord& run, const Quantity& quantity) {
  const auto value = number(stage_numbers(run, "train"), quantity.measured);
  if (value || quantity.measured != "seconds") return value;
  const StageRecord* train = find_stage(run, "train");
  if (train == nullptr || train->state != "done" || train->seconds < 0) return std::nullopt;
  return train->seconds;
}

}  // namespace

std::string training_section(const RunRecord& run) {
  const bool is_table = is_of_table(run);
  const SmallPlot kPlots[] = {
      {words::kAccuracyPlot, "accuracy", 1, false, false, "validation"},
      {words::kR2Plot, "r2", 1, false, false, "validation"},
      {words::kRatePlot, "learning_rate", 2, false, true},
      {is_table ? words::kTableSpeedPlot : words::kSpeedPlot,
       is_table ? "clock.examples_per_second" : "clock.tokens_per_second", 3, true, true},
      {words::kNormPlot, "gradient_norm", 4, true, true},
  };
  std::string small;
  for (const SmallPlot& plot : kPlots) small += small_figure(run, plot);
  std::string body = loss_figure(run);
  if (!small.empty()) body += "<div class=\"trio\">" + small + "</div>\n";
  return section(words::kTraining, body);
}

std::string plan_section(const RunRecord& run) {
  constexpr Quantity kQuantities[] = {
      {"Parameters", "parameters", "parameters", print_count},
      {"Steps", "steps", "steps", print_count},
      {"Tokens", "tokens", "tokens", print_count},
      {"Examples", "examples", "examples", print_count},
      {"Training time", "seconds", "seconds", human_duration},
      {"Tokens per second", "tokens_per_second", "tokens_per_second", print_count},
      {"Examples per second", "examples_per_second", "examples_per_second", print_count},
      {"Peak memory", "peak_bytes", "peak_bytes", print_bytes},
  };
  Table table({{"Quantity", false}, {"Planned"}, {"Measured"}, {"Deviation"}});
  for (const Quantity& quantity : kQuantities) {
    const auto planned = number(run.plan, quantity.planned);
    const auto measured = measured_value(run, quantity);
    if (!planned) continue;
    table.row({std::string(quantity.name), quantity.print(*planned),
               measured ? quantity.print(*measured) : "",
               measured ? deviation(*planned, *measured) : ""});
  }
  return section(words::kPlan, table.empty() ? std::string() : table.html());
}

std::string samples_section(const RunRecord& run) {
  std::vector<const Json*> samples;
  for (const Json& record : run.metrics.records) {
    if (text(record, "kind") == "sample") samples.push_back(&record);
  }
  std::string body;
  const size_t shown = std::min(samples.size(), kSamples);
  for (size_t i = 0; i < shown; ++i) {
    const size_t index = shown == 1 ? 0 : i * (samples.size() - 1) / (shown - 1);
    const Json& sample = *samples[index];
    body += fmt::format(
        "<div class=\"sample\"><span class=\"when\">{} {}</span>"
        "<pre><b>{}</b>{}</pre></div>\n",
        words::kStepAxis, count_at(sample, "step"), escape(text(sample, "prompt")),
        escape(text(sample, "text")));
  }
  return section(words::kSamples, body);
}

}  // namespace ingot::report
