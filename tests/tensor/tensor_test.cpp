// SPDX-License-Identifier: Apache-2.0
// Tensors as values: making, viewing, reading, sharing, and the messages of wrong uses.
#include "tensor/tensor.h"

#include <numeric>

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::testing::tensor_test {
namespace {

class TensorTest : public ::testing::Test {
 protected:
  /// 0, 1, 2, … in the given shape.
  Tensor counting(const Shape& shape) {
    std::vector<float> v(static_cast<size_t>(shape.size()));
    std::iota(v.begin(), v.end(), 0.0F);
    return Tensor::from<float>(engine_, v, shape);
  }

  Team team_{1};
  Engine engine_{team_};
};

TEST_F(TensorTest, MakesZerosFullsAndCopies) {
  EXPECT_EQ(Tensor::zeros(engine_, {2, 2}).to_vector<float>(), std::vector<float>(4, 0.0F));
  EXPECT_EQ(Tensor::full(engine_, {3}, 1.5F).to_vector<float>(), std::vector<float>(3, 1.5F));
  EXPECT_EQ(Tensor::zeros(engine_, {2}, DType::kU8).to_vector<uint8_t>(),
            (std::vector<uint8_t>{0, 0}));
  const std::vector<int64_t> ids = {5, -3};
  EXPECT_EQ(Tensor::from<int64_t>(engine_, ids, {2}).to_vector<int64_t>(), ids);
  EXPECT_EQ(Tensor::full(engine_, {}, 2.0F).item(), 2.0F);
  EXPECT_EQ(Tensor::empty(engine_, {0, 3}).to_vector<float>().size(), 0U);
  EXPECT_FALSE(Tensor().defined());
  const Tensor t = Tensor::empty(engine_, {2, 3}, DType::kBF16);
  EXPECT_EQ(t.size_bytes(), 12);
  EXPECT_EQ(t.dim(-1), 3);
  EXPECT_EQ(t.stride(0), 3);
}

TEST_F(TensorTest, ViewsShareStorageAndReadInTheirOwnOrder) {
  const Tensor x = counting({2, 3});
  const Tensor v = x.view({3, 2});
  EXPECT_TRUE(v.shares_storage(x));
  v.data<float>()[5] = 50.0F;
  EXPECT_EQ(x.to_vector<float>().back(), 50.0F);
  const Tensor t = x.strided({3, 2}, {1, 3}, 0);
  EXPECT_FALSE(t.is_contiguous());
  EXPECT_EQ(t.to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 50}));
  const Tensor part = x.strided({2}, {3}, 1);
  EXPECT_EQ(part.to_vector<float>(), (std::vector<float>{1, 4}));
  EXPECT_EQ(part.offset(), 1);
  EXPECT_TRUE(x.strided({1, 3}, {99, 1}, 3).is_contiguous())
      << "the stride of one row says nothing";
  const Tensor none = x.strided({0, 3}, {3, 1}, 6);
  EXPECT_EQ(none.raw(), x.raw()) << "an empty view points into its block";
}

TEST_F(TensorTest, TheLastOwnerFreesTheStorage) {
  const int64_t before = engine_.allocator().live_bytes();
  Tensor a = counting({100});
  EXPECT_TRUE(a.sole_owner());
  Tensor b = a.view({10, 10});
  EXPECT_FALSE(a.sole_owner());
  a = Tensor();
  EXPECT_TRUE(b.sole_owner());
  EXPECT_GT(engine_.allocator().live_bytes(), before);
  b = Tensor();
  EXPECT_EQ(engine_.allocator().live_bytes(), before);
}

TEST_F(TensorTest, BorrowedMemoryIsNotFreed) {
  float memory[4] = {1, 2, 3, 4};
  const int64_t calls = engine_.allocator().calls();
  {
    const Tensor t = Tensor::borrow(engine_, reinterpret_cast<std::byte*>(memory), sizeof(memory),
                                    {2, 2}, DType::kF32);
    EXPECT_EQ(t.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  }
  EXPECT_EQ(engine_.allocator().calls(), calls);
  EXPECT_EQ(memory[3], 4.0F);
}

TEST_F(TensorTest, DetachDropsTheGradientSlot) {
  Tensor x = counting({2});
  x.slot = 7;
  EXPECT_EQ(x.detach().slot, -1);
  EXPECT_EQ(x.slot, 7);
  EXPECT_TRUE(x.detach().shares_storage(x));
}

TEST_F(TensorTest, WrongUsesAreNamed) {
  const Tensor x = counting({2, 3});
  const std::vector<float> three(3);
  EXPECT_EQ(message_of([&] {
              (void)Tensor::from<float>(engine_, three, {2, 3});
            }),
            "tensor: 12 bytes given, shape [2, 3] of float32 takes 24");
  EXPECT_EQ(message_of([&] { (void)Tensor::empty(engine_, {2}, DType::kQ8); }),
            "tensor: q8 needs Tensor::opaque");
  EXPECT_EQ(message_of([&] { (void)x.view({4}); }), "view: shape [2, 3] has 6 elements, [4] has 4");
  EXPECT_EQ(message_of([&] {
              (void)x.strided({3, 2}, {1, 3}, 0).view({6});
            }),
            "view: the tensor is not contiguous");
  EXPECT_EQ(message_of([&] { (void)x.item(); }),
            "item: shape [2, 3] has 6 elements, one is needed");
  EXPECT_EQ(message_of([&] { (void)x.to_vector<int32_t>(); }),
            "to_vector: tensor is float32, asked as int32");
  const Tensor packed = Tensor::opaque(engine_, {2, 2}, DType::kF32, Layout::kPacked, 64);
  EXPECT_EQ(message_of([&] { (void)packed.to_vector<float>(); }),
            "to_vector: the tensor is packed");
  EXPECT_FALSE(packed.is_contiguous());
}

TEST_F(TensorTest, TextShowsDtypeShapeAndTheFirstElements) {
  EXPECT_EQ(to_text(counting({2, 2})), "float32 [2, 2]: 0, 1, 2, 3");
  EXPECT_EQ(to_text(counting({5}), 2), "float32 [5]: 0, 1, …");
  EXPECT_EQ(to_text(Tensor::zeros(engine_, {3}, DType::kI64)), "int64 [3]");
}

TEST_F(TensorTest, TheEnginesCapNamesBothSides) {
  Engine small(team_, {42, 8192});
  const Tensor kept = Tensor::empty(small, {1024});
  EXPECT_EQ(code_of([&] { (void)Tensor::empty(small, {2048}); }), "out_of_memory");
  const std::string what = message_of([&] { (void)small.slab(1 << 20); });
  EXPECT_NE(what.find("memory: the step needs a slab of 1048576 bytes beside "), std::string::npos);
  EXPECT_NE(what.find("the cap is 8192. Raise it to memory="), std::string::npos);
}

}  // namespace
}  // namespace ingot::testing::tensor_test
