// SPDX-License-Identifier: Apache-2.0
// image.h against the reference's lists of weights, for every instruction set and team size.
#include "kernels/image.h"

#include "kernels/kernel_testing.h"
#include "kernels/reference/image.h"

namespace ingot::kernels::image_test {
namespace {

using reference::ImageShape;
using testing::Doubles;
using testing::Floats;
using testing::wide;

// Four products and three additions of float32.
constexpr double kTolerance = 1e-6;
// A pixel's gradient adds up to some dozens of them.
constexpr double kGradTolerance = 4e-6;

size_t inputs(const ImageShape& s) {
  return static_cast<size_t>(s.batch * s.in_h * s.in_w * s.channels);
}
size_t outputs(const ImageShape& s) {
  return static_cast<size_t>(s.batch * s.out_h * s.out_w * s.channels);
}

template <class Args>
Args args_of(const ImageShape& s) {
  Args a;
  a.batch = s.batch, a.in_h = s.in_h, a.in_w = s.in_w;
  a.out_h = s.out_h, a.out_w = s.out_w, a.channels = s.channels;
  return a;
}

Doubles plus(Doubles a, const Floats& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += static_cast<double>(b[i]);
  return a;
}

struct PadProblem {
  ImageShape shape;
  int64_t top, left;
};
const PadProblem kPads[] = {{{1, 1, 1, 1, 1, 1}, 0, 0},
                            {{2, 3, 4, 6, 7, 19}, 1, 2},
                            {{1, 5, 3, 9, 4, 2}, 4, 0},
                            {{0, 2, 2, 3, 3, 1}, 1, 1},
                            {{3, 60, 50, 62, 53, 33}, 1, 2}};

TEST(Image, PadAndItsGradientEqualTheReference) {
  for (const PadProblem& p : kPads) {
    for (const bool is_reflect : {false, true}) {
      const Floats x = testing::uniform(static_cast<int64_t>(inputs(p.shape)), 1);
      const Floats dy = testing::uniform(static_cast<int64_t>(outputs(p.shape)), 2);
      Doubles y(outputs(p.shape)), dx(inputs(p.shape));
      reference::pad(p.shape, p.top, p.left, is_reflect, wide(x).data(), y.data());
      reference::pad_grad(p.shape, p.top, p.left, is_reflect, wide(dy).data(), dx.data());
      testing::expect_kernel(
          [&](Team& team) {
            Floats out(outputs(p.shape), 9.0F);
            auto a = args_of<PadArgs>(p.shape);
            a.x = x.data(), a.y = out.data();
            a.top = p.top, a.left = p.left, a.is_reflect = is_reflect;
            pad(a, team);
            return out;
          },
          y, 0.0);
      for (const bool accumulate : {false, true}) {
        testing::expect_kernel(
            [&](Team& team) {
              Floats out = x;
              auto a = args_of<PadGradArgs>(p.shape);
              a.dy = dy.data(), a.dx = out.data();
              a.top = p.top, a.left = p.left, a.is_reflect = is_reflect;
              a.accumulate = accumulate;
              pad_grad(a, team);
              return out;
            },
            accumulate ? plus(dx, x) : dx, kGradTolerance);
      }
    }
  }
}

const ImageShape kSizes[] = {{1, 1, 1, 1, 1, 1},     {1, 1, 2, 3, 1, 5},  {2, 3, 4, 6, 8, 19},
                             {1, 5, 7, 3, 4, 2},     {1, 4, 3, 7, 11, 3}, {0, 2, 2, 4, 4, 1},
                             {3, 31, 20, 62, 45, 33}};

TEST(Image, ResizeAndItsGradientEqualTheReference) {
  for (const ImageShape& s : kSizes) {
    for (const bool is_bilinear : {false, true}) {
      const Floats x = testing::uniform(static_cast<int64_t>(inputs(s)), 3);
      const Floats dy = testing::uniform(static_cast<int64_t>(outputs(s)), 4);
      Doubles y(outputs(s)), dx(inputs(s));
      reference::resize(s, is_bilinear, wide(x).data(), y.data());
      reference::resize_grad(s, is_bilinear, wide(dy).data(), dx.data());
      testing::expect_kernel(
          [&](Team& team) {
            Floats out(outputs(s), 9.0F);
            auto a = args_of<ResizeArgs>(s);
            a.x = x.data(), a.y = out.data(), a.is_bilinear = is_bilinear;
            resize(a, team);
            return out;
          },
          y, kTolerance);
      for (const bool accumulate : {false, true}) {
        testing::expect_kernel(
            [&](Team& team) {
              Floats out = x;
              auto a = args_of<ResizeGradArgs>(s);
              a.dy = dy.data(), a.dx = out.data();
              a.is_bilinear = is_bilinear, a.accumulate = accumulate;
              resize_grad(a, team);
              return out;
            },
            accumulate ? plus(dx, x) : dx, kGradTolerance);
      }
    }
  }
}

TEST(Image, OneHotSetsTheClassAndSkipsWhatIsOutside) {
  const std::vector<int32_t> ids = {2, 0, -1, 3, 1};
  const std::vector<int64_t> wide_ids(ids.begin(), ids.end());
  const Floats want = {0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
  for (const IdType type : {IdType::kInt32, IdType::kInt64}) {
    Floats out(15, 7.0F);
    OneHotArgs a;
    a.ids = type == IdType::kInt32 ? static_cast<const void*>(ids.data()) : wide_ids.data();
    a.out = out.data(), a.count = 5, a.classes = 3, a.id_type = type;
    one_hot(a, testing::team_of(1));
    EXPECT_EQ(out, want);
  }
}

}  // namespace
}  // namespace ingot::kernels::image_test
