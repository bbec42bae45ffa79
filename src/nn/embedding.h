// SPDX-License-Identifier: Apache-2.0
// Rows of a table by id. With row_sparse the gradient is kept as the touched rows, so its bytes do
// not depend on the vocabulary. Layer-like on ids so that a quantised table can take its place.
#pragma once

#include "autograd/ops/shape.h"
#include "nn/module.h"

namespace ingot::nn {

class Embedding : public Layer {
 public:
  Embedding(int64_t vocab, int64_t dim, Init init, bool row_sparse) {
    weight.shape = {vocab, dim};
    weight.init = init;
    weight.row_sparse = row_sparse;
  }

  /// ids int32 or int64 [...] → [..., dim].
  [[nodiscard]] Tensor forward(const Tensor& ids) override {
    return ops::gather(weight.value, ids);
  }
  void visit(Visitor& visitor) override { visitor("weight", weight); }

  Parameter weight;
};

}  // namespace ingot::nn
