// SPDX-License-Identifier: Apache-2.0
// The list of ops: what each computes and what is promised of it. Tests draw their cases from it
// (tests/autograd/op_cases.cpp holds samples and float64 truths for every row, and a test fails for
// a row without them), and docs/ops.md is printed from it.
#pragma once

#include <cstdint>
#include <span>

namespace ingot {

enum OpFlags : uint32_t {
  kDifferentiable = 1,
  kRowInvariant = 2,  ///< a row's bytes depend on that row only
  kRandom = 4,        ///< reads the engine's seed and step
  kView = 8,          ///< shares its input's storage
};

struct OpRow {
  const char* name;
  const char* signature;
  const char* formula;
  uint32_t flags;
};

[[nodiscard]] std::span<const OpRow> op_table();

}  // namespace ingot
