// SPDX-License-Identifier: Apache-2.0
#include "data/split_rows.h"

#include <algorithm>

namespace ingot::data {
namespace {

/// The bytes of an example that hold means of the target, in order.
std::vector<std::pair<size_t, size_t>> mean_bytes(const FeatureSet& features,
                                                  const ExampleLayout& layout) {
  std::vector<std::pair<size_t, size_t>> spans;
  const ExampleField* const table = layout.find(kTableBlock);
  if (table == nullptr || table->dtype != DType::kF32) return spans;
  auto at = static_cast<size_t>(table->offset);
  for (const auto& feature : features.features()) {
    const size_t end = at + feature->layout().columns.size() * sizeof(float);
    if (feature->learns_target()) spans.emplace_back(at, end);
    at = end;
  }
  return spans;
}

}  // namespace

SplitRows::SplitRows(const TableConfig& config, const FeatureSet& features, Split split)
    : config_(config), features_(features), split_(split) {
  open(open_clean_table(config));
  splits_.emplace(split_table(*table_, config.split, config.target.column, config.space));
  table_->rewind();
  if (split == Split::kTrain) means_ = mean_bytes(features, encoder_->layout());
}

void SplitRows::open(std::unique_ptr<TableReader> table) {
  table_ = std::move(table);
  encoder_.emplace(features_, *table_, features_.target() != nullptr);
  record_.resize(static_cast<size_t>(encoder_->layout().record_bytes()));
}

bool SplitRows::is_same(std::span<const std::byte> stored) const {
  if (stored.size() != record_.size()) return false;
  const std::span<const std::byte> own = record_;
  const auto is_equal = [&](size_t from, size_t to) {
    return std::ranges::equal(own.subspan(from, to - from), stored.subspan(from, to - from));
  };
  size_t at = 0;
  for (const auto& [from, to] : means_) {
    if (!is_equal(at, from)) return false;
    at = to;
  }
  return is_equal(at, own.size());
}

bool SplitRows::next(std::vector<std::string_view>& cells) {
  while (true) {
    while (table_->next(cells)) {
      const bool is_ours = !splits_ || splits_->at(row_) == split_;
      ++row_;
      if (is_ours && encoder_->encode(cells, table_->line(), record_)) return true;
    }
    const std::string& own = split_ == Split::kTest         ? config_.split.test_file
                             : split_ == Split::kValidation ? config_.split.validation_file
                                                            : std::string();
    if (!splits_ || own.empty()) return false;
    splits_.reset();
    open(open_held_out(own, config_));
  }
}

}  // namespace ingot::data
