// SPDX-License-Identifier: Apache-2.0
// `ingot report RUN`: writes report.html again, also for a run that is still going.
#include "report/report.h"

#include <nlohmann/json.hpp>

#include "cli/help_text.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

class ReportVerb : public Verb {
 public:
  std::string_view name() const override { return "report"; }
  std::string_view summary() const override { return "one HTML page about a run"; }
  std::string help(HelpKeys /*keys*/) const override {
    return "usage: ingot report RUN [--json]\n\nWrites RUN/report.html from what is there.\n";
  }
  int run(Invocation& invocation) override {
    require(invocation.words.size() == 1, Code::kInvalidArgument,
            "report: give one run directory, for example runs/quickstart");
    const std::string path = report::write_report(*invocation.files, invocation.words[0]).string();
    invocation.console.line(path);
    invocation.console.result({{"report", path}});
    return 0;
  }
};

}  // namespace

Verb* report_verb() {
  static ReportVerb verb;
  return &verb;
}

}  // namespace ingot::cli
