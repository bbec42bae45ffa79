// SPDX-License-Identifier: Apache-2.0
// Small exactness tests of this build on this machine, each a line of `ingot doctor`. They take a
// few seconds together and compare bytes, not closeness, but for the gradient check.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"

namespace ingot::cli {

struct Check {
  std::string name;
  bool passed = false;
  std::string value;  ///< what was found, for people
};

/// Called as soon as a check has its result.
using CheckSink = std::function<void(const Check&)>;

/// Whole training runs in `folder` (made when needed): same weights and metrics when stopped,
/// killed or torn while writing and continued; for 1, 2, 3 and 8 threads; run op by op and
/// replayed.
void training_checks(FileSystem& files, const Clock& clock, const std::string& folder,
                     const CheckSink& sink);

/// Products, attention and quantised products of a row alone and among others; gradients of both
/// layouts against finite differences.
void number_checks(const CheckSink& sink);

}  // namespace ingot::cli
