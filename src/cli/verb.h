// SPDX-License-Identifier: Apache-2.0
// A verb of the command line: `ingot VERB [recipe.yaml | folder] [key=value …] [--flag …]`.
// Flags of every verb: --help, --help=all and --json; the others are the verb's own (VerbTakes).
// --from FILE, --target COLUMN and --yes are other ways to write from=FILE, target=COLUMN and
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

class RecipePlaces;

/// Which keys help shows: those that most runs set, or all that the verb reads (--help=all).
enum class HelpKeys { kMain, kAll };

/// A parsed command line and what verbs get from outside.
struct Invocation {
  std::vector<std::string> words;      ///< neither key=value nor a flag
  std::vector<std::string> overrides;  ///< key=value
  bool is_json = false;
  bool prints_config = false;
  bool is_fresh = false;
  bool wants_graph = false;
  bool wants_help = false;
  HelpKeys help_keys = HelpKeys::kMain;

  Console console{false};
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  const StopFlag* stop = nullptr;
  RecipePlaces* places = nullptr;  ///< told of the recipe that is read, for messages
};

/// A word that may stand behind a verb, and those that may follow it.
struct VerbWord {
  std::string name;
  std::vector<std::string> next;
};

/// What a verb understands: the command line refuses other flags, help and completion list them.
struct VerbTakes {
  std::vector<std::string> keys{};   ///< key=value
  std::vector<std::string> flags{};  ///< beside --help and --json
  std::vector<VerbWord> words{};     ///< empty: files and folders
};

class Verb {
 public:
  virtual ~Verb() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::string_view summary() const = 0;
  /// Usage lines and keys that the verb takes; flags are told by verb_page (help_text.h).
  [[nodiscard]] virtual std::string help(HelpKeys keys) const = 0;
  [[nodiscard]] virtual VerbTakes takes() const { return {}; }
  /// Stopped, it has saved its work and the same command goes on.
  [[nodiscard]] virtual bool continues(const Invocation& /*invocation*/) const { return false; }
  /// Returns the exit code: 0, or 3 when it was stopped by a signal.
  virtual int run(Invocation& invocation) = 0;
};

/// Every verb, in the order of `ingot --help`.
[[nodiscard]] std::span<Verb* const> verbs();
[[nodiscard]] Verb* find_verb(std::string_view name);

/// Exit codes (docs/errors.md): 0 done, 1 an error of the input or the machine, 2 a wrong command
/// line, 3 stopped by a signal, 70 a bug of ours.
[[nodiscard]] int exit_code(Code code);

}  // namespace ingot::cli
