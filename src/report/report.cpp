// SPDX-License-Identifier: Apache-2.0
// Composes the page: head, then the sections in the order of the pipeline.
#include "report/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/fields.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/style.h"

namespace ingot::report {
namespace {

constexpr size_t kHashShown = 12;

/// The value of the first top-level `name:` of the recipe; quotes are taken off.
std::string name_in_recipe(std::string_view recipe) {
  for (std::string_view line : split(recipe, '\n')) {
    if (!line.starts_with("name:")) continue;
    line = trim(line.substr(5));
    const size_t comment = line.find(" #");
    if (comment != std::string_view::npos) line = trim(line.substr(0, comment));
    const bool quoted = line.size() > 1 && (line.front() == '"' || line.front() == '\'') &&
                        line.back() == line.front();
    return std::string(quoted ? line.substr(1, line.size() - 2) : line);
  }
  return {};
}

std::string name_of(const RunRecord& run) {
  std::string name = text(run.run, "name");
  if (name.empty()) name = name_in_recipe(run.recipe);
  return name.empty() ? run.directory_name : name;
}

/// "AMD EPYC 7B13, 2 cores, 7.8 GiB, Debian 12"
std::string machine_text(const RunRecord& run) {
  const std::string cores = count_at(run.run, "machine.cores");
  std::vector<std::string> parts{
      text(run.run, "machine.cpu"),
      cores.empty() ? cores : cores + (cores == "1" ? " core" : " cores"),
      bytes_at(run.run, "machine.memory_bytes"), text(run.run, "machine.system")};
  std::erase(parts, "");
  return join(parts, ", ");
}

std::string meta_item(std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  return fmt::format("<span>{} <b>{}</b></span>\n", escape(name), escape(value));
}

bool finished(const RunRecord& run) {
  return !run.stages.empty() &&
         std::all_of(run.stages.begin(), run.stages.end(), [](const StageRecord& stage) {
           return stage.state == "done" || stage.state == "skipped" || stage.name == "report";
         });
}

bool empty(const RunRecord& run) {
  return run.recipe.empty() && run.stages.empty() && run.metrics.records.empty() &&
         run.plan.empty();
}

std::string header(const RunRecord& run) {
  std::string out = fmt::format("<header>\n<p class=\"over\">{} \xC2\xB7 {}</p>\n<h1>{}</h1>\n",
                                words::kProduct, words::kReportOf, escape(name_of(run)));
  const std::string meta = meta_item(words::kRecipeHash, run.recipe_hash.substr(0, kHashShown)) +
                           meta_item(words::kStarted, text(run.run, "started")) +
                           meta_item(words::kFinished, text(run.run, "finished")) +
                           meta_item(words::kVersion, text(run.run, "version"));
  if (!meta.empty()) out += "<p class=\"meta\">" + meta + "</p>\n";
  const std::string machine = machine_text(run);
  if (!machine.empty()) out += "<p class=\"meta\">" + escape(machine) + "</p>\n";
  if (empty(run) || !finished(run)) {
    out += fmt::format("<p class=\"notice\">{}</p>\n",
                       empty(run) ? words::kEmpty : words::kUnfinished);
  }
  return out + summary_facts(run) + "</header>\n";
}

std::string problems_section(const RunRecord& run) {
  if (run.problems.empty()) return {};
  std::string items;
  for (const std::string& problem : run.problems) items += "<li>" + escape(problem) + "</li>\n";
  return section(words::kProblems, "<ul>\n" + items + "</ul>\n");
}

}  // namespace

std::string render(const RunRecord& run) {
  const std::string title = escape(name_of(run));
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{} \xC2\xB7 {}</title>\n<style>{}</style>\n</head>\n<body>\n",
      title, words::kReportOf, kStyle);
  page += header(run) + "<main>\n";
  page += stages_section(run) + data_section(run) + examples_section(run);
  page += features_section(run) + network_section(run) + tokenizer_section(run);
  page += training_section(run) + plan_section(run) + samples_section(run);
  page += judgement_section(run) + evaluation_section(run) + compression_section(run) +
          serving_section(run);
  page += details_section(run) + problems_section(run);
  page += "</main>\n";
  if (!run.recipe_hash.empty()) {
    page += fmt::format("<footer>{} <code>{}</code></footer>\n", words::kRecipe,
                        escape(run.recipe_hash));
  }
  return page + "</body>\n</html>\n";
}

std::filesystem::path write_report(FileSystem& files, const std::filesystem::path& directory) {
  const std::string page = render(read_run(directory));
  const std::filesystem::path path = directory / "report.html";
  write_atomically(files, path.string(), std::string_view(page));
  return path;
}

}  // namespace ingot::report
