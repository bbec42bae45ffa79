// SPDX-License-Identifier: Apache-2.0
// One config with every field type, for the tests of base/config*.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.h"

namespace ingot::config_cases {

enum class Schedule { kConstant, kCosine, kOff };
inline constexpr EnumName kScheduleNames[] = {
    {"constant", Schedule::kConstant}, {"cosine", Schedule::kCosine}, {"off", Schedule::kOff}};
constexpr std::span<const EnumName> enum_names(Schedule /*tag*/) { return kScheduleNames; }

struct Optimizer {
  float learning_rate = 3e-4F;
  double weight_decay = 0.1;
  friend bool operator==(const Optimizer&, const Optimizer&) = default;
  void visit(auto& field) {
    field("learning_rate", learning_rate, "step size, > 0");
    field("weight_decay", weight_decay, "decoupled decay, >= 0");
  }
};

struct Group {
  std::string match;
  Optimizer adam;
  std::vector<int64_t> widths{};
  friend bool operator==(const Group&, const Group&) = default;
  void visit(auto& field) {
    field("match", match, "names it applies to");
    field("adam", adam, "its optimiser");
    field("widths", widths, "layer widths");
  }
};

struct Train {
  bool replay = true;
  int32_t steps = 100;
  int64_t tokens = 1'000'000;
  uint64_t seed = 7;
  float lr = 3e-4F;
  Schedule schedule = Schedule::kCosine;
  Size cap{int64_t{512} << 20};
  Duration every{300};
  friend bool operator==(const Train&, const Train&) = default;
  void visit(auto& field) {
    field("replay", replay, "replay recorded steps");
    field("steps", steps, "optimiser steps");
    field("tokens", tokens, "tokens to see");
    field("seed", seed, "random seed");
    field("lr", lr, "step size, > 0");
    field("schedule", schedule, "shape of the step size");
    field("cap", cap, "memory cap");
    field("every", every, "time between checkpoints");
  }
};

struct Recipe {
  std::string name = "demo";
  Train train;
  Optimizer train_optimizer;
  std::vector<Group> groups{};
  std::vector<std::string> paths{"a.txt", "b c"};
  std::vector<std::vector<int32_t>> grid{};
  std::vector<Schedule> phases{};
  std::optional<double> clip;
  std::optional<std::string> note;
  std::optional<Optimizer> second;
  friend bool operator==(const Recipe&, const Recipe&) = default;
  void visit(auto& field) {
    field("name", name, "name of the run");
    field("train", train, "training");
    field("optimizer", train_optimizer, "optimiser");
    field("groups", groups, "parameter groups");
    field("paths", paths, "input files");
    field("grid", grid, "rows of numbers");
    field("phases", phases, "schedules in turn");
    field("clip", clip, "gradient norm limit");
    field("note", note, "free text");
    field("second", second, "another optimiser");
  }
};

/// A map that holds maps like itself.
struct Tree {
  int64_t leaves = 1;
  std::optional<double> height;
  std::optional<std::vector<Tree>> branches;
  void visit(auto& field) {
    field("leaves", leaves, "how many");
    field("height", height, "in metres");
    field("branches", branches, "trees on it");
  }
};

struct Nothing {
  void visit(auto& /*field*/) {}
};

}  // namespace ingot::config_cases
