// SPDX-License-Identifier: Apache-2.0
// How many ids the texts of a column become before they are cut to text.length, counted as its
// feature makes them (transforms/text_feature.h): by the options of text.tokenizer where it is
// given, and without the unknown words that vanish where text.oov is empty. Called by
// inspect_table.cpp; training counts while it fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "data/transforms/feature_config.h"
#include "text/word_index.h"

namespace ingot::data {

/// Texts longer than the ids that the recipe gives them.
struct Truncation {
  int64_t length = 0;       ///< text.length
  bool characters = false;  ///< they are what is numbered, not words
  bool known = false;       ///< known words alone count: the others vanish
  int64_t texts = 0;        ///< that lose some
  int64_t longest = 0;
};

class TextLengths {
 public:
  /// Of a column of texts that become ids. Reads text.tokenizer when it is given; throws
  /// kNotFound, kCorruptFile.
  explicit TextLengths(const FeatureConfig& feature);

  /// Whether the lengths depend on what training will know: then learn() takes the training texts
  /// and finish_learning() ends them before the first add().
  [[nodiscard]] bool must_learn() const { return counter_.has_value(); }
  void learn(std::string_view text) { counter_->add(text); }
  void finish_learning();

  void add(std::string_view text);
  [[nodiscard]] const Truncation& found() const { return found_; }

 private:
  text::WordSplitter splitter_;               // of the recipe
  std::optional<text::WordIndex> words_;      // given or learned; else every word is an id
  std::optional<text::WordCounter> counter_;  // while learning
  text::WordScratch scratch_;
  std::vector<int32_t> ids_;
  Truncation found_;
};

}  // namespace ingot::data
