// SPDX-License-Identifier: Apache-2.0
// `ingot data get NAME`: shows what a published data set is, how large, under which licence and
// with which digests, and fetches it once that is accepted; or takes it from a folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.h"
#include "data/public_data.h"

namespace ingot::cli {

/// words: [NAME]. Without a name: the list.
void get_data(Invocation& invocation);
/// The same for this set, which need not be in the list; returns what --json prints. Throws
/// kNotFound for a folder that does not hold it, kCorruptFile for a digest that is another one.
Json get_set(Invocation& invocation, const data::PublicData& set);

[[nodiscard]] std::string_view get_usage();
[[nodiscard]] std::vector<std::string> get_keys();
/// Of the data sets.
[[nodiscard]] std::vector<std::string> get_names();

}  // namespace ingot::cli
