// SPDX-License-Identifier: Apache-2.0
// Capture and replay. `Plan plan(engine, [&] { step(); });` records the step without running it,
// packs its memory into the engine's slab by the blocks' lifetimes and rewrites the pointers.
// `run()` walks the calls: no tape record, no allocator call, no shape rule. The same kernels run
// with the same arguments in the same order as eagerly, so the bytes are the same. Values of
// tensors that outlive the capture lie in the slab and are valid until another plan runs.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tensor/engine.h"

namespace ingot {

/// Gives every block an offset so that blocks alive together do not overlap: largest first, each
/// at the lowest offset that is free for its life. Returns the bytes of the slab.
int64_t pack_blocks(std::vector<Block>& blocks);

class Plan {
 public:
  Plan(Engine& engine, const std::function<void()>& step);

  /// Runs the whole step, or one part of it (parts are separated by Trace::mark).
  void run();
  void run(int part);

  [[nodiscard]] int64_t slab_bytes() const { return slab_bytes_; }
  [[nodiscard]] int64_t flops() const { return flops_; }
  [[nodiscard]] int64_t calls() const { return static_cast<int64_t>(trace_.calls.size()); }

  /// Floating-point operations by kernel name.
  [[nodiscard]] std::map<std::string, int64_t> flops_by_name() const;
  /// Runs once and returns seconds by kernel name (a profile of one step).
  [[nodiscard]] std::map<std::string, double> profile();

 private:
  void run_calls(int64_t begin, int64_t end);

  Engine& engine_;
  Trace trace_;
  int64_t slab_bytes_ = 0;
  int64_t flops_ = 0;
};

/// Records the step and returns the bytes its slab would take, touching no memory: what `plan`
/// prints.
struct Forecast {
  int64_t slab_bytes = 0;
  int64_t flops = 0;
  int64_t calls = 0;
  int64_t record_bytes = 0;  ///< of the record itself, which is kept to be replayed
};
[[nodiscard]] Forecast forecast(Engine& engine, const std::function<void()>& step);

}  // namespace ingot
