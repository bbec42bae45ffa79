// SPDX-License-Identifier: Apache-2.0
#include "data/keep_rows.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kOthers = 64;  // different cells remembered for a message

/// Index of `text` in `list`, list.size() when it is not there.
size_t index_of(std::string_view text, const std::vector<std::string>& list) {
  return static_cast<size_t>(std::find(list.begin(), list.end(), text) - list.begin());
}

}  // namespace

void check(const KeepConfig& config) {
  require(config.column.empty() == config.values.empty(), Code::kInvalidArgument,
          "table.keep: column \"{}\" and {} values: both are needed, for example "
          "table.keep={{column: label, values: [a, b]}}",
          excerpt(config.column), config.values.size());
  for (size_t i = 0; i < config.values.size(); ++i) {
    require(index_of(config.values[i], config.values) == i, Code::kInvalidArgument,
            "table.keep: the value \"{}\" is listed twice", excerpt(config.values[i]));
  }
}

KeptRows::KeptRows(std::unique_ptr<TableReader> table, KeepConfig config, Met needed,
                   const StopFlag* stop)
    : table_(std::move(table)),
      config_(std::move(config)),
      needed_(needed),
      stop_(stop),
      met_(config_.values.size(), false) {
  check(config_);
  if (config_.column.empty()) return;
  column_ = index_of(config_.column, columns());
  require(column_ < columns().size(), Code::kInvalidArgument,
          "table.keep: \"{}\" has no column \"{}\".{}", name(), excerpt(config_.column),
          did_you_mean(config_.column, columns()));
}

bool KeptRows::next(std::vector<std::string_view>& cells) {
  while (table_->next(cells)) {
    throw_if_stopped(stop_);
    if (config_.column.empty()) return true;
    const std::string_view cell = trim(cells[column_]);
    const size_t value = index_of(cell, config_.values);
    if (value < met_.size()) {
      met_[value] = true;
      return true;
    }
    ++left_out_;
    if (others_.size() < kOthers && index_of(cell, others_) == others_.size()) {
      others_.emplace_back(cell);
    }
  }
  require_met();
  return false;
}

void KeptRows::rewind() {
  table_->rewind();
  left_out_ = 0;
}

void KeptRows::require_met() const {
  const bool is_any_met = std::find(met_.begin(), met_.end(), true) != met_.end();
  if (needed_ == Met::kAny && is_any_met) return;
  const auto at = static_cast<size_t>(std::find(met_.begin(), met_.end(), false) - met_.begin());
  if (at == met_.size()) return;
  fail(Code::kInvalidArgument, "table.keep: no row of \"{}\" has \"{}\" in column \"{}\".{}",
       name(), excerpt(config_.values[at]), excerpt(config_.column),
       did_you_mean(config_.values[at], others_));
}

}  // namespace ingot::data
