// SPDX-License-Identifier: Apache-2.0
// Shapes: sizes, text, broadcasting and axes, with the messages of what does not fit.
#include "tensor/shape.h"

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::testing::shape_test {
namespace {

TEST(Shape, SizesTextAndEquality) {
  const Shape s{2, 3, 4};
  EXPECT_EQ(s.rank(), 3);
  EXPECT_EQ(s.size(), 24);
  EXPECT_EQ(s.size(1, 3), 12);
  EXPECT_EQ(s.size(2, 2), 1);
  EXPECT_EQ(s.text(), "[2, 3, 4]");
  EXPECT_EQ(Shape().size(), 1);
  EXPECT_EQ(Shape().text(), "[]");
  EXPECT_EQ((Shape{2, 0, 5}).size(), 0);
  EXPECT_TRUE((Shape{2, 3}) == (Shape{2, 3}));
  EXPECT_FALSE((Shape{2, 3}) == (Shape{3, 2}));
  EXPECT_FALSE((Shape{2}) == (Shape{2, 1}));
}

TEST(Shape, RefusesNegativeSizesAndRanksOverSix) {
  EXPECT_EQ(message_of([] { (void)Shape{2, -1}; }), "shape: an axis of size -1 is negative");
  EXPECT_EQ(message_of([] { (void)Shape{1, 1, 1, 1, 1, 1, 1}; }),
            "shape: rank over 6 is not supported");
}

TEST(Shape, BroadcastsByTheRulesOfNumPy) {
  EXPECT_EQ(broadcast_shape("add", {2, 3}, {3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shape("add", {2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shape("add", {}, {5}), (Shape{5}));
  EXPECT_EQ(broadcast_shape("add", {0, 3}, {1, 3}), (Shape{0, 3}));
  EXPECT_EQ(message_of([] {
              (void)broadcast_shape("mul", {2, 3}, {4, 3});
            }),
            "mul: shapes [2, 3] and [4, 3] do not broadcast: axis 0 has sizes 2 and 4");
}

TEST(Shape, NegativeAxesCountFromTheEnd) {
  EXPECT_EQ(normal_axis("sum", -1, 3), 2);
  EXPECT_EQ(normal_axis("sum", 0, 3), 0);
  EXPECT_EQ(message_of([] { (void)normal_axis("sum", 3, 3); }),
            "sum: axis 3 is outside [-3, 3) of a rank-3 tensor");
  EXPECT_EQ(code_of([] { (void)normal_axis("sum", -4, 3); }), "invalid_argument");
}

TEST(Shape, ContiguousStridesAreRowMajor) {
  const Strides s = contiguous_strides({2, 3, 4});
  EXPECT_EQ(s[0], 12);
  EXPECT_EQ(s[1], 4);
  EXPECT_EQ(s[2], 1);
}

}  // namespace
}  // namespace ingot::testing::shape_test
