// SPDX-License-Identifier: Apache-2.0
// The mark is a chunk as PNG has them, by zlib's CRC, and changes no pixel.
#include "data/own_picture.h"

#include <span>

#include <zlib.h>

#include "base/files.h"
#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::own_picture_test {
namespace {

io::Image gray() {
  io::Image image;
  image.height = 2;
  image.width = 3;
  image.channels = 1;
  image.pixels = {1, 2, 3, 250, 251, 252};
  return image;
}

TEST(OwnPicture, TheMarkIsAChunkBehindTheHead) {
  const std::string png = io::encode_png(gray());
  const std::string marked = mark_own_picture(png);
  EXPECT_EQ(marked.size(), png.size() + 26);
  const std::string chunk = marked.substr(33, 26);
  EXPECT_EQ(chunk.substr(0, 4), std::string("\0\0\0\x0e", 4));
  const std::string body = chunk.substr(4, 18);
  EXPECT_EQ(body, std::string("tEXtSoftware\0Ingot", 18));
  const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), 18);
  uLong stored = 0;
  for (const char c : chunk.substr(22)) stored = stored << 8 | static_cast<unsigned char>(c);
  EXPECT_EQ(stored, crc);
  EXPECT_EQ(io::decode_image(std::as_bytes(std::span(marked)), "m").pixels, gray().pixels);
}

TEST(OwnPicture, OnlyMarkedFilesAreWrittenOver) {
  const TempFolder folder;
  require_own_picture(folder.file("none.png"));
  const std::string png = io::encode_png(gray());
  require_own_picture(folder.put("own.png", mark_own_picture(png)));
  (void)folder.put("mine-2.png", png);
  for (const std::string& bytes : {png, std::string(), std::string("a text")}) {
    const std::string mine = folder.put("mine.png", bytes);
    EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { require_own_picture(mine); }),
              "data: \"" + mine +
                  "\" is there already and was not drawn by `ingot data`; name another file, for "
                  "example " +
                  folder.file("mine-3.png"));
  }
}

}  // namespace
}  // namespace ingot::data::own_picture_test
