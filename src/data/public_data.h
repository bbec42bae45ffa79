// SPDX-License-Identifier: Apache-2.0
// Published data sets that `ingot data get NAME` fetches: what they are, under which licence, from
// where, and the SHA-256 of every file whose bytes are known. A file without one is fetched all the
// same and its digest shown. No data is part of the program. Called by the verb data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ingot::data {

struct PublicFile {
  std::string_view name;  ///< as it is stored
  std::string_view url;
  int64_t bytes = -1;       ///< to fetch; -1: not known
  std::string_view sha256;  ///< of the bytes once unpacked (gzip, xz); "": not known
};

struct PublicData {
  std::string_view name;
  std::string_view title;
  std::string_view licence;
  std::string_view use;  ///< a command to go on with, "{}" for the folder; "": none
  std::span<const PublicFile> files;
};

/// In alphabetical order.
[[nodiscard]] std::span<const PublicData> public_data();
/// nullptr when there is none of this name.
[[nodiscard]] const PublicData* find_public_data(std::string_view name);
/// The command to go on with when the files lie in `folder`.
[[nodiscard]] std::string use_in(const PublicData& set, std::string_view folder);

}  // namespace ingot::data
