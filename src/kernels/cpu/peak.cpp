// SPDX-License-Identifier: Apache-2.0
// The loops whose speed is the machine's peak, and their timing. See peak.h.
#include "kernels/peak.h"

#include <algorithm>

#include <sys/mman.h>

#include "base/error.h"
#include "base/text.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/peak.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

int64_t fma_loop(int64_t rounds, float* sum) {
  const Df d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const Vf mul = hn::Set(d, kFmaMul), add = hn::Set(d, kFmaAdd);
  const auto start = [&](int chain)
                         HWY_ATTR { return hn::Iota(d, static_cast<float>(1 + chain * lanes)); };
  // Twelve names instead of an array: they must stay in registers.
  Vf x0 = start(0), x1 = start(1), x2 = start(2), x3 = start(3), x4 = start(4), x5 = start(5);
  Vf x6 = start(6), x7 = start(7), x8 = start(8), x9 = start(9), x10 = start(10), x11 = start(11);
  for (int64_t i = 0; i < rounds; ++i) {
    x0 = hn::MulAdd(x0, mul, add);
    x1 = hn::MulAdd(x1, mul, add);
    x2 = hn::MulAdd(x2, mul, add);
    x3 = hn::MulAdd(x3, mul, add);
    x4 = hn::MulAdd(x4, mul, add);
    x5 = hn::MulAdd(x5, mul, add);
    x6 = hn::MulAdd(x6, mul, add);
    x7 = hn::MulAdd(x7, mul, add);
    x8 = hn::MulAdd(x8, mul, add);
    x9 = hn::MulAdd(x9, mul, add);
    x10 = hn::MulAdd(x10, mul, add);
    x11 = hn::MulAdd(x11, mul, add);
  }
  const Vf low = hn::Add(hn::Add(hn::Add(x0, x1), hn::Add(x2, x3)), hn::Add(x4, x5));
  const Vf high = hn::Add(hn::Add(hn::Add(x6, x7), hn::Add(x8, x9)), hn::Add(x10, x11));
  *sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high)));
  return 2 * kFmaChains * lanes * rounds;
}

/// Four streams at once: one alone leaves the prefetchers of a core partly idle.
float sum_loop(const float* x, int64_t n) {
  const Df d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t part = n / 4 / lanes * lanes;
  Vf s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  for (int64_t i = 0; i < part; i += lanes) {
    s0 = hn::Add(s0, hn::LoadU(d, x + i));
    s1 = hn::Add(s1, hn::LoadU(d, x + part + i));
    s2 = hn::Add(s2, hn::LoadU(d, x + 2 * part + i));
    s3 = hn::Add(s3, hn::LoadU(d, x + 3 * part + i));
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (int64_t i = 4 * part; i < n; ++i) sum += x[i];
  return sum;
}

void triad_loop(float* a, const float* b, const float* c, float s, int64_t n) {
  const Df d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const Vf scale = hn::Set(d, s);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::MulAdd(scale, hn::LoadU(d, c + i), hn::LoadU(d, b + i)), d, a + i);
  }
  if (i < n) {
    const First rest{static_cast<size_t>(n - i)};
    store(hn::MulAdd(scale, load(c + i, rest), load(b + i, rest)), a + i, rest);
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {
namespace {

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kFaultPages = 4096;

/// Fresh zero pages, given back at the end of the scope.
class Pages {
 public:
  Pages(int64_t bytes, int advice) : bytes_(static_cast<size_t>(bytes)) {
    data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(data_ != MAP_FAILED, Code::kOutOfMemory,
            "bench: the system refused {} for the memory streams. Free some memory first",
            human_bytes(bytes));
    madvise(data_, bytes_, advice);
  }
  ~Pages() { munmap(data_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  [[nodiscard]] void* data() const { return data_; }

 private:
  size_t bytes_;
  void* data_;
};

/// The shortest of o.repeats times of `work`, in seconds.
template <class Work>
double best_seconds(const Clock& clock, const PeakOptions& o, const Work& work) {
  double best = 0.0;
  for (int r = 0; r < o.repeats; ++r) {
    throw_if_stopped(o.stop);
    const double start = clock.now_s();
    work();
    const double spent = clock.now_s() - start;
    best = r == 0 ? spent : std::min(best, spent);
  }
  return best;
}

double rate(double amount, double seconds) { return seconds > 0.0 ? amount / seconds : 0.0; }

/// body(begin, end) on every worker, over equal shares of [0, n).
template <class Body>
void shares(Team& team, int64_t n, const Body& body) {
  team.run([&](int worker) { body(n * worker / team.size(), n * (worker + 1) / team.size()); });
}

void measure_streams(Team& team, const Clock& clock, const PeakOptions& o, MachinePeak& peak) {
  const Pages pages(o.bytes, MADV_HUGEPAGE);
  auto* const x = static_cast<float*>(pages.data());
  const auto n = o.bytes / static_cast<int64_t>(sizeof(float));
  shares(team, n, [&](int64_t begin, int64_t end) { std::fill(x + begin, x + end, 1.0F); });
  std::atomic<float> sink{0.0F};
  const double read_s = best_seconds(clock, o, [&] {
    shares(team, n, [&](int64_t begin, int64_t end) {
      sink.store(stream_sum(x + begin, end - begin), std::memory_order_relaxed);
    });
  });
  peak.read_bytes_per_s = rate(static_cast<double>(n) * sizeof(float), read_s);
  const int64_t third = n / 3;
  const double triad_s = best_seconds(clock, o, [&] {
    shares(team, third, [&](int64_t begin, int64_t end) {
      stream_triad(x + begin, x + third + begin, x + 2 * third + begin, 0.5F, end - begin);
    });
  });
  peak.triad_bytes_per_s = rate(3.0 * static_cast<double>(third) * sizeof(float), triad_s);
}

/// Barriers inside one region, all workers in step: they leave together or not at all.
void pass_barriers(Team& team, const PeakOptions& o) {
  constexpr int64_t kLook = 64;  // the decision stands for so many barriers, until all have read it
  std::atomic<bool> leaves{false};
  team.run([&](int worker) {
    for (int64_t i = 0; i < o.dispatches; ++i) {
      const bool looks = o.stop != nullptr && i % kLook == 0;
      if (looks && worker == 0) leaves.store(o.stop->requested());
      team.barrier();
      if (looks && leaves.load()) return;
    }
  });
  throw_if_stopped(o.stop);
}

double measure_page_fault(const Clock& clock, const PeakOptions& o) {
  return best_seconds(clock, o,
                      [] {
                        const Pages pages(kFaultPages * kPageBytes, MADV_NOHUGEPAGE);
                        auto* const bytes = static_cast<volatile char*>(pages.data());
                        for (int64_t p = 0; p < kFaultPages; ++p) bytes[p * kPageBytes] = 1;
                      }) /
         static_cast<double>(kFaultPages);
}

}  // namespace

HWY_EXPORT(fma_loop);
HWY_EXPORT(sum_loop);
HWY_EXPORT(triad_loop);

int64_t fma_chains(int64_t rounds, float* sum) {
  return HWY_DYNAMIC_DISPATCH(fma_loop)(rounds, sum);
}

float stream_sum(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_loop)(x, n); }

void stream_triad(float* a, const float* b, const float* c, float s, int64_t n) {
  HWY_DYNAMIC_DISPATCH(triad_loop)(a, b, c, s, n);
}

MachinePeak measure_peak(Team& team, const Clock& clock, const PeakOptions& o) {
  require(o.fma_rounds > 0 && o.bytes >= kPageBytes && o.dispatches > 0 && o.repeats > 0,
          Code::kInvalidArgument,
          "bench: fma_rounds {}, bytes {}, dispatches {}, repeats {} must be positive, bytes at "
          "least {}",
          o.fma_rounds, o.bytes, o.dispatches, o.repeats, kPageBytes);
  MachinePeak peak;
  std::atomic<int64_t> flops{0};
  const double fma_s = best_seconds(clock, o, [&] {
    flops.store(0);
    team.run([&](int) {
      float sum = 0.0F;
      flops.fetch_add(fma_chains(o.fma_rounds, &sum) + static_cast<int64_t>(sum == 0.0F));
    });
  });
  peak.fma_flops_per_s = rate(static_cast<double>(flops.load()), fma_s);
  const auto dispatches = static_cast<double>(o.dispatches);
  peak.dispatch_s = best_seconds(clock, o,
                                 [&] {
                                   for (int64_t i = 0; i < o.dispatches; ++i) {
                                     throw_if_stopped(o.stop);
                                     team.run([](int) {});
                                   }
                                 }) /
                    dispatches;
  peak.barrier_s = best_seconds(clock, o, [&] { pass_barriers(team, o); }) / dispatches;
  peak.page_fault_s = measure_page_fault(clock, o);
  measure_streams(team, clock, o, peak);
  return peak;
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
