// SPDX-License-Identifier: Apache-2.0
// The workloads of recurrent layers. Called by workloads.cpp.
#pragma once

#include <memory>
#include <string>

#include "workloads.h"

namespace ingot::bench {

/// lstm_b32_t100_h128, gru_b32_t100_h128: one layer of 128 units with PyTorch's two biases on 32
/// sequences of 100 steps of 128 numbers, ten classes from the last step.
[[nodiscard]] std::unique_ptr<FixedTask> make_recurrent_task(Engine& engine,
                                                             const std::string& name,
                                                             const Dump& dump);

}  // namespace ingot::bench
