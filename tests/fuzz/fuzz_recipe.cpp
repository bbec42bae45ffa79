// SPDX-License-Identifier: Apache-2.0
// The recipe's road: YAML text, the tree, the fields, overrides. The input is a recipe up to the
// first NUL byte, then overrides, one per line. An accepted recipe is printed and read back to the
// same text, which is what --print-config and the hash of a run rely on. fuzz_layers.cpp makes
// networks of layer lists.
#include <string>
#include <string_view>

#include "base/config.h"
#include "cli/recipe.h"
#include "fuzz/fuzz.h"

namespace {

// How many of the lines were accepted.
int override_lines(std::string_view lines, ingot::cli::Recipe& recipe) {
  int accepted = 0;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    accepted += ingot::fuzz::accepts([&] { ingot::apply_override(line, recipe); }) ? 1 : 0;
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return accepted;
}

void check_round_trip(const ingot::cli::Recipe& recipe) {
  const std::string printed = ingot::to_yaml(recipe);
  ingot::cli::Recipe again;
  ingot::bind_text(printed, "printed.yaml", again);
  ingot::fuzz::demand(ingot::to_yaml(again) == printed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  const std::string_view input = fuzz::as_text(data, size);
  const size_t nul = input.find('\0');
  cli::Recipe recipe;
  int accepted = fuzz::accepts([&] { bind_text(input.substr(0, nul), "fuzz.yaml", recipe); });
  if (nul != std::string_view::npos) accepted += override_lines(input.substr(nul + 1), recipe);
  if (accepted > 0) check_round_trip(recipe);
  return 0;
}
