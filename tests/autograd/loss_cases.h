// SPDX-License-Identifier: Apache-2.0
// The losses' samples come from three files; op_cases.h sees them as one.
#pragma once

#include "autograd/op_cases.h"

namespace ingot::testing {

void add_class_loss_cases(std::vector<Sample>& samples);
void add_pair_loss_cases(std::vector<Sample>& samples);

}  // namespace ingot::testing
