// SPDX-License-Identifier: Apache-2.0
// Options that belong to one update rule, or to one of the wrappers around it. Part of
// OptimizerConfig; ranges are checked where the rule is made (the file of its name).
#pragma once

#include <cstdint>
#include <string>

#include "base/config_fields.h"

namespace ingot::optim {

struct RmspropConfig {
  double alpha = 0.99;
  double eps = 1e-8;
  double momentum = 0.0;
  bool centered = false;
  bool eps_inside = false;
  void visit(auto& field) {
    field("alpha", alpha, "decay of the mean of squares, in [0, 1); TensorFlow's rho is 0.9");
    field("eps", eps, "keeps the division finite, > 0; TensorFlow's is 1e-7");
    field("momentum", momentum, "weight of the running direction, in [0, 1)");
    field("centered", centered, "divide by the standard deviation instead of the root of squares");
    field("eps_inside", eps_inside,
          "add eps under the root (TensorFlow) instead of to it (PyTorch)");
  }
};

struct AdagradConfig {
  double lr_decay = 0.0;
  double initial = 0.0;
  double eps = 1e-10;
  void visit(auto& field) {
    field("lr_decay", lr_decay, "learning rate divided by 1 + (step - 1) lr_decay, >= 0");
    field("initial", initial, "sum of squares at the start, >= 0; TensorFlow's is 0.1");
    field("eps", eps, "added to the root of the sum, > 0");
  }
};

struct AdadeltaConfig {
  double rho = 0.9;
  double eps = 1e-6;
  void visit(auto& field) {
    field("rho", rho, "decay of both means of squares, in [0, 1)");
    field("eps", eps, "added under both roots, > 0");
  }
};

struct NadamConfig {
  double momentum_decay = 4e-3;
  bool decoupled = false;
  void visit(auto& field) {
    field("momentum_decay", momentum_decay, "how fast the momentum warms up to beta1, >= 0");
    field("decoupled", decoupled, "decay weights as adamw does");
  }
};

struct LionConfig {
  double beta1 = 0.9;
  double beta2 = 0.99;
  void visit(auto& field) {
    field("beta1", beta1, "share of the running mean in the sign, in [0, 1)");
    field("beta2", beta2, "decay of the running mean, in [0, 1)");
  }
};

enum class MuonScale : uint8_t { kOriginal, kMatchRms };
inline constexpr EnumName kMuonScaleNames[] = {{"original", MuonScale::kOriginal},
                                               {"match_rms", MuonScale::kMatchRms}};
constexpr std::span<const EnumName> enum_names(MuonScale /*tag*/) { return kMuonScaleNames; }

enum class MuonOthers : uint8_t { kAdamW, kSgd };
inline constexpr EnumName kMuonOthersNames[] = {{"adamw", MuonOthers::kAdamW},
                                                {"sgd", MuonOthers::kSgd}};
constexpr std::span<const EnumName> enum_names(MuonOthers /*tag*/) { return kMuonOthersNames; }

struct MuonConfig {
  double momentum = 0.95;
  bool nesterov = true;
  int64_t steps = 5;
  double a = 3.4445;
  double b = -4.7750;
  double c = 2.0315;
  double eps = 1e-7;
  MuonScale scale = MuonScale::kOriginal;
  MuonOthers others = MuonOthers::kAdamW;
  double others_lr = 1.0;
  std::string skip = "embed,wte,wpe,head";
  void visit(auto& field) {
    field("momentum", momentum, "weight of the running direction, in [0, 1)");
    field("nesterov", nesterov, "look-ahead momentum");
    field("steps", steps, "Newton-Schulz steps, 1 to 20");
    field("a", a, "coefficient of X in a step");
    field("b", b, "coefficient of (X X^T) X");
    field("c", c, "coefficient of (X X^T)^2 X");
    field("eps", eps, "least norm that a direction is divided by, > 0");
    field("scale", scale,
          "original: sqrt(max(1, rows / cols)); match_rms: 0.2 sqrt(max(rows, cols))");
    field("others", others, "rule of what is not a matrix or is skipped");
    field("others_lr", others_lr, "their learning rate as a share of train.lr, > 0");
    field("skip", skip, "matrices whose name holds one of these words go to the others");
  }
};

struct LookaheadConfig {
  int64_t every = 0;
  double alpha = 0.5;
  double ramp = 0.0;
  void visit(auto& field) {
    field("every", every, "steps between two moves of the slow weights, 5 is usual; 0: off");
    field("alpha", alpha, "share of the way that they move, in (0, 1]");
    field(
        "ramp", ramp,
        "above 0: the share falls from 1 to alpha with this power of the share of the run that is "
        "done; 0: alpha all along");
  }
};

enum class Average : uint8_t { kNone, kEma, kSwa };
inline constexpr EnumName kAverageNames[] = {
    {"none", Average::kNone}, {"ema", Average::kEma}, {"swa", Average::kSwa}};
constexpr std::span<const EnumName> enum_names(Average /*tag*/) { return kAverageNames; }

struct AverageConfig {
  Average kind = Average::kNone;
  double decay = 0.999;
  bool warm_up = false;
  int64_t start = 1;
  int64_t every = 1;
  void visit(auto& field) {
    field("kind", kind, "weights to validate and export: none (the last), ema, swa");
    field("decay", decay, "ema: share of the old average, in [0, 1)");
    field("warm_up", warm_up, "ema: at most (1 + t) / (10 + t) of the old average after t steps");
    field("start", start, "first step that counts, >= 1");
    field("every", every, "swa: steps between two weights that count, >= 1");
  }
};

struct PenaltyConfig {
  double l1 = 0.0;
  double l2 = 0.0;
  void visit(auto& field) {
    field("l1", l1,
          "factor of the sum of sizes in the gradient's loss, >= 0; biases and norms are spared "
          "unless decay_all");
    field("l2", l2,
          "factor of the sum of squares, >= 0; biases and norms are spared unless decay_all");
  }
};

}  // namespace ingot::optim
