// SPDX-License-Identifier: Apache-2.0
// A supervised run from files, stopped where asked and continued when its folder holds a
// checkpoint: what two runs must share is in the result. Used by supervised_task_test and
// image_training_test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/message_of.h"
#include "train/loop.h"
#include "train/run_files.h"
#include "train/supervised_task.h"

namespace ingot::testing {

struct SupervisedRun {
  std::vector<models::LayerConfig> layers;
  std::vector<models::Value> inputs;
  int64_t classes = 0;
  train::TrainConfig config;
  train::ObjectiveConfig objective = {};
  std::string train_file, validation_file;
  std::string out;  ///< folder of the run
  /// How examples reach the network, for the engine's seed; empty: as they are.
  std::function<std::unique_ptr<data::RowFiller>(uint64_t seed)> filler = {};
  int threads = 2;
  int64_t stop_at = -1;  ///< after so many steps; -1: never
};

struct SupervisedResult {
  std::vector<float> weights;  ///< of all parameters, in the order of the network
  train::Evaluation evaluation;
};

inline SupervisedResult train_supervised(const SupervisedRun& run) {
  Team team(run.threads);
  Engine engine(team);
  models::Network network(run.layers, run.inputs);
  const data::ExampleReader examples(run.train_file), held_out(run.validation_file);
  const std::unique_ptr<data::RowFiller> filler =
      run.filler ? run.filler(engine.seed()) : std::make_unique<data::RowFiller>();
  const train::Objective objective =
      train::make_objective(run.objective, run.classes, network.output());
  train::SupervisedTask task(engine, run.config, objective, network,
                             {examples, &held_out, *filler});
  const std::unique_ptr<FileSystem> files = real_files();
  const RealClock clock;
  train::RunFiles kept(*files, clock, run.out, "hash", run.config.keep);
  train::LoopContext context{engine, task, clock, kept};
  int64_t steps = 0;
  context.after_step = [&](int64_t step) { steps = step; };
  context.should_stop = [&] { return steps == run.stop_at; };
  (void)train::train(context, run.config);
  SupervisedResult result;
  for (const nn::NamedParameter& p : nn::parameters(network)) {
    const std::vector<float> v = p.parameter->value.to_vector<float>();
    result.weights.insert(result.weights.end(), v.begin(), v.end());
  }
  result.evaluation = task.evaluate();
  return result;
}

}  // namespace ingot::testing
