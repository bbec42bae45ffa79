// SPDX-License-Identifier: Apache-2.0
// What this process may use: cores and memory under the affinity mask and the control groups
// (version 1 and 2), and what it uses now. `root` stands before /proc and /sys so that tests give
// their own files. A limit that cannot be read counts as no limit. Called by team set-up, plan,
// progress and doctor; never in a hot loop (each call reads files).
#pragma once

#include <cstdint>
#include <string>

namespace ingot {

/// Cores in the affinity mask, lowered to the whole cores of the tightest CPU quota; at least 1.
[[nodiscard]] int allowed_cores(const std::string& root = "");
/// The CPU quota alone, in cores; 0 when there is none.
[[nodiscard]] double cpu_quota(const std::string& root = "");

/// Bytes this process may use: the smallest of RAM, the tightest memory limit of its control groups
/// and the limit of its addresses (`ulimit -v`).
[[nodiscard]] int64_t memory_limit(const std::string& root = "");
/// Bytes of addresses that this process may have (`ulimit -v`); -1: any number. Takes no memory, so
/// that it can be asked where there is none left.
[[nodiscard]] int64_t limit_of_addresses() noexcept;
/// What the system may be short of, for messages: "ulimit -v allows 300000 KiB of addresses" where
/// there is that limit, else "ulimit -v, a container, other programs".
[[nodiscard]] std::string scarcity();
/// Bytes of RAM; 0 when unknown.
[[nodiscard]] int64_t total_memory(const std::string& root = "");
/// Bytes that could be used now without swapping: MemAvailable, lowered to what the limit leaves.
[[nodiscard]] int64_t available_memory(const std::string& root = "");

[[nodiscard]] int64_t resident_bytes(const std::string& root = "");       ///< VmRSS
[[nodiscard]] int64_t peak_resident_bytes(const std::string& root = "");  ///< VmHWM
/// Restarts the peak from the present value; false where the kernel does not allow it.
bool reset_peak_resident(const std::string& root = "");

[[nodiscard]] std::string cpu_model(const std::string& root = "");  ///< "unknown cpu" if unnamed
/// "Debian GNU/Linux 12 (bookworm)", else the kernel's name; empty when neither is known.
[[nodiscard]] std::string system_name(const std::string& root = "");
/// The vector extensions of this processor that kernels choose by: "sse4.2 avx avx2 fma bmi2".
[[nodiscard]] std::string instruction_set();

/// Bytes a user may still write on the disk of `path` (an existing file or folder); -1 unknown.
[[nodiscard]] int64_t free_disk_bytes(const std::string& path);

}  // namespace ingot
