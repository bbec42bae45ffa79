// SPDX-License-Identifier: Apache-2.0
// Published data sets that `ingot data get NAME` fetches: what they are, under which licence, from
// where, and the SHA-256 of every file whose bytes are known. A file without one is fetched all the
// same and its digest shown. What is unpacked from an archive that was verified needs no digest. A
// folder that stands in for the network may hold a set in other forms or a part of it: its copies.
// No data is part of the program. Called by the verb data.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ingot::data {

struct PublicFile {
  std::string_view name;     ///< as it is stored
  std::string_view url;      ///< "": of a copy, which is not fetched
  int64_t bytes = -1;        ///< to fetch; -1: not known
  std::string_view sha256;   ///< of the bytes once unpacked (gzip, xz); "": not known
  bool is_optional = false;  ///< of a copy: it does without
  bool is_packed = false;    ///< an archive: sha256 is of the bytes as they come
};

/// What a folder may hold instead of the files that are fetched.
struct PublicCopy {
  std::string_view title;
  std::string_view use;
  std::span<const PublicFile> files;
};

struct PublicData {
  std::string_view name;
  std::string_view title;
  std::string_view licence;
  std::string_view use;  ///< a command to go on with, "{}" for the folder; "": none
  std::span<const PublicFile> files;
  std::span<const PublicCopy> copies = {};
};

/// In alphabetical order.
[[nodiscard]] std::span<const PublicData> public_data();
/// nullptr when there is none of this name.
[[nodiscard]] const PublicData* find_public_data(std::string_view name);
/// The command to go on with when the files lie in `folder`.
[[nodiscard]] std::string use_in(const PublicData& set, std::string_view folder);

/// Whether a folder holds the file of this name.
using HoldsFile = std::function<bool(std::string_view name)>;
/// The set as a folder holds it: with its own files, or title, use and files of the first copy of
/// which no needed file is missing; nothing when there is none.
[[nodiscard]] std::optional<PublicData> held_form(const PublicData& set, const HoldsFile& holds);
/// A file of the whole set that the folder holds and this form of it leaves out, which looks like a
/// set of which other files are missing; "": none.
[[nodiscard]] std::string_view left_out_of(const PublicData& form, const PublicData& set,
                                           const HoldsFile& holds);

}  // namespace ingot::data
