// SPDX-License-Identifier: Apache-2.0
// Samples of the ops that move, select and convert elements.
#include <algorithm>
#include <cmath>

#include "autograd/op.h"
#include "autograd/op_cases.h"
#include "autograd/ops/shape.h"
#include "kernels/reference/convert.h"

namespace ingot::testing {
namespace {

using ShapeTruth = std::function<Doubles(const std::vector<Doubles>&)>;

Doubles same(const std::vector<Doubles>& in) { return in[0]; }

Sample make(const char* op, const std::string& what, const Input& in,
            const std::function<Tensor(const Tensor&)>& run, const ShapeTruth& truth) {
  Sample s;
  s.op = op;
  s.what = what;
  s.inputs = {in};
  s.run = [run](const std::vector<Tensor>& t) { return run(t[0]); };
  s.truth = truth;
  s.is_large = in.shape.size() > 1000;
  return s;
}

void add_reshape(std::vector<Sample>& samples) {
  struct Case {
    const char* what;
    Shape from;
    std::vector<int64_t> to;
    View view = View::kDense;
  };
  const Case cases[] = {{"empty", {0, 3}, {3, 0}},
                        {"scalar to one", {}, {1}},
                        {"one to scalar", {1}, {}},
                        {"inferred", {3, 4, 5}, {-1, 10}},
                        {"large", {301, 67}, {469, 43}, View::kTransposed},
                        {"transposed", {4, 6}, {3, -1}, View::kTransposed},
                        {"sliced", {4, 6}, {24}, View::kSliced}};
  for (const Case& c : cases) {
    samples.push_back(make(
        "reshape", c.what, input(c.from, 4000, c.view, c.from.rank() - 1),
        [to = c.to](const Tensor& x) { return ops::reshape(x, to); }, same));
  }
  for (const DType dtype : {DType::kI32, DType::kI64, DType::kU8}) {
    samples.push_back(make(
        "reshape", "transposed " + std::string(dtype_name(dtype)),
        {{3, 4}, whole(12, 4001, 100), dtype, View::kTransposed},
        [](const Tensor& x) {
          return ops::reshape(x, {2, 6});
        },
        same));
  }
}

ShapeTruth permute_truth(const Shape& shape, const std::vector<int>& order) {
  return [shape, order](const std::vector<Doubles>& in) {
    Shape out;
    for (const int axis : order) out.push(shape[axis]);
    Doubles y;
    for (int64_t i = 0; i < out.size(); ++i) {
      const std::vector<int64_t> at = coordinates(i, out);
      std::vector<int64_t> from(at.size());
      for (size_t a = 0; a < at.size(); ++a) from[static_cast<size_t>(order[a])] = at[a];
      y.push_back(in[0][static_cast<size_t>(index_of(from, shape))]);
    }
    return y;
  };
}

void add_permute(std::vector<Sample>& samples) {
  struct Case {
    const char* what;
    Shape shape;
    std::vector<int> order;
    View view = View::kDense;
    DType dtype = DType::kF32;
  };
  const Case cases[] = {{"empty", {0, 3}, {1, 0}},
                        {"scalar", {}, {}},
                        {"one element", {1, 1}, {1, 0}},
                        {"turn", {2, 3, 4}, {2, 0, 1}},
                        {"large", {31, 33, 9}, {2, 0, 1}},
                        {"six axes", {2, 1, 3, 2, 1, 2}, {5, 3, 1, 0, 2, 4}},
                        {"of a transposed", {2, 3, 4}, {1, 2, 0}, View::kTransposed},
                        {"of a slice", {2, 3, 4}, {2, 1, 0}, View::kSliced},
                        {"int32", {2, 3, 4}, {2, 1, 0}, View::kDense, DType::kI32},
                        {"int64", {3, 4}, {1, 0}, View::kSliced, DType::kI64},
                        {"uint8", {3, 4}, {1, 0}, View::kDense, DType::kU8}};
  for (const Case& c : cases) {
    const Input in{c.shape, whole(c.shape.size(), 4100, 200), c.dtype, c.view, 1};
    const auto run = [order = c.order](const Tensor& x) { return ops::permute(x, order); };
    samples.push_back(make("permute", c.what, in, run, permute_truth(c.shape, c.order)));
    samples.push_back(make(
        "contiguous", std::string("permuted ") + c.what, in,
        [run](const Tensor& x) { return ops::contiguous(run(x)); },
        permute_truth(c.shape, c.order)));
  }
  samples.push_back(make(
      "contiguous", "large", input({301, 703}, 4110, View::kTransposed),
      [](const Tensor& x) { return ops::contiguous(x); }, same));
}

void add_slice(std::vector<Sample>& samples) {
  struct Case {
    const char* what;
    Shape shape;
    int axis;
    int64_t begin, end;
    View view = View::kDense;
  };
  const Case cases[] = {{"nothing", {3, 4}, 0, 2, 2},
                        {"all", {5}, 0, 0, 5},
                        {"one element", {1}, 0, 0, 1},
                        {"large", {61, 67}, 1, 3, 60},
                        {"rows", {5, 3}, 0, 1, 4},
                        {"columns", {3, 7}, -1, 2, 5},
                        {"middle", {2, 5, 3}, 1, 4, 5},
                        {"of a transposed", {4, 6}, 1, 1, 3, View::kTransposed},
                        {"of a slice", {4, 6}, 1, 2, 6, View::kSliced}};
  for (const Case& c : cases) {
    const int axis = c.axis < 0 ? c.axis + c.shape.rank() : c.axis;
    samples.push_back(make(
        "slice", c.what, input(c.shape, 4200, c.view, 1),
        [c](const Tensor& x) { return ops::slice(x, c.axis, c.begin, c.end); },
        [c, axis](const std::vector<Doubles>& in) {
          Doubles y;
          for (int64_t i = 0; i < c.shape.size(); ++i) {
            const int64_t at = coordinates(i, c.shape)[static_cast<size_t>(axis)];
            if (at >= c.begin && at < c.end) y.push_back(in[0][static_cast<size_t>(i)]);
          }
          return y;
        }));
  }
}

void add_concat(std::vector<Sample>& samples) {
  struct Case {
    const char* what;
    Shape shape;  // of every part, whose axis grows by its number
    int axis;
    int parts;
    View view = View::kDense;
    DType dtype = DType::kF32;
  };
  const Case cases[] = {{"one part", {2, 3}, 0, 1},
                        {"rows", {1, 3}, 0, 3},
                        {"columns", {3, 1}, -1, 3},
                        {"an empty part", {0, 3}, 0, 2},
                        {"middle", {2, 1, 3}, 1, 4},
                        {"more than a record holds", {2, 1}, 1, 15},
                        {"transposed parts", {3, 2}, 1, 3, View::kTransposed},
                        {"sliced parts", {3, 2}, 0, 3, View::kSliced},
                        {"int32", {3, 1}, 1, 2, View::kDense, DType::kI32},
                        {"uint8", {3, 1}, 1, 8, View::kDense, DType::kU8},
                        {"large", {400, 300}, 1, 3}};
  for (const Case& c : cases) {
    Sample s;
    s.op = "concat";
    s.what = c.what;
    const int axis = c.axis < 0 ? c.axis + c.shape.rank() : c.axis;
    std::vector<Shape> shapes;
    for (int p = 0; p < c.parts; ++p) {
      Shape shape = c.shape;
      shape[axis] += p;
      shapes.push_back(shape);
      s.inputs.push_back(
          {shape, whole(shape.size(), 4300 + static_cast<uint32_t>(p), 100), c.dtype, c.view, 1});
    }
    s.run = [axis = c.axis](const std::vector<Tensor>& t) { return ops::concat(t, axis); };
    s.truth = [shapes, axis](const std::vector<Doubles>& in) {
      const int64_t outer = shapes[0].size(0, axis);
      Doubles y;
      for (int64_t o = 0; o < outer; ++o) {
        for (size_t p = 0; p < in.size(); ++p) {
          const int64_t run = shapes[p].size() / outer;
          y.insert(y.end(), in[p].begin() + o * run, in[p].begin() + (o + 1) * run);
        }
      }
      return y;
    };
    s.is_large = s.what == "large";
    samples.push_back(std::move(s));
  }
}

void add_gather(std::vector<Sample>& samples) {
  struct Case {
    const char* what;
    int64_t rows, cols;
    Shape ids;
    DType dtype = DType::kI32;
    View view = View::kDense;
  };
  const Case cases[] = {{"no ids", 3, 4, {0}},
                        {"one element", 1, 1, {}},
                        {"repeated ids", 5, 3, {4, 3}},
                        {"int64", 7, 5, {11}, DType::kI64},
                        {"ids a view", 7, 5, {3, 4}, DType::kI32, View::kTransposed},
                        {"int64 a view", 7, 5, {3, 4}, DType::kI64, View::kSliced},
                        {"large", 900, 130, {2001}}};
  for (const Case& c : cases) {
    Sample s;
    s.op = "gather";
    s.what = c.what;
    const Doubles ids = whole(c.ids.size(), 4400, c.rows);
    s.inputs = {input({c.rows, c.cols}, 4401), {c.ids, ids, c.dtype, c.view, 1}};
    s.run = [](const std::vector<Tensor>& t) { return ops::gather(t[0], t[1]); };
    s.truth = [ids, cols = c.cols](const std::vector<Doubles>& in) {
      Doubles y;
      for (const double id : ids) {
        const auto first = in[0].begin() + static_cast<int64_t>(id) * cols;
        y.insert(y.end(), first, first + cols);
      }
      return y;
    };
    s.is_large = s.what == "large";
    samples.push_back(std::move(s));
  }
}

double rounded(DType dtype, double x) {
  namespace ref = kernels::reference;
  if (dtype == DType::kF32) return static_cast<double>(static_cast<float>(x));
  const ref::FloatFormat f =
      dtype == DType::kBF16 ? ref::FloatFormat{8, 7} : ref::FloatFormat{5, 10};
  return ref::decode(f, ref::encode(f, x));
}

void add_cast(std::vector<Sample>& samples) {
  struct Case {
    DType from, to;
  };
  const Case cases[] = {{DType::kF32, DType::kF32}, {DType::kF32, DType::kBF16},
                        {DType::kF32, DType::kF16}, {DType::kBF16, DType::kF32},
                        {DType::kF16, DType::kF32}, {DType::kU8, DType::kF32},
                        {DType::kI32, DType::kF32}, {DType::kI64, DType::kF32}};
  for (const Case& c : cases) {
    for (const Shape& shape : {Shape{0}, Shape{}, Shape{17}, Shape{5, 7}, Shape{300, 701}}) {
      const bool is_float = dtype_size(c.from) == 2 || c.from == DType::kF32;
      const View view = shape.rank() == 2 ? View::kTransposed : View::kDense;
      Input in{shape, is_float ? uniform(shape.size(), 4500) : whole(shape.size(), 4500, 256),
               c.from, view};
      if (is_float) {
        for (double& x : in.values) x = rounded(c.from, x * 3.7);
      }
      in.has_grad = c.from == c.to;
      samples.push_back(make(
          "cast",
          std::string(dtype_name(c.from)) + " to " + std::string(dtype_name(c.to)) + " " +
              shape.text(),
          in, [to = c.to](const Tensor& x) { return ops::cast(x, to); },
          [to = c.to](const std::vector<Doubles>& v) {
            Doubles y;
            for (const double x : v[0]) y.push_back(rounded(to, x));
            return y;
          }));
    }
  }
}

}  // namespace

void add_shape_cases(std::vector<Sample>& samples) {
  add_reshape(samples);
  add_permute(samples);
  add_slice(samples);
  add_concat(samples);
  add_gather(samples);
  add_cast(samples);
}

}  // namespace ingot::testing
