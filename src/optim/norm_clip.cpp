// SPDX-License-Identifier: Apache-2.0
#include "optim/norm_clip.h"

#include "autograd/op.h"
#include "kernels/optimizer.h"

namespace ingot::optim {

NormClip::NormClip(Engine& engine)
    : engine_(engine),
      sum_squares_(Tensor::zeros(engine, {}, DType::kF64)),
      norm_(Tensor::zeros(engine, {})) {}

/// `count` null: of n numbers; else of count rows of n, at most `most` numbers.
void NormClip::add_squares(const float* x, const int64_t* count, int64_t n, int64_t most,
                           bool accumulate) {
  const Tensor work = ops::scratch(engine_, kernels::block_scratch_bytes(most));
  kernels::SumSquaresArgs args;
  args.x = x;
  args.count = count;
  args.out = sum_squares_.data<double>();
  args.scratch = work.raw();
  args.n = n;
  args.accumulate = accumulate;
  engine_.launch("grad_norm", &kernels::sum_squares, args, 2 * n);
}

void NormClip::launch(nn::ParameterStore& store, const Tape& tape, const Scalars& scalars,
                      float max_norm) {
  add_squares(store.grads().data<float>(), nullptr, store.dense_size(), store.dense_size(), false);
  for (const nn::StoredParameter& p : store.list()) {
    if (!p.parameter->row_sparse) continue;
    const SparseGrad& g = tape.sparse_grad(p.parameter->value.slot);
    if (!g.rows.defined()) continue;
    add_squares(g.rows.data<float>(), g.count.data<int64_t>(), g.rows.dim(1), g.rows.size(), true);
  }
  kernels::ClipArgs clip;
  clip.sum_squares = sum_squares_.data<double>();
  clip.coefficient = scalars.grad_scale.data<float>();
  clip.norm = norm_.data<float>();
  clip.max_norm = max_norm;
  engine_.launch("clip", &kernels::clip_coefficient, clip);
}

}  // namespace ingot::optim
