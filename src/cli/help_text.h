// SPDX-License-Identifier: Apache-2.0
// Help of a verb: usage lines, then the keys it reads with type, default and meaning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.h"

namespace ingot::cli {

/// `sections`: the recipe keys that the verb reads, by prefix ("train.", "model."); global keys it
/// always does. Where they are more than a screen holds, kMain leaves out those that few runs set.
[[nodiscard]] std::string verb_help(std::string_view usage,
                                    const std::vector<std::string>& sections, HelpKeys keys);
/// All that `ingot VERB --help` prints: the verb's help, then its flags.
[[nodiscard]] std::string verb_page(const Verb& verb, HelpKeys keys);
[[nodiscard]] std::vector<std::string> verb_keys(const std::vector<std::string>& sections);

/// The op table as Markdown: docs/ops.md.
[[nodiscard]] std::string ops_help();
/// Every key of a recipe but those of its layers as Markdown: docs/keys.md.
[[nodiscard]] std::string keys_help();
/// The layers of a recipe's list as Markdown: docs/layers.md.
[[nodiscard]] std::string layers_help();

}  // namespace ingot::cli
