// SPDX-License-Identifier: Apache-2.0
#include "autograd/tape.h"

#include "autograd/op.h"
#include "kernels/copy.h"
#include "kernels/embedding.h"

namespace ingot {
namespace {

void require_gradient_exists(const char* what, const Tensor& t) {
  require(t.dtype() == DType::kF32, Code::kDtypeMismatch,
          "{}: a gradient of {} was asked for, only float32 has one. Convert it with cast()", what,
          dtype_name(t.dtype()));
}

}  // namespace

Tape::~Tape() {
  if (engine_.tape == this) engine_.tape = nullptr;
}

int32_t Tape::new_slot(const Shape& shape) {
  slots_.emplace_back();
  slots_.back().shape = shape;
  return static_cast<int32_t>(slots_.size()) - 1;
}

void Tape::bind_parameter(Tensor& value, const Tensor& grad) {
  require_gradient_exists("parameter", value);
  INGOT_ASSERT(static_cast<size_t>(parameters_) == slots_.size());
  value.slot = new_slot(value.shape());
  value.slot_step = 0;
  Slot& slot = slots_.back();
  slot.is_leaf = true;
  slot.grad = grad;
  slot.is_sparse = !grad.defined();
  ++parameters_;
}

void Tape::watch(Tensor& tensor) {
  require_gradient_exists("watch", tensor);
  tensor.slot = new_slot(tensor.shape());
  tensor.slot_step = step_;
  slots_.back().is_leaf = true;
}

void Tape::begin_step() {
  if (++step_ == 0) step_ = 1;
  records_.clear();
  slots_.resize(static_cast<size_t>(parameters_));
  walked_ = 0;
  for (Slot& slot : slots_) {
    slot.written = false;
    slot.sparse_ids.clear();
    slot.sparse_dy.clear();
    slot.sparse = {};
  }
  engine_.begin_step();
}

void Tape::require_present(const char* op, const Tensor& tensor) const {
  require(
      is_present(tensor), Code::kInvalidArgument,
      "{}: a tensor of shape {} was computed before begin_step. Compute it anew, or detach() it",
      op, tensor.shape().text());
}

Record& Tape::append(const char* name, void (*backward)(Backward&), Tensor& output) {
  output.slot = new_slot(output.shape());
  output.slot_step = step_;
  Record& record = records_.emplace_back();
  record.name = name;
  record.backward = backward;
  record.in.fill(-1);
  record.out = output.slot;
  record.scope = engine_.scope;
  ++engine_.counters.tape_records;
  return record;
}

void Tape::require_recorded(const char* op, int32_t slot) const {
  require(
      slot < 0 || slot >= walked_ || slots_[static_cast<size_t>(slot)].is_leaf,
      Code::kInvalidArgument,
      "backward: {} depends on a tensor of before the last backward, which forgot how it was "
      "computed. Add the losses and call backward once, or compute each anew after the backward "
      "before it",
      op);
}

void Tape::backward(const Tensor& loss) {
  require(loss.size() == 1, Code::kShapeMismatch,
          "backward: the loss has shape {}, a single element is needed", loss.shape().text());
  require_present("backward", loss);
  require_recorded("the loss", loss.slot);
  require(
      loss.slot >= 0 && !records_.empty(), Code::kInvalidArgument,
      "backward: the loss does not depend on a parameter. Run the forward pass while recording");
  const Recording off(engine_, nullptr);
  Tensor seed = Tensor::empty(engine_, loss.shape());
  ops::fill(seed, 1.0F);
  slots_[static_cast<size_t>(loss.slot)].grad = seed;
  slots_[static_cast<size_t>(loss.slot)].written = true;
  seed = Tensor();
  for (size_t i = records_.size(); i-- > 0;) {
    Record& record = records_[i];
    Slot& out = slots_[static_cast<size_t>(record.out)];
    if (out.written) {
      Tensor grad = out.is_leaf ? out.grad : std::move(out.grad);
      require(record.backward != nullptr, Code::kUnsupported, "backward: {} has no gradient",
              record.name);
      for (const int32_t slot : record.in) require_recorded(record.name, slot);
      Backward context(*this, record, std::move(grad));
      record.backward(context);
      if (engine_.check_finite) check_finite(record);
    }
    records_.pop_back();
  }
  walked_ = static_cast<int32_t>(slots_.size());
}

void Tape::check_finite(const Record& record) const {
  const ScopeName before = engine_.scope;
  engine_.scope = record.scope;
  for (const int32_t slot : record.in) {
    if (slot < 0 || !slots_[static_cast<size_t>(slot)].grad.defined()) continue;
    ops::require_finite(record.name, "gradient", slots_[static_cast<size_t>(slot)].grad);
  }
  engine_.scope = before;
}

void Tape::sum_sparse(Slot& slot) {
  int64_t count = 0;
  const int64_t cols = slot.shape[1];
  for (const Tensor& ids : slot.sparse_ids) count += ids.size();
  const DType dtype = slot.sparse_ids.empty() ? DType::kI32 : slot.sparse_ids[0].dtype();
  Tensor ids, dy;
  if (slot.sparse_dy.size() == 1) {
    ids = slot.sparse_ids[0];
    dy = slot.sparse_dy[0];
  } else {  // one list of all micro-batches
    ids = Tensor::empty(engine_, {count}, dtype);
    dy = Tensor::empty(engine_, {count, cols});
    int64_t at = 0;
    for (size_t k = 0; k < slot.sparse_dy.size(); ++k) {
      const int64_t n = slot.sparse_ids[k].size();
      require(slot.sparse_ids[k].dtype() == dtype, Code::kDtypeMismatch,
              "gather: ids of one row-sparse table are {} and {} in one step; use one of them",
              dtype_name(dtype), dtype_name(slot.sparse_ids[k].dtype()));
      kernels::CopyArgs copy;
      copy.element_bytes = dtype_size(dtype);
      copy.dims = 1;
      copy.shape[0] = n;
      copy.src_stride[0] = copy.dst_stride[0] = 1;
      copy.src = slot.sparse_ids[k].raw();
      copy.dst = ids.raw() + at * dtype_size(dtype);
      engine_.launch("copy", &kernels::strided_copy, copy);
      copy.element_bytes = dtype_size(DType::kF32);
      copy.shape[0] = n * cols;
      copy.src = slot.sparse_dy[k].raw();
      copy.dst = dy.raw() + at * cols * 4;
      engine_.launch("copy", &kernels::strided_copy, copy);
      at += n;
    }
  }
  slot.sparse.unique_ids = Tensor::empty(engine_, {count}, DType::kI64);
  slot.sparse.rows = Tensor::empty(engine_, {count, cols});
  slot.sparse.count = Tensor::empty(engine_, {}, DType::kI64);
  const Tensor scratch =
      Tensor::empty(engine_, {kernels::embedding_grad_scratch_bytes(count)}, DType::kU8);
  kernels::EmbeddingSparseGradArgs args;
  args.dy = dy.data<float>();
  args.ids = ids.raw();
  args.unique_ids = slot.sparse.unique_ids.data<int64_t>();
  args.rows = slot.sparse.rows.data<float>();
  args.unique_count = slot.sparse.count.data<int64_t>();
  args.scratch = scratch.raw();
  args.count = count;
  args.cols = cols;
  args.id_type = dtype == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
  engine_.launch("embedding_sparse_grad", &kernels::embedding_sparse_grad, args);
  slot.sparse_ids.clear();
  slot.sparse_dy.clear();
}

void Tape::finish_step() {
  for (int32_t p = 0; p < parameters_; ++p) {
    Slot& slot = slots_[static_cast<size_t>(p)];
    if (slot.is_sparse) {
      sum_sparse(slot);
    } else if (!slot.written) {
      ops::fill(slot.grad, 0.0F);
      slot.written = true;
    }
  }
}

Tensor Tape::grad(const Tensor& tensor) const {
  if (tensor.slot < 0 || !is_present(tensor)) return {};
  const Slot& slot = slots_[static_cast<size_t>(tensor.slot)];
  return slot.written ? slot.grad : Tensor();
}

void Tape::add_sparse(int32_t slot, const Tensor& ids, const Tensor& dy) {
  Slot& s = slots_[static_cast<size_t>(slot)];
  s.sparse_ids.push_back(ids);
  s.sparse_dy.push_back(dy);
}

Backward::Backward(Tape& tape, Record& record, Tensor grad)
    : tape_(tape), record_(record), grad_(std::move(grad)) {}

const Tensor& Backward::saved(int i) const {
  const auto k = static_cast<size_t>(i);
  const Tensor& t = record_.saved[k];
  require(!t.defined() || t.storage().version == record_.versions[k], Code::kInvalidArgument,
          "backward: a tensor that {} saved was changed in place since. Change it after backward",
          record_.name);
  return t;
}

Backward::Target Backward::target(int input) {
  Tape::Slot& slot = tape_.slots_[static_cast<size_t>(record_.in[static_cast<size_t>(input)])];
  INGOT_ASSERT(!slot.is_sparse);
  Engine& engine = tape_.engine_;
  if (!slot.written) {
    slot.written = true;
    if (!slot.grad.defined()) slot.grad = Tensor::empty(engine, slot.shape);
    return {slot.grad, false};
  }
  if (!slot.is_leaf && !slot.grad.sole_owner()) {  // shared by pass(): copy before adding
    Tensor own = Tensor::empty(engine, slot.shape);
    ops::add_gradient(slot.grad, own, false);
    slot.grad = own;
  }
  return {slot.grad, true};
}

Backward::Target Backward::target_in_place(int input) {
  Tape::Slot& slot = tape_.slots_[static_cast<size_t>(record_.in[static_cast<size_t>(input)])];
  if (!slot.written && !slot.is_leaf && grad_.sole_owner() && grad_.size() == slot.shape.size()) {
    slot.written = true;
    slot.grad = grad_.view(slot.shape);
    return {slot.grad, false};
  }
  return target(input);
}

void Backward::pass(int input, const Tensor& g) {
  Tape::Slot& slot = tape_.slots_[static_cast<size_t>(record_.in[static_cast<size_t>(input)])];
  if (!slot.written && !slot.is_leaf) {
    slot.written = true;
    slot.grad = g.view(slot.shape);
    return;
  }
  add(input, g);
}

void Backward::add(int input, const Tensor& g) {
  Target t = target(input);
  ops::add_gradient(g, t.grad, t.accumulate);
}

void Backward::pass_rows(int input, const Tensor& ids, const Tensor& dy) {
  tape_.add_sparse(record_.in[static_cast<size_t>(input)], ids, dy);
}

}  // namespace ingot
