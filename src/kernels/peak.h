// SPDX-License-Identifier: Apache-2.0
// What this machine can do at most, measured: multiply-adds from registers, streams from memory,
// the price of a page fault and of waking the team. Other speeds are quoted as a share of these.
// The stream loops are the read and triad of McCalpin's STREAM. Work is fixed and the best of a few
// repetitions counts, so a busy neighbour lowers a figure but never raises it.
// Not a kernel of any op. Called by `ingot bench` and by the programs in benchmarks/.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/signals.h"
#include "base/team.h"

namespace ingot::kernels {

struct PeakOptions {
  int64_t fma_rounds = 2'000'000;      ///< per worker and repetition: some 4 ms
  int64_t bytes = int64_t{512} << 20;  ///< touched by the streams; beyond every cache
  int64_t dispatches = 2000;           ///< regions and barriers timed
  int repeats = 3;                     ///< the best counts
  const StopFlag* stop = nullptr;      ///< looked at between repetitions, regions and barriers
};

struct MachinePeak {
  double fma_flops_per_s = 0.0;    ///< float32 multiply-adds, two each, all workers together
  double read_bytes_per_s = 0.0;   ///< sum of an array
  double triad_bytes_per_s = 0.0;  ///< a = b + s c, three streams counted
  double page_fault_s = 0.0;       ///< first touch of a 4 KiB page, one thread
  double dispatch_s = 0.0;         ///< an empty Team::run
  double barrier_s = 0.0;          ///< one Team::barrier inside a region
};

/// Measures all of it; takes under a second and options.bytes of memory, given back at the end.
/// Throws kInvalidArgument for options that are not positive, kOutOfMemory when the system refuses,
/// kCancelled when stopped.
[[nodiscard]] MachinePeak measure_peak(Team& team, const Clock& clock,
                                       const PeakOptions& options = {});

/// The work behind fma_flops_per_s on the calling thread: kFmaChains vectors of independent chains
/// x = x a + b, `rounds` long, from x = 1, 2, 3 … (one start per lane). Returns FLOPs done; `sum`
/// receives the sum of all lanes, which keeps the work alive.
[[nodiscard]] int64_t fma_chains(int64_t rounds, float* sum);
/// Sum of n floats: the work behind read_bytes_per_s.
[[nodiscard]] float stream_sum(const float* x, int64_t n);
/// a[i] = b[i] + s c[i]: the work behind triad_bytes_per_s.
void stream_triad(float* a, const float* b, const float* c, float s, int64_t n);

/// Chains per worker: above latency times issue width (4 x 2 on current cores), within 16
/// registers.
inline constexpr int kFmaChains = 12;
/// Multiplier and addend of the chains; their fixed point is kFmaAdd / (1 - kFmaMul).
inline constexpr float kFmaMul = 0.9990234375F;
inline constexpr float kFmaAdd = 0.0009765625F;

}  // namespace ingot::kernels
