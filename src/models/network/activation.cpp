// SPDX-License-Identifier: Apache-2.0
#include "models/network/activation.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/norm.h"

namespace ingot::models {

kernels::Activation fused(ActivationName name) {
  switch (name) {
    case ActivationName::kRelu:
      return kernels::Activation::kRelu;
    case ActivationName::kGelu:
      return kernels::Activation::kGelu;
    case ActivationName::kGeluTanh:
      return kernels::Activation::kGeluTanh;
    case ActivationName::kSilu:
      return kernels::Activation::kSilu;
    default:
      return kernels::Activation::kNone;
  }
}

Tensor activate(const Tensor& x, ActivationName name) {
  switch (name) {
    case ActivationName::kNone:
      return x;
    case ActivationName::kRelu:
      return ops::relu(x);
    case ActivationName::kGelu:
      return ops::gelu(x);
    case ActivationName::kGeluTanh:
      return ops::gelu_tanh(x);
    case ActivationName::kSilu:
      return ops::silu(x);
    case ActivationName::kTanh:
      return ops::tanh(x);
    case ActivationName::kSigmoid:
      return ops::sigmoid(x);
    case ActivationName::kLeakyRelu:
      return ops::leaky_relu(x);
    case ActivationName::kSoftmax:
      return ops::softmax(x);
  }
  return x;
}

Tensor activate_rest(const Tensor& x, ActivationName name) {
  return fused(name) == kernels::Activation::kNone ? activate(x, name) : x;
}

}  // namespace ingot::models
