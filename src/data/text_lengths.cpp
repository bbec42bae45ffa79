// SPDX-License-Identifier: Apache-2.0
#include "data/text_lengths.h"

#include <algorithm>
#include <iterator>

#include "data/transforms/text_feature.h"

namespace ingot::data {

TextLengths::TextLengths(const FeatureConfig& feature) : splitter_(word_config(feature.text)) {
  const TextOptions& options = feature.text;
  found_.length = options.length;
  found_.characters = options.char_level;
  found_.known = options.oov.empty();
  if (!options.tokenizer.empty()) {
    words_ = words_given(feature);
    found_.characters = words_->config().char_level;
    found_.known = !words_->oov_number();
  } else if (options.oov.empty() && options.words > 0) {
    counter_.emplace(word_config(options));
  }
}

void TextLengths::finish_learning() {
  words_ = counter_->finish().compact();
  counter_.reset();
}

void TextLengths::add(std::string_view text) {
  int64_t length = 0;
  if (words_) {
    ids_.clear();
    words_->encode(text, scratch_, ids_);
    length = std::ssize(ids_);
  } else {
    length = std::ssize(splitter_(text, scratch_));
  }
  found_.longest = std::max(found_.longest, length);
  found_.texts += length > found_.length ? 1 : 0;
}

}  // namespace ingot::data
