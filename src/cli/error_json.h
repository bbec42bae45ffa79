// SPDX-License-Identifier: Apache-2.0
// An error as the JSON object that --json puts on standard output. It is the message of standard
// error, which is written for people, taken apart: nothing in it is not in that line. Used by
// main.cpp.
#pragma once

#include "base/error.h"
#include "base/json.h"

namespace ingot::cli {

/// {"error":{"code":…,"message":…}} and, as far as the message tells them,
///   file, line, column   of "r.yaml:7:3: …", or file and line of `csv: "t.csv": line 4 …`
///   key                  of the recipe: "train.micro_bach" of `train: unknown key "micro_bach"`
///   cure                 what the message says behind its cause: behind the first ". " or "; "
///                        that is neither quoted nor in parentheses, nor before names that there
///                        are
/// `located`: what is printed, with the place in the recipe before it.
[[nodiscard]] Json error_json(const Error& located);

}  // namespace ingot::cli
