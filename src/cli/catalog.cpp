// SPDX-License-Identifier: Apache-2.0
// The verbs, in the order of `ingot --help`. Each is made in verbs/<name>.cpp.
#include "cli/verb.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {

std::span<Verb* const> verbs() {
  static Verb* const kVerbs[] = {
      run_verb(),    new_verb(),     data_verb(),     plan_verb(),     train_verb(),   tune_verb(),
      eval_verb(),   predict_verb(), generate_verb(), compress_verb(), import_verb(),  serve_verb(),
      report_verb(), bench_verb(),   doctor_verb(),   help_verb(),     complete_verb()};
  return kVerbs;
}

Verb* find_verb(std::string_view name) {
  for (Verb* verb : verbs()) {
    if (verb->name() == name) return verb;
  }
  return nullptr;
}

int exit_code(Code code) { return code == Code::kInternal ? 70 : code == Code::kCancelled ? 3 : 1; }

}  // namespace ingot::cli
