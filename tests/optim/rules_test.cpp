// SPDX-License-Identifier: Apache-2.0
// Every further rule and wrapper against ten steps of PyTorch's or NumPy's numbers
// (scripts/golden/optim_rules_golden.py), from dense and from row-sparse gradients, eager and
// replayed, with any number of threads; state, reset and refusals.
#include <cmath>
#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "autograd/ops.h"
#include "base/files.h"
#include "base/json.h"
#include "base/message_of.h"
#include "optim/muon.h"
#include "optim/optim_testing.h"
#include "optim/penalty.h"
#include "source_dir.h"
#include "tensor/plan.h"

namespace ingot::testing::rules_test {
namespace {

using optim::Average;
using optim::OptimizerConfig;
using optim::OptimizerKind;

// Ten float32 steps against float64, parameters of size 2.
constexpr double kRuleTolerance = 1e-6;

OptimizerConfig rule(OptimizerKind kind) {
  OptimizerConfig c;
  c.name = kind;
  return c;
}

/// The configurations behind the golden cases.
std::map<std::string, OptimizerConfig> golden_rules() {
  std::map<std::string, OptimizerConfig> all;
  all["rmsprop"] = rule(OptimizerKind::kRmsprop);
  all["rmsprop"].rmsprop.alpha = 0.9;
  OptimizerConfig& centered = all["rmsprop momentum centered"] = all["rmsprop"];
  centered.rmsprop.momentum = 0.8;
  centered.rmsprop.centered = true;
  centered.rmsprop.eps = 1e-3;
  OptimizerConfig& inside = all["rmsprop tensorflow"] = all["rmsprop"];
  inside.rmsprop.eps = 1e-3;
  inside.rmsprop.eps_inside = true;
  all["adagrad"] = rule(OptimizerKind::kAdagrad);
  OptimizerConfig& adagrad = all["adagrad options"] = all["adagrad"];
  adagrad.adagrad.lr_decay = 0.1;
  adagrad.adagrad.initial = 0.1;
  adagrad.adagrad.eps = 1e-3;
  all["adadelta"] = rule(OptimizerKind::kAdadelta);
  all["nadam"] = rule(OptimizerKind::kNadam);
  all["nadam decoupled"] = all["nadam"];
  all["nadam decoupled"].nadam.decoupled = true;
  all["lion"] = rule(OptimizerKind::kLion);
  all["muon"] = rule(OptimizerKind::kMuon);
  all["muon"].muon.others_lr = 0.5;
  OptimizerConfig& match = all["muon match_rms sgd"] = all["muon"];
  match.muon.scale = optim::MuonScale::kMatchRms;
  match.muon.others = optim::MuonOthers::kSgd;
  match.muon.nesterov = false;
  all["sgd lookahead"] = rule(OptimizerKind::kSgd);
  all["sgd lookahead"].lookahead.every = 4;
  all["sgd ema"] = rule(OptimizerKind::kSgd);
  all["sgd ema"].average.kind = Average::kEma;
  all["sgd ema"].average.decay = 0.75;
  all["sgd swa"] = rule(OptimizerKind::kSgd);
  all["sgd swa"].average.kind = Average::kSwa;
  all["sgd swa"].average.start = 4;
  all["sgd swa"].average.every = 3;
  for (auto& [name, c] : all) c.weight_decay = 0.05F;
  return all;
}

const Json& golden() {
  static const Json json = [] {
    const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/optim/rules.json";
    return parse_json(read_file(path), path);
  }();
  return json;
}

/// The golden parameters on a bench; gradients and weights by step.
struct GoldenRun {
  explicit GoldenRun(const OptimizerConfig& c, int workers = 1)
      : w(bag.add("w", {6, 4}, true)),
        k(bag.add("k", {3, 2, 2, 2}, true)),
        b(bag.add("b", {3}, false)),
        bench(bag, c, workers) {
    for (const auto& [name, p] : all()) {
      set(p->value, golden().at("values").at(name).get<std::vector<float>>());
    }
  }
  [[nodiscard]] std::vector<std::pair<std::string, nn::Parameter*>> all() {
    return {{"w", &w}, {"k", &k}, {"b", &b}};
  }
  void load(size_t step, double lr) {
    for (const auto& [name, p] : all()) {
      set(bench.grad(name), golden().at("grads")[step].at(name).get<std::vector<float>>());
    }
    *bench.scalars.lr.data<float>() = static_cast<float>(lr);
    *bench.scalars.step.data<int64_t>() = static_cast<int64_t>(step) + 1;
  }
  /// The average where there is one, else the weights.
  [[nodiscard]] std::vector<float> weights(const std::string& name) {
    const Tensor average = bench.optimizer->average();
    for (const nn::StoredParameter& p : bench.store.list()) {
      if (p.name != name) continue;
      if (!average.defined()) return p.parameter->value.to_vector<float>();
      const std::vector<float> slab = average.to_vector<float>();
      return {slab.begin() + p.offset, slab.begin() + p.offset + p.parameter->shape.size()};
    }
    return {};
  }

  Bag bag;
  nn::Parameter &w, &k, &b;
  Bench bench;
};

TEST(OptimizerRules, TenStepsEqualPyTorchAndNumPy) {
  const auto rules = golden_rules();
  ASSERT_EQ(golden().at("cases").size(), rules.size());
  for (const auto& [name, c] : golden().at("cases").items()) {
    SCOPED_TRACE(name);
    GoldenRun run(rules.at(name));
    for (size_t step = 0; step < 10; ++step) {
      run.load(step, c.at("lr").get<double>());
      run.bench.optimizer->step(run.bench.scalars, run.bench.tape);
      for (const auto& [parameter, unused] : run.all()) {
        const auto want = c.at("steps")[step].at(parameter).get<std::vector<double>>();
        const std::vector<float> got = run.weights(parameter);
        for (size_t i = 0; i < want.size(); ++i) {
          ASSERT_NEAR(static_cast<double>(got[i]), want[i], kRuleTolerance)
              << parameter << i << " after step " << step + 1;
        }
      }
    }
  }
}

TEST(OptimizerRules, ReplayAndThreadsChangeNoByte) {
  for (const auto& [name, c] : golden_rules()) {
    SCOPED_TRACE(name);
    std::vector<std::vector<float>> results;
    for (const auto& [workers, replay] : {std::pair{1, false}, {3, false}, {2, true}}) {
      GoldenRun run(c, workers);
      Bench& bench = run.bench;
      std::optional<Plan> plan;
      if (replay) {
        plan.emplace(bench.engine, [&] { bench.optimizer->step(bench.scalars, bench.tape); });
      }
      for (size_t step = 0; step < 10; ++step) {
        run.load(step, 0.02);
        if (replay) {
          plan->run();
        } else {
          bench.optimizer->step(bench.scalars, bench.tape);
        }
      }
      std::vector<float> all = bench.store.values().to_vector<float>();
      for (const optim::NamedState& s : bench.optimizer->state()) {
        const std::vector<float> v = s.tensor.to_vector<float>();
        EXPECT_EQ(static_cast<int64_t>(v.size()), bench.store.trained_size()) << s.name;
        all.insert(all.end(), v.begin(), v.end());
      }
      results.push_back(all);
    }
    EXPECT_TRUE(results[0] == results[1]) << "threads";
    EXPECT_TRUE(results[0] == results[2]) << "replay";
  }
}

/// Six steps on a table of 40 rows of which a few are read.
std::vector<float> train_table(const OptimizerConfig& c, bool row_sparse) {
  Bag bag;
  nn::Parameter& table = bag.add("table", {40, 6}, true, row_sparse);
  bag.add("w", {6}, false);
  Bench bench(bag, c);
  std::vector<float> start(240);
  for (size_t i = 0; i < start.size(); ++i) start[i] = std::sin(static_cast<float>(i));
  set(table.value, start);
  for (int64_t step = 1; step <= 6; ++step) {
    bench.tape.begin_step();
    if (step != 4) {
      const std::vector<int32_t> ids = {3, static_cast<int32_t>(step), 39, 3, 3};
      const Tensor id_tensor = Tensor::from<int32_t>(bench.engine, ids, {5});
      const Recording on(bench.engine, &bench.tape);
      bench.tape.backward(ops::sum(ops::tanh(ops::gather(table.value, id_tensor))));
    }
    bench.tape.finish_step();
    bench.step(step, 0.05);
  }
  return table.value.to_vector<float>();
}

TEST(OptimizerRules, ARowSparseUpdateHasTheBytesOfTheDenseOne) {
  for (const OptimizerKind kind :
       {OptimizerKind::kRmsprop, OptimizerKind::kAdagrad, OptimizerKind::kAdadelta,
        OptimizerKind::kNadam, OptimizerKind::kLion}) {
    for (const float decay : {0.0F, 0.02F}) {
      OptimizerConfig c = rule(kind);
      c.weight_decay = decay;
      EXPECT_TRUE(train_table(c, false) == train_table(c, true)) << static_cast<int>(kind);
    }
  }
  OptimizerConfig adamw = rule(OptimizerKind::kAdamW), muon = rule(OptimizerKind::kMuon);
  EXPECT_TRUE(train_table(adamw, true) == train_table(muon, true)) << "muon's tables are AdamW's";
}

TEST(Muon, OrthogonalisesMatricesThatAreNotSkipped) {
  Bag bag;
  bag.add("wte.weight", {8, 4}, true);
  bag.add("layer.weight", {8, 4}, true);
  bag.add("conv.weight", {4, 2, 3, 3}, true);
  bag.add("layer.bias", {8}, false);
  bag.add("lm_head.weight", {8, 4}, true);
  bag.add("sparse.weight", {8, 4}, true, true);
  Team team(1);
  Engine engine(team);
  nn::ParameterStore store(engine, bag);
  optim::Muon muon(rule(OptimizerKind::kMuon), engine, store);
  EXPECT_EQ(muon.matrices(), (std::vector<std::string>{"layer.weight", "conv.weight"}));
  for (const nn::StoredParameter& p : store.list()) p.parameter->value = Tensor();
}

TEST(Muon, TheUpdateHasSingularValuesNearOne) {
  Bag bag;
  nn::Parameter& w = bag.add("w", {40, 24}, true);
  OptimizerConfig c = rule(OptimizerKind::kMuon);
  c.weight_decay = 0.0F;
  Bench bench(bag, c);
  std::mt19937 random(4);
  std::vector<float> g(40 * 24);
  for (float& x : g) x = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
  set(w.value, std::vector<float>(g.size(), 0.0F));
  set(bench.grad("w"), g);
  bench.step(1, 1.0);
  const std::vector<float> o = w.value.to_vector<float>();
  // Gram matrix of the columns, without the factor sqrt(40 / 24): its eigenvalues are the squares
  // of singular values that the five steps bring into about [0.7, 1.2].
  double trace = 0.0;
  for (const float x : o) trace += static_cast<double>(x) * static_cast<double>(x);
  const double mean_square = trace / 24.0 / (40.0 / 24.0);
  EXPECT_GT(mean_square, 0.7 * 0.7);
  EXPECT_LT(mean_square, 1.2 * 1.2);
}

TEST(WeightAverage, TheWeightsThatTrainAreThoseWithoutIt) {
  OptimizerConfig plain = rule(OptimizerKind::kAdamW), averaged = plain;
  averaged.average.kind = Average::kEma;
  EXPECT_TRUE(train_table(plain, true) == train_table(averaged, true));
}

TEST(OptimizerRules, ResetIsANewOptimiser) {
  for (const auto& [name, c] : golden_rules()) {
    SCOPED_TRACE(name);
    GoldenRun run(c), fresh(c);
    const std::vector<float> start = run.bench.store.values().to_vector<float>();
    for (size_t step = 0; step < 3; ++step) {
      run.load(step, 0.02);
      run.bench.optimizer->step(run.bench.scalars, run.bench.tape);
    }
    run.bench.optimizer->reset();
    set(run.bench.store.values(), start);
    for (GoldenRun* r : {&run, &fresh}) {
      for (size_t step = 0; step < 2; ++step) {
        r->load(step, 0.02);
        r->bench.optimizer->step(r->bench.scalars, r->bench.tape);
      }
    }
    EXPECT_EQ(run.bench.store.values().to_vector<float>(),
              fresh.bench.store.values().to_vector<float>());
    for (const char* p : {"w", "b"}) EXPECT_EQ(run.weights(p), fresh.weights(p));
  }
}

TEST(OptimizerRules, StateSlabsAreAsManyAsTheStateHas) {
  auto rules = golden_rules();
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
    rules["plain " + std::string(enum_name(kind))] = rule(kind);
  }
  rules["momentum"] = rule(OptimizerKind::kSgd);
  rules["momentum"].momentum = 0.9F;
  for (const auto& [name, c] : rules) {
    GoldenRun run(c);
    EXPECT_EQ(static_cast<int64_t>(run.bench.optimizer->state().size()), optim::state_slabs(c))
        << name;
  }
}

TEST(OptimizerRules, EveryRuleFindsTheMinimumOfAQuadratic) {
  const std::map<OptimizerKind, double> rates = {
      {OptimizerKind::kRmsprop, 0.05}, {OptimizerKind::kAdagrad, 0.5},
      {OptimizerKind::kAdadelta, 5.0}, {OptimizerKind::kNadam, 0.1},
      {OptimizerKind::kLion, 0.05},    {OptimizerKind::kMuon, 0.1}};
  const std::vector<float> target = {3.0F, -2.0F, 0.5F, 1.0F};
  for (const auto& [kind, lr] : rates) {
    Bag bag;
    nn::Parameter& w = bag.add("w", {2, 2}, true);
    OptimizerConfig c = rule(kind);
    c.weight_decay = 0.0F;
    Bench bench(bag, c);
    const Tensor goal = Tensor::from<float>(bench.engine, target, {2, 2});
    for (int64_t step = 1; step <= 1500; ++step) {
      bench.tape.begin_step();
      {
        const Recording on(bench.engine, &bench.tape);
        bench.tape.backward(ops::mse(w.value, goal));
      }
      bench.tape.finish_step();
      const double faded = lr / (1.0 + 0.02 * static_cast<double>(step));
      bench.step(step, kind == OptimizerKind::kAdagrad ? lr : faded);
    }
    for (size_t i = 0; i < 4; ++i) {
      // Rules of constant step length end within their last learning rate of the goal.
      EXPECT_NEAR(w.value.to_vector<float>()[i], target[i], 1e-2) << static_cast<int>(kind);
    }
  }
}

TEST(Penalty, AddsItsGradientToWhatDecays) {
  Bag bag;
  nn::Parameter& w = bag.add("w", {3}, true);
  nn::Parameter& b = bag.add("b", {1}, false);
  for (const bool decay_all : {false, true}) {
    OptimizerConfig c = rule(OptimizerKind::kSgd);
    c.penalty.l1 = 0.5;
    c.penalty.l2 = 0.25;
    c.decay_all = decay_all;
    Bench bench(bag, c);
    set(w.value, {2.0F, -4.0F, 0.0F});
    set(b.value, {2.0F});
    set(bench.grad("w"), {1.0F, 1.0F, 1.0F});
    set(bench.grad("b"), {1.0F});
    optim::add_penalty(c, bench.engine, bench.store);
    EXPECT_EQ(bench.grad("w").to_vector<float>(), (std::vector<float>{2.5F, -1.5F, 1.0F}));
    EXPECT_EQ(bench.grad("b").to_vector<float>()[0], decay_all ? 2.5F : 1.0F);
  }
}

TEST(OptimizerRules, BadValuesNameTheKeyAndTheUsualOne) {
  const auto message = [](OptimizerKind kind, const std::function<void(OptimizerConfig&)>& change,
                          bool sparse = false) {
    Team team(1);
    Engine engine(team);
    Bag bag;
    bag.add("table", {2, 2}, true, sparse);
    nn::ParameterStore store(engine, bag);
    OptimizerConfig c = rule(kind);
    change(c);
    return message_of([&] { (void)optim::make_optimizer(c, engine, store); });
  };
  using C = OptimizerConfig;
  EXPECT_EQ(message(OptimizerKind::kRmsprop, [](C& c) { c.rmsprop.alpha = 1.0; }),
            "train.optimizer.rmsprop.alpha: 1 is not in [0, 1); 0.99 is usual");
  EXPECT_EQ(message(OptimizerKind::kRmsprop, [](C& c) { c.rmsprop.momentum = -0.5; }),
            "train.optimizer.rmsprop.momentum: -0.5 is not in [0, 1); 0.9 is usual");
  EXPECT_EQ(message(OptimizerKind::kRmsprop, [](C& c) { c.rmsprop.eps = 0.0; }),
            "train.optimizer.rmsprop.eps: 0 must be positive; 1e-08 is usual");
  EXPECT_EQ(message(OptimizerKind::kAdagrad, [](C& c) { c.adagrad.lr_decay = -1.0; }),
            "train.optimizer.adagrad.lr_decay: -1 is negative; 0 is usual");
  EXPECT_EQ(message(OptimizerKind::kAdagrad, [](C& c) { c.adagrad.initial = -1.0; }),
            "train.optimizer.adagrad.initial: -1 is negative; 0 is usual");
  EXPECT_EQ(message(OptimizerKind::kAdadelta, [](C& c) { c.adadelta.rho = 1.0; }),
            "train.optimizer.adadelta.rho: 1 is not in [0, 1); 0.9 is usual");
  EXPECT_EQ(message(OptimizerKind::kNadam, [](C& c) { c.nadam.momentum_decay = -1.0; }),
            "train.optimizer.nadam.momentum_decay: -1 is negative; 0.004 is usual");
  EXPECT_EQ(message(OptimizerKind::kLion, [](C& c) { c.lion.beta2 = 1.0; }),
            "train.optimizer.lion.beta2: 1 is not in [0, 1); 0.99 is usual");
  EXPECT_EQ(message(OptimizerKind::kMuon, [](C& c) { c.muon.steps = 0; }),
            "train.optimizer.muon.steps: 0 is not in [1, 20]; 5 is usual");
  EXPECT_EQ(message(OptimizerKind::kMuon, [](C& c) { c.muon.others_lr = 0.0; }),
            "train.optimizer.muon.others_lr: 0 must be positive; 1 is usual");
  EXPECT_EQ(
      message(OptimizerKind::kSgd,
              [](C& c) {
                c.lookahead = {5, 0.0, 0.0};
              }),
      "train.optimizer.lookahead: every 5 must be at least 1 and alpha 0 in (0, 1]; 5 and 0.5 "
      "are usual");
  EXPECT_EQ(message(OptimizerKind::kSgd,
                    [](C& c) {
                      c.average.kind = Average::kEma;
                      c.average.decay = 1.0;
                    }),
            "train.optimizer.average.decay: 1 is not in [0, 1); 0.999 is usual");
  EXPECT_EQ(message(OptimizerKind::kSgd,
                    [](C& c) {
                      c.average.kind = Average::kSwa;
                      c.average.every = 0;
                    }),
            "train.optimizer.average.every: 0 must be at least 1; 1 takes every step");
  EXPECT_EQ(message(OptimizerKind::kSgd, [](C& c) { c.penalty.l1 = -1.0; }),
            "train.optimizer.penalty.l1: -1 is negative; 1e-05 is usual");
  EXPECT_EQ(message(
                OptimizerKind::kSgd, [](C& c) { c.penalty.l2 = 0.1; }, true),
            "train.optimizer.penalty: table has row-sparse gradients, which a penalty would make "
            "dense. Use train.optimizer.weight_decay");
}

}  // namespace
}  // namespace ingot::testing::rules_test
