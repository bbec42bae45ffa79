// SPDX-License-Identifier: Apache-2.0
// The workloads of pictures, written as a recipe's list of layers. Called by workloads.cpp.
#pragma once

#include <memory>
#include <string>

#include "workloads.h"

namespace ingot::bench {

/// cifar_cnn_b100: two 5 x 5 convolutions and two dense layers; resnet18_b64: ResNet-18 with a
/// 3 x 3 first layer. Pictures and weights of the dump are turned to channels-last.
[[nodiscard]] std::unique_ptr<FixedTask> make_image_task(Engine& engine, const std::string& name,
                                                         const Dump& dump);

}  // namespace ingot::bench
