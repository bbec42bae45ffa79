// SPDX-License-Identifier: Apache-2.0
// The members of a zip file whose bytes lie in it as they are (method "stored"), as PyTorch and
// NumPy write them; also the 64-bit form. PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16.
// Called by torch_file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ingot::io {

struct ZipMember {
  std::string name;
  std::span<const std::byte> bytes;  ///< inside the file
};

[[nodiscard]] bool is_zip(std::span<const std::byte> file);

/// Reads the central directory and checks every member's place, size and CRC-32 (when `with_crc`).
/// Throws kCorruptFile and kUnsupported (packed or encrypted members), naming `what` and the
/// member.
[[nodiscard]] std::vector<ZipMember> read_zip(std::span<const std::byte> file,
                                              const std::string& what, bool with_crc = true);

}  // namespace ingot::io
