// SPDX-License-Identifier: Apache-2.0
// Samples of the ops that move or resample pixels, and one_hot.
#include "autograd/op_cases.h"
#include "autograd/ops/image.h"
#include "kernels/reference/image.h"

namespace ingot::testing {
namespace {

namespace ref = kernels::reference;
using ops::Padding2d;

struct PadCase {
  const char* what;
  Shape x;
  Padding2d padding;
  View view = View::kDense;
};

const PadCase kPads[] = {{"no images", {0, 2, 2, 3}, {1, 1, 1, 1}},
                         {"one element, no padding", {1, 1, 1, 1}, {}},
                         {"odd", {2, 3, 4, 3}, {1, 2, 0, 3}},
                         {"one side", {1, 3, 2, 5}, {2, 0, 0, 0}},
                         {"transposed", {1, 3, 4, 2}, {1, 1, 1, 1}, View::kTransposed},
                         {"sliced", {1, 3, 4, 2}, {1, 2, 3, 0}, View::kSliced},
                         {"large", {5, 40, 41, 33}, {2, 3, 4, 1}}};

Sample pad_sample(const PadCase& c, bool is_reflect, uint32_t seed) {
  Sample s;
  s.op = "pad2d";
  s.what = std::string(c.what) + (is_reflect ? ", reflect" : ", zero");
  s.inputs = {input(c.x, seed, c.view, 2)};
  s.run = [c, is_reflect](const std::vector<Tensor>& t) {
    return ops::pad2d(t[0], c.padding, is_reflect ? ops::PadMode::kReflect : ops::PadMode::kZero);
  };
  s.truth = [c, is_reflect](const std::vector<Doubles>& in) {
    const Padding2d& p = c.padding;
    const ref::ImageShape shape{
        c.x[0], c.x[1], c.x[2], c.x[1] + p.top + p.bottom, c.x[2] + p.left + p.right, c.x[3]};
    Doubles y(static_cast<size_t>(shape.batch * shape.out_h * shape.out_w * shape.channels));
    ref::pad(shape, p.top, p.left, is_reflect, in[0].data(), y.data());
    return y;
  };
  s.is_large = s.what.starts_with("large");
  return s;
}

struct UpsampleCase {
  const char* what;
  Shape x;
  int64_t out_h, out_w;
  View view = View::kDense;
};

const UpsampleCase kUpsamples[] = {{"no images", {0, 2, 2, 3}, 4, 4},
                                   {"one element", {1, 1, 1, 1}, 1, 1},
                                   {"one pixel spread", {2, 1, 1, 3}, 3, 2},
                                   {"doubled", {1, 3, 2, 4}, 6, 4},
                                   {"odd factors", {1, 3, 4, 2}, 7, 5},
                                   {"smaller", {1, 7, 6, 2}, 3, 5},
                                   {"transposed", {1, 2, 3, 4}, 5, 4, View::kTransposed},
                                   {"sliced", {1, 2, 3, 4}, 3, 7, View::kSliced},
                                   {"large", {5, 30, 31, 33}, 61, 47}};

Sample upsample_sample(const UpsampleCase& c, bool is_bilinear, uint32_t seed) {
  Sample s;
  s.op = "upsample2d";
  s.what = std::string(c.what) + (is_bilinear ? ", bilinear" : ", nearest");
  s.inputs = {input(c.x, seed, c.view, 2)};
  s.run = [c, is_bilinear](const std::vector<Tensor>& t) {
    return ops::upsample2d(
        t[0], c.out_h, c.out_w,
        is_bilinear ? ops::UpsampleMode::kBilinear : ops::UpsampleMode::kNearest);
  };
  s.truth = [c, is_bilinear](const std::vector<Doubles>& in) {
    const ref::ImageShape shape{c.x[0], c.x[1], c.x[2], c.out_h, c.out_w, c.x[3]};
    Doubles y(static_cast<size_t>(c.x[0] * c.out_h * c.out_w * c.x[3]));
    ref::resize(shape, is_bilinear, in[0].data(), y.data());
    return y;
  };
  s.is_large = s.what.starts_with("large");
  return s;
}

Sample one_hot_sample(const char* what, const Shape& ids, int64_t classes, DType dtype,
                      View view = View::kDense) {
  Sample s;
  s.op = "one_hot";
  s.what = what;
  s.inputs = {{ids, whole(ids.size(), 90, classes), dtype, view, 0, false}};
  s.run = [classes](const std::vector<Tensor>& t) { return ops::one_hot(t[0], classes); };
  s.truth = [classes](const std::vector<Doubles>& in) {
    Doubles y;
    for (const double id : in[0]) {
      for (int64_t c = 0; c < classes; ++c) y.push_back(id == static_cast<double>(c) ? 1.0 : 0.0);
    }
    return y;
  };
  s.is_large = ids.size() > 1000;
  return s;
}

}  // namespace

void add_image_cases(std::vector<Sample>& samples) {
  uint32_t seed = 8000;
  for (const bool is_second : {false, true}) {
    for (const PadCase& c : kPads) samples.push_back(pad_sample(c, is_second, ++seed));
    for (const UpsampleCase& c : kUpsamples) {
      samples.push_back(upsample_sample(c, is_second, ++seed));
    }
  }
  samples.push_back(one_hot_sample("no ids", {0}, 3, DType::kI32));
  samples.push_back(one_hot_sample("one id", {}, 1, DType::kI64));
  samples.push_back(one_hot_sample("odd", {3, 5}, 7, DType::kI32));
  samples.push_back(one_hot_sample("int64, transposed", {3, 5}, 4, DType::kI64, View::kTransposed));
  samples.push_back(one_hot_sample("large", {3001}, 110, DType::kI32));
}

}  // namespace ingot::testing
