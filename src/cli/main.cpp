// SPDX-License-Identifier: Apache-2.0
// Reads the command line, finds the verb, catches the one exception type, returns the exit code.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "cli/error_json.h"
#include "cli/help_text.h"
#include "cli/no_memory.h"
#include "cli/recipe_places.h"
#include "cli/verb.h"

namespace {

using namespace ingot;
using namespace ingot::cli;

std::string overview() {
  std::string text =
      "ingot: from raw data to a served model, on the machine you have\n\n"
      "usage: ingot VERB [recipe.yaml | folder] [key=value ...] [--json] [--help]\n\n";
  for (const Verb* verb : verbs()) {
    text += fmt::format("  {:<10} {}\n", verb->name(), verb->summary());
  }
  return text +
         "\n`ingot VERB --help` tells what a verb takes, --help=all every key; `ingot help "
         "CODE`\nexplains an error.\n"
         "`ingot run recipes/quickstart.yaml` does everything once, `ingot new NAME --from "
         "FILE.csv`\nwrites a recipe for a table of yours.\n";
}

/// Refuses what the verb does not take: a flag without effect would be a promise.
void require_flag(std::string_view word, const Verb& verb) {
  std::vector<std::string> known = verb.takes().flags;
  known.insert(known.begin(), {"--help", "--json"});
  require(std::find(known.begin(), known.end(), word) != known.end(), Code::kInvalidArgument,
          "{}: unknown flag \"{}\".{} Options are written key=value", verb.name(), word,
          did_you_mean(word, known));
}

void parse_flag(std::string_view word, const Verb& verb, Invocation& invocation) {
  if (word == "-h") word = "--help";
  require_flag(word, verb);
  if (word == "--help") invocation.wants_help = true;
  if (word == "--json") invocation.is_json = true;
  if (word == "--print-config") invocation.prints_config = true;
  if (word == "--fresh") invocation.is_fresh = true;
  if (word == "--yes") invocation.overrides.emplace_back("accept=true");
  if (word == "--graph") invocation.wants_graph = true;
}

/// One that the verb takes.
bool is_flag(std::string_view word, const Verb& verb) {
  const std::vector<std::string> known = verb.takes().flags;
  return word == "--json" || std::find(known.begin(), known.end(), word) != known.end();
}

/// Flags with a value: `--from FILE` is from=FILE.
bool takes_value(std::string_view word) { return word == "--from" || word == "--target"; }

/// What stands behind the verb.
void parse_words(int argc, char** argv, const Verb& verb, Invocation& invocation) {
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view name = word.substr(0, word.find('='));
    if (takes_value(name)) {
      require_flag(name, verb);
      const bool is_apart = name == word;
      require(!is_apart || i + 1 < argc, Code::kInvalidArgument, "{}: {} needs a value behind it",
              verb.name(), word);
      const std::string_view value = is_apart ? argv[++i] : word.substr(name.size() + 1);
      invocation.overrides.push_back(fmt::format("{}={}", name.substr(2), value));
    } else if (name == "--help" && name != word) {
      require(word == "--help=all", Code::kInvalidArgument,
              "{}: {} is none: --help, or --help=all for every key", verb.name(), word);
      invocation.wants_help = true;
      invocation.help_keys = HelpKeys::kAll;
    } else if (is_flag(name, verb) && name != word) {
      fail(Code::kInvalidArgument, "{}: unknown flag value \"{}\": {} takes none", verb.name(),
           word, name);
    } else if (word.starts_with('-') && name == word) {
      parse_flag(word, verb, invocation);
    } else if (name != word) {
      invocation.overrides.emplace_back(word);
    } else {
      invocation.words.emplace_back(word);
    }
  }
}

/// Wherever it stands: a command line that cannot be read has its error as JSON too.
bool wants_json(int argc, char** argv) {
  return std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
}

int report_error(const Error& error, bool is_json) {
  Console(is_json).note(
      fmt::format("ingot: error: {} [{}]", error.what(), code_name(error.code())));
  if (!is_json) return exit_code(error.code());
  try {
    Console(is_json).result(error_json(error));
  } catch (const std::exception&) {  // no standard output: that may be the error itself; no memory
  }
  return exit_code(error.code());
}

/// The system, not memory=, has refused: there may be no byte for a message made here.
/// Nothing in the text wants escaping in JSON.
int report_no_memory(bool is_json) {
  const NoMemoryText text = no_memory_text();
  std::fprintf(stderr, "ingot: error: %s [out_of_memory]\n", text.data());
  if (is_json) {
    const char* cure = std::strstr(text.data(), ". ");
    std::printf(R"({"error":{"code":"out_of_memory","message":"%s","cure":"%s"}})"
                "\n",
                text.data(), cure == nullptr ? "" : cure + 2);
  }
  return exit_code(Code::kOutOfMemory);
}

int report_fault(const std::exception& error, bool is_json) {
  return report_error(
      Error(Code::kInternal, fmt::format("internal error: {}. Please report this", error.what())),
      is_json);
}

/// Walks and look-ups of the standard library, where they are not asked for a code.
int report_files(const std::filesystem::filesystem_error& error, bool is_json) {
  try {
    fail_system("files", error.path1().string(), error.code().value());
  } catch (const Error& translated) {
    return report_error(translated, is_json);
  }
}

int run(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h") {
    if (argc < 2) {
      Console(false).note(overview());
      return 2;
    }
    Console(false).stream(overview());
    return 0;
  }
  if (std::string_view(argv[1]) == "--version") {
    Console(false).line("ingot " INGOT_VERSION);
    return 0;
  }
  Verb* verb = find_verb(argv[1]);
  if (verb == nullptr) {
    std::vector<std::string> names;
    for (const Verb* v : verbs()) names.emplace_back(v->name());
    report_error(Error(Code::kInvalidArgument, fmt::format("unknown verb \"{}\".{}", argv[1],
                                                           did_you_mean(argv[1], names))),
                 wants_json(argc, argv));
    return 2;
  }
  Invocation invocation;
  try {
    parse_words(argc, argv, *verb, invocation);
  } catch (const Error& error) {
    report_error(error, wants_json(argc, argv));
    return 2;
  }
  if (invocation.wants_help) {
    Console(false).stream(verb_page(*verb, invocation.help_keys));
    return 0;
  }
  invocation.console = Console(invocation.is_json);
  const RealClock clock;
  const std::unique_ptr<FileSystem> files = real_files();
  StopFlag stop;
  const StopSignals signals(stop);
  RecipePlaces places;
  invocation.clock = &clock;
  invocation.files = files.get();
  invocation.stop = &stop;
  invocation.places = &places;
  try {
    return verb->run(invocation);
  } catch (const Error& error) {
    const bool is_of_options = error.code() == Code::kInvalidArgument ||
                               error.code() == Code::kShapeMismatch ||
                               error.code() == Code::kDtypeMismatch;
    if (is_of_options) throw Error(error.code(), places.located(error.what()));
    if (error.code() == Code::kNotFound)
      throw Error(error.code(), places.with_start_of_paths(error.what()));
    if (error.code() != Code::kCancelled) throw;
    invocation.console.note(fmt::format(
        "{}: stopped{}", verb->name(),
        verb->continues(invocation) ? "; everything is saved, the same command continues" : ""));
    invocation.console.result({{"stopped", true}});
    return exit_code(error.code());
  }
}

}  // namespace

int main(int argc, char** argv) {
  ignore_file_size_signal();
  const bool is_json = wants_json(argc, argv);
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    return report_error(error, is_json);
  } catch (const std::bad_alloc&) {
    return report_no_memory(is_json);
  } catch (const std::filesystem::filesystem_error& error) {
    return report_files(error, is_json);
  } catch (const std::system_error& error) {  // of a thread that could not be started
    const bool is_no_memory = error.code() == std::errc::resource_unavailable_try_again ||
                              error.code() == std::errc::not_enough_memory;
    return is_no_memory ? report_no_memory(is_json) : report_fault(error, is_json);
  } catch (const std::exception& error) {
    return report_fault(error, is_json);
  }
}
