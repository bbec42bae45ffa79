// SPDX-License-Identifier: Apache-2.0
// The tiny run of tests/train, compiled into this room's tests too.
#include "train/tiny_run_cases.cpp"  // NOLINT(bugprone-suspicious-include)
