// SPDX-License-Identifier: Apache-2.0
// SGD, Adam and AdamW: three steps against the numbers of PyTorch and, for the place of Adam's eps,
// of Keras (scripts/golden/optim_golden.py) and by hand, row-sparse against dense to the last bit,
// groups, clipping factor, bad values.
#include <cmath>
#include <random>

#include <nlohmann/json.hpp>

#include "autograd/ops.h"
#include "base/files.h"
#include "base/json.h"
#include "base/message_of.h"
#include "optim/optim_testing.h"
#include "source_dir.h"

namespace ingot::testing::optimizer_test {
namespace {

using optim::OptimizerConfig;
using optim::OptimizerKind;

// float32 parameters of size 4 after three steps of float64 truth.
constexpr double kTolerance = 2e-6;

OptimizerConfig config_of(const Json& c) {
  const Json& o = c.at("options");
  OptimizerConfig config;
  const auto kind = c.at("kind").get<std::string>();
  config.name = kind == "SGD"    ? OptimizerKind::kSgd
                : kind == "Adam" ? OptimizerKind::kAdam
                                 : OptimizerKind::kAdamW;
  config.weight_decay = o.at("weight_decay").get<float>();
  config.momentum = o.value("momentum", 0.0F);
  config.nesterov = o.value("nesterov", false);
  config.beta1 = o.value("beta1", 0.9);
  config.beta2 = o.value("beta2", 0.999);
  config.eps = o.value("eps", 1e-8);
  config.eps_hat = o.value("eps_hat", false);
  return config;
}

TEST(Optimizer, ThreeStepsEqualThoseOfPyTorchAndKeras) {
  const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/optim/steps.json";
  const Json golden = parse_json(read_file(path), path);
  ASSERT_EQ(golden.at("cases").size(), 8U);
  for (const auto& [name, c] : golden.at("cases").items()) {
    SCOPED_TRACE(name);
    Bag bag;
    nn::Parameter& w = bag.add("w", {5}, true);
    nn::Parameter& b = bag.add("b", {3}, false);
    Bench bench(bag, config_of(c));
    set(w.value, golden.at("values").at("w").get<std::vector<float>>());
    set(b.value, golden.at("values").at("b").get<std::vector<float>>());
    for (size_t step = 0; step < 3; ++step) {
      for (const char* p : {"w", "b"}) {
        set(bench.grad(p), golden.at("grads")[step].at(p).get<std::vector<float>>());
      }
      bench.step(static_cast<int64_t>(step) + 1, c.at("options").at("lr").get<double>());
      for (const auto& [p, value] : {std::pair{"w", w.value}, std::pair{"b", b.value}}) {
        const auto want = c.at("steps")[step].at(p).get<std::vector<double>>();
        const std::vector<float> got = value.to_vector<float>();
        for (size_t i = 0; i < want.size(); ++i) {
          EXPECT_NEAR(static_cast<double>(got[i]), want[i], kTolerance)
              << p << i << " after step " << step + 1;
        }
      }
    }
  }
}

TEST(Optimizer, MomentumByHand) {
  Bag bag;
  nn::Parameter& w = bag.add("w", {1}, true);
  OptimizerConfig c;
  c.name = OptimizerKind::kSgd;
  c.momentum = 0.5F;
  c.weight_decay = 0.0F;
  Bench bench(bag, c);
  set(w.value, {10.0F});
  const float want[] = {9.0F, 7.5F, 5.75F};  // directions 1, 1.5, 1.75
  for (int64_t step = 1; step <= 3; ++step) {
    set(bench.grad("w"), {1.0F});
    bench.step(step, 1.0);
    EXPECT_EQ(w.value.to_vector<float>()[0], want[step - 1]);
  }
}

TEST(Optimizer, TheFirstAdamStepIsTheLearningRateWhateverTheGradient) {
  Bag bag;
  nn::Parameter& w = bag.add("w", {3}, true);
  OptimizerConfig c;
  c.name = OptimizerKind::kAdam;
  c.weight_decay = 0.0F;
  Bench bench(bag, c);
  set(w.value, {1.0F, 1.0F, 1.0F});
  set(bench.grad("w"), {1e-3F, -50.0F, 0.0F});
  bench.step(1, 0.01);
  const std::vector<float> got = w.value.to_vector<float>();
  EXPECT_NEAR(got[0], 0.99F, 1e-6);
  EXPECT_NEAR(got[1], 1.01F, 1e-6);
  EXPECT_EQ(got[2], 1.0F);
}

TEST(Optimizer, WithoutBiasCorrectionTheFirstAdamStepIsSmallMeanOverRootOfSmallSquare) {
  Bag bag;
  nn::Parameter& w = bag.add("w", {1}, true);
  OptimizerConfig c;
  c.name = OptimizerKind::kAdam;
  c.weight_decay = 0.0F;
  c.bias_correction = false;
  Bench bench(bag, c);
  set(w.value, {1.0F});
  set(bench.grad("w"), {2.0F});
  bench.step(1, 0.01);
  EXPECT_NEAR(w.value.to_vector<float>()[0], 1.0 - 0.01 * 0.2 / (std::sqrt(0.004) + 1e-8), 1e-6);
}

TEST(Optimizer, DecayReachesTheDecayingGroupOnlyUnlessAllAreAsked) {
  for (const bool decay_all : {false, true}) {
    Bag bag;
    nn::Parameter& norm = bag.add("norm", {2}, false);
    nn::Parameter& w = bag.add("w", {2}, true);
    OptimizerConfig c;
    c.weight_decay = 0.5F;
    c.decay_all = decay_all;
    Bench bench(bag, c);
    ASSERT_EQ(bench.store.groups().size(), 2U);
    EXPECT_TRUE(bench.store.groups()[0].decay);
    EXPECT_FALSE(bench.store.groups()[1].decay);
    EXPECT_EQ(bench.store.list()[0].name, "w") << "decaying parameters come first";
    set(w.value, {1.0F, 2.0F});
    set(norm.value, {1.0F, 2.0F});
    set(bench.grad("w"), {0.0F, 0.0F});
    set(bench.grad("norm"), {0.0F, 0.0F});
    bench.step(1, 0.1);
    EXPECT_NEAR(w.value.to_vector<float>()[1], 1.9F, 1e-6);
    EXPECT_NEAR(norm.value.to_vector<float>()[1], decay_all ? 1.9F : 2.0F, 1e-6);
  }
}

/// A factor of 4 at a rate of 0.125 is a rate of 0.5, to the bit: powers of two.
TEST(Optimizer, AFactorOfTheLearningRateIsThatLearningRate) {
  for (const EnumName& rule : optim::kOptimizerNames) {
    SCOPED_TRACE(rule.name);
    OptimizerConfig c;
    c.name = static_cast<OptimizerKind>(rule.value);
    c.weight_decay = 0.25F;
    Bag scaled_bag, plain_bag;
    nn::Parameter& other = scaled_bag.add("other", {2, 3}, true);
    nn::Parameter& scaled = scaled_bag.add("w", {2, 3}, true);
    nn::Parameter& plain = plain_bag.add("w", {2, 3}, true);
    scaled.lr_scale = 4.0F;
    Bench a(scaled_bag, c), b(plain_bag, c);
    ASSERT_EQ(a.store.groups().size(), 2U);
    EXPECT_EQ(a.store.groups()[1].lr_scale, 4.0F);
    for (nn::Parameter* p : {&other, &scaled, &plain}) set(p->value, {1, -2, 3, 4, 5, -6});
    for (int64_t step = 1; step <= 3; ++step) {
      const std::vector<float> grad = {0.5F, -1, 2, 0.25F, -3, 1};
      for (const char* name : {"other", "w"}) set(a.grad(name), grad);
      set(b.grad("w"), grad);
      a.step(step, 0.125);
      b.step(step, 0.5);
    }
    EXPECT_EQ(scaled.value.to_vector<float>(), plain.value.to_vector<float>());
    EXPECT_NE(other.value.to_vector<float>(), plain.value.to_vector<float>());
  }
}

TEST(Optimizer, TheGradientFactorScalesTheGradient) {
  Bag bag;
  nn::Parameter& w = bag.add("w", {1}, true);
  OptimizerConfig c;
  c.name = OptimizerKind::kSgd;
  c.weight_decay = 0.0F;
  Bench bench(bag, c);
  set(w.value, {1.0F});
  set(bench.grad("w"), {4.0F});
  bench.step(1, 0.5, 0.25F);
  EXPECT_EQ(w.value.to_vector<float>()[0], 0.5F);
}

TEST(Optimizer, PaddingStaysZero) {
  Bag bag;
  bag.add("a", {3}, true);
  bag.add("b", {17}, true);
  Bench bench(bag, OptimizerConfig{});
  ASSERT_EQ(bench.store.size(), 16 + 32);
  const nn::StoredParameter b = bench.store.list()[1];
  set(bench.grad("a"), std::vector<float>(3, 1.0F));
  set(bench.store.grad(b), std::vector<float>(17, 1.0F));
  bench.step(1, 0.1);
  const std::vector<float> all = bench.store.values().to_vector<float>();
  for (size_t i = 0; i < all.size(); ++i) {
    const bool is_padding = (i >= 3 && i < 16) || i >= 16 + 17;
    EXPECT_EQ(all[i] == 0.0F, is_padding) << i;
  }
}

/// Ten steps on a table of 40 rows whose gradients touch a few of them; then its bytes and state.
std::vector<float> train_table(const OptimizerConfig& c, bool row_sparse, int workers) {
  Bag bag;
  nn::Parameter& table = bag.add("table", {40, 6}, true, row_sparse);
  nn::Parameter& w = bag.add("w", {6}, false);
  Bench bench(bag, c, workers);
  std::mt19937 random(9);
  const auto draw = [&](size_t n) {
    std::vector<float> v(n);
    for (float& x : v) x = static_cast<float>(random() % 2000) / 1000.0F - 1.0F;
    return v;
  };
  set(table.value, draw(240));
  set(w.value, draw(6));
  for (int64_t step = 1; step <= 10; ++step) {
    bench.tape.begin_step();
    for (int micro = 0; micro < (step == 4 ? 0 : 2); ++micro) {  // step 4 does not read the table
      std::vector<int32_t> ids(7);
      for (int32_t& id : ids) id = static_cast<int32_t>(random() % 40);
      const Tensor id_tensor = Tensor::from<int32_t>(bench.engine, ids, {7});
      const Recording on(bench.engine, &bench.tape);
      const Tensor rows = ops::gather(table.value, id_tensor);
      bench.tape.backward(ops::mean(ops::mul(ops::tanh(rows), w.value)));
    }
    bench.tape.finish_step();
    bench.step(step, 0.05);
  }
  std::vector<float> all = table.value.to_vector<float>();
  for (const optim::NamedState& s : bench.optimizer->state()) {
    // the slab orders parameters by kind: take the table's part
    for (const nn::StoredParameter& p : bench.store.list()) {
      if (p.name != "table") continue;
      const std::vector<float> state = s.tensor.to_vector<float>();
      all.insert(all.end(), state.begin() + p.offset, state.begin() + p.offset + 240);
    }
  }
  return all;
}

TEST(Optimizer, RowSparseTablesTrainLikeDenseOnes) {
  // Two micro-batches are summed in another order (all rows of an id at once, against one batch
  // after the other), so a few last bits may differ; the update itself must not.
  constexpr double kOrder = 1e-6;
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    OptimizerConfig c;
    c.name = kind;
    if (kind == OptimizerKind::kSgd) c.momentum = 0.9F;
    c.weight_decay = 0.02F;
    const std::vector<float> dense = train_table(c, false, 1), sparse = train_table(c, true, 1);
    ASSERT_EQ(dense.size(), sparse.size());
    for (size_t i = 0; i < dense.size(); ++i) ASSERT_NEAR(dense[i], sparse[i], kOrder) << i;
    EXPECT_EQ(sparse, train_table(c, true, 3)) << "threads";
    EXPECT_EQ(dense, train_table(c, false, 3)) << "threads";
  }
}

TEST(Optimizer, OneRowSparseUpdateHasTheBytesOfTheDenseOne) {
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    OptimizerConfig c;
    c.name = kind;
    if (kind == OptimizerKind::kSgd) c.momentum = 0.9F;
    c.weight_decay = 0.02F;
    std::vector<std::vector<float>> results;
    for (const bool row_sparse : {false, true}) {
      Bag bag;
      nn::Parameter& table = bag.add("table", {40, 6}, true, row_sparse);
      bag.add("w", {6}, false);
      Bench bench(bag, c);
      std::vector<float> start(240);
      for (size_t i = 0; i < start.size(); ++i) start[i] = std::sin(static_cast<float>(i));
      set(table.value, start);
      for (int64_t step = 1; step <= 6; ++step) {
        bench.tape.begin_step();
        if (step != 4) {  // a step that does not read the table still decays its means
          const std::vector<int32_t> ids = {3, static_cast<int32_t>(step), 39, 3, 3};
          const Tensor id_tensor = Tensor::from<int32_t>(bench.engine, ids, {5});
          const Recording on(bench.engine, &bench.tape);
          bench.tape.backward(ops::sum(ops::tanh(ops::gather(table.value, id_tensor))));
        }
        bench.tape.finish_step();
        bench.step(step, 0.05);
      }
      results.push_back(table.value.to_vector<float>());
    }
    EXPECT_TRUE(results[0] == results[1]) << "optimiser " << static_cast<int>(kind);
  }
}

TEST(Optimizer, EveryRuleFindsTheMinimumOfAQuadratic) {
  const std::vector<float> target = {3.0F, -2.0F, 0.5F};
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    Bag bag;
    nn::Parameter& w = bag.add("w", {3}, true);
    OptimizerConfig c;
    c.name = kind;
    if (kind == OptimizerKind::kSgd) c.momentum = 0.8F;
    c.weight_decay = 0.0F;
    Bench bench(bag, c);
    const Tensor goal = Tensor::from<float>(bench.engine, target, {3});
    for (int64_t step = 1; step <= 600; ++step) {
      bench.tape.begin_step();
      {
        const Recording on(bench.engine, &bench.tape);
        bench.tape.backward(ops::mse(w.value, goal));
      }
      bench.tape.finish_step();
      bench.step(
          step, kind == OptimizerKind::kSgd ? 0.1 : 0.1 / (1.0 + 0.02 * static_cast<double>(step)));
    }
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(w.value.to_vector<float>()[i], target[i], 1e-3);
  }
}

TEST(Optimizer, StateIsWhatACheckpointNeeds) {
  Bag bag;
  bag.add("w", {5}, true);
  OptimizerConfig c;
  EXPECT_EQ(Bench(bag, c).optimizer->state().size(), 2U);
  c.name = OptimizerKind::kSgd;
  EXPECT_EQ(Bench(bag, c).optimizer->state().size(), 0U);
  c.momentum = 0.9F;
  const Bench bench(bag, c);
  ASSERT_EQ(bench.optimizer->state().size(), 1U);
  EXPECT_EQ(bench.optimizer->state()[0].name, "momentum");
  EXPECT_EQ(bench.optimizer->state()[0].tensor.size(), bench.store.size());
}

TEST(Optimizer, BadValuesNameTheKeyAndTheUsualOne) {
  const auto message = [](const std::function<void(OptimizerConfig&)>& change) {
    Team team(1);
    Engine engine(team);
    Bag bag;
    bag.add("w", {1}, true);
    nn::ParameterStore store(engine, bag);
    OptimizerConfig c;
    change(c);
    return message_of([&] { (void)optim::make_optimizer(c, engine, store); });
  };
  EXPECT_EQ(message([](auto&) {}), "no error");
  EXPECT_EQ(message([](auto& c) { c.momentum = 1.0F; }),
            "train.optimizer.momentum: 1 is not in [0, 1); 0.9 is usual");
  EXPECT_EQ(message([](auto& c) { c.beta2 = 1.5; }),
            "train.optimizer.beta2: 1.5 is not in [0, 1); 0.999 is usual");
  EXPECT_EQ(message([](auto& c) { c.beta1 = std::nan(""); }),
            "train.optimizer.beta1: nan is not in [0, 1); 0.9 is usual");
  EXPECT_EQ(message([](auto& c) { c.eps = 0.0; }),
            "train.optimizer.eps: 0 must be positive; 1e-8 is usual");
  EXPECT_EQ(message([](auto& c) { c.weight_decay = -0.5F; }),
            "train.optimizer.weight_decay: -0.5 is negative; 0.01 is usual");
  const auto nesterov = [](OptimizerConfig& c) {
    c.name = OptimizerKind::kSgd;
    c.nesterov = true;
  };
  EXPECT_EQ(message(nesterov),
            "train.optimizer.nesterov needs momentum; set train.optimizer.momentum=0.9");
  EXPECT_EQ(message([](auto& c) { c.momentum = 0.9F; }),
            "train.optimizer.momentum: it is of sgd and does nothing here, where "
            "train.optimizer.name is adamw; leave it out, or set train.optimizer.name=sgd");
  EXPECT_EQ(message([](auto& c) { c.rmsprop.centered = true; }),
            "train.optimizer.rmsprop: it is of rmsprop and does nothing here, where "
            "train.optimizer.name is adamw; leave it out, or set train.optimizer.name=rmsprop");
}

TEST(Optimizer, KeysOfAnotherRuleAreRefused) {
  const auto message = [](OptimizerKind name, const std::function<void(OptimizerConfig&)>& change) {
    OptimizerConfig c;
    c.name = name;
    change(c);
    return message_of([&] { optim::check_rule(c); });
  };
  const auto refused = [](const std::string& key, const std::string& rules, const std::string& name,
                          const std::string& rule, const std::string& choice = "name") {
    return "train.optimizer." + key + ": it is of " + rules +
           " and does nothing here, where train.optimizer." + choice + " is " + name +
           "; leave it out, or set train.optimizer." + choice + "=" + rule;
  };
  using C = OptimizerConfig;
  const std::string adams = "adam, adamw, nadam and muon", two = "adam, adamw and muon";
  EXPECT_EQ(message(OptimizerKind::kSgd, [](C& c) { c.beta1 = 0.8; }),
            refused("beta1", adams, "sgd", "adam"));
  EXPECT_EQ(message(OptimizerKind::kLion, [](C& c) { c.beta2 = 0.99; }),
            refused("beta2", adams, "lion", "adam"));
  EXPECT_EQ(message(OptimizerKind::kSgd, [](C& c) { c.eps = 1e-7; }),
            refused("eps", adams, "sgd", "adam"));
  EXPECT_EQ(message(OptimizerKind::kNadam, [](C& c) { c.eps_hat = true; }),
            refused("eps_hat", two, "nadam", "adam"));
  EXPECT_EQ(message(OptimizerKind::kAdagrad, [](C& c) { c.bias_correction = false; }),
            refused("bias_correction", two, "adagrad", "adam"));
  const auto all_of_adam = [](C& c) {
    c.beta1 = 0.8;
    c.beta2 = 0.99;
    c.eps = 1e-7;
    c.eps_hat = true;
    c.bias_correction = false;
  };
  for (const OptimizerKind kind :
       {OptimizerKind::kAdam, OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    EXPECT_EQ(message(kind, all_of_adam), "no error");
  }
  EXPECT_EQ(message(OptimizerKind::kMuon,
                    [](C& c) {
                      c.muon.others = optim::MuonOthers::kSgd;
                      c.eps = 1e-7;
                    }),
            refused("eps", "adamw", "sgd", "adamw", "muon.others"));
  EXPECT_EQ(message(OptimizerKind::kSgd, [](C& c) { c.average.decay = 0.9; }),
            refused("average.decay", "ema", "none", "ema", "average.kind"));
  EXPECT_EQ(message(OptimizerKind::kSgd, [](C& c) { c.average.start = 5; }),
            refused("average.start", "ema and swa", "none", "ema", "average.kind"));
  EXPECT_EQ(message(OptimizerKind::kSgd,
                    [](C& c) {
                      c.average.kind = optim::Average::kEma;
                      c.average.every = 5;
                    }),
            refused("average.every", "swa", "ema", "swa", "average.kind"));
  EXPECT_EQ(message(OptimizerKind::kSgd, [](C& c) { c.lookahead.alpha = 0.2; }),
            "train.optimizer.lookahead.alpha: it does nothing here, where "
            "train.optimizer.lookahead.every is 0; leave it out, or set "
            "train.optimizer.lookahead.every=5");
}

}  // namespace
}  // namespace ingot::testing::optimizer_test
