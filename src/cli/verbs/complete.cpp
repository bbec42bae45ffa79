// SPDX-License-Identifier: Apache-2.0
// `ingot complete`: a completion script for bash (eval "$(ingot complete)"), and the words it asks
// for.
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

constexpr std::string_view kScript = R"sh(_ingot() {
  local current="${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$(ingot complete verbs)" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$(ingot complete "${COMP_WORDS[1]}")" -- "$current") $(compgen -f -- "$current"))
  [[ "${COMPREPLY[0]}" == *= ]] && compopt -o nospace
}
complete -F _ingot ingot)sh";

class CompleteVerb : public Verb {
 public:
  std::string_view name() const override { return "complete"; }
  std::string_view summary() const override { return "completion for bash"; }
  std::string help() const override {
    return "usage: eval \"$(ingot complete)\"     in ~/.bashrc\n";
  }
  int run(Invocation& invocation) override {
    if (invocation.words.empty()) {
      invocation.console.line(kScript);
      return 0;
    }
    std::string words;
    if (invocation.words[0] == "verbs") {
      for (const Verb* v : verbs()) words += std::string(v->name()) + " ";
    } else if (const Verb* verb = find_verb(invocation.words[0])) {
      for (const std::string& key : verb->keys()) words += key + "= ";
      words += "--json --help --fresh --print-config";
    }
    invocation.console.line(words);
    return 0;
  }
};

}  // namespace

Verb* complete_verb() {
  static CompleteVerb verb;
  return &verb;
}

}  // namespace ingot::cli
