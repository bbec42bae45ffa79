// SPDX-License-Identifier: Apache-2.0
// The files below are what real kernels show: one machine with control groups version 2, one with
// version 1, and containers that see only part of the tree.
#include "base/machine.h"

#include <cstring>
#include <fstream>

#include <sys/mman.h>
#include <sys/resource.h>

#include "base/message_of.h"

namespace ingot::machine_test {
namespace {

using testing::TempDir;

class Machine : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_.path() + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  TempDir root_;
};

TEST_F(Machine, WithoutFilesThereAreNoLimits) {
  EXPECT_EQ(cpu_quota(root_.path()), 0);
  EXPECT_GE(allowed_cores(root_.path()), 1);
  EXPECT_EQ(memory_limit(root_.path()), INT64_MAX);
  EXPECT_EQ(total_memory(root_.path()), 0);
  EXPECT_EQ(resident_bytes(root_.path()), 0);
  EXPECT_EQ(cpu_model(root_.path()), "unknown cpu");
  EXPECT_EQ(system_name(root_.path()), "");
  EXPECT_FALSE(reset_peak_resident(root_.path()));
}

TEST_F(Machine, Version2TakesTheTightestGroupOnTheWayUp) {
  put("/proc/self/cgroup", "0::/user/app\n");
  put("/sys/fs/cgroup/user/app/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/user/cpu.max", "150000 100000\n");
  put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  put("/sys/fs/cgroup/user/app/memory.max", "max\n");
  put("/sys/fs/cgroup/user/memory.max", "1073741824\n");
  put("/proc/meminfo", "MemTotal:        8388608 kB\nMemAvailable:    4194304 kB\n");
  EXPECT_EQ(cpu_quota(root_.path()), 1.5);
  EXPECT_EQ(allowed_cores(root_.path()), 1);
  EXPECT_EQ(memory_limit(root_.path()), 1073741824);
  EXPECT_EQ(total_memory(root_.path()), int64_t{8} << 30);
}

TEST_F(Machine, Version2InAContainerThatHidesItsPath) {
  put("/proc/self/cgroup", "0::/../../kubepods/pod1\n");
  put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  put("/sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(cpu_quota(root_.path()), 1.0);
  EXPECT_EQ(memory_limit(root_.path()), 536870912);
}

TEST_F(Machine, Version1ReadsItsControllers) {
  put("/proc/self/cgroup",
      "9:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n0::/\n");
  put("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "50000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "268435456\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("/proc/meminfo", "MemTotal:        8388608 kB\n");
  EXPECT_EQ(cpu_quota(root_.path()), 0.5);
  EXPECT_EQ(allowed_cores(root_.path()), 1);
  EXPECT_EQ(memory_limit(root_.path()), 268435456);
}

TEST_F(Machine, Version1WithoutAQuotaIsNoLimit) {
  put("/proc/self/cgroup", "4:cpu,cpuacct:/\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_.path()), 0);
}

TEST_F(Machine, NumbersBeyond64BitsAreNoLimit) {
  put("/proc/self/cgroup", "0::/\n");
  put("/sys/fs/cgroup/memory.max", "18446744073709551615\n");
  EXPECT_EQ(memory_limit(root_.path()), INT64_MAX);
}

TEST_F(Machine, AvailableMemoryLeavesOutDroppableCache) {
  put("/proc/self/cgroup", "0::/\n");
  put("/proc/meminfo", "MemTotal:        8388608 kB\nMemAvailable:    4194304 kB\n");
  EXPECT_EQ(available_memory(root_.path()), int64_t{4} << 30);
  put("/sys/fs/cgroup/memory.max", "1000000\n");
  put("/sys/fs/cgroup/memory.current", "700000\n");
  put("/sys/fs/cgroup/memory.stat", "anon 300000\ninactive_file 250000\nactive_file 150000\n");
  EXPECT_EQ(available_memory(root_.path()), 1000000 - (700000 - 400000));
}

TEST_F(Machine, ALimitOfAddressesIsALimitOfMemory) {
  put("/proc/meminfo", "MemTotal:        8388608 kB\nMemAvailable:    4194304 kB\n");
  put("/proc/self/limits",
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max data size             unlimited            unlimited            bytes     \n"
      "Max address space         1073741824           unlimited            bytes     \n");
  put("/proc/self/status", "Name:\tx\nVmSize:\t    1024 kB\nVmRSS:\t    512 kB\n");
  EXPECT_EQ(memory_limit(root_.path()), int64_t{1} << 30);
  EXPECT_EQ(available_memory(root_.path()), (int64_t{1} << 30) - (1 << 20));
  put("/proc/self/limits",
      "Max data size             536870912            unlimited            bytes\n"
      "Max address space         unlimited            unlimited            bytes\n");
  EXPECT_EQ(memory_limit(root_.path()), int64_t{1} << 29);
  put("/proc/self/limits",
      "Max address space         unlimited            unlimited            bytes\n");
  EXPECT_EQ(memory_limit(root_.path()), int64_t{8} << 30);
  EXPECT_EQ(available_memory(root_.path()), int64_t{4} << 30);
}

TEST_F(Machine, ReadsStatusAndModel) {
  put("/proc/self/status", "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n");
  put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2.50GHz\n");
  EXPECT_EQ(resident_bytes(root_.path()), 1 << 20);
  EXPECT_EQ(peak_resident_bytes(root_.path()), 2 << 20);
  EXPECT_EQ(cpu_model(root_.path()), "Some CPU @ 2.50GHz");
}

TEST_F(Machine, SystemIsNamedByItsReleaseFileElseByTheKernel) {
  put("/proc/sys/kernel/ostype", "Linux\n");
  EXPECT_EQ(system_name(root_.path()), "Linux");
  put("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  EXPECT_EQ(system_name(root_.path()), "Debian GNU/Linux 12 (bookworm)");
}

TEST(RealMachine, AnswersArePlausible) {
  EXPECT_GE(allowed_cores(), 1);
  EXPECT_GT(memory_limit(), int64_t{16} << 20);
  EXPECT_GT(available_memory(), 0);
  EXPECT_GT(resident_bytes(), int64_t{1} << 20);
  EXPECT_GE(peak_resident_bytes(), resident_bytes() / 2);
  EXPECT_GE(free_disk_bytes("/tmp"), 0);
  EXPECT_EQ(free_disk_bytes("/no/such/place"), -1);
#if defined(__x86_64__)
  EXPECT_EQ(instruction_set().find("avx2") != std::string::npos,
            static_cast<bool>(__builtin_cpu_supports("avx2")));
#else
  EXPECT_FALSE(instruction_set().empty());
#endif
}

TEST(RealMachine, NamesTheLimitOfAddressesWhereThereIsOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  if (before.rlim_max < (rlim_t{1} << 46)) GTEST_SKIP() << "a limit of addresses is set already";
  const rlimit limit{rlim_t{1} << 45, before.rlim_max};  // more than a sanitizer takes
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  const int64_t bytes = limit_of_addresses();
  const std::string text = scarcity();
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(bytes, int64_t{1} << 45);
  EXPECT_EQ(text, "ulimit -v allows 34359738368 KiB of addresses");
  if (before.rlim_cur == RLIM_INFINITY) {
    EXPECT_EQ(limit_of_addresses(), -1);
    EXPECT_EQ(scarcity(), "ulimit -v, a container, other programs");
  }
}

TEST(RealMachine, PeakRestartsAfterMemoryIsGivenBack) {
  constexpr size_t kBytes = size_t{64} << 20;
  // Straight from the system, because free may keep what it gets.
  void* block = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(block, MAP_FAILED);
  std::memset(block, 1, kBytes);
  ASSERT_GE(peak_resident_bytes(), static_cast<int64_t>(kBytes));
  munmap(block, kBytes);
  if (!reset_peak_resident()) GTEST_SKIP() << "the kernel does not allow it here";
  // Equal but for what the reading of the two files itself touches.
  constexpr int64_t kSlack = int64_t{8} << 20;
  EXPECT_LT(peak_resident_bytes(), resident_bytes() + kSlack);
}

}  // namespace
}  // namespace ingot::machine_test
