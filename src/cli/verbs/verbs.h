// SPDX-License-Identifier: Apache-2.0
// One function per verb; the objects are constants without state.
#pragma once

#include "cli/verb.h"

namespace ingot::cli {

Verb* run_verb();
Verb* new_verb();
Verb* data_verb();
Verb* plan_verb();
Verb* train_verb();
Verb* tune_verb();
Verb* eval_verb();
Verb* predict_verb();
Verb* generate_verb();
Verb* import_verb();
Verb* compress_verb();
Verb* serve_verb();
Verb* report_verb();
Verb* bench_verb();
Verb* doctor_verb();
Verb* help_verb();
Verb* complete_verb();

}  // namespace ingot::cli
