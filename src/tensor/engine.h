// SPDX-License-Identifier: Apache-2.0
// An engine owns what tensors share: the thread team, the allocator, the slab of planned steps, the
// random key and the counters. It is also where ops hand in kernels: run at once (eager) or
// recorded (tracing). One engine, one caller thread. Tensors must not outlive their engine.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "base/error.h"
#include "base/signals.h"
#include "base/team.h"
#include "tensor/allocator.h"
#include "tensor/trace.h"

namespace ingot {

struct Counters {
  int64_t launches = 0;     ///< kernels run or recorded by ops (replayed ones do not count)
  int64_t conversions = 0;  ///< implicit copies to a contiguous or plain layout
  int64_t tape_records = 0;
};

/// Which part of the model an op belongs to, for messages: "layer 3".
struct ScopeName {
  const char* kind = nullptr;
  int64_t index = -1;
};

struct EngineOptions {
  uint64_t seed = 42;
  int64_t memory_bytes = 0;  ///< cap on tensor memory; 0: none
};

class Engine {
 public:
  using Options = EngineOptions;

  explicit Engine(Team& team, Options options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] Team& team() { return team_; }
  [[nodiscard]] Allocator& allocator() { return allocator_; }
  [[nodiscard]] uint64_t seed() const { return options_.seed; }
  [[nodiscard]] int64_t memory_limit() const { return options_.memory_bytes; }
  Counters counters;

  /// Runs `kernel(args, team)`, or records it while tracing. Args' first kPointers words are
  /// pointers.
  template <class Args>
  void launch(const char* name, void (*kernel)(const Args&, Team&), const Args& args,
              int64_t flops = 0) {
    static_assert(std::is_trivially_copyable_v<Args>);
    static_assert(Args::kPointers * sizeof(void*) <= sizeof(Args));
    look_at_stop();
    ++counters.launches;
    if (trace_ == nullptr) {
      kernel(args, team_);
      return;
    }
    trace_->record(
        {&invoke<Args>, reinterpret_cast<void (*)()>(kernel), name, 0, flops, Args::kPointers},
        &args, sizeof(Args));
  }

  /// Starts and ends recording; see tensor/plan.h, which is what callers use.
  void begin_trace(Trace& trace);
  void end_trace();
  [[nodiscard]] Trace* trace() const { return trace_; }

  /// Throws kUnsupported while tracing: values are not there yet. `what` names the reader.
  void require_values(const char* what) const {
    require(trace_ == nullptr, Code::kUnsupported,
            "{}: a tensor's values were asked for while a step is being recorded. Read them after "
            "the step has run",
            what);
  }

  /// One slab address range for all plans of this engine; grows only in how much of it is touched.
  [[nodiscard]] std::byte* slab(int64_t bytes);
  [[nodiscard]] int64_t slab_bytes() const { return slab_used_; }
  /// Gives cached blocks and the slab's memory back to the system. No plan may be alive.
  void trim();

  /// Step number that random ops read (one int64). Set by the training loop before each step.
  [[nodiscard]] int64_t* step_counter() { return step_counter_; }

  /// Identifier of the next random op of this step; restarted by begin_step.
  [[nodiscard]] int64_t next_op_id() { return op_id_++; }
  void begin_step() { op_id_ = 0; }

  /// Looked at before every kernel that is run, recorded or replayed: throws kCancelled. For work
  /// that leaves nothing behind, such as a plan; null: never. It must outlive the engine.
  const StopFlag* stop = nullptr;
  void look_at_stop() const {
    if (stop != nullptr) throw_if_stopped(stop);
  }

  bool check_finite = false;  ///< ops throw kNumeric when a result is NaN or infinite (eager only)
  ScopeName scope;            ///< set by models around their parts
  void* tape = nullptr;       ///< the autograd tape that is recording, null when gradients are off

 private:
  template <class Args>
  static void invoke(void (*kernel)(), const void* args, Team& team) {
    reinterpret_cast<void (*)(const Args&, Team&)>(kernel)(*static_cast<const Args*>(args), team);
  }

  Team& team_;
  Options options_;
  Allocator allocator_;
  Trace* trace_ = nullptr;
  std::byte* slab_ = nullptr;
  int64_t slab_reserved_ = 0;
  int64_t slab_used_ = 0;
  int64_t* step_counter_ = nullptr;
  int64_t op_id_ = 0;
};

}  // namespace ingot
