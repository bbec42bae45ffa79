// SPDX-License-Identifier: Apache-2.0
// `ingot help VERB`, `ingot help CODE`, `ingot help keys`, `ingot help layers`, `ingot help ops`.
#include <utility>

#include "base/text.h"
#include "cli/help_text.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

struct CodeHelp {
  Code code;
  std::string_view text;
};

constexpr CodeHelp kCodes[] = {
    {Code::kInvalidArgument,
     "A key, value or name that is not possible. The message names the key and a value that "
     "works."},
    {Code::kShapeMismatch,
     "Tensors, or a file and a model, whose sizes do not fit. The message gives both."},
    {Code::kDtypeMismatch, "An element type that the op or file does not take. Convert it first."},
    {Code::kNotFound,
     "A file, folder, model or tensor that is not there. Check the path; the nearest name is "
     "given."},
    {Code::kIo,
     "The operating system refused: disk full, no permission, port in use. What was saved before "
     "is whole."},
    {Code::kCorruptFile,
     "A file that contradicts its format: truncated, damaged or not what its name says. Copy it "
     "again."},
    {Code::kOutOfMemory,
     "It does not fit under memory=. The message names the change that would fit."},
    {Code::kUnsupported, "Correct, but not available here. The message says what is."},
    {Code::kCancelled,
     "Stopped by a signal or a client. Verbs that save their work say so, and go on with the same "
     "command."},
    {Code::kNumeric,
     "NaN or infinity where numbers are needed. Lower train.lr; the message names layer and op."},
    {Code::kInternal, "A broken invariant of ingot itself. Please report the message."},
};

/// What is printed as a page of docs/.
constexpr std::pair<std::string_view, std::string (*)()> kPages[] = {
    {"keys", keys_help}, {"layers", layers_help}, {"ops", ops_help}};

class HelpVerb : public Verb {
 public:
  std::string_view name() const override { return "help"; }
  std::string_view summary() const override {
    return "about a verb, an error code, keys, layers or ops";
  }
  std::string help(HelpKeys /*keys*/) const override {
    std::string text = "usage: ingot help VERB | CODE | keys | layers | ops\n\nerror codes:\n";
    for (const CodeHelp& c : kCodes)
      text += fmt::format("  {:<18} {}\n", code_name(c.code), c.text);
    return text +
           "\nexit codes: 0 done, 1 error, 2 wrong command line, 3 stopped by a signal, "
           "70 internal error\n";
  }
  VerbTakes takes() const override {
    VerbTakes takes;
    for (const auto& [page, text] : kPages) takes.words.push_back({std::string(page), {}});
    for (const Verb* v : verbs()) takes.words.push_back({std::string(v->name()), {}});
    for (const CodeHelp& c : kCodes) takes.words.push_back({std::string(code_name(c.code)), {}});
    return takes;
  }
  int run(Invocation& invocation) override {
    if (invocation.words.empty()) {
      invocation.console.line(help(HelpKeys::kMain));
      return 0;
    }
    const std::string& word = invocation.words[0];
    for (const auto& [page, text] : kPages) {
      if (page != word) continue;
      invocation.console.line(text());
      return 0;
    }
    if (Verb* verb = find_verb(word)) {
      invocation.console.line(verb_page(*verb, HelpKeys::kMain));
      return 0;
    }
    for (const CodeHelp& c : kCodes) {
      if (code_name(c.code) != word) continue;
      invocation.console.line(fmt::format("{}: {}", word, c.text));
      return 0;
    }
    std::vector<std::string> known;
    for (const VerbWord& w : takes().words) known.push_back(w.name);
    fail(Code::kInvalidArgument, "help: \"{}\" is neither a verb nor an error code.{}", word,
         did_you_mean(word, known));
  }
};

}  // namespace

Verb* help_verb() {
  static HelpVerb verb;
  return &verb;
}

}  // namespace ingot::cli
