// SPDX-License-Identifier: Apache-2.0
// gzip files (RFC 1952) as a stream: zlib unpacks, this checks. Every member's CRC-32 and length
// are checked, members may follow one another (as `cat a.gz b.gz`), zero bytes may pad the end, and
// a file that stops early is an error, never a short result. Called by io/byte_source.h.
#pragma once

#include <memory>

#include "io/byte_source.h"

namespace ingot::io {

/// The unpacked bytes of `packed`, in about 110 KiB of memory. While reading, Error{kCorruptFile}:
///   gzip: "f.gz": truncated after 512 packed bytes; fetch the file again
///   gzip: "f.gz": damaged before packed byte 8192 (incorrect data check); fetch the file again
[[nodiscard]] std::unique_ptr<ByteSource> gunzip(std::unique_ptr<ByteSource> packed);

}  // namespace ingot::io
