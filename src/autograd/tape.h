// SPDX-License-Identifier: Apache-2.0
// Reverse mode as a flat list. The forward pass appends one record per op that a gradient flows
// through; backward walks the list once from the end. Gradients sit in numbered slots: parameters
// own the first slots for good, every other tensor gets the next one, for one step: a tensor that
// is kept beyond begin_step is refused by the next op that would record it. The first write to a
// slot stores, later ones accumulate inside the kernel, so nothing is zeroed and nothing is added
// twice. No hash map, no recursion, no graph search. Saved tensors are checked by version. Called
// by autograd/ops (record), by train/ (step) and by tests.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "tensor/tensor.h"

namespace ingot {

class Backward;

constexpr int kMaxInputs = 6;
constexpr int kMaxSaved = 8;

/// One op of the forward pass.
struct Record {
  const char* name = nullptr;
  void (*backward)(Backward&) = nullptr;
  std::array<int32_t, kMaxInputs> in{};  // slots, -1: no gradient
  int32_t out = -1;
  ScopeName scope;  // the engine's when the op ran
  std::array<Tensor, kMaxSaved> saved;
  std::array<uint32_t, kMaxSaved> versions{};
  alignas(8) std::array<std::byte, 64> attrs{};
};

/// A row-sparse gradient: one summed row per distinct id (none when the table was not read). Made
/// by Tape::finish_step.
struct SparseGrad {
  Tensor unique_ids;  // int64 [capacity], ascending
  Tensor rows;        // float32 [capacity, cols]
  Tensor count;       // int64 []
};

class Tape {
 public:
  explicit Tape(Engine& engine) : engine_(engine) {}
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  [[nodiscard]] static Tape* of(const Engine& engine) { return static_cast<Tape*>(engine.tape); }

  /// Gives `value` a permanent slot whose gradient is written to `grad` (same shape).
  /// `grad` undefined: row-sparse, collected until finish_step. Throws kDtypeMismatch unless
  /// float32.
  void bind_parameter(Tensor& value, const Tensor& grad);

  /// Forgets the last step: records, temporaries, "written" marks; restarts random op ids.
  void begin_step();
  /// Walks back from `loss` (one element) with upstream gradient 1, adds into the parameters' slots
  /// and forgets all records. May be called several times in a step, each after a forward pass of
  /// its own: throws kInvalidArgument when a gradient reaches a tensor of before the last one.
  void backward(const Tensor& loss);
  /// Zeroes the gradients that no record wrote; sums the row-sparse ones by id.
  void finish_step();

  /// Empty for a parameter without a slot (one that does not train).
  [[nodiscard]] const SparseGrad& sparse_grad(int32_t slot) const {
    static const SparseGrad kNone;
    return slot < 0 ? kNone : slots_[static_cast<size_t>(slot)].sparse;
  }

  /// Gradient of a tensor that was watched (see watch); undefined when none arrived.
  [[nodiscard]] Tensor grad(const Tensor& tensor) const;
  /// Makes `tensor` a leaf whose gradient can be read after backward (tests, explanations). Throws
  /// kDtypeMismatch unless float32.
  void watch(Tensor& tensor);

  /// Throws kInvalidArgument naming `op` for a tensor whose slot belongs to an earlier step.
  void require_present(const char* op, const Tensor& tensor) const;

  /// Appends a record; sets output.slot. Used through record_op in autograd/op.h.
  Record& append(const char* name, void (*backward)(Backward&), Tensor& output);

  /// Adds a contribution to a row-sparse parameter: rows dy [n, cols] for ids [n].
  void add_sparse(int32_t slot, const Tensor& ids, const Tensor& dy);
  [[nodiscard]] bool is_sparse(int32_t slot) const {
    return slots_[static_cast<size_t>(slot)].is_sparse;
  }

 private:
  friend class Backward;
  struct Slot {
    Shape shape;
    Tensor grad;
    bool written = false;
    bool is_leaf = false;  // parameter or watched: survives backward
    bool is_sparse = false;
    std::vector<Tensor> sparse_ids, sparse_dy;
    SparseGrad sparse;
  };
  void check_finite(const Record& record) const;
  void require_recorded(const char* op, int32_t slot) const;
  int32_t new_slot(const Shape& shape);
  void sum_sparse(Slot& slot);
  [[nodiscard]] bool is_present(const Tensor& t) const {
    return t.slot < 0 || t.slot_step == 0 || t.slot_step == step_;
  }

  Engine& engine_;
  std::vector<Record> records_;
  std::vector<Slot> slots_;
  int32_t parameters_ = 0;
  int32_t walked_ = 0;  // slots below it, leaves apart, have lost their records to a backward
  uint32_t step_ = 1;   // of begin_step; never 0
};

/// What a record's backward function sees: the gradient of its output and where to put those of its
/// inputs.
class Backward {
 public:
  Backward(Tape& tape, Record& record, Tensor grad);

  [[nodiscard]] Engine& engine() const { return tape_.engine_; }
  /// Gradient of the output; contiguous float32.
  [[nodiscard]] const Tensor& grad() const { return grad_; }
  [[nodiscard]] const Tensor& saved(int i) const;
  /// Shape of an input that needs a gradient.
  [[nodiscard]] const Shape& input_shape(int input) const {
    return tape_.slots_[static_cast<size_t>(record_.in[static_cast<size_t>(input)])].shape;
  }
  template <class T>
  [[nodiscard]] T attrs() const {
    T value;
    std::memcpy(&value, record_.attrs.data(), sizeof(T));
    return value;
  }
  [[nodiscard]] bool needs(int input) const { return record_.in[static_cast<size_t>(input)] >= 0; }
  /// True when a gradient of the input has arrived before: target would add to it.
  [[nodiscard]] bool is_written(int input) const {
    return needs(input) &&
           tape_.slots_[static_cast<size_t>(record_.in[static_cast<size_t>(input)])].written;
  }
  /// True when two inputs are one tensor. Their targets must then be taken one after the other.
  [[nodiscard]] bool is_same(int i, int j) const {
    return needs(i) && record_.in[static_cast<size_t>(i)] == record_.in[static_cast<size_t>(j)];
  }
  [[nodiscard]] bool is_sparse(int input) const {
    return needs(input) && tape_.is_sparse(record_.in[static_cast<size_t>(input)]);
  }

  /// Where the gradient of an input goes: store it, or add when `accumulate`.
  struct Target {
    Tensor grad;
    bool accumulate = false;
  };
  [[nodiscard]] Target target(int input);
  /// Like target, but may hand out the output's own gradient buffer when nobody else needs it.
  [[nodiscard]] Target target_in_place(int input);
  /// Adds `g` (contiguous) to the gradient of the input, or stores it when it is the first.
  void add(int input, const Tensor& g);
  /// The gradient of the input is `g` as it is (shared, not copied, when it is the first).
  void pass(int input, const Tensor& g);
  /// Adds a row-sparse contribution.
  void pass_rows(int input, const Tensor& ids, const Tensor& dy);

 private:
  Tape& tape_;
  Record& record_;
  Tensor grad_;
};

/// Turns recording on for a scope; restores what was there. Gradients are off by default.
class Recording {
 public:
  explicit Recording(Engine& engine, Tape* tape) : engine_(engine), before_(engine.tape) {
    engine.tape = tape;
  }
  ~Recording() { engine_.tape = before_; }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  Engine& engine_;
  void* before_;
};

}  // namespace ingot
