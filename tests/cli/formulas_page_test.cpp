// SPDX-License-Identifier: Apache-2.0
// docs/formulas.md has a row for every layer, activation, init, update rule, schedule, loss and
// metric of the program, and for nothing else.
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/files.h"
#include "models/network/layer_names.h"
#include "nn/init.h"
#include "optim/optimizer.h"
#include "source_dir.h"
#include "train/metrics/classification.h"
#include "train/metrics/regression.h"
#include "train/objective.h"
#include "train/schedule.h"

namespace ingot::cli::formulas_page_test {
namespace {

using Names = std::set<std::string>;

/// The words in backquotes of the first cell of every row, by the heading above.
std::map<std::string, Names> rows_of_page() {
  std::map<std::string, Names> rows;
  std::istringstream page(read_file(INGOT_SOURCE_DIR "/docs/formulas.md"));
  std::string line, heading;
  while (std::getline(page, line)) {
    if (line.starts_with("## ")) heading = line.substr(3);
    if (!line.starts_with("| `")) continue;
    std::istringstream cell(line.substr(2, line.find(" | ", 2) - 2));
    std::string between, name;
    while (std::getline(cell, between, '`') && std::getline(cell, name, '`')) {
      EXPECT_TRUE(rows[heading].insert(name).second) << name << " stands twice";
    }
  }
  return rows;
}

template <class Enum>
Names names_of() {
  Names names;
  for (const EnumName& entry : enum_names(Enum{})) names.emplace(entry.name);
  return names;
}

Names metrics() {
  Names names = {"perplexity", "bits_per_byte"};  // of language models
  for (const int64_t classes : {2, 10}) {
    train::ClassificationOptions options;
    options.classes = classes;
    for (const std::string& name : train::metric_names(options)) names.insert(name);
  }
  for (const train::MetricValue& value : train::RegressionMetrics().result().values) {
    names.insert(std::string(value.name));
  }
  return names;
}

TEST(FormulasPage, HasWhatTheProgramHas) {
  std::map<std::string, Names> rows = rows_of_page();
  EXPECT_EQ(rows["Layers"], names_of<models::LayerType>());
  EXPECT_EQ(rows["Activations"], names_of<models::ActivationName>());
  EXPECT_EQ(rows["First values"], names_of<nn::InitKind>());
  EXPECT_EQ(rows["Update rules"], names_of<optim::OptimizerKind>());
  EXPECT_EQ(rows["Schedules"], names_of<train::ScheduleKind>());
  EXPECT_EQ(rows["Losses"], names_of<train::LossName>());
  EXPECT_EQ(rows["Metrics"], metrics());
}

}  // namespace
}  // namespace ingot::cli::formulas_page_test
