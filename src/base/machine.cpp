// SPDX-License-Identifier: Apache-2.0
// See machine.h. Limits of control groups nest, so every group from ours up to the root is read
// and the tightest wins. Inside a container the path in /proc/self/cgroup may not exist below
// /sys/fs/cgroup; missing files are no limit, and the walk upwards then meets the visible root.
#include "base/machine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr int64_t kMaxProcBytes = int64_t{16} << 20;

std::string read_or_empty(const std::string& path) {
  try {
    return read_file(path, kMaxProcBytes);
  } catch (const Error&) {
    return {};
  }
}

// The leading integer of a text after blanks; nothing for "max" and other words.
std::optional<int64_t> leading_int(std::string_view text) {
  text = trim(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return kNoLimit;
  if (error != std::errc()) return std::nullopt;
  return value;
}

// The value behind "key" at the start of a line, as in /proc/meminfo and memory.stat.
std::optional<int64_t> keyed_int(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(key)) return leading_int(line.substr(key.size()));
  }
  return std::nullopt;
}

// Our group under one controller; version 2 has the empty controller name.
std::string group_path(std::string_view groups, std::string_view controller) {
  for (const std::string_view line : split(groups, '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first == line.npos ? first : first + 1);
    if (second == line.npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const auto parts = split(names, ',');
    if (std::find(parts.begin(), parts.end(), controller) == parts.end()) continue;
    return std::string(line.substr(second + 1));
  }
  return "/";
}

// Calls `look` with the folder of our group and of every group around it.
void each_group(const std::string& mount, std::string path,
                const std::function<void(const std::string&)>& look) {
  while (true) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    look(mount + path);
    if (path.empty()) return;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

struct Groups {
  explicit Groups(const std::string& root)
      : mount(root + "/sys/fs/cgroup"), text(read_or_empty(root + "/proc/self/cgroup")) {}
  std::string mount;
  std::string text;
};

double quota_v2(const std::string& folder) {
  const std::string text = read_or_empty(folder + "/cpu.max");  // "150000 100000" or "max 100000"
  const auto quota = leading_int(text);
  const size_t space = text.find(' ');
  if (!quota || space == std::string::npos) return 0;
  const int64_t period = leading_int(std::string_view(text).substr(space)).value_or(0);
  return period > 0 ? static_cast<double>(*quota) / static_cast<double>(period) : 0;
}

double quota_v1(const std::string& folder) {
  const int64_t quota = leading_int(read_or_empty(folder + "/cpu.cfs_quota_us")).value_or(-1);
  const int64_t period = leading_int(read_or_empty(folder + "/cpu.cfs_period_us")).value_or(0);
  return quota > 0 && period > 0 ? static_cast<double>(quota) / static_cast<double>(period) : 0;
}

// A memory limit together with what its group uses now, page cache that can be dropped left out.
struct MemoryGroup {
  int64_t limit = kNoLimit;
  int64_t used = 0;
};

MemoryGroup memory_v2(const std::string& folder) {
  MemoryGroup group;
  group.limit = leading_int(read_or_empty(folder + "/memory.max")).value_or(kNoLimit);
  if (group.limit == kNoLimit) return group;
  const std::string stat = read_or_empty(folder + "/memory.stat");
  const int64_t cache =
      keyed_int(stat, "inactive_file ").value_or(0) + keyed_int(stat, "active_file ").value_or(0);
  group.used = leading_int(read_or_empty(folder + "/memory.current")).value_or(0) - cache;
  return group;
}

MemoryGroup memory_v1(const std::string& folder) {
  MemoryGroup group;
  group.limit = leading_int(read_or_empty(folder + "/memory.limit_in_bytes")).value_or(kNoLimit);
  if (group.limit == kNoLimit) return group;
  const std::string stat = read_or_empty(folder + "/memory.stat");
  const int64_t cache = keyed_int(stat, "total_inactive_file ").value_or(0) +
                        keyed_int(stat, "total_active_file ").value_or(0);
  group.used = leading_int(read_or_empty(folder + "/memory.usage_in_bytes")).value_or(0) - cache;
  return group;
}

std::vector<MemoryGroup> memory_groups(const std::string& root) {
  const Groups groups(root);
  std::vector<MemoryGroup> result;
  each_group(groups.mount, group_path(groups.text, ""),
             [&](const std::string& folder) { result.push_back(memory_v2(folder)); });
  each_group(groups.mount + "/memory", group_path(groups.text, "memory"),
             [&](const std::string& folder) { result.push_back(memory_v1(folder)); });
  return result;
}

int64_t kibibytes(const std::string& path, std::string_view key) {
  return keyed_int(read_or_empty(path), key).value_or(0) * 1024;
}

// The soft limits of addresses and of data (ulimit -v and -d): whatever is held needs addresses.
int64_t address_limit(const std::string& root) {
  const std::string text = read_or_empty(root + "/proc/self/limits");
  return std::min(keyed_int(text, "Max address space").value_or(kNoLimit),
                  keyed_int(text, "Max data size").value_or(kNoLimit));
}

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(CPU_COUNT(&set), 1);
  return static_cast<int>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));  // more than 1024 cores
}

}  // namespace

double cpu_quota(const std::string& root) {
  const Groups groups(root);
  double tightest = 0;
  const auto take = [&](double quota) {
    if (quota > 0 && (tightest == 0 || quota < tightest)) tightest = quota;
  };
  each_group(groups.mount, group_path(groups.text, ""),
             [&](const std::string& folder) { take(quota_v2(folder)); });
  for (const char* mount : {"/cpu", "/cpu,cpuacct"}) {
    each_group(groups.mount + mount, group_path(groups.text, "cpu"),
               [&](const std::string& folder) { take(quota_v1(folder)); });
  }
  return tightest;
}

int allowed_cores(const std::string& root) {
  const int cores = affinity_cores();
  const double quota = cpu_quota(root);
  if (quota <= 0) return cores;
  // Rounded down: a team that waits for each other at every barrier runs at the speed of the
  // thread that was throttled.
  return static_cast<int>(std::clamp(std::floor(quota + 1e-6), 1.0, static_cast<double>(cores)));
}

int64_t total_memory(const std::string& root) {
  return kibibytes(root + "/proc/meminfo", "MemTotal:");
}

int64_t memory_limit(const std::string& root) {
  const int64_t total = total_memory(root);
  int64_t limit = std::min(total > 0 ? total : kNoLimit, address_limit(root));
  for (const MemoryGroup& group : memory_groups(root)) limit = std::min(limit, group.limit);
  return limit;
}

int64_t limit_of_addresses() noexcept {
  rlimit limit{};
  const bool is_limited =
      getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < static_cast<rlim_t>(kNoLimit);
  return is_limited ? static_cast<int64_t>(limit.rlim_cur) : -1;
}

std::string scarcity() {
  const int64_t limit = limit_of_addresses();
  return limit < 0 ? "ulimit -v, a container, other programs"
                   : fmt::format("ulimit -v allows {} KiB of addresses", limit / 1024);
}

int64_t available_memory(const std::string& root) {
  const int64_t total = kibibytes(root + "/proc/meminfo", "MemAvailable:");
  int64_t available = total > 0 ? total : kNoLimit;
  if (const int64_t limit = address_limit(root); limit != kNoLimit) {
    const int64_t taken = kibibytes(root + "/proc/self/status", "VmSize:");
    available = std::min(available, limit - std::clamp<int64_t>(taken, 0, limit));
  }
  for (const MemoryGroup& group : memory_groups(root)) {
    if (group.limit == kNoLimit) continue;
    const int64_t used = std::clamp<int64_t>(group.used, 0, group.limit);
    available = std::min(available, group.limit - used);
  }
  return available;
}

int64_t resident_bytes(const std::string& root) {
  return kibibytes(root + "/proc/self/status", "VmRSS:");
}

int64_t peak_resident_bytes(const std::string& root) {
  return kibibytes(root + "/proc/self/status", "VmHWM:");
}

bool reset_peak_resident(const std::string& root) {
  const int file = ::open((root + "/proc/self/clear_refs").c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, "5", 1) == 1;
  ::close(file);
  return written;
}

std::string cpu_model(const std::string& root) {
  const std::string text = read_or_empty(root + "/proc/cpuinfo");
  for (const std::string_view line : split(text, '\n')) {
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view key = trim(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if ((key == "model name" || key == "Model") && !value.empty()) return std::string(value);
  }
  return "unknown cpu";
}

std::string system_name(const std::string& root) {
  constexpr std::string_view kKey = "PRETTY_NAME=";
  const std::string release = read_or_empty(root + "/etc/os-release");
  for (const std::string_view line : split(release, '\n')) {
    if (!line.starts_with(kKey)) continue;
    std::string name(trim(line.substr(kKey.size())));
    std::erase(name, '"');
    return name;
  }
  return std::string(trim(read_or_empty(root + "/proc/sys/kernel/ostype")));
}

std::string instruction_set() {
  std::vector<std::string> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const auto add = [&](bool supported, const char* name) {
    if (supported) found.emplace_back(name);
  };
  add(__builtin_cpu_supports("sse4.2"), "sse4.2");
  add(__builtin_cpu_supports("avx"), "avx");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("bmi2"), "bmi2");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
#elif defined(__aarch64__)
  found.emplace_back("neon");
#else
  found.emplace_back("portable");
#endif
  return join(found, " ");
}

int64_t free_disk_bytes(const std::string& path) {
  struct statvfs status {};
  if (statvfs(path.c_str(), &status) != 0) return -1;
  return static_cast<int64_t>(status.f_bavail) * static_cast<int64_t>(status.f_frsize);
}

}  // namespace ingot
