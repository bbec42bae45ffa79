// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/elementwise.h. Nothing here is fast or shared with the kernels;
// tests and gradient checks call it.
#include "kernels/reference/elementwise.h"

#include <cmath>

namespace ingot::kernels::reference {
namespace {

constexpr double kPi = 3.14159265358979323846;

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double normal_density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2.0 * kPi); }

double gelu_tanh(double x) {
  const double u = std::sqrt(2.0 / kPi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + std::tanh(u));
}

double gelu_tanh_slope(double x) {
  const double u = std::sqrt(2.0 / kPi) * (x + 0.044715 * x * x * x);
  const double du = std::sqrt(2.0 / kPi) * (1.0 + 3.0 * 0.044715 * x * x);
  const double t = std::tanh(u);
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du;
}

}  // namespace

double unary_value(UnaryOp op, double x, double p0, double p1) {
  switch (op) {
    case UnaryOp::kNeg:
      return -x;
    case UnaryOp::kExp:
      return std::exp(x);
    case UnaryOp::kLog:
      return std::log(x);
    case UnaryOp::kSqrt:
      return std::sqrt(x);
    case UnaryOp::kAbs:
      return std::fabs(x);
    case UnaryOp::kTanh:
      return std::tanh(x);
    case UnaryOp::kSigmoid:
      return sigmoid(x);
    case UnaryOp::kRelu:
      return x < 0.0 ? 0.0 : x;
    case UnaryOp::kLeakyRelu:
      return x > 0.0 ? x : p0 * x;
    case UnaryOp::kGelu:
      return x * normal_cdf(x);
    case UnaryOp::kGeluTanh:
      return gelu_tanh(x);
    case UnaryOp::kSilu:
      return x * sigmoid(x);
    case UnaryOp::kPow:
      return std::pow(x, p0);
    case UnaryOp::kClamp:
      return x < p0 ? p0 : (x > p1 ? p1 : x);
  }
  return x;
}

double unary_slope(UnaryOp op, double x, double p0, double p1) {
  switch (op) {
    case UnaryOp::kNeg:
      return -1.0;
    case UnaryOp::kExp:
      return std::exp(x);
    case UnaryOp::kLog:
      return 1.0 / x;
    case UnaryOp::kSqrt:
      return 0.5 / std::sqrt(x);
    case UnaryOp::kAbs:
      return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : x * 0.0);
    case UnaryOp::kTanh:
      return 1.0 - std::tanh(x) * std::tanh(x);
    case UnaryOp::kSigmoid:
      return sigmoid(x) * sigmoid(-x);
    case UnaryOp::kRelu:
      return x <= 0.0 ? 0.0 : 1.0;
    case UnaryOp::kLeakyRelu:
      return x > 0.0 ? 1.0 : p0;
    case UnaryOp::kGelu:
      return normal_cdf(x) + x * normal_density(x);
    case UnaryOp::kGeluTanh:
      return gelu_tanh_slope(x);
    case UnaryOp::kSilu:
      return sigmoid(x) + x * sigmoid(x) * sigmoid(-x);
    case UnaryOp::kPow:
      return p0 == 0.0 ? 0.0 : p0 * std::pow(x, p0 - 1.0);
    case UnaryOp::kClamp:
      return x >= p0 && x <= p1 ? 1.0 : 0.0;
  }
  return 0.0;
}

double activation_value(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return unary_value(UnaryOp::kRelu, x, 0.0, 0.0);
    case Activation::kGelu:
      return unary_value(UnaryOp::kGelu, x, 0.0, 0.0);
    case Activation::kGeluTanh:
      return unary_value(UnaryOp::kGeluTanh, x, 0.0, 0.0);
    case Activation::kSilu:
      return unary_value(UnaryOp::kSilu, x, 0.0, 0.0);
  }
  return x;
}

double activation_slope(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return 1.0;
    case Activation::kRelu:
      return unary_slope(UnaryOp::kRelu, x, 0.0, 0.0);
    case Activation::kGelu:
      return unary_slope(UnaryOp::kGelu, x, 0.0, 0.0);
    case Activation::kGeluTanh:
      return unary_slope(UnaryOp::kGeluTanh, x, 0.0, 0.0);
    case Activation::kSilu:
      return unary_slope(UnaryOp::kSilu, x, 0.0, 0.0);
  }
  return 1.0;
}

double binary_value(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
  }
  return a;
}

double binary_slope(BinaryOp op, int wrt, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return 1.0;
    case BinaryOp::kSub:
      return wrt == 0 ? 1.0 : -1.0;
    case BinaryOp::kMul:
      return wrt == 0 ? b : a;
    case BinaryOp::kDiv:
      return wrt == 0 ? 1.0 / b : -a / (b * b);
  }
  return 0.0;
}

int64_t count_of(int64_t dims, const int64_t* shape) {
  int64_t n = 1;
  for (int64_t i = 0; i < dims; ++i) n *= shape[i];
  return n;
}

int64_t offset_of(int64_t i, int64_t dims, const int64_t* shape, const int64_t* stride) {
  int64_t offset = 0;
  for (int64_t axis = dims - 1; axis >= 0; --axis) {
    offset += i % shape[axis] * stride[axis];
    i /= shape[axis];
  }
  return offset;
}

void binary(BinaryOp op, int64_t dims, const int64_t* shape, View a, View b, double* out) {
  for (int64_t i = 0; i < count_of(dims, shape); ++i) {
    out[i] = binary_value(op, a.p[offset_of(i, dims, shape, a.stride)],
                          b.p[offset_of(i, dims, shape, b.stride)]);
  }
}

void binary_grad(BinaryOp op, int wrt, int64_t dims, const int64_t* shape, const double* dy, View a,
                 View b, double* dx) {
  for (int64_t i = 0; i < count_of(dims, shape); ++i) {
    dx[i] = dy[i] * binary_slope(op, wrt, a.p[offset_of(i, dims, shape, a.stride)],
                                 b.p[offset_of(i, dims, shape, b.stride)]);
  }
}

void where(int64_t dims, const int64_t* shape, View cond, View a, View b, double* out) {
  for (int64_t i = 0; i < count_of(dims, shape); ++i) {
    const bool chosen = cond.p[offset_of(i, dims, shape, cond.stride)] != 0.0;
    const View& from = chosen ? a : b;
    out[i] = from.p[offset_of(i, dims, shape, from.stride)];
  }
}

}  // namespace ingot::kernels::reference
