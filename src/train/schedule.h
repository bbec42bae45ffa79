// SPDX-License-Identifier: Apache-2.0
// Learning rate as a pure function of the step (plateau alone has state, fed by validation).
// Warm-up is linear from 0 over the first `warmup` steps; the shape then runs to the last step.
// one_cycle is a rise and a fall of its own over all steps and takes no warm-up before it.
#pragma once

#include <cstdint>

#include "base/config_fields.h"

namespace ingot::train {

enum class ScheduleKind : uint8_t {
  kConstant,
  kStep,
  kLinear,
  kCosine,
  kWarmupStableDecay,
  kOneCycle,
  kPlateau,
};
inline constexpr EnumName kScheduleNames[] = {
    {"constant", ScheduleKind::kConstant},     {"step", ScheduleKind::kStep},
    {"linear", ScheduleKind::kLinear},         {"cosine", ScheduleKind::kCosine},
    {"wsd", ScheduleKind::kWarmupStableDecay}, {"one_cycle", ScheduleKind::kOneCycle},
    {"plateau", ScheduleKind::kPlateau}};
constexpr std::span<const EnumName> enum_names(ScheduleKind /*tag*/) { return kScheduleNames; }

struct ScheduleConfig {
  ScheduleKind name = ScheduleKind::kCosine;
  double warmup = 0.02;
  double final = 0.1;
  double decay = 0.2;
  int64_t step_size = 1000;
  double gamma = 0.1;
  int64_t patience = 3;

  void visit(auto& field) {
    field("name", name, "shape of the learning rate over the run");
    field("warmup", warmup,
          "below 1: share of all steps; else steps (one_cycle: not used, its first 30 % are the "
          "rise)");
    field("final", final,
          "share of train.lr at the end of the run (linear, cosine, wsd, one_cycle); linear and "
          "cosine reach it one step after the last update");
    field("decay", decay, "wsd: share of all steps in the final linear decay");
    field("step_size", step_size, "step: steps between two drops");
    field("gamma", gamma, "step, plateau: factor of a drop");
    field("patience", patience, "plateau: evaluations without improvement before a drop");
  }
  /// Throws kInvalidArgument naming train.schedule.<key>.
  void check() const;
};

/// Plateau's state: part of a checkpoint.
struct PlateauState {
  double factor = 1.0;
  double best = 0.0;
  int64_t bad = 0;
  bool has_best = false;
};

class Schedule {
 public:
  Schedule(const ScheduleConfig& config, double lr, int64_t total_steps);

  /// Learning rate of update `step`, 0 <= step < total_steps.
  [[nodiscard]] double at(int64_t step) const;
  /// Tells plateau a validation loss (lower is better).
  void observe(double loss);

  PlateauState plateau;

 private:
  [[nodiscard]] double shape(double progress, int64_t step) const;

  ScheduleConfig config_;
  double lr_;
  int64_t total_;
  int64_t warmup_;
};

}  // namespace ingot::train
