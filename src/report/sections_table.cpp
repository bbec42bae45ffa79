// SPDX-License-Identifier: Apache-2.0
// What a run on a table learned from: rows per split, classes, features, the network.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fields.h"
#include "report/graph.h"
#include "report/html.h"
#include "report/sections.h"

namespace ingot::report {
namespace {

constexpr size_t kShownWarnings = 20;

std::string rows_table(const Json& numbers) {
  Table table({{"Split", false}, {"Examples"}, {"Rows left out"}, {"of them without a target"}});
  for (const auto& [key, name] : words::kSplits) {
    const std::string examples = count_at(numbers, fmt::format("splits.{}.examples", key));
    if (examples.empty()) continue;
    table.row({std::string(name), examples,
               count_at(numbers, fmt::format("splits.{}.dropped", key)),
               count_at(numbers, fmt::format("splits.{}.without_target", key))});
  }
  return table.empty() ? std::string() : table.html();
}

std::string balance_table(const Json& evaluation) {
  Table table({{"Class", false}, {"train"}, {"validation"}, {"test"}});
  for (const Json* row : members(evaluation, "balance")) {
    table.row({text(*row, "class"), count_at(*row, "train"), count_at(*row, "validation"),
               count_at(*row, "test")});
  }
  return table.empty() ? std::string() : table.html();
}

std::string warnings_list(const Json& numbers) {
  const Json* warnings = find(numbers, "warnings");
  if (warnings == nullptr || !warnings->is_array() || warnings->empty()) return {};
  std::string items;
  size_t shown = 0;
  for (const Json& warning : *warnings) {
    if (!warning.is_string() || shown == kShownWarnings) continue;
    items += "<li>" + escape(excerpt(warning.get<std::string>(), 300)) + "</li>\n";
    ++shown;
  }
  if (warnings->size() > shown) {
    items += fmt::format("<li>{} {}</li>\n", warnings->size() - shown, words::kMoreWarnings);
  }
  return "<ul class=\"warnings\">\n" + items + "</ul>\n";
}

/// Names of what a layer reads: a list, in older runs a text with commas.
std::vector<std::string> sources_of(const Json& layer) {
  std::vector<std::string> sources;
  for (const Json* name : members(layer, "from")) {
    if (name->is_string()) sources.push_back(name->get<std::string>());
  }
  const std::string joined = text(layer, "from");
  for (const std::string_view name : split(joined, ',')) {
    if (!trim(name).empty()) sources.emplace_back(trim(name));
  }
  return sources;
}

std::vector<GraphNode> graph_of(const std::vector<const Json*>& layers) {
  std::vector<GraphNode> nodes;
  for (const Json* layer : layers) {
    GraphNode node;
    node.name = text(*layer, "name");
    const std::string type = text(*layer, "type");
    node.is_input = type.starts_with("input");
    node.detail = (type == node.name ? "" : type + " ") + text(*layer, "shape");
    for (const std::string& source : sources_of(*layer)) {
      for (size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i].name == source) node.from.push_back(static_cast<int>(i));
      }
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace

bool is_of_table(const RunRecord& run) { return find_stage(run, "examples") != nullptr; }

std::string examples_section(const RunRecord& run) {
  const Json& numbers = stage_numbers(run, "examples");
  std::string body;
  const std::string rows = rows_table(numbers), balance = balance_table(run.evaluation);
  if (!rows.empty() || !balance.empty())
    body += "<div class=\"pair\">" + rows + balance + "</div>\n";
  double twins = 0;
  for (const char* kind : {"test_in_train", "validation_in_train", "test_in_validation"}) {
    twins += std::max(number(numbers, fmt::format("leakage.{}", kind)).value_or(0), 0.0);
  }
  if (twins > 0) {
    body += "<p>" + escape(fmt::format(words::kLeaks, significant(twins, 9))) + "</p>\n";
  }
  return section(words::kData, body + warnings_list(numbers));
}

std::string features_section(const RunRecord& run) {
  Table table({{"Column", false},
               {"Kind", false},
               {"Missing"},
               {"Different"},
               {"Inputs"},
               {"What becomes of it", false},
               {"Fitted on the training rows", false}});
  for (const Json* f : members(stage_numbers(run, "plan"), "features")) {
    table.row({text(*f, "name"), text(*f, "kind"), count_at(*f, "missing"),
               count_at(*f, "distinct"), count_at(*f, "inputs"), text(*f, "transform"),
               text(*f, "fitted")});
  }
  return section(words::kFeatures, table.empty()
                                       ? std::string()
                                       : "<div class=\"wide\">" + table.html() + "</div>\n");
}

std::string network_section(const RunRecord& run) {
  const std::vector<const Json*> layers = members(stage_numbers(run, "plan"), "layers");
  if (layers.empty()) return {};
  Table table(
      {{"Layer", false}, {"Type", false}, {"Shape"}, {"Parameters"}, {"FLOP"}, {"From", false}});
  double parameters = 0, flops = 0;
  for (const Json* layer : layers) {
    table.row({text(*layer, "name"), text(*layer, "type"), text(*layer, "shape"),
               count_at(*layer, "parameters"), count_at(*layer, "flops"),
               join(sources_of(*layer), ", ")});
    parameters += number(*layer, "parameters").value_or(0);
    flops += number(*layer, "flops").value_or(0);
  }
  table.row({"total", "", "", human_count(parameters), human_count(flops), ""}, true);
  const std::string picture = graph_picture(graph_of(layers), words::kNetwork);
  return section(words::kNetwork, "<div class=\"network\">" + picture + table.html() + "</div>\n");
}

}  // namespace ingot::report
