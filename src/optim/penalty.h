// SPDX-License-Identifier: Apache-2.0
// L1 and L2 penalties l1·Σ|w| + l2·Σw² of the weights that decay (all of them with decay_all), as
// their gradient, added to the gradient slab before its norm is taken: as if they stood in the loss
// (Keras' regularizers). The reported loss is without them. Called by train/step.
#pragma once

#include "optim/optimizer.h"

namespace ingot::optim {

/// Launches the additions; nothing when both factors are 0.
void add_penalty(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);

/// Throws kInvalidArgument for negative factors and kUnsupported when a row-sparse table would be
/// penalised: its gradient would no longer be sparse.
void check_penalty(const OptimizerConfig& config, const nn::ParameterStore& store);

}  // namespace ingot::optim
