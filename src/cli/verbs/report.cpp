// SPDX-License-Identifier: Apache-2.0
// `ingot report RUN`: writes report.html again, also for a run that is still going.
#include "cli/help_text.h"
#include "cli/verbs/verbs.h"
#include "report/report.h"

namespace ingot::cli {
namespace {

class ReportVerb : public Verb {
 public:
  std::string_view name() const override { return "report"; }
  std::string_view summary() const override { return "one HTML page about a run"; }
  std::string help() const override {
    return "usage: ingot report RUN\n\nWrites RUN/report.html from what is there.\n";
  }
  int run(Invocation& invocation) override {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "report: give one run directory, for example runs/quickstart");
    invocation.console.line(report::write_report(invocation.words[0]).string());
    return 0;
  }
};

}  // namespace

Verb* report_verb() {
  static ReportVerb verb;
  return &verb;
}

}  // namespace ingot::cli
