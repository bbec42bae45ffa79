// SPDX-License-Identifier: Apache-2.0
// `ingot tune search`: trains a run for every combination of the keys that are given several values
// and ranks them by the validation split; the test split is not looked at. Each trial is a run
// directory of its own, OUT-search/HASH, named by its recipe: a search that was stopped goes on,
// one with more values trains only what is new, and the best trial is a finished model. A trial's
// data are the same files as the first one's where they are the same.
#pragma once

#include "cli/verb.h"

namespace ingot::cli {

/// Reads the recipe and the axes from the invocation's words, trains, prints the ranking and what
/// to set. A trial that diverges or whose layers do not meet is told and ranked last. Throws
/// kInvalidArgument, before anything is trained, for a value that its key refuses, keys whose
/// trials cannot be compared, combinations that are the same run, and no validation split; the
/// first trial's error when all failed.
void search(Invocation& invocation);

}  // namespace ingot::cli
