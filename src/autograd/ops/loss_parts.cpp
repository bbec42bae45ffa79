// SPDX-License-Identifier: Apache-2.0
#include "autograd/ops/loss_parts.h"

namespace ingot::ops {

kernels::IdType id_type(const Tensor& ids) {
  return ids.dtype() == DType::kI64 ? kernels::IdType::kInt64 : kernels::IdType::kInt32;
}

void check_targets(const char* op, const Tensor& targets, int64_t rows, int64_t classes,
                   int64_t ignore_index) {
  require_ids(op, "targets", targets);
  require(targets.size() == rows && targets.is_contiguous(), Code::kShapeMismatch,
          "{}: targets are {}, {} dense elements are needed", op, targets.shape().text(), rows);
  if (targets.engine().trace() != nullptr) return;
  const auto check = [&](const auto* p) {
    for (int64_t i = 0; i < rows; ++i) {
      require(p[i] == ignore_index || (p[i] >= 0 && p[i] < classes), Code::kInvalidArgument,
              "{}: target {} at position {} is outside [0, {}) and not ignore_index {}", op, p[i],
              i, classes, ignore_index);
    }
  };
  if (targets.dtype() == DType::kI64) {
    check(targets.data<int64_t>());
  } else {
    check(targets.data<int32_t>());
  }
}

void check_weights(const char* op, const char* name, const Tensor& weights, int64_t size) {
  if (!weights.defined()) return;
  require_f32(op, name, weights);
  require(weights.size() == size && weights.is_contiguous(), Code::kShapeMismatch,
          "{}: {} are {}, {} dense elements are needed", op, name, weights.shape().text(), size);
  require(!is_recorded({&weights}), Code::kUnsupported,
          "{}: {} carry a gradient. Detach them first", op, name);
}

void check_count(const char* op, const Tensor& count) {
  if (!count.defined()) return;
  const bool is_number = count.dtype() == DType::kI64 || count.dtype() == DType::kF32;
  require(is_number && count.size() == 1, Code::kDtypeMismatch,
          "{}: count is {} {}, one int64 or float32 is needed", op, dtype_name(count.dtype()),
          count.shape().text());
}

Tensor divisor_of(const MeanOver& over, Engine& engine) {
  if (over.count.defined()) return over.count;
  const bool is_weighted = over.weights.defined() || over.class_weights.defined();
  Tensor divisor = Tensor::empty(engine, {}, is_weighted ? DType::kF32 : DType::kI64);
  const Tensor work = scratch(engine, kernels::loss_scratch_bytes(over.rows));
  kernels::LossReduceArgs args;
  args.row_weight = over.weights.data_or_null<float>();
  args.class_weight = over.class_weights.data_or_null<float>();
  args.scratch = work.raw();
  args.rows = over.rows;
  args.ignore_index = over.ignore_index;
  args.reduction = kernels::LossReduction::kSum;
  if (over.targets.defined()) {
    args.targets = over.targets.raw();
    args.target_type = id_type(over.targets);
  }
  if (is_weighted) {
    args.weight = divisor.data<float>();
  } else {
    args.count = divisor.data<int64_t>();
  }
  engine.launch("count_targets", &kernels::loss_reduce, args);
  return divisor;
}

Tensor per_count(const Tensor& upstream, const Tensor& divisor, Engine& engine, float alpha) {
  Tensor out = Tensor::empty(engine, {});
  kernels::LossScaleArgs args;
  args.upstream = upstream.data_or_null<float>();
  args.count = divisor.defined() ? divisor.raw() : nullptr;
  args.float_count = divisor.defined() && divisor.dtype() == DType::kF32;
  args.out = out.data<float>();
  args.alpha = alpha;
  engine.launch("per_count", &kernels::loss_scale, args);
  return out;
}

Tensor mean_rows(const Tensor& row_loss, const Tensor& weights, const Tensor& divisor) {
  Engine& engine = row_loss.engine();
  const Tensor total = Tensor::empty(engine, {});
  const Tensor work = scratch(engine, kernels::loss_scratch_bytes(row_loss.size()));
  kernels::LossReduceArgs args;
  args.row_loss = row_loss.data<float>();
  args.row_weight = weights.data_or_null<float>();
  args.out = total.data<float>();
  args.scratch = work.raw();
  args.rows = row_loss.size();
  args.reduction = kernels::LossReduction::kSum;
  engine.launch("sum_loss", &kernels::loss_reduce, args);
  return per_count(total, divisor, engine);
}

}  // namespace ingot::ops
