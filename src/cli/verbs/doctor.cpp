// SPDX-License-Identifier: Apache-2.0
// `ingot doctor`: what this machine allows, and whether this build computes exactly on it.
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/machine.h"
#include "base/text.h"
#include "cli/doctor/checks.h"
#include "cli/help_text.h"
#include "cli/verbs/verbs.h"

namespace ingot::cli {
namespace {

constexpr int64_t kLeastMemory = int64_t{1} << 30;
constexpr int64_t kLeastDisk = int64_t{1} << 30;
constexpr int64_t kWorkBytes = int64_t{64} << 20;  // what the training checks write at most
constexpr int64_t kMaxSetting = 4096;

std::string setting(const std::string& path) {
  if (!file_exists(path)) return "";
  try {
    return std::string(trim(read_file(path, kMaxSetting)));
  } catch (const Error&) {
    return "";
  }
}

/// "always [madvise] never" → "madvise".
std::string huge_pages() {
  const std::string text = setting("/sys/kernel/mm/transparent_hugepage/enabled");
  const size_t open = text.find('['), close = text.find(']');
  if (open == text.npos || close == text.npos || close < open) return "not available";
  return text.substr(open + 1, close - open - 1);
}

/// TMPDIR, else a folder in memory where there is one (the runs end by exceptions, not by loss of
/// power, so a disk would only add the time of its fsyncs), else /tmp.
std::string folder_for_files() {
  const char* set = std::getenv("TMPDIR");
  if (set != nullptr && directory_exists(set)) return set;
  const std::string memory = "/dev/shm";
  const bool is_usable = access(memory.c_str(), W_OK) == 0 && free_disk_bytes(memory) > kWorkBytes;
  return is_usable ? memory : "/tmp";
}

/// A new folder that goes with the object.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(FileSystem& files) : files_(files) {
    path_ = join_path(folder_for_files(), "ingot-doctor-XXXXXX");
    if (mkdtemp(path_.data()) == nullptr) fail_system("doctor: cannot make", path_, errno);
  }
  ~TemporaryFolder() {
    try {
      remove_tree(files_, path_);
    } catch (const Error&) {  // left behind: nothing else can be done in a destructor
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  FileSystem& files_;
  std::string path_;
};

void machine_checks(const CheckSink& sink) {
  const double quota = cpu_quota();
  sink({"cores", allowed_cores() >= 1,
        fmt::format("{} usable of {}{}", allowed_cores(), std::thread::hardware_concurrency(),
                    quota > 0 ? fmt::format(", quota {:.2f}", quota) : "")});
  sink({"processor", true, cpu_model()});
#if defined(__x86_64__)
  const bool is_fast = instruction_set().find("avx2") != std::string::npos;
  sink({"instruction set", true,
        instruction_set() + (is_fast ? "" : " (no AVX2: correct, but several times slower)")});
#else
  sink({"instruction set", true, instruction_set()});
#endif
  sink({"memory", available_memory() >= kLeastMemory,
        fmt::format("{} available of {} (limit {}); 1 GiB is needed for the quickstart",
                    human_bytes(available_memory()), human_bytes(total_memory()),
                    human_bytes(memory_limit()))});
  const std::string folder = folder_for_files();
  sink({"disk", free_disk_bytes(".") >= kLeastDisk,
        fmt::format("{} free here, {} in {}; 1 GiB is needed for the quickstart",
                    human_bytes(free_disk_bytes(".")), human_bytes(free_disk_bytes(folder)),
                    folder)});
  const std::string huge = huge_pages();
  sink({"huge pages", true,
        huge + (huge == "never" ? " (madvise or always would save some page-table misses)" : "")});
}

class DoctorVerb : public Verb {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override {
    return "check this machine and this build by small exactness tests";
  }
  std::string help(HelpKeys /*keys*/) const override {
    return "usage: ingot doctor [--json]\n\n"
           "Looks at cores, memory, disk and instruction set, then trains tiny models on made-up "
           "text\n"
           "in a temporary folder (TMPDIR, /dev/shm or /tmp): stopped, killed and torn runs, 1 to "
           "8 threads, op by\n"
           "op and replayed must give the same bytes. Exit code 0 when everything passed, else "
           "1.\n";
  }

  int run(Invocation& invocation) override {
    require(invocation.words.empty() && invocation.overrides.empty(), Code::kInvalidArgument,
            "doctor: takes no arguments, got \"{}\"",
            invocation.words.empty()
                ? (invocation.overrides.empty() ? std::string() : invocation.overrides[0])
                : invocation.words[0]);
    const double start = invocation.clock->now_s();
    Json checks = Json::array();
    int64_t failed = 0;
    const CheckSink sink = [&](const Check& check) {
      invocation.console.line(
          fmt::format("{}  {:<44} {}", check.passed ? "PASS" : "FAIL", check.name, check.value));
      checks.push_back({{"name", check.name}, {"passed", check.passed}, {"value", check.value}});
      failed += check.passed ? 0 : 1;
      throw_if_stopped(invocation.stop);
    };
    machine_checks(sink);
    number_checks(sink);
    const TemporaryFolder folder(*invocation.files);
    training_checks(*invocation.files, *invocation.clock, folder.path(), sink);
    const double seconds = invocation.clock->now_s() - start;
    invocation.console.line(fmt::format("doctor: {} checks, {} failed, {}", checks.size(), failed,
                                        human_duration(seconds)));
    invocation.console.result({{"passed", failed == 0}, {"seconds", seconds}, {"checks", checks}});
    return failed == 0 ? 0 : 1;
  }
};

}  // namespace

Verb* doctor_verb() {
  static DoctorVerb verb;
  return &verb;
}

}  // namespace ingot::cli
