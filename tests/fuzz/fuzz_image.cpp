// SPDX-License-Identifier: Apache-2.0
// io/image.h: an accepted picture has the pixels that its head and probe_image announce, and
// survives being written as PNG. A PNG is tried as it is and with the check sums of its chunks made
// right: behind those lie the colour types, depths and sizes that hostile numbers must meet.
#include <span>
#include <string>

#include <zlib.h>

#include "fuzz/fuzz.h"
#include "io/image.h"

namespace {

using namespace ingot;

void try_file(const std::string& file) {
  const auto bytes = std::as_bytes(std::span(file));
  const io::DecodeOptions options{.max_pixels = 1 << 18};
  fuzz::accepts([&] {
    const io::Image image = io::decode_image(bytes, "f", options);
    const io::ImageInfo info = io::probe_image(bytes, "f", options);
    fuzz::demand(info.height == image.height && info.width == image.width &&
                 info.channels == image.channels);
    fuzz::demand(static_cast<int64_t>(image.pixels.size()) ==
                 image.height * image.width * image.channels);
    const std::string png = io::encode_png(image);
    const io::Image again = io::decode_image(std::as_bytes(std::span(png)), "g", options);
    fuzz::demand(again.pixels == image.pixels && again.channels == image.channels);
  });
}

uint32_t big_endian(const std::string& file, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(file[at + i]);
  return value;
}

/// A chunk is its size, four letters, that many bytes and the CRC-32 of letters and bytes.
void mend(std::string& file) {
  for (size_t at = 8; file.size() - at >= 12;) {
    const size_t size = big_endian(file, at);
    if (size > file.size() - at - 12) return;
    const auto* body = reinterpret_cast<const Bytef*>(file.data() + at + 4);
    const auto crc = static_cast<uint32_t>(crc32(0, body, static_cast<uInt>(size + 4)));
    for (size_t i = 0; i < 4; ++i) {
      file[at + 8 + size + i] = static_cast<char>(crc >> (24 - 8 * i) & 0xFF);
    }
    at += 12 + size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string file(fuzz::as_text(data, size));
  try_file(file);
  if (size < 20 || data[0] != 0x89) return 0;
  mend(file);
  try_file(file);
  return 0;
}
