// SPDX-License-Identifier: Apache-2.0
#include "train/importance.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "data/permutation.h"
#include "train/findings.h"

namespace ingot::train {
namespace {

/// Records of up to `most` rows, evenly spread.
std::vector<std::byte> spread_rows(const data::ExampleReader& examples, int64_t most) {
  const int64_t rows = std::min(most, examples.rows());
  std::vector<std::byte> records;
  for (int64_t i = 0; i < rows; ++i) {
    const auto record = examples.row(i * examples.rows() / rows);
    records.insert(records.end(), record.begin(), record.end());
  }
  return records;
}

}  // namespace

Importance permutation_importance(ExampleRunner& runner, const Objective& objective,
                                  const data::ExampleReader& examples,
                                  std::span<const InputSlice> slices,
                                  const ImportanceOptions& options) {
  const data::ExampleLayout& layout = examples.layout();
  const int64_t held = std::max<int64_t>(2, options.max_bytes / layout.record_bytes());
  const std::vector<std::byte> records = spread_rows(examples, std::min(options.max_rows, held));
  Importance result;
  result.rows = static_cast<int64_t>(records.size()) / layout.record_bytes();
  const auto mean_loss = [&](std::vector<std::byte> rows) {
    const data::ExampleReader reader(examples.path(), layout, std::move(rows));
    double sum = 0.0;
    ScoreOptions each;
    each.stop = options.stop;
    each.each = [&](const Answered& answered) { sum += judge(objective, answered).loss; };
    (void)score(runner, objective, reader, each);
    return sum / static_cast<double>(std::max<int64_t>(result.rows, 1));
  };
  result.loss = mean_loss(records);
  for (const InputSlice& slice : slices) {
    const data::ExampleField* field = layout.find(slice.field);
    INGOT_ASSERT(field != nullptr && slice.first + slice.count <= field->shape.size());
    const int64_t size = dtype_size(field->dtype);
    const int64_t offset = field->offset + slice.first * size;
    std::vector<std::byte> mixed = records;
    const data::Permutation from(std::max<int64_t>(result.rows, 1),
                                 hash64(slice.name, options.seed));
    for (int64_t i = 0; i < result.rows; ++i) {
      std::memcpy(mixed.data() + i * layout.record_bytes() + offset,
                  records.data() + from(i) * layout.record_bytes() + offset,
                  static_cast<size_t>(slice.count * size));
    }
    result.increases.push_back(mean_loss(std::move(mixed)) - result.loss);
  }
  return result;
}

}  // namespace ingot::train
