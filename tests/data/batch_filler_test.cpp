// SPDX-License-Identifier: Apache-2.0
// Batches from examples: every row at its place, on any number of threads.
#include "data/batch_filler.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tensor/engine.h"

namespace ingot::data::batch_filler_test {
namespace {

/// Adds the row's number of training to what is stored, through the scratch.
class Adding final : public RowFiller {
 public:
  void fill(const ExampleField& field, std::span<const std::byte> stored, const RowView& view,
            std::span<std::byte> scratch, std::span<std::byte> out) const override {
    if (field.dtype != DType::kF32) return RowFiller::fill(field, stored, view, scratch, out);
    std::memcpy(scratch.data(), stored.data(), stored.size());
    float x = 0;
    for (size_t at = 0; at < out.size(); at += sizeof(float)) {
      std::memcpy(&x, scratch.data() + at, sizeof(float));
      x += static_cast<float>(view.row);
      std::memcpy(out.data() + at, &x, sizeof(float));
    }
  }
  [[nodiscard]] int64_t scratch_bytes() const override { return 4096 * 4; }
};

TEST(BatchFiller, FillsEveryRowOnAnyNumberOfThreads) {
  constexpr int64_t kRows = 37, kWidth = 4096;  // enough bytes to be shared out
  const ExampleLayout layout({{"x", DType::kF32, {kWidth}, 0},
                              {"ids", DType::kI32, {2}, 0},
                              {"pixels", DType::kU8, {1, 3, 1}, 0}});
  std::vector<std::vector<std::byte>> records(kRows);
  for (int64_t i = 0; i < kRows; ++i) {
    auto& record = records[static_cast<size_t>(i)];
    record.resize(static_cast<size_t>(layout.record_bytes()));
    const auto x = static_cast<float>(1000 * i);
    const auto id = static_cast<int32_t>(i);
    for (int64_t k = 0; k < kWidth; ++k) std::memcpy(record.data() + k * 4, &x, 4);
    std::memcpy(record.data() + layout.fields()[1].offset + 4, &id, 4);
    record[static_cast<size_t>(layout.fields()[2].offset) + 2] = static_cast<std::byte>(200 + i);
  }
  std::vector<const ExampleField*> fields;
  for (const ExampleField& field : layout.fields()) fields.push_back(&field);
  for (const int threads : {1, 2, 3, 8}) {
    Team team(threads);
    Engine engine(team);
    const std::vector<Tensor> inputs = {Tensor::zeros(engine, {kRows, kWidth}, DType::kF32),
                                        Tensor::zeros(engine, {kRows, 2}, DType::kI32),
                                        Tensor::zeros(engine, {kRows, 1, 3, 1}, DType::kF32)};
    const Adding adding;
    BatchFiller filler(team, fields, adding);
    filler.fill(kRows, inputs, [&](int64_t i) {
      RowView view;
      view.row = i;
      return BatchRow{records[static_cast<size_t>(kRows - 1 - i)], view};
    });
    for (int64_t i = 0; i < kRows; ++i) {
      const int64_t from = kRows - 1 - i;
      ASSERT_EQ(inputs[0].data<float>()[i * kWidth + kWidth - 1],
                static_cast<float>(1000 * from + i));
      ASSERT_EQ(inputs[1].data<int32_t>()[i * 2 + 1], from);
      ASSERT_EQ(inputs[2].data<float>()[i * 3 + 2], static_cast<float>(200 + from));
      ASSERT_EQ(inputs[2].data<float>()[i * 3], 0);
    }
  }
}

}  // namespace
}  // namespace ingot::data::batch_filler_test
