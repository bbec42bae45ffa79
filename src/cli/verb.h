// SPDX-License-Identifier: Apache-2.0
// A verb of the command line: `ingot VERB [recipe.yaml | folder] [key=value …] [--flag …]`.
// Flags of every verb: --help, --json, --print-config, --fresh. Of plan: --graph. Of new: --from
// FILE and --target COLUMN, of data get: --yes; other ways to write from=FILE, target=COLUMN,
// accept=true.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/signals.h"
#include "cli/console.h"

namespace ingot::cli {

/// A parsed command line and what verbs get from outside.
struct Invocation {
  std::vector<std::string> words;      ///< neither key=value nor a flag
  std::vector<std::string> overrides;  ///< key=value
  bool is_json = false;
  bool prints_config = false;
  bool is_fresh = false;
  bool wants_graph = false;
  bool wants_help = false;

  Console console{false};
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  const StopFlag* stop = nullptr;
};

class Verb {
 public:
  virtual ~Verb() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string_view summary() const = 0;
  /// Usage lines and the keys that the verb takes.
  [[nodiscard]] virtual std::string help() const = 0;
  /// The keys it takes, for completion.
  [[nodiscard]] virtual std::vector<std::string> keys() const { return {}; }
  /// Returns the exit code: 0, or 3 when it was stopped by a signal and can be continued.
  virtual int run(Invocation& invocation) = 0;
};

/// Every verb, in the order of `ingot --help`.
[[nodiscard]] std::span<Verb* const> verbs();
[[nodiscard]] Verb* find_verb(std::string_view name);

/// Exit codes (docs/errors.md): 0 done, 1 an error of the input or the machine, 2 a wrong command
/// line, 3 stopped by a signal with everything saved, 70 a bug of ours.
[[nodiscard]] int exit_code(Code code);

}  // namespace ingot::cli
