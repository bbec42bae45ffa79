// SPDX-License-Identifier: Apache-2.0
// Samples of the elementwise ops: broadcasting pairs, functions of one operand, where and gated.
#include <algorithm>
#include <cmath>

#include "autograd/op_cases.h"
#include "autograd/ops/elementwise.h"

namespace ingot::testing {
namespace {

/// Element of x that position `at` of a broadcast result reads.
double element(const Doubles& x, const Shape& shape, const std::vector<int64_t>& at) {
  std::vector<int64_t> own;
  const size_t shift = at.size() - static_cast<size_t>(shape.rank());
  for (int a = 0; a < shape.rank(); ++a) {
    own.push_back(shape[a] == 1 ? 0 : at[shift + static_cast<size_t>(a)]);
  }
  return x[static_cast<size_t>(index_of(own, shape))];
}

using Function3 = std::function<double(double, double, double)>;

/// f over broadcast operands (a missing one reads 0).
std::function<Doubles(const std::vector<Doubles>&)> broadcast_truth(std::vector<Shape> shapes,
                                                                    const Function3& f) {
  return [shapes = std::move(shapes), f](const std::vector<Doubles>& in) {
    int rank = 0;
    for (const Shape& s : shapes) rank = std::max(rank, s.rank());
    Shape out;
    for (int a = 0; a < rank; ++a) {
      int64_t size = 1;
      for (const Shape& s : shapes) {
        const int own = a - (rank - s.rank());
        if (own >= 0 && s[own] != 1) size = s[own];
      }
      out.push(size);
    }
    Doubles y;
    for (int64_t i = 0; i < out.size(); ++i) {
      const std::vector<int64_t> at = coordinates(i, out);
      double v[3] = {};
      for (size_t k = 0; k < in.size(); ++k) v[k] = element(in[k], shapes[k], at);
      y.push_back(f(v[0], v[1], v[2]));
    }
    return y;
  };
}

struct Pair {
  const char* what;
  Shape a, b;
  View view_a = View::kDense, view_b = View::kDense;
  bool is_large = false;
};

const Pair kPairs[] = {
    {"empty", {0}, {0}},
    {"empty rows and a row", {0, 3}, {3}},
    {"scalars", {}, {}},
    {"one element", {1}, {1}},
    {"scalar and matrix", {}, {2, 3}},
    {"equal odd", {3, 5}, {3, 5}},
    {"row", {3, 5}, {5}},
    {"row first", {7}, {5, 7}},
    {"column and row", {3, 1}, {1, 5}},
    {"rank 3 and column", {2, 3, 7}, {3, 1}},
    {"middle axis", {4, 1, 3}, {2, 1}},
    {"six axes", {2, 1, 2, 1, 3, 1}, {1, 2, 1, 2, 1, 2}},
    {"a transposed", {5, 3}, {5, 3}, View::kTransposed},
    {"a sliced, b transposed", {3, 7}, {3, 7}, View::kSliced, View::kTransposed},
    {"b a sliced row", {4, 6}, {6}, View::kDense, View::kSliced},
    {"large rows", {301, 700}, {700}, View::kDense, View::kDense, true},
    {"large columns", {301, 700}, {301, 1}, View::kDense, View::kDense, true},
    {"large equal", {211003}, {211003}, View::kDense, View::kDense, true},
};

using Binary = Tensor (*)(const Tensor&, const Tensor&);

void add_binary(std::vector<Sample>& samples, const char* op, Binary run, const Function3& f) {
  uint32_t seed = 100;
  for (const Pair& p : kPairs) {
    const int axis_a = p.a.rank() - 1;
    Sample s;
    s.op = op;
    s.what = p.what;
    s.inputs = {input(p.a, seed++, p.view_a, axis_a), input(p.b, seed++, p.view_b, p.b.rank() - 1)};
    s.inputs[1].values = away_from_zero(p.b.size(), seed++);  // a divisor
    s.run = [run](const std::vector<Tensor>& in) { return run(in[0], in[1]); };
    s.truth = broadcast_truth({p.a, p.b}, f);
    s.is_large = p.is_large;
    samples.push_back(std::move(s));
  }
}

void add_where(std::vector<Sample>& samples) {
  struct Case {
    const char* what;
    Shape cond, a, b;
    View view = View::kDense;
  };
  const Case cases[] = {{"empty", {0}, {0}, {0}},
                        {"one element", {}, {}, {}},
                        {"equal odd", {3, 5}, {3, 5}, {3, 5}},
                        {"all broadcast", {4, 1}, {5}, {3, 1, 1}},
                        {"scalar branch", {3, 7}, {3, 7}, {}},
                        {"transposed", {5, 3}, {5, 3}, {5, 3}, View::kTransposed},
                        {"large", {301, 700}, {301, 700}, {700}}};
  uint32_t seed = 300;
  for (const Case& c : cases) {
    Sample s;
    s.op = "where";
    s.what = c.what;
    s.inputs = {{c.cond, whole(c.cond.size(), seed++, 3), DType::kU8, c.view},
                input(c.a, seed++, c.view),
                input(c.b, seed++, c.view)};
    s.run = [](const std::vector<Tensor>& in) { return ops::where(in[0], in[1], in[2]); };
    s.truth = broadcast_truth({c.cond, c.a, c.b},
                              [](double c0, double a, double b) { return c0 != 0.0 ? a : b; });
    s.is_large = s.what == "large";
    samples.push_back(std::move(s));
  }
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double gelu(double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) {
  return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
}

struct Function {
  const char* op;
  std::function<Tensor(const Tensor&)> run;
  std::function<double(double)> f;
  bool is_positive = false;
};

std::vector<Function> functions() {
  namespace o = ops;
  return {
      {"scale", [](const Tensor& x) { return o::scale(x, -1.75F); },
       [](double x) { return -1.75 * x; }},
      {"neg", o::neg, [](double x) { return -x; }},
      {"exp", o::exp, [](double x) { return std::exp(x); }},
      {"log", o::log, [](double x) { return std::log(x); }, true},
      {"sqrt", o::sqrt, [](double x) { return std::sqrt(x); }, true},
      {"abs", o::abs, [](double x) { return std::abs(x); }},
      {"tanh", o::tanh, [](double x) { return std::tanh(x); }},
      {"sigmoid", o::sigmoid, sigmoid},
      {"relu", o::relu, [](double x) { return std::max(x, 0.0); }},
      {"leaky_relu", [](const Tensor& x) { return o::leaky_relu(x, 0.125F); },
       [](double x) { return x > 0.0 ? x : 0.125 * x; }},
      {"gelu", o::gelu, gelu},
      {"gelu_tanh", o::gelu_tanh, gelu_tanh},
      {"silu", o::silu, [](double x) { return x * sigmoid(x); }},
      {"pow", [](const Tensor& x) { return o::pow(x, 2.5F); },
       [](double x) { return std::pow(x, 2.5); }, true},
      {"pow", [](const Tensor& x) { return o::pow(x, 3.0F); }, [](double x) { return x * x * x; }},
      {"pow", [](const Tensor& x) { return o::pow(x, -2.0F); },
       [](double x) { return 1.0 / (x * x); }, true},
      {"clamp", [](const Tensor& x) { return o::clamp(x, -0.75F, 0.8125F); },
       [](double x) { return std::min(std::max(x, -0.75), 0.8125); }},
  };
}

void add_unary(std::vector<Sample>& samples) {
  struct Geometry {
    const char* what;
    Shape shape;
    View view = View::kDense;
  };
  const Geometry geometries[] = {{"empty", {0}},
                                 {"scalar", {}},
                                 {"one element", {1}},
                                 {"odd", {17}},
                                 {"transposed", {5, 7}, View::kTransposed},
                                 {"sliced", {3, 4, 5}, View::kSliced},
                                 {"large", {300007}}};
  uint32_t seed = 400;
  for (const Function& f : functions()) {
    for (const Geometry& g : geometries) {
      Sample s;
      s.op = f.op;
      s.what = g.what;
      Input in{g.shape, away_from_zero(g.shape.size(), seed++), DType::kF32, g.view, 2};
      for (double& x : in.values) {
        // clear of the kinks of clamp, which lie on a grid of 1/16
        if (std::abs(x * 16 - std::round(x * 16)) < 1e-3) x += 0.015625;
        if (f.is_positive) x = static_cast<double>(static_cast<float>(std::abs(x) + 0.1));
      }
      s.inputs = {in};
      s.run = [run = f.run](const std::vector<Tensor>& t) { return run(t[0]); };
      s.truth =
          broadcast_truth({g.shape}, [one = f.f](double x, double, double) { return one(x); });
      s.is_large = g.shape.size() > 1000;
      samples.push_back(std::move(s));
    }
  }
}

void add_gated(std::vector<Sample>& samples) {
  using kernels::Activation;
  struct Kind {
    Activation activation;
    std::function<double(double)> f;
  };
  const Kind kinds[] = {{Activation::kSilu, [](double x) { return x * sigmoid(x); }},
                        {Activation::kGelu, gelu},
                        {Activation::kGeluTanh, gelu_tanh},
                        {Activation::kRelu, [](double x) { return std::max(x, 0.0); }},
                        {Activation::kNone, [](double x) { return x; }}};
  struct Geometry {
    const char* what;
    Shape shape;
    View view = View::kDense;
  };
  const Geometry geometries[] = {{"empty", {0, 4}},
                                 {"one element", {1}},
                                 {"odd", {3, 19}},
                                 {"sliced halves", {2, 3, 5}, View::kSliced},
                                 {"transposed", {5, 3}, View::kTransposed},
                                 {"large", {301, 701}}};
  uint32_t seed = 600;
  for (const Kind& kind : kinds) {
    for (const Geometry& g : geometries) {
      if (g.shape.size() > 1000 && kind.activation != Activation::kSilu) continue;
      Sample s;
      s.op = "gated";
      s.what = std::string(g.what) + " " + std::to_string(static_cast<int>(kind.activation));
      const int axis = g.shape.rank() - 1;
      s.inputs = {{g.shape, away_from_zero(g.shape.size(), seed++), DType::kF32, g.view, axis},
                  input(g.shape, seed++, g.view, axis)};
      s.run = [a = kind.activation](const std::vector<Tensor>& t) {
        return ops::gated(t[0], t[1], a);
      };
      s.truth = broadcast_truth({g.shape, g.shape}, [f = kind.f](double gate, double up, double) {
        return f(gate) * up;
      });
      s.is_large = g.shape.size() > 1000;
      samples.push_back(std::move(s));
    }
  }
}

}  // namespace

void add_elementwise_cases(std::vector<Sample>& samples) {
  add_binary(samples, "add", ops::add, [](double a, double b, double) { return a + b; });
  add_binary(samples, "sub", ops::sub, [](double a, double b, double) { return a - b; });
  add_binary(samples, "mul", ops::mul, [](double a, double b, double) { return a * b; });
  add_binary(samples, "div", ops::div, [](double a, double b, double) { return a / b; });
  add_where(samples);
  add_unary(samples);
  add_gated(samples);
}

}  // namespace ingot::testing
