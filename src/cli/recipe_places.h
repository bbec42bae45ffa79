// SPDX-License-Identifier: Apache-2.0
// Where in a recipe file a refused value stands. The owners of options check their ranges and know
// no files: their messages begin with the key. main.cpp puts the place before such a message, as
// base/config.h does for wrong types. A value that was given on the command line needs none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::cli {

/// The words of a message without the punctuation behind them; of key=value the key.
[[nodiscard]] std::vector<std::string_view> message_words(std::string_view message);

class RecipePlaces {
 public:
  /// The recipe that was read, and the key=value of the command line that changed it.
  void set(std::string file, std::string text, std::vector<std::string> overrides);
  /// More key=value, whose places are not in the file either.
  void add(std::span<const std::string> overrides);

  /// "r.yaml:2:7: train.lr: -1 must be …" for a message that begins with a key of the file, written
  /// "train.lr: …", "train.lr is …", "train: lr …", "train: train.lr …" or "recipe: train.lr …". As
  /// it is when it begins with none, or when a key of it was given on the command line.
  [[nodiscard]] std::string located(const std::string& message) const;
  /// A message about a path of the recipe at which nothing is, `table: table.path is "a.csv", …`,
  /// with what relative paths start from, where the recipe lies in another folder than the current
  /// one. As it is where the path is not of the file, or not relative.
  [[nodiscard]] std::string with_start_of_paths(const std::string& message) const;

 private:
  [[nodiscard]] bool is_overridden(std::string_view key) const;

  std::string file_, text_;
  std::vector<std::string> overrides_;
};

}  // namespace ingot::cli
