// SPDX-License-Identifier: Apache-2.0
// Results: the figures at the top, bits per byte against general compressors, the compressed
// models, the completion that the server gave.
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fields.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/sections.h"

namespace ingot::report {
namespace {

constexpr int kOurs = 0;  // colour classes of the bars
constexpr int kBaseline = 5;
constexpr int kChartWidth = 936;

std::optional<double> total_seconds(const RunRecord& run) {
  double total = 0;
  for (const StageRecord& stage : run.stages) total += std::max(stage.seconds, 0.0);
  if (total <= 0) return std::nullopt;
  return total;
}

/// The lowest validation loss of the metrics.
std::optional<double> best_validation(const RunRecord& run) {
  std::optional<double> best;
  for (const Json& record : run.metrics.records) {
    if (text(record, "kind") != "validation") continue;
    const auto loss = number(record, "loss");
    if (loss && (!best || *loss < *best)) best = loss;
  }
  return best;
}

std::string bits_chart(const Json& evaluation) {
  const auto ours = number(evaluation, "bits_per_byte");
  if (!ours) return {};
  BarChart chart;
  chart.title = words::kBitsChart;
  chart.width = kChartWidth;
  chart.bars.push_back({std::string(words::kThisModel), *ours, fixed(*ours, 3), kOurs, true});
  if (const Json* baselines = find(evaluation, "baselines"); baselines && baselines->is_object()) {
    for (const auto& [key, value] : baselines->items()) {
      if (!value.is_number()) continue;
      const auto bits = value.get<double>();
      chart.bars.push_back({word(words::kBaselines, key), bits, fixed(bits, 3), kBaseline, false});
    }
  }
  return figure(chart.title, bar_chart(chart));
}

/// "The model needs 5.3 % fewer bits than gzip -9, each file alone."
std::string verdict(const Json& evaluation) {
  const auto ours = number(evaluation, "bits_per_byte");
  const auto gzip = number(evaluation, "baselines.gzip_files");
  if (!ours || !gzip || *gzip <= 0) return {};
  const double change = *ours / *gzip - 1;
  const std::string percent = fixed(std::abs(change) * 100, 1) + " %";
  const std::string name = word(words::kBaselines, "gzip_files");
  return change <= 0 ? fmt::format(words::kFewer, percent, name)
                     : fmt::format(words::kMore, percent, name);
}

std::string ratio_cell(const std::optional<double>& value, const std::optional<double>& base) {
  if (!value || !base || *base <= 0) return {};
  return fixed(*value / *base, 3);
}

std::string completion_html(std::string_view prompt, std::string_view completion) {
  return fmt::format("<pre class=\"completion\"><b>{}</b>{}</pre>\n", escape(prompt),
                     escape(completion));
}

}  // namespace

std::string summary_facts(const RunRecord& run) {
  const Json& train = stage_numbers(run, "train");
  const Json& evaluation = stage_numbers(run, "evaluate");
  auto parameters = number(train, "parameters");
  if (!parameters) parameters = number(run.plan, "parameters");
  const auto tokens = number(train, "tokens"), examples = number(train, "examples");
  const auto best = best_validation(run);
  const auto seconds = total_seconds(run);
  const std::string gzip = fixed_at(evaluation, "baselines.gzip_files", 3);
  return facts_html(
      {{"parameters", parameters ? human_count(*parameters) : ""},
       {"tokens trained on", tokens ? human_count(*tokens) : ""},
       {"examples trained on", examples ? human_count(*examples) : ""},
       {"best validation loss", best ? fixed(*best, 3) : ""},
       {text(evaluation, "split") + " accuracy", fixed_at(evaluation, "accuracy.value", 3)},
       {text(evaluation, "split") + " R\u00b2", fixed_at(evaluation, "r2.value", 3)},
       {"test bits per byte", fixed_at(evaluation, "bits_per_byte", 3)},
       {"gzip -9, each file", gzip},
       {"total time", seconds ? human_duration(*seconds) : ""}},
      "facts head");
}

std::string evaluation_section(const RunRecord& run) {
  const Json& n = stage_numbers(run, "evaluate");
  std::string body = facts_html({{"perplexity per token", fixed_at(n, "perplexity", 2)},
                                 {"loss, nats per token", fixed_at(n, "loss", 4)},
                                 {"test tokens", count_at(n, "tokens")},
                                 {"test bytes", bytes_at(n, "bytes")}});
  body += bits_chart(n);
  if (const std::string line = verdict(n); !line.empty()) body += "<p>" + escape(line) + "</p>\n";
  return section(words::kEvaluation, body);
}

std::string compression_section(const RunRecord& run) {
  const Json* variants = find(stage_numbers(run, "compress"), "variants");
  if (variants == nullptr || !variants->is_array() || variants->empty()) return {};
  Table table({{"Weights", false}, {"Size"}, {"Ratio"}, {"Perplexity"}, {"Change"}, {"Tokens/s"}});
  const auto base_bytes = number(variants->front(), "bytes");
  const auto base_perplexity = number(variants->front(), "perplexity");
  for (const Json& variant : *variants) {
    const bool first = &variant == &variants->front();
    const auto perplexity = number(variant, "perplexity");
    const bool comparable = !first && perplexity && base_perplexity && *base_perplexity > 0;
    table.row({text(variant, "name"), bytes_at(variant, "bytes"),
               ratio_cell(number(variant, "bytes"), base_bytes), fixed_at(variant, "perplexity", 3),
               comparable ? percent_change(*perplexity / *base_perplexity) : "",
               count_at(variant, "tokens_per_second")});
  }
  return section(words::kCompression, table.html());
}

std::string serving_section(const RunRecord& run) {
  const Json& n = stage_numbers(run, "serve");
  const std::string completion = text(n, "completion");
  if (completion.empty()) return {};
  const auto first = number(n, "first_token_seconds");
  return section(
      words::kServing,
      completion_html(text(n, "prompt"), completion) +
          facts_html({{"model", text(n, "model")},
                      {"tokens per second", count_at(n, "tokens_per_second")},
                      {"first token after", first ? fixed(*first * 1000, 0) + " ms" : ""},
                      {"tokens", count_at(n, "tokens")}}));
}

}  // namespace ingot::report
