// SPDX-License-Identifier: Apache-2.0
// Runs the stories of tests/flows/*.test: what somebody types and what they then see. Each story is
// a test of its own, in a fresh folder, under a time limit. One line of a story file is one of
//   # text          a remark
//   story NAME      begins a story; all that follows belongs to it
//   limit SECONDS   for each of its commands (60 when not given)
//   file PATH       the lines after it that begin with "|" are its content (without the "|")
//   $ COMMAND       run by sh, with `ingot` in the PATH and $FLOWS the folder of the story files
// and after a command what is expected of it:
//   exit CODE       of the command (0 when not given)
//   out TEXT        a whole line of standard output; several in this order, others may lie between
//   err TEXT        the same for standard error
//   error TEXT      the line "ingot: error: TEXT" on standard error, and exit code 1
//   only TEXT       as out, and standard output holds no other line
//   not TEXT        no line of either stream matches
//   json            standard output is one JSON object on one line
// TEXT is taken literally except for regular expressions (ECMAScript) between < and >; "<[<]>" is a
// plain less-than sign. The program is the one of the environment variable INGOT_BINARY, else the
// one this test was built with.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "base/message_of.h"
#include "source_dir.h"

namespace ingot::testing::flows_test {
namespace {

constexpr int kUsualLimit = 60;

struct Expectation {
  std::string kind, text, where;
};
struct Command {
  std::string text, where;
  std::vector<Expectation> expected;
};
struct StoryFile {
  std::string path, content;
};
struct Story {
  std::string name;
  int limit_s = kUsualLimit;
  std::vector<StoryFile> files;
  std::vector<Command> commands;
};

std::string flows_folder() { return INGOT_SOURCE_DIR "/tests/flows"; }

std::string binary() {
  const char* const given = std::getenv("INGOT_BINARY");
  if (given != nullptr) return given;
#ifdef INGOT_BINARY
  return INGOT_BINARY;
#else
  return "";
#endif
}

/// "a<b+>c" → the regular expression a(?:b+)c with everything outside < and > taken literally.
std::regex pattern(const std::string& text) {
  static const std::string kSpecial = R"(\^$.|?*+()[]{})";
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    const size_t end = text[i] == '<' ? text.find('>', i) : std::string::npos;
    if (end != std::string::npos) {
      out += "(?:" + text.substr(i + 1, end - i - 1) + ")";
      i = end + 1;
      continue;
    }
    if (kSpecial.find(text[i]) != std::string::npos) out += '\\';
    out += text[i++];
  }
  return std::regex(out);
}

[[noreturn]] void bad_line(const std::string& where, const std::string& line) {
  throw std::runtime_error(where + ": not a line of a story: " + line);
}

void parse_line(const std::string& line, const std::string& where, std::vector<Story>& stories) {
  if (line.empty() || line[0] == '#') return;
  const size_t space = std::min(line.find(' '), line.size());
  const std::string word = line.substr(0, space);
  const std::string rest = space < line.size() ? line.substr(space + 1) : "";
  if (word == "story") {
    stories.push_back({rest, kUsualLimit, {}, {}});
    return;
  }
  if (stories.empty()) bad_line(where, line);
  Story& story = stories.back();
  static const std::vector<std::string> kKinds = {"exit", "out", "err", "error",
                                                  "only", "not", "json"};
  if (word == "limit") {
    story.limit_s = std::stoi(rest);
  } else if (word == "file") {
    story.files.push_back({rest, ""});
  } else if (line[0] == '|' && !story.files.empty()) {
    story.files.back().content += line.substr(1) + "\n";
  } else if (word == "$") {
    story.commands.push_back({rest, where, {}});
  } else if (std::find(kKinds.begin(), kKinds.end(), word) != kKinds.end() &&
             !story.commands.empty()) {
    story.commands.back().expected.push_back({word, rest, where});
  } else {
    bad_line(where, line);
  }
}

std::vector<Story> read_stories() {
  std::vector<Story> stories;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(flows_folder())) {
    if (entry.path().extension() == ".test") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    std::ifstream in(path);
    int number = 0;
    for (std::string line; std::getline(in, line);) {
      const std::string where = path.filename().string() + ":" + std::to_string(++number);
      parse_line(line, where, stories);
    }
  }
  return stories;
}

struct Outcome {
  int exit = -1;
  bool timed_out = false;
  std::string out, err;
};

class Shell {
 public:
  Shell(std::string folder, std::string home)
      : folder_(std::move(folder)), home_(std::move(home)) {}

  Outcome run(const std::string& command, int limit_s) const {
    const std::string out = home_ + "/stdout", err = home_ + "/stderr";
    const pid_t child = fork();
    if (child == 0) exec(command, out, err);
    Outcome outcome;
    const int status = wait_for(child, limit_s, outcome.timed_out);
    outcome.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = read_file(out);
    outcome.err = read_file(err);
    return outcome;
  }

 private:
  [[noreturn]] void exec(const std::string& command, const std::string& out,
                         const std::string& err) const {
    (void)setpgid(0, 0);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    const int in = open("/dev/null", O_RDONLY);
    const int to = open(out.c_str(), flags, 0600), errors = open(err.c_str(), flags, 0600);
    if (in < 0 || to < 0 || errors < 0 || dup2(in, 0) < 0 || dup2(to, 1) < 0 ||
        dup2(errors, 2) < 0 || chdir(folder_.c_str()) != 0) {
      _exit(126);
    }
    const std::string path = std::filesystem::path(binary()).parent_path().string() + ":" +
                             std::string(std::getenv("PATH"));
    (void)setenv("PATH", path.c_str(), 1);
    (void)setenv("FLOWS", flows_folder().c_str(), 1);
    (void)setenv("LC_ALL", "C", 1);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }

  /// Waits for the child; over the limit it is killed. So is, in the end, what it has left behind
  /// in its process group: a server in the background would live on.
  static int wait_for(pid_t child, int limit_s, bool& timed_out) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(limit_s);
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (Clock::now() > end) {
        timed_out = true;
        (void)kill(-child, SIGKILL);
        (void)waitpid(child, &status, 0);
        break;
      }
      (void)poll(nullptr, 0, 2);
    }
    (void)kill(-child, SIGKILL);
    return status;
  }

  std::string folder_, home_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What one command printed, and how far the expectations have been found in it.
class Transcript {
 public:
  Transcript(const Command& command, Outcome outcome)
      : command_(command),
        outcome_(std::move(outcome)),
        out_(lines_of(outcome_.out)),
        err_(lines_of(outcome_.err)) {}

  void check() {
    int code = 0;
    for (const Expectation& e : command_.expected) {
      if (e.kind == "error") code = 1;
      if (e.kind == "exit") code = std::stoi(e.text);
    }
    EXPECT_FALSE(outcome_.timed_out) << "over its time limit" << text();
    EXPECT_EQ(outcome_.exit, code) << text();
    for (const Expectation& e : command_.expected) check(e);
    const auto is_only = [](const Expectation& e) { return e.kind == "only"; };
    const auto only = std::count_if(command_.expected.begin(), command_.expected.end(), is_only);
    if (only > 0) {
      EXPECT_EQ(static_cast<int64_t>(out_.size()), only) << "other lines" << text();
    }
  }

 private:
  void check(const Expectation& e) {
    if (e.kind == "out" || e.kind == "only") find(e, e.text, out_, out_at_);
    if (e.kind == "err") find(e, e.text, err_, err_at_);
    if (e.kind == "error") find(e, "ingot: error: " + e.text, err_, err_at_);
    if (e.kind == "not") {
      const std::regex wanted = pattern(e.text);
      for (const auto* lines : {&out_, &err_}) {
        for (const std::string& line : *lines) {
          EXPECT_FALSE(std::regex_match(line, wanted)) << e.where << ": " << line << text();
        }
      }
    }
    if (e.kind == "json") {
      ASSERT_EQ(out_.size(), 1U) << e.where << text();
      const std::string message = message_of([&] {
        require(parse_json(out_[0], "stdout").is_object(), Code::kCorruptFile, "not an object");
      });
      EXPECT_EQ(message, "no error") << e.where << text();
    }
  }

  void find(const Expectation& e, const std::string& wanted, const std::vector<std::string>& lines,
            size_t& at) {
    const std::regex expression = pattern(wanted);
    for (size_t i = at; i < lines.size(); ++i) {
      if (!std::regex_match(lines[i], expression)) continue;
      at = i + 1;
      return;
    }
    ADD_FAILURE() << e.where << ": not found: " << wanted << text();
  }

  [[nodiscard]] std::string text() const {
    constexpr size_t kMost = 6000;
    return "\n" + command_.where + ": $ " + command_.text + "\nexit " +
           std::to_string(outcome_.exit) + "\n--- stdout\n" + outcome_.out.substr(0, kMost) +
           "--- stderr\n" + outcome_.err.substr(0, kMost) + "---";
  }

  const Command& command_;
  Outcome outcome_;
  std::vector<std::string> out_, err_;
  size_t out_at_ = 0, err_at_ = 0;
};

class Flow : public ::testing::Test {
 public:
  explicit Flow(Story story) : story_(std::move(story)) {}

  void TestBody() override {
    if (!file_exists(binary())) {
      GTEST_SKIP() << "no program at \"" << binary() << "\"; set INGOT_BINARY";
    }
    const TempDir folder, home;
    for (const StoryFile& f : story_.files) {
      const std::string path = folder.file(f.path);
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      std::ofstream(path, std::ios::binary) << f.content;
    }
    const Shell shell(folder.path(), home.path());
    for (const Command& command : story_.commands) {
      Transcript(command, shell.run(command.text, story_.limit_s)).check();
      if (HasFailure()) return;  // later commands build on this one
    }
  }

 private:
  Story story_;
};

/// Test names take letters and digits: "unknown key" → "unknown_key".
std::string test_name(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

// Stories whose name begins with "slow " get a suite of their own, so that ctest can label them.
const bool kRegistered = [] {
  for (Story& story : read_stories()) {
    const bool slow = story.name.starts_with("slow ");
    ::testing::RegisterTest(slow ? "SlowFlows" : "Flows", test_name(story.name).c_str(), nullptr,
                            nullptr, __FILE__, __LINE__,
                            [story]() -> Flow* { return new Flow(story); });
  }
  return true;
}();

TEST(FlowsFile, PatternsAreLiteralButForRegularExpressions) {
  EXPECT_TRUE(std::regex_match("a.b (1) [x]", pattern("a.b (<\\d+>) [x]")));
  EXPECT_FALSE(std::regex_match("aXb (1) [x]", pattern("a.b (<\\d+>) [x]")));
  EXPECT_TRUE(std::regex_match("1 < 2", pattern("1 <[<]> 2")));
  EXPECT_TRUE(std::regex_match("1 < 2", pattern("1 < 2")));
}

TEST(FlowsFile, ALineThatIsNoneIsRefused) {
  std::vector<Story> stories;
  parse_line("story one", "f:1", stories);
  EXPECT_THROW(parse_line("out before a command", "f:2", stories), std::runtime_error);
  parse_line("$ true", "f:3", stories);
  parse_line("out yes", "f:4", stories);
  EXPECT_THROW(parse_line("uot no", "f:5", stories), std::runtime_error);
  EXPECT_EQ(stories[0].commands[0].expected[0].text, "yes");
}

}  // namespace
}  // namespace ingot::testing::flows_test
