// SPDX-License-Identifier: Apache-2.0
// The sections of the report, one function each: HTML with its heading, or "" when the run has
// nothing for it. Composed by report.cpp; the split over files follows the pipeline.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/report.h"

namespace ingot::report {

// sections_data.cpp
[[nodiscard]] std::string stages_section(const RunRecord& run);
[[nodiscard]] std::string data_section(const RunRecord& run);
[[nodiscard]] std::string tokenizer_section(const RunRecord& run);
[[nodiscard]] std::string details_section(const RunRecord& run);

// sections_table.cpp
[[nodiscard]] std::string examples_section(const RunRecord& run);
[[nodiscard]] std::string features_section(const RunRecord& run);
[[nodiscard]] std::string network_section(const RunRecord& run);

// sections_evaluation.cpp
[[nodiscard]] std::string judgement_section(const RunRecord& run);

// sections_training.cpp
[[nodiscard]] std::string training_section(const RunRecord& run);
[[nodiscard]] std::string plan_section(const RunRecord& run);
[[nodiscard]] std::string samples_section(const RunRecord& run);

// sections_results.cpp
[[nodiscard]] std::string summary_facts(const RunRecord& run);
[[nodiscard]] std::string evaluation_section(const RunRecord& run);
[[nodiscard]] std::string compression_section(const RunRecord& run);
[[nodiscard]] std::string serving_section(const RunRecord& run);

/// True when the run learned from a table.
[[nodiscard]] bool is_of_table(const RunRecord& run);

/// What happened in a stage, in a few words: "1,204 files, 9.1 MiB".
[[nodiscard]] std::string stage_summary(const RunRecord& run, const StageRecord& stage);

/// `<section><h2>heading</h2>body</section>`, or "" when the body is empty.
[[nodiscard]] std::string section(std::string_view heading, const std::string& body);

/// A row of figures with their names; values that are empty are left out.
using Facts = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] std::string facts_html(const Facts& facts, std::string_view style = "facts");

}  // namespace ingot::report
