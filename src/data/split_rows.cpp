// SPDX-License-Identifier: Apache-2.0
#include "data/split_rows.h"

namespace ingot::data {

SplitRows::SplitRows(const TableConfig& config, const FeatureSet& features, Split split)
    : config_(config), features_(features), split_(split) {
  open(open_clean_table(config));
  splits_.emplace(split_table(*table_, config.split, config.target.column, config.space));
  table_->rewind();
}

void SplitRows::open(std::unique_ptr<TableReader> table) {
  table_ = std::move(table);
  encoder_.emplace(features_, *table_, features_.target() != nullptr);
  record_.resize(static_cast<size_t>(encoder_->layout().record_bytes()));
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
