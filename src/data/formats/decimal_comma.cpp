// SPDX-License-Identifier: Apache-2.0
#include "data/formats/decimal_comma.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "data/schema.h"

namespace ingot::data {
namespace {

constexpr size_t kLongestNumber = 64;  // bytes; longer texts are not looked at

class CommaReader final : public TableReader {
 public:
  explicit CommaReader(std::unique_ptr<TableReader> table) : table_(std::move(table)) {}

  [[nodiscard]] const std::vector<std::string>& columns() const override {
    return table_->columns();
  }
  bool next(std::vector<std::string_view>& cells) override {
    if (!table_->next(cells)) return false;
    commas_.rewrite(cells);
    return true;
  }
  [[nodiscard]] int64_t line() const override { return table_->line(); }
  void rewind() override { table_->rewind(); }
  [[nodiscard]] const std::string& name() const override { return table_->name(); }
  [[nodiscard]] int64_t skipped() const override { return table_->skipped(); }
  [[nodiscard]] std::vector<SkippedRecord> first_skipped() const override {
    return table_->first_skipped();
  }
  [[nodiscard]] UnreadPictures unread() const override { return table_->unread(); }

 private:
  std::unique_ptr<TableReader> table_;
  DecimalCommas commas_;
};

}  // namespace

bool is_comma_number(std::string_view cell) {
  const std::string_view text = trim(cell);
  if (text.size() > kLongestNumber) return false;
  const size_t comma = text.find(',');
  if (comma == text.npos) return false;
  const bool has_fraction =
      comma + 1 < text.size() && text[comma + 1] >= '0' && text[comma + 1] <= '9';
  if (!has_fraction || text.find('.') != text.npos) return false;
  std::array<char, kLongestNumber> buffer{};
  std::copy(text.begin(), text.end(), buffer.begin());
  buffer[comma] = '.';
  return parse_number(std::string_view(buffer.data(), text.size())).has_value();
}

void DecimalCommas::rewrite(std::vector<std::string_view>& cells) {
  if (changed_.size() < cells.size()) changed_.resize(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!is_comma_number(cells[i])) continue;
    changed_[i] = trim(cells[i]);
    changed_[i][changed_[i].find(',')] = '.';
    cells[i] = changed_[i];
  }
}

std::unique_ptr<TableReader> with_decimal_commas(std::unique_ptr<TableReader> table) {
  return std::make_unique<CommaReader>(std::move(table));
}

}  // namespace ingot::data
