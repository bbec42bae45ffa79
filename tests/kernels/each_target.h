// SPDX-License-Identifier: Apache-2.0
// Runs a test body once per instruction set that this machine has and the kernels are built for,
// so that one machine checks the code of smaller ones too. Included by the tests of kernels.
#pragma once

#include <gtest/gtest.h>

#include "hwy/highway.h"

namespace ingot::kernels {

/// True when the chosen target fuses multiply and add (Highway's baseline does not).
inline bool target_has_fma() {
  return (hwy::SupportedTargets() & (HWY_AVX3 | HWY_AVX2 | HWY_NEON)) != 0;
}

template <class Body>
void for_each_target(const Body& body) {
  hwy::SetSupportedTargetsForTest(0);
  const int64_t supported = hwy::SupportedTargets();
  for (const int64_t target : {HWY_AVX3, HWY_AVX2, HWY_NEON, HWY_SCALAR, HWY_EMU128}) {
    if ((supported & target & HWY_TARGETS) == 0) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace ingot::kernels
