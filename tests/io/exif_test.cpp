// SPDX-License-Identifier: Apache-2.0
// Orientations in Exif segments made here, in both byte orders and damaged; where every pixel of a
// picture goes; and that the JPEG decoder does both.
#include "io/exif.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "base/files.h"
#include "source_dir.h"

namespace ingot::io::exif_test {
namespace {

const std::string kPictures = INGOT_SOURCE_DIR "/tests/golden/io/images/";

std::string number(uint32_t value, int bytes, bool is_big) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  if (is_big) std::reverse(text.begin(), text.end());
  return text;
}

struct Exif {
  bool is_big = false;
  uint32_t directory = 8;  // where it says that its entries are
  uint32_t entries = 2;
  uint32_t type = 3;  // a number of 2 bytes
  uint32_t count = 1;
};

/// "Exif" 0 0 and TIFF with a directory of two entries, a width and an orientation.
std::string body_of(uint32_t orientation, const Exif& exif) {
  const auto word = [&](uint32_t value, int bytes) { return number(value, bytes, exif.is_big); };
  std::string value = word(orientation, exif.type == 4 ? 4 : 2);
  value.resize(4, '\0');
  return std::string("Exif\0\0", 6) + (exif.is_big ? "MM" : "II") + word(42, 2) +
         word(exif.directory, 4) + word(exif.entries, 2) +           //
         word(0x0100, 2) + word(4, 2) + word(1, 4) + word(640, 4) +  // ImageWidth
         word(0x0112, 2) + word(exif.type, 2) + word(exif.count, 4) + value + word(0, 4);
}

std::string segment(char marker, const std::string& body) {
  return std::string("\xff") + marker + number(static_cast<uint32_t>(body.size()) + 2, 2, true) +
         body;
}

/// `jpeg` with an Exif segment at its start.
std::string with_exif(const std::string& jpeg, uint32_t orientation, const Exif& exif = {}) {
  return jpeg.substr(0, 2) + segment('\xe1', body_of(orientation, exif)) + jpeg.substr(2);
}

const std::string kBare("\xff\xd8\xff\xda\0\2", 6);  // no pixels: only segments are looked at

int orientation_of(const std::string& jpeg) {
  return exif_orientation(std::as_bytes(std::span(jpeg)));
}

TEST(Exif, EveryOrientationInBothByteOrders) {
  for (const bool is_big : {false, true}) {
    for (const uint32_t type : {3U, 4U}) {
      for (uint32_t o = 1; o <= 8; ++o) {
        EXPECT_EQ(orientation_of(with_exif(kBare, o, {.is_big = is_big, .type = type})),
                  static_cast<int>(o))
            << is_big << " " << type;
      }
    }
  }
}

TEST(Exif, StandsBehindOtherSegments) {
  const std::string jfif = segment('\xe0', std::string("JFIF\0", 5));
  const std::string xmp = segment('\xe1', "http://ns.adobe.com/xap/1.0/");
  const std::string exif = segment('\xe1', body_of(6, {}));
  const std::string head = kBare.substr(0, 2), rest = kBare.substr(2);
  EXPECT_EQ(orientation_of(head + jfif + xmp + exif + rest), 6);
  EXPECT_EQ(orientation_of(head + "\xff\xff" + exif + rest), 6) << "filled up with ff";
  EXPECT_EQ(orientation_of(kBare + exif), 1) << "behind the pixels";
  EXPECT_EQ(orientation_of(kBare), 1);
}

TEST(Exif, DamageMeansAsStored) {
  EXPECT_EQ(orientation_of(with_exif(kBare, 0)), 1);
  EXPECT_EQ(orientation_of(with_exif(kBare, 9)), 1);
  EXPECT_EQ(orientation_of(with_exif(kBare, 6, {.type = 2})), 1) << "a text";
  EXPECT_EQ(orientation_of(with_exif(kBare, 6, {.count = 2})), 1);
  EXPECT_EQ(orientation_of(with_exif(kBare, 6, {.entries = 1})), 1);
  EXPECT_EQ(orientation_of(with_exif(kBare, 6, {.entries = 65535})), 6) << "found before the end";
  EXPECT_EQ(orientation_of(with_exif(kBare, 6, {.directory = 4000})), 1);
  EXPECT_EQ(orientation_of(with_exif(kBare, 6, {.directory = 0xffffffff})), 1);
  std::string order = with_exif(kBare, 6);
  order[order.find("II")] = 'X';
  EXPECT_EQ(orientation_of(order), 1);
  const std::string whole = with_exif(kBare, 6);
  for (size_t size = 0; size + kBare.size() - 2 < whole.size(); ++size) {
    EXPECT_EQ(orientation_of(whole.substr(0, size)), 1) << "cut to " << size;
  }
  // No byte of a segment leads a read outside of it (the sanitizers watch).
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\x00', '\x7f', '\xff'}) {
      std::string broken = whole;
      broken[at] = byte;
      const int o = orientation_of(broken);
      EXPECT_TRUE(o >= 1 && o <= 8);
    }
  }
}

//   stored   ab    what was seen, by Pillow's names
//            cd    of the transposition
//            ef
TEST(Exif, TurnsEveryPixelToItsPlace) {
  const Image stored{3, 2, 1, {'a', 'b', 'c', 'd', 'e', 'f'}};
  const std::string seen[] = {"abcdef",   // as stored
                              "badcfe",   // FLIP_LEFT_RIGHT
                              "fedcba",   // ROTATE_180
                              "efcdab",   // FLIP_TOP_BOTTOM
                              "acebdf",   // TRANSPOSE
                              "ecafdb",   // ROTATE_270, a quarter clockwise
                              "fdbeca",   // TRANSVERSE
                              "bdface"};  // ROTATE_90
  for (int o = 1; o <= 8; ++o) {
    const Image image = upright(stored, o);
    EXPECT_EQ(image.height, o < 5 ? 3 : 2) << o;
    EXPECT_EQ(image.width, o < 5 ? 2 : 3) << o;
    EXPECT_EQ(std::string(image.pixels.begin(), image.pixels.end()),
              seen[static_cast<size_t>(o - 1)])
        << o;
  }
  const Image colours = upright({1, 2, 3, {1, 2, 3, 4, 5, 6}}, 8);
  EXPECT_EQ(colours.height, 2);
  EXPECT_EQ(colours.pixels, (std::vector<uint8_t>{4, 5, 6, 1, 2, 3})) << "a pixel stays whole";
}

TEST(Exif, TheDecoderTurnsPictures) {
  for (const char* name : {"rgb.jpg", "gray.jpg", "cmyk.jpg"}) {
    const std::string plain = read_file(kPictures + name);
    const Image stored = decode_image(std::as_bytes(std::span(plain)), name);
    for (int o = 1; o <= 8; ++o) {
      const std::string jpeg = with_exif(plain, static_cast<uint32_t>(o), {.is_big = o % 2 == 0});
      const auto bytes = std::as_bytes(std::span(jpeg));
      const Image image = decode_image(bytes, name);
      EXPECT_EQ(image.pixels, upright(stored, o).pixels) << name << " " << o;
      const ImageInfo info = probe_image(bytes, name);
      EXPECT_EQ(info.height, image.height) << name << " " << o;
      EXPECT_EQ(info.width, image.width) << name << " " << o;
      EXPECT_EQ(image.height, o < 5 ? stored.height : stored.width) << name << " " << o;
    }
  }
}

}  // namespace
}  // namespace ingot::io::exif_test
