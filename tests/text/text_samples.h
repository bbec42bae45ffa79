// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of src/text: small models, random texts, and reading the message of an Error.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "source_dir.h"
#include "text/bpe_train.h"

namespace ingot::text {

inline std::string golden_path(std::string_view name) {
  return std::string(INGOT_SOURCE_DIR "/tests/golden/text/").append(name);
}

inline BpeModel golden_model() {
  BpeTrainer trainer({1200, 2, {"<|endoftext|>"}});
  trainer.feed(read_file(golden_path("corpus.txt")));
  return trainer.train();
}

/// `size` bytes drawn from `alphabet`.
inline std::string random_text(std::mt19937& rng, int64_t size, std::string_view alphabet) {
  std::string text;
  for (int64_t i = 0; i < size; ++i) text.push_back(alphabet[rng() % alphabet.size()]);
  return text;
}

inline std::string random_bytes(std::mt19937& rng, int64_t size) {
  std::string text;
  for (int64_t i = 0; i < size; ++i) text.push_back(static_cast<char>(rng() & 0xFFU));
  return text;
}

/// Runs `action`, expects an Error of `code` and returns its message.
template <class Action>
std::string error_of(Code code, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(code_name(error.code()), code_name(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

/// Expects an Error of `code` whose message holds `part`.
template <class Action>
void expect_error(Code code, std::string_view part, const Action& action) {
  const std::string message = error_of(code, action);
  EXPECT_NE(message.find(part), std::string::npos) << "message: " << message;
}

}  // namespace ingot::text
