// SPDX-License-Identifier: Apache-2.0
// What is said where the system, not memory=, refuses memory or a thread and the code at work knows
// no better: cause and cure, in a buffer on the stack, for there may be no byte for a string.
// Called by main and by the stages of a run, which put their name before it.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "base/json.h"

namespace ingot::cli {

/// Ends with a zero byte.
using NoMemoryText = std::array<char, 400>;

/// "out of memory: the system gives no more (ulimit -v allows 300000 KiB of addresses). Take …"
[[nodiscard]] NoMemoryText no_memory_text() noexcept;

/// What `work` gives. Where the system refuses it memory or a thread, throws kOutOfMemory with the
/// name of the stage before that text.
[[nodiscard]] Json with_named_memory(const std::string& stage, const std::function<Json()>& work);

}  // namespace ingot::cli
