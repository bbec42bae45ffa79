// SPDX-License-Identifier: Apache-2.0
// A column of texts: the words of the training rows numbered as Keras' Tokenizer does
// (text/word_index.h), each text a row of ids of one length, or one float32 slot per word (a bag
// of words). A missing text is an empty one unless the policy says otherwise. Made by catalog.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/transforms/feature.h"
#include "text/word_index.h"

namespace ingot::data {

/// How the words of a text are found and numbered.
[[nodiscard]] text::WordIndexConfig word_config(const TextOptions& options);
/// The words and options of text.tokenizer, which is given. Throws kNotFound with the files beside
/// it, kCorruptFile.
[[nodiscard]] text::WordIndex words_given(const FeatureConfig& config);

class TextFeature final : public Feature {
 public:
  /// Reads text.tokenizer when it is given; kNotFound, kCorruptFile.
  explicit TextFeature(FeatureConfig config);
  TextFeature(FeatureConfig config, const Json& state, std::string_view what);

  void add(const Cell& cell) override;
  [[nodiscard]] bool finish_pass(std::vector<std::string>& warnings) override;
  [[nodiscard]] FeatureLayout layout() const override;
  bool encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const override;
  [[nodiscard]] Json state() const override;

  /// Fitted: for tokenizer.json, reports and counts of unknown words.
  [[nodiscard]] const text::WordIndex& words() const { return *words_; }

 private:
  [[nodiscard]] std::string_view text_of(const Cell& cell) const;
  [[nodiscard]] bool is_bag() const { return config_.text.encode != TextEncode::kIds; }
  int64_t count_ids(std::string_view text);
  void require_words() const;

  // Fitted.
  std::optional<text::WordIndex> words_;
  // While fitting.
  text::WordCounter counter_;
  FeatureScratch scratch_;
  int64_t rows_ = 0;
  int64_t missing_ = 0;
  int64_t total_ = 0;  // ids
  int64_t cut_ = 0;    // texts of more ids than length
};

}  // namespace ingot::data
