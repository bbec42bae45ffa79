// SPDX-License-Identifier: Apache-2.0
// Checkpoints come back exactly, the oldest go, a damaged newest gives way to the one before, and a
// disk that fails at any operation leaves a checkpoint that loads. Whole runs:
// kill_resume_test.cpp.
#include "train/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "base/faulty_files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/message_of.h"
#include "train/unsynced_files.h"

namespace ingot::train::checkpoint_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;

struct Weights : nn::Module {
  explicit Weights(int64_t rows = 3) {
    table.shape = {rows, 4};
    table.init = {nn::InitKind::kNormal, 1.0F};
    bias.shape = {5};
    bias.init = {nn::InitKind::kUniform, 1.0F};
    bias.decay = false;
  }
  void visit(nn::Visitor& visitor) override {
    visitor("table", table);
    visitor("bias", bias);
  }
  nn::Parameter table, bias;
};

/// A model with its optimiser, whose numbers are a function of `version`.
struct Model {
  explicit Model(int64_t rows = 3)
      : team(1), engine(team), weights(rows), store(engine, weights), tape(engine) {
    store.bind(tape);
    optimizer = optim::make_optimizer({}, engine, store);
  }
  void set(int version) {
    fill(store.values(), version);
    int i = 0;
    for (const optim::NamedState& s : optimizer->state()) fill(s.tensor, version + 100 * ++i);
  }
  /// The parameters and states, padding left out.
  std::vector<float> numbers() {
    std::vector<float> all;
    const auto take = [&](const Tensor& slab) {
      for (const nn::StoredParameter& p : store.list()) {
        const float* x = slab.data<float>() + p.offset;
        all.insert(all.end(), x, x + p.parameter->shape.size());
      }
    };
    take(store.values());
    for (const optim::NamedState& s : optimizer->state()) take(s.tensor);
    return all;
  }
  static std::vector<float> expected(int version) {
    Model m;
    m.set(version);
    return m.numbers();
  }

  Team team;
  Engine engine;
  Weights weights;
  nn::ParameterStore store;
  Tape tape;
  std::unique_ptr<optim::Optimizer> optimizer;

 private:
  void fill(const Tensor& slab, int version) {
    for (const nn::StoredParameter& p : store.list()) {
      for (int64_t i = 0; i < p.parameter->shape.size(); ++i) {
        slab.data<float>()[p.offset + i] =
            static_cast<float>(version) + 0.001F * static_cast<float>(p.offset + i);
      }
    }
  }
};

RunState state_at(int64_t step) {
  RunState s;
  s.step = step;
  s.total_steps = 1000;
  s.metrics_lines = 3 * step;
  s.last_validation = 0.1 + static_cast<double>(step);  // no short decimal
  s.best = {1.0 / 3.0, step - 1, 2, "f00d"};
  s.plateau = {0.01, 2.0 / 7.0, 1, true};
  s.epoch = {5.0 / 3.0, 4};
  s.recipe_hash = "abc";
  return s;
}

class CheckpointTest : public ::testing::Test {
 protected:
  void save(int64_t step, FileSystem* files = nullptr, int64_t keep = 2) {
    model_.set(static_cast<int>(step));
    Checkpoints(files != nullptr ? *files : *files_, folder(), keep)
        .save(state_at(step), model_.store, *model_.optimizer);
  }
  /// The step that loads, -1 for none; the numbers must be those of that step.
  int64_t load(std::string* warning = nullptr) {
    Model fresh;
    std::string text;
    const auto found =
        Checkpoints(*files_, folder(), 2).load("abc", fresh.store, *fresh.optimizer, &text);
    if (warning != nullptr) *warning = text;
    if (!found) return -1;
    EXPECT_EQ(fresh.numbers(), Model::expected(static_cast<int>(found->step)));
    return found->step;
  }
  [[nodiscard]] std::string folder() const { return dir_.file("checkpoints"); }
  [[nodiscard]] std::string path(int64_t step, const std::string& name) const {
    return fmt::format("{}/step-{:08d}/{}", folder(), step, name);
  }
  [[nodiscard]] std::vector<std::string> names() const { return files_->list(folder()); }

  TempDir dir_;
  std::unique_ptr<FileSystem> files_ = std::make_unique<testing::UnsyncedFiles>();
  Model model_;
};

TEST_F(CheckpointTest, NothingToLoad) {
  std::string warning;
  EXPECT_EQ(load(&warning), -1);
  EXPECT_EQ(warning, "");
  EXPECT_TRUE(directory_exists(folder()));
}

TEST_F(CheckpointTest, EverythingComesBackExactly) {
  save(7);
  Model fresh;
  std::string warning;
  const auto found =
      Checkpoints(*files_, folder(), 2).load("abc", fresh.store, *fresh.optimizer, &warning);
  ASSERT_TRUE(found.has_value());
  const RunState expected = state_at(7);
  EXPECT_EQ(found->step, expected.step);
  EXPECT_EQ(found->total_steps, expected.total_steps);
  EXPECT_EQ(found->metrics_lines, expected.metrics_lines);
  EXPECT_EQ(found->last_validation, expected.last_validation);
  EXPECT_EQ(found->best.loss, expected.best.loss);
  EXPECT_EQ(found->best.step, expected.best.step);
  EXPECT_EQ(found->best.evaluations_since, expected.best.evaluations_since);
  EXPECT_EQ(found->best.sha256, expected.best.sha256);
  EXPECT_EQ(found->plateau.factor, expected.plateau.factor);
  EXPECT_EQ(found->plateau.best, expected.plateau.best);
  EXPECT_EQ(found->plateau.bad, expected.plateau.bad);
  EXPECT_EQ(found->plateau.has_best, expected.plateau.has_best);
  EXPECT_EQ(found->epoch.loss_sum, expected.epoch.loss_sum);
  EXPECT_EQ(found->epoch.steps, expected.epoch.steps);
  EXPECT_EQ(fresh.numbers(), Model::expected(7));
  EXPECT_EQ(fresh.optimizer->state().size(), 2U);  // both moments of AdamW
  EXPECT_EQ(warning, "");
}

TEST_F(CheckpointTest, ANanLossComesBackAsNan) {
  RunState state = state_at(3);
  state.last_validation = std::numeric_limits<double>::quiet_NaN();
  state.best.loss = std::numeric_limits<double>::infinity();
  Checkpoints checkpoints(*files_, folder(), 2);
  checkpoints.save(state, model_.store, *model_.optimizer);
  std::string warning;
  const auto found = checkpoints.load("abc", model_.store, *model_.optimizer, &warning);
  ASSERT_TRUE(found.has_value()) << warning;
  EXPECT_TRUE(std::isnan(found->last_validation));
}

TEST_F(CheckpointTest, KeepsTheNewest) {
  for (const int64_t step : {5, 10, 15, 20}) save(step);
  EXPECT_EQ(names(), (std::vector<std::string>{"step-00000015", "step-00000020"}));
  EXPECT_EQ(load(), 20);
}

TEST_F(CheckpointTest, ADamagedNewestGivesWayToTheOneBefore) {
  const auto damage = [&](const std::string& file, const auto& how) {
    save(10);
    save(20);
    how(file);
    std::string warning;
    EXPECT_EQ(load(&warning), 10) << file;
    EXPECT_NE(warning.find(file), std::string::npos) << warning;
    return warning;
  };
  const auto cut = [](const std::string& file) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  };
  const auto flip = [](const std::string& file) {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(-2, std::ios::end);
    const char byte = static_cast<char>(f.get() ^ 1);
    f.seekp(-2, std::ios::end);
    f.put(byte);
  };
  const auto erase = [](const std::string& file) { std::filesystem::remove(file); };
  const std::string tensors = path(20, "state.safetensors");
  const std::string state = path(20, "state.json");
  const std::string kept = ". It is kept as step-00000020.damaged\n";
  const std::string size = std::to_string((save(20), file_size(tensors)));
  EXPECT_EQ(damage(tensors, cut), tensors + ": " + std::to_string(std::stoll(size) - 1) +
                                      " bytes, " + size + " were written" + kept);
  EXPECT_EQ(damage(tensors, flip), tensors + ": the SHA-256 differs from what was written" + kept);
  (void)damage(tensors, erase);
  (void)damage(state, [&](const std::string& file) {
    cut(file);  // the line end
    cut(file);  // the last brace
  });
  EXPECT_EQ(names(), (std::vector<std::string>{"step-00000010", "step-00000020.damaged"}));
  (void)damage(state, [](const std::string& file) { std::ofstream(file) << "{\"run\": {}}"; });
}

TEST_F(CheckpointTest, WhatWasNeverFinishedDoesNotCount) {
  save(10);
  save(20);
  std::filesystem::remove(path(20, "state.json"));
  std::string warning;
  EXPECT_EQ(load(&warning), 10);
  std::filesystem::remove(path(10, "state.json"));
  EXPECT_EQ(load(&warning), -1);
  EXPECT_EQ(warning, "");
}

// A run whose checkpoints are all damaged must not begin anew and write over them.
TEST_F(CheckpointTest, WhenNoneIsWholeTheRunIsRefused) {
  save(10);
  save(20);
  for (const int64_t step : {10, 20}) std::ofstream(path(step, "state.json")) << "{}";
  const auto load_any = [&] { (void)load(); };
  const std::string message = message_of(load_any);
  EXPECT_EQ(
      message.substr(0, message.find("state.json")),
      "train: no checkpoint in " + folder() + " can be read: " + folder() + "/step-00000020/");
  EXPECT_NE(message.find("Use --fresh to begin the run anew, or move that folder away"),
            std::string::npos)
      << message;
  EXPECT_EQ(code_of(load_any), "corrupt_file");
  EXPECT_EQ(names(), (std::vector<std::string>{"step-00000010", "step-00000020"}));
}

TEST_F(CheckpointTest, ALaterFormatIsRefusedAndNotTakenForDamage) {
  save(10);
  save(20);
  std::string text = read_file(path(20, "state.json"));
  text.replace(text.find("\"version\": 1"), 12, "\"version\": 9");
  std::ofstream(path(20, "state.json")) << text;
  const auto load_newest = [&] { (void)load(); };
  EXPECT_EQ(message_of(load_newest),
            path(20, "state.json") +
                ": format version 9 is newer than the 1 that this program reads. Continue the run "
                "with the program that wrote it");
  EXPECT_EQ(code_of(load_newest), "unsupported");
}

TEST_F(CheckpointTest, FieldsThatWereAddedLaterMayBeMissing) {
  save(10);
  Json json = parse_json(read_file(path(10, "state.json")), "state.json");
  json.erase("version");
  json["run"].erase("last_loss");
  json["run"].erase("seconds");
  json["run"].erase("epoch");
  json["run"]["best"].erase("sha256");
  std::ofstream(path(10, "state.json")) << json.dump();
  EXPECT_EQ(load(), 10);
}

// The disk refuses to read: no damage, so nothing is skipped.
TEST_F(CheckpointTest, AReadErrorIsNotDamage) {
  save(10);
  save(20);
  std::filesystem::remove(path(20, "state.safetensors"));
  std::filesystem::create_symlink("state.safetensors", path(20, "state.safetensors"));  // a loop
  EXPECT_EQ(code_of([&] { (void)load(); }), "io");
  EXPECT_EQ(names(), (std::vector<std::string>{"step-00000010", "step-00000020"}));
}

// After going back from a damaged or unfinished newest one, the next save must not count it, and
// must not remove what it did not write.
TEST_F(CheckpointTest, SavingBeforeAnUnfinishedOneKeepsWhatLoads) {
  save(10);
  save(20);
  std::filesystem::remove(path(20, "state.json"));
  std::filesystem::create_directory(folder() + "/step-00000001.mine");
  save(15, nullptr, 1);
  EXPECT_EQ(names(),
            (std::vector<std::string>{"step-00000001.mine", "step-00000015", "step-00000020"}));
  EXPECT_EQ(load(), 15);
}

TEST_F(CheckpointTest, LoadingBetweenForwardAndBackwardIsNoticed) {
  save(10);
  Tensor weight = model_.store.list()[0].parameter->value.detach();
  Tape tape(model_.engine);
  tape.begin_step();
  tape.watch(weight);
  Tensor loss;
  {
    const Recording on(model_.engine, &tape);
    loss = ops::sum(ops::mul(weight, weight));
  }
  std::string warning;
  (void)Checkpoints(*files_, folder(), 2).load("abc", model_.store, *model_.optimizer, &warning);
  EXPECT_EQ(code_of([&] { tape.backward(loss); }), "invalid_argument");
}

TEST_F(CheckpointTest, AnotherRecipeIsRefused) {
  save(10);
  std::string warning;
  Checkpoints checkpoints(*files_, folder(), 2);
  const auto other = [&] {
    (void)checkpoints.load("def", model_.store, *model_.optimizer, &warning);
  };
  EXPECT_EQ(message_of(other),
            "train: " + folder() +
                "/step-00000010 was written by another recipe (hash abc, this one is def). Use the "
                "recipe in the run directory, another out=DIR, or --fresh");
  EXPECT_EQ(code_of(other), "invalid_argument");
}

TEST_F(CheckpointTest, AnotherModelIsRefused) {
  save(10);
  Model wide(6);
  std::string warning;
  const auto load_wide = [&] {
    (void)Checkpoints(*files_, folder(), 2).load("abc", wide.store, *wide.optimizer, &warning);
  };
  EXPECT_EQ(message_of(load_wide), path(10, "state.safetensors") +
                                       ": \"param.table\" is float32 [3, 4], this recipe's model "
                                       "needs float32 [6, 4]");
  EXPECT_EQ(code_of(load_wide), "shape_mismatch");
}

TEST_F(CheckpointTest, AnotherOptimiserIsRefused) {
  save(10);
  optim::OptimizerConfig sgd;
  sgd.name = optim::OptimizerKind::kSgd;
  sgd.momentum = 0.9F;
  const auto optimizer = optim::make_optimizer(sgd, model_.engine, model_.store);
  std::string warning;
  const std::string message = message_of([&] {
    (void)Checkpoints(*files_, folder(), 2).load("abc", model_.store, *optimizer, &warning);
  });
  EXPECT_NE(message.find("there is no tensor \"momentum."), std::string::npos) << message;
}

TEST_F(CheckpointTest, BestWeights) {
  Checkpoints checkpoints(*files_, folder(), 2);
  model_.set(3);
  const std::string digest = checkpoints.save_best(model_.store);
  EXPECT_EQ(digest, sha256_file(folder() + "/best.safetensors"));
  const std::vector<float> three = Model::expected(3), four = Model::expected(4);
  const size_t parameters = 17;
  for (const std::string& known : {digest, std::string()}) {  // older states know of no digest
    model_.set(4);
    checkpoints.load_best({0.5, 3, 0, known}, model_.store);
    const std::vector<float> now = model_.numbers();
    EXPECT_TRUE(std::equal(now.begin(), now.begin() + parameters, three.begin()));
    EXPECT_TRUE(std::equal(now.begin() + parameters, now.end(), four.begin() + parameters));
  }
}

// Other weights than the best never take their place in silence.
TEST_F(CheckpointTest, BestWeightsThatAreDamagedOrGoneAreRefusedWithTheCure) {
  const std::string best = folder() + "/best.safetensors";
  Checkpoints checkpoints(*files_, folder(), 2);
  const std::string digest = checkpoints.save_best(model_.store);
  save(20);
  const auto load = [&] { checkpoints.load_best({0.5, 13, 0, digest}, model_.store); };
  std::fstream(best, std::ios::in | std::ios::out | std::ios::binary | std::ios::ate) << "x";
  EXPECT_EQ(message_of(load),
            "train: " + best +
                " is damaged: its SHA-256 differs from that of the weights of the best step, 13. "
                "No checkpoint of before step 13 is left: begin the run anew with --fresh, with "
                "train.keep_best=false to take the last weights");
  EXPECT_EQ(code_of(load), "corrupt_file");
  save(10);
  save(20);
  std::filesystem::remove(best);
  EXPECT_EQ(message_of(load),
            "train: " + best +
                " is not there, the weights of the best step, 13. Move step-00000020 out of " +
                folder() +
                ": the same command then goes on from step-00000010 and finds the same weights "
                "again");
  EXPECT_EQ(code_of(load), "not_found");
}

// Every operation of saving step 20 fails once, alone and with everything after it.
TEST_F(CheckpointTest, AFailureAtAnyOperationKeepsThePreviousOne) {
  FaultyFiles counting(*files_);
  save(10);
  save(20, &counting, 1);
  int64_t tried = 0;
  for (int op = 0; op < kFileOps; ++op) {
    const auto kind = static_cast<FileOp>(op);
    for (int64_t nth = 1; nth <= counting.count(kind); ++nth) {
      for (const bool crash : {false, true}) {
        remove_tree(*files_, folder());
        save(10);
        FaultyFiles faulty(*files_, {{.op = kind, .nth = nth, .tear = true, .crash = crash}});
        const std::string message = message_of([&] { save(20, &faulty, 1); });
        EXPECT_NE(message, "no error") << op << " " << nth;
        const int64_t loaded = load();
        EXPECT_TRUE(loaded == 10 || loaded == 20) << op << " " << nth << ": " << message;
        save(30, nullptr, 1);  // and the next one goes through
        EXPECT_EQ(load(), 30);
        EXPECT_EQ(names(), std::vector<std::string>{"step-00000030"});
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 20);
}

TEST_F(CheckpointTest, AFullDiskSaysSoAndLeavesNoEmptyFolder) {
  save(10);
  FaultyFiles faulty(*files_, {{.op = FileOp::kWrite, .nth = 2}});
  const std::string message = message_of([&] { save(20, &faulty); });
  EXPECT_NE(
      message.find("write: \"" + path(20, "state.safetensors.tmp") + "\": No space left on device"),
      std::string::npos)
      << message;
  EXPECT_EQ(names(), std::vector<std::string>{"step-00000010"});
}

// The same step once more, over one that is whole: that one stays.
TEST_F(CheckpointTest, AFullDiskKeepsTheOneThatWasToBeReplaced) {
  save(10);
  FaultyFiles faulty(*files_, {{.op = FileOp::kWrite, .nth = 2}});
  EXPECT_NE(message_of([&] { save(10, &faulty); }), "no error");
  EXPECT_EQ(load(), 10);
}

TEST_F(CheckpointTest, TheNewestWholeOneIsTold) {
  const auto newest = [&] { return Checkpoints(*files_, folder(), 2).newest_whole(); };
  EXPECT_FALSE(newest().has_value());
  save(10);
  save(20);
  EXPECT_EQ(newest(), folder() + "/step-00000020");
  std::ofstream(path(20, "state.safetensors"), std::ios::app) << "x";
  EXPECT_EQ(newest(), folder() + "/step-00000010");
  std::filesystem::remove(path(10, "state.json"));
  EXPECT_FALSE(newest().has_value());
}

}  // namespace
}  // namespace ingot::train::checkpoint_test
