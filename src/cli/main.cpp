// SPDX-License-Identifier: Apache-2.0
// Reads the command line, finds the verb, catches the one exception type, returns the exit code.
#include <cstdio>
#include <exception>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/text.h"
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
         "\n`ingot VERB --help` lists a verb's keys, `ingot help CODE` explains an error.\n"
         "`ingot run recipes/quickstart.yaml` does everything once, `ingot new NAME --from "
         "FILE.csv`\nwrites a recipe for a table of yours.\n";
}

void parse_flag(std::string_view word, Invocation& invocation) {
  if (word == "--help" || word == "-h") {
    invocation.wants_help = true;
  } else if (word == "--json") {
    invocation.is_json = true;
  } else if (word == "--print-config") {
    invocation.prints_config = true;
  } else if (word == "--fresh") {
    invocation.is_fresh = true;
  } else if (word == "--yes") {
    invocation.overrides.emplace_back("accept=true");
  } else if (word == "--graph") {
    invocation.wants_graph = true;
  } else {
    const std::string known[] = {"--help",  "--json", "--print-config", "--fresh",
                                 "--graph", "--yes",  "--from",         "--target"};
    fail(Code::kInvalidArgument, "ingot: unknown flag \"{}\".{} Options are written key=value",
         word, did_you_mean(word, known));
  }
}

/// Flags with a value: `--from FILE` is from=FILE.
bool takes_value(std::string_view word) { return word == "--from" || word == "--target"; }

/// What stands behind the verb.
void parse_words(int argc, char** argv, Invocation& invocation) {
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (takes_value(word)) {
      require(i + 1 < argc, Code::kInvalidArgument, "ingot: {} needs a value behind it", word);
      invocation.overrides.push_back(fmt::format("{}={}", word.substr(2), argv[++i]));
    } else if (word.starts_with('-') && word.find('=') == word.npos) {
      parse_flag(word, invocation);
    } else if (word.find('=') != word.npos) {
      const bool is_flag = takes_value(word.substr(0, word.find('=')));
      invocation.overrides.emplace_back(is_flag ? word.substr(2) : word);
    } else {
      invocation.words.emplace_back(word);
    }
  }
}

int report_error(const Error& error) {
  Console(false).note(fmt::format("ingot: error: {} [{}]", error.what(), code_name(error.code())));
  return exit_code(error.code());
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
    std::fprintf(stderr, "ingot: unknown verb \"%s\".%s\n", argv[1],
                 did_you_mean(argv[1], names).c_str());
    return 2;
  }
  Invocation invocation;
  try {
    parse_words(argc, argv, invocation);
  } catch (const Error& error) {
    report_error(error);
    return 2;
  }
  if (invocation.wants_help) {
    Console(false).stream(verb->help());
    return 0;
  }
  invocation.console = Console(invocation.is_json);
  const RealClock clock;
  const std::unique_ptr<FileSystem> files = real_files();
  StopFlag stop;
  const StopSignals signals(stop);
  invocation.clock = &clock;
  invocation.files = files.get();
  invocation.stop = &stop;
  try {
    return verb->run(invocation);
  } catch (const Error& error) {
    if (error.code() != Code::kCancelled) throw;
    invocation.console.note(
        fmt::format("{}: stopped; everything is saved, the same command continues", verb->name()));
    invocation.console.result({{"stopped", true}});
    return exit_code(error.code());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    return report_error(error);
  } catch (const std::bad_alloc&) {
    std::fputs(
        "ingot: error: out of memory. Lower train.micro_batch or raise memory= "
        "[out_of_memory]\n",
        stderr);
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ingot: internal error: %s. Please report this [internal]\n",
                 error.what());
    return 70;
  }
}
