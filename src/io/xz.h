// SPDX-License-Identifier: Apache-2.0
// xz files as a stream: liblzma unpacks and checks (CRC-32, CRC-64 or SHA-256 of every block),
// streams may follow one another. A file that stops early is an error, never a short result.
// Called by io/byte_source.h; needed for CIFAR-10, which xz packs a quarter smaller than gzip.
#pragma once

#include <memory>

#include "io/byte_source.h"

namespace ingot::io {

/// The unpacked bytes of `packed`. A file that asks for more than 512 MiB to be unpacked (xz -9
/// asks for 65 MiB) is refused. Errors while reading are Error{kCorruptFile}:
///   xz: "f.xz": truncated after 512 packed bytes; fetch the file again
///   xz: "f.xz": damaged before packed byte 8192; fetch the file again
[[nodiscard]] std::unique_ptr<ByteSource> unxz(std::unique_ptr<ByteSource> packed);

}  // namespace ingot::io
