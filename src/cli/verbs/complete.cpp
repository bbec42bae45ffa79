// SPDX-License-Identifier: Apache-2.0
// `ingot complete`: a completion script for bash (eval "$(ingot complete)"), and the words it asks
// for: of the verb and what stands behind it already.
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

constexpr std::string_view kScript = R"sh(_ingot() {
  local current="${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$(ingot complete verbs)" -- "$current"))
    return
  fi
  local before=("${COMP_WORDS[1]}")
  [[ "$COMP_CWORD" -ge 3 && "${COMP_WORDS[2]}" != -* ]] && before+=("${COMP_WORDS[2]}")
  COMPREPLY=($(compgen -W "$(ingot complete "${before[@]}")" -- "$current") $(compgen -f -- "$current"))
  [[ "${COMPREPLY[0]}" == *= ]] && compopt -o nospace
}
complete -F _ingot ingot)sh";

class CompleteVerb : public Verb {
 public:
  std::string_view name() const override { return "complete"; }
  std::string_view summary() const override { return "completion for bash"; }
  std::string help(HelpKeys /*keys*/) const override {
    return "usage: eval \"$(ingot complete)\"     in ~/.bashrc\n";
  }
  int run(Invocation& invocation) override {
    if (invocation.words.empty() || invocation.words[0] == "bash") {
      invocation.console.line(kScript);
      return 0;
    }
    std::string words;
    if (invocation.words[0] == "verbs") {
      for (const Verb* v : verbs()) words += std::string(v->name()) + " ";
    } else if (const Verb* verb = find_verb(invocation.words[0])) {
      words = words_behind(*verb, invocation.words);
    }
    invocation.console.line(words);
    return 0;
  }

 private:
  static std::string words_behind(const Verb& verb, const std::vector<std::string>& before) {
    const VerbTakes takes = verb.takes();
    std::string words;
    for (const VerbWord& word : takes.words) {
      if (before.size() == 1) words += word.name + " ";
      if (before.size() != 2 || before[1] != word.name) continue;
      for (const std::string& next : word.next) words += next + " ";
    }
    for (const std::string& key : takes.keys) words += key + "= ";
    for (const std::string& flag : takes.flags) words += flag + " ";
    return words + "--json --help";
  }
};

}  // namespace

Verb* complete_verb() {
  static CompleteVerb verb;
  return &verb;
}

}  // namespace ingot::cli
