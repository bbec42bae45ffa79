// SPDX-License-Identifier: Apache-2.0
// The optimisers by name, and what may be wrapped around each.
#include <initializer_list>
#include <string>
#include <type_traits>

#include "base/config.h"
#include "optim/adadelta.h"
#include "optim/adagrad.h"
#include "optim/adam.h"
#include "optim/lion.h"
#include "optim/lookahead.h"
#include "optim/muon.h"
#include "optim/nadam.h"
#include "optim/own_key.h"
#include "optim/penalty.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "optim/weight_average.h"

namespace ingot::optim {
namespace {

/// Adam's keys, which Muon's others take, too, unless they go by gradient descent.
void require_own_keys_of_adam(const OptimizerConfig& c) {
  using Kind = OptimizerKind;
  const OptimizerConfig usual;
  const auto require_own = [&](const char* key, bool is_set, std::initializer_list<Kind> rules) {
    const std::string path = std::string("train.optimizer.") + key;
    if (c.name == Kind::kMuon) {
      require_own_key(path, is_set, "train.optimizer.muon.others", c.muon.others,
                      {MuonOthers::kAdamW});
    } else {
      require_own_key(path, is_set, "train.optimizer.name", c.name, rules);
    }
  };
  require_own("beta1", c.beta1 != usual.beta1,
              {Kind::kAdam, Kind::kAdamW, Kind::kNadam, Kind::kMuon});
  require_own("beta2", c.beta2 != usual.beta2,
              {Kind::kAdam, Kind::kAdamW, Kind::kNadam, Kind::kMuon});
  require_own("eps", c.eps != usual.eps, {Kind::kAdam, Kind::kAdamW, Kind::kNadam, Kind::kMuon});
  require_own("eps_hat", c.eps_hat, {Kind::kAdam, Kind::kAdamW, Kind::kMuon});
  require_own("bias_correction", !c.bias_correction, {Kind::kAdam, Kind::kAdamW, Kind::kMuon});
}

/// Keys of what is wrapped around the rule, where nothing is.
void require_own_keys_of_wrappers(const OptimizerConfig& c) {
  const LookaheadConfig lookahead;
  const auto require_lookahead = [&](const char* key, bool is_set) {
    require(!is_set || c.lookahead.every != 0, Code::kInvalidArgument,
            "train.optimizer.lookahead.{}: it does nothing here, where "
            "train.optimizer.lookahead.every is 0; leave it out, or set "
            "train.optimizer.lookahead.every=5",
            key);
  };
  require_lookahead("alpha", c.lookahead.alpha != lookahead.alpha);
  require_lookahead("ramp", c.lookahead.ramp != lookahead.ramp);
  const AverageConfig average;
  const auto require_average = [&](const char* key, bool is_set,
                                   std::initializer_list<Average> kinds) {
    require_own_key(std::string("train.optimizer.average.") + key, is_set,
                    "train.optimizer.average.kind", c.average.kind, kinds);
  };
  require_average("decay", c.average.decay != average.decay, {Average::kEma});
  require_average("warm_up", c.average.warm_up, {Average::kEma});
  require_average("start", c.average.start != average.start, {Average::kEma, Average::kSwa});
  require_average("every", c.average.every != average.every, {Average::kSwa});
}

void require_own_keys(const OptimizerConfig& c) {
  const auto require_own = [&](const char* key, bool is_set, OptimizerKind rule) {
    require_own_key(std::string("train.optimizer.") + key, is_set, "train.optimizer.name", c.name,
                    {rule});
  };
  const auto is_other = [](const auto& keys) {
    return to_yaml(keys) != to_yaml(std::remove_cvref_t<decltype(keys)>{});
  };
  require_own("momentum", c.momentum > 0.0F, OptimizerKind::kSgd);
  require_own("nesterov", c.nesterov, OptimizerKind::kSgd);
  require_own("rmsprop", is_other(c.rmsprop), OptimizerKind::kRmsprop);
  require_own("adagrad", is_other(c.adagrad), OptimizerKind::kAdagrad);
  require_own("adadelta", is_other(c.adadelta), OptimizerKind::kAdadelta);
  require_own("nadam", is_other(c.nadam), OptimizerKind::kNadam);
  require_own("lion", is_other(c.lion), OptimizerKind::kLion);
  require_own("muon", is_other(c.muon), OptimizerKind::kMuon);
  require_own_keys_of_adam(c);
  require_own_keys_of_wrappers(c);
}

void check(const OptimizerConfig& c) {
  const auto in_unit = [](double x) { return x >= 0.0 && x < 1.0; };
  require(in_unit(c.momentum), Code::kInvalidArgument,
          "train.optimizer.momentum: {} is not in [0, 1); 0.9 is usual", c.momentum);
  require(in_unit(c.beta1), Code::kInvalidArgument,
          "train.optimizer.beta1: {} is not in [0, 1); 0.9 is usual", c.beta1);
  require(in_unit(c.beta2), Code::kInvalidArgument,
          "train.optimizer.beta2: {} is not in [0, 1); 0.999 is usual", c.beta2);
  require(c.eps > 0.0, Code::kInvalidArgument,
          "train.optimizer.eps: {} must be positive; 1e-8 is usual", c.eps);
  require(c.weight_decay >= 0.0F, Code::kInvalidArgument,
          "train.optimizer.weight_decay: {} is negative; 0.01 is usual", c.weight_decay);
  require_own_keys(c);
  require(!c.nesterov || c.momentum > 0.0F, Code::kInvalidArgument,
          "train.optimizer.nesterov needs momentum; set train.optimizer.momentum=0.9");
}

template <class Rule>
std::unique_ptr<Optimizer> make(const OptimizerConfig& config, Engine& engine,
                                nn::ParameterStore& store) {
  return std::make_unique<Rule>(config, engine, store);
}

using C = OptimizerConfig;

struct Entry {
  OptimizerKind kind;
  std::unique_ptr<Optimizer> (*make)(const C&, Engine&, nn::ParameterStore&);
  int64_t (*slabs)(const C&);
};

constexpr int64_t one(const C& /*config*/) { return 1; }
constexpr int64_t two(const C& /*config*/) { return 2; }
int64_t slabs_of_sgd(const C& c) { return c.momentum != 0.0F ? 1 : 0; }
int64_t slabs_of_rmsprop(const C& c) {
  return 1 + (c.rmsprop.centered ? 1 : 0) + (c.rmsprop.momentum > 0.0 ? 1 : 0);
}
int64_t slabs_of_muon(const C& c) { return c.muon.others == MuonOthers::kAdamW ? 2 : 1; }

constexpr Entry kCatalog[] = {
    {OptimizerKind::kSgd, &make<Sgd>, &slabs_of_sgd},
    {OptimizerKind::kAdam, &make<Adam>, &two},
    {OptimizerKind::kAdamW, &make<Adam>, &two},
    {OptimizerKind::kRmsprop, &make<Rmsprop>, &slabs_of_rmsprop},
    {OptimizerKind::kAdagrad, &make<Adagrad>, &one},
    {OptimizerKind::kAdadelta, &make<Adadelta>, &two},
    {OptimizerKind::kNadam, &make<Nadam>, &two},
    {OptimizerKind::kLion, &make<Lion>, &one},
    {OptimizerKind::kMuon, &make<Muon>, &slabs_of_muon},
};

const Entry& entry_of(OptimizerKind kind) {
  for (const Entry& entry : kCatalog) {
    if (entry.kind == kind) return entry;
  }
  fail(Code::kInternal, "train.optimizer.name: {} is not in the catalogue", enum_name(kind));
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Engine& engine,
                                          nn::ParameterStore& store) {
  check(config);
  check_penalty(config, store);
  std::unique_ptr<Optimizer> rule = entry_of(config.name).make(config, engine, store);
  if (config.lookahead.every != 0) {
    rule = std::make_unique<Lookahead>(config.lookahead, std::move(rule), engine, store);
  }
  if (config.average.kind != Average::kNone) {
    rule = std::make_unique<WeightAverage>(config.average, std::move(rule), engine, store);
  }
  return rule;
}

void check_rule(const OptimizerConfig& config) {
  struct OneWeight : nn::Module {
    OneWeight() { weight.shape = {1}; }
    void visit(nn::Visitor& visitor) override { visitor("weight", weight); }
    nn::Parameter weight;
  };
  Team team(1);
  Engine engine(team);
  OneWeight module;
  nn::ParameterStore store(engine, module);
  (void)make_optimizer(config, engine, store);
}

int64_t state_slabs(const OptimizerConfig& config) {
  return entry_of(config.name).slabs(config) + (config.lookahead.every != 0 ? 1 : 0) +
         (config.average.kind != Average::kNone ? 1 : 0);
}

}  // namespace ingot::optim
