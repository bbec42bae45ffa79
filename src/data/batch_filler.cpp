// SPDX-License-Identifier: Apache-2.0
#include "data/batch_filler.h"

#include <cstring>

#include "base/error.h"

namespace ingot::data {

void RowFiller::fill(const ExampleField& field, std::span<const std::byte> stored,
                     const RowView& /*view*/, std::span<std::byte> /*scratch*/,
                     std::span<std::byte> out) const {
  if (field.dtype != DType::kU8) {
    std::memcpy(out.data(), stored.data(), stored.size());
    return;
  }
  auto* numbers = reinterpret_cast<float*>(out.data());
  for (const std::byte b : stored) *numbers++ = static_cast<float>(std::to_integer<uint8_t>(b));
}

BatchFiller::BatchFiller(Team& team, std::vector<const ExampleField*> fields,
                         const RowFiller& filler)
    : team_(team), fields_(std::move(fields)), filler_(filler) {
  for (int worker = 0; worker < team.size(); ++worker) {
    scratch_.emplace_back(static_cast<size_t>(filler.scratch_bytes()));
  }
  for (const ExampleField* field : fields_) row_bytes_ += field->bytes();
}

void BatchFiller::fill_row(int64_t i, const BatchRow& row, std::span<const Tensor> inputs,
                           int worker) {
  for (size_t k = 0; k < fields_.size(); ++k) {
    const ExampleField& field = *fields_[k];
    const auto stored =
        row.record.subspan(static_cast<size_t>(field.offset), static_cast<size_t>(field.bytes()));
    const auto bytes = static_cast<size_t>(field.shape.size() * dtype_size(inputs[k].dtype()));
    filler_.fill(field, stored, row.view, scratch_[static_cast<size_t>(worker)],
                 {inputs[k].raw() + static_cast<size_t>(i) * bytes, bytes});
  }
}

}  // namespace ingot::data
