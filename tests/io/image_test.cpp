// SPDX-License-Identifier: Apache-2.0
// Pictures against Pillow (tests/golden/io/images, written by scripts/golden/data_golden.py), files
// cut and damaged at every byte, sizes that must be refused before memory is taken.
#include "io/image.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <zlib.h>

#include "base/files.h"
#include "base/machine.h"
#include "base/message_of.h"
#include "source_dir.h"

namespace ingot::io::image_test {
namespace {

using testing::code_of;
using testing::message_of;

const std::string kFolder = INGOT_SOURCE_DIR "/tests/golden/io/images/";

/// A PGM or PPM file as Pillow writes it: "P5|P6 width height 255" and the bytes.
Image netpbm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int64_t most = 0;
  Image image;
  file >> magic >> image.width >> image.height >> most;
  EXPECT_EQ(most, 255) << path;
  file.get();
  image.channels = magic == "P6" ? 3 : 1;
  image.pixels.resize(static_cast<size_t>(image.width * image.height * image.channels));
  file.read(reinterpret_cast<char*>(image.pixels.data()),
            static_cast<std::streamsize>(image.pixels.size()));
  EXPECT_TRUE(file.good()) << path;
  return image;
}

Image decode(const std::string& bytes, const DecodeOptions& options = {}) {
  return decode_image(std::as_bytes(std::span(bytes)), "a", options);
}

void expect_near(const Image& image, const Image& truth, int most, const std::string& name) {
  ASSERT_EQ(image.height, truth.height) << name;
  ASSERT_EQ(image.width, truth.width) << name;
  ASSERT_EQ(image.channels, truth.channels) << name;
  ASSERT_EQ(image.pixels.size(), truth.pixels.size()) << name;
  int worst = 0;
  for (size_t i = 0; i < truth.pixels.size(); ++i) {
    worst = std::max(worst, std::abs(int{image.pixels[i]} - int{truth.pixels[i]}));
  }
  EXPECT_LE(worst, most) << name;
}

TEST(Image, PngEqualsPillow) {
  for (const char* name : {"rgb", "rgba", "palette", "one_pixel", "rgb16"}) {
    const std::string path = kFolder + name + ".png";
    expect_near(read_image(path), netpbm(path + ".ppm"), 0, name);
  }
  for (const char* name : {"gray", "gray_alpha", "bilevel", "gray4"}) {
    const std::string path = kFolder + name + ".png";
    expect_near(read_image(path), netpbm(path + ".pgm"), 0, name);
  }
}

TEST(Image, JpegEqualsPillow) {
  // Pillow brings its own libjpeg-turbo, whose inverse DCT may round otherwise in other versions;
  // luma and CMYK add a rounding of their own.
  constexpr int kRounding = 2;
  for (const char* name : {"rgb", "progressive", "cmyk"}) {
    const std::string path = kFolder + name + ".jpg";
    expect_near(read_image(path), netpbm(path + ".ppm"), kRounding, name);
  }
  expect_near(read_image(kFolder + "gray.jpg"), netpbm(kFolder + "gray.jpg.pgm"), kRounding,
              "gray");
  expect_near(read_image(kFolder + "rgb_as_gray.jpg", {.channels = 1}),
              netpbm(kFolder + "rgb_as_gray.jpg.pgm"), kRounding, "rgb_as_gray");
  // A JPEG of a smooth picture is near the picture, inks or not.
  expect_near(read_image(kFolder + "cmyk.jpg"), netpbm(kFolder + "rgb.png.ppm"), 24, "cmyk");
}

TEST(Image, ChannelsAreConverted) {
  const Image gray = read_image(kFolder + "gray.png");
  const Image rgb = read_image(kFolder + "gray.png", {.channels = 3});
  ASSERT_EQ(rgb.channels, 3);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) ASSERT_EQ(rgb.pixels[3 * i + c], gray.pixels[i]);
  }
  const Image luma = read_image(kFolder + "rgb.png", {.channels = 1});
  expect_near(luma, netpbm(kFolder + "gray.png.pgm"), 0, "luma");
  EXPECT_EQ(message_of([] { (void)read_image(kFolder + "gray.png", {.channels = 2}); }),
            "image: channels must be 0 (as stored), 1 or 3, got 2");
}

TEST(Image, ProbeReadsTheHeadOnly) {
  const auto probe = [](const std::string& name, const DecodeOptions& options = {}) {
    const std::string bytes = read_file(kFolder + name).substr(0, 600);
    const ImageInfo info = probe_image(std::as_bytes(std::span(bytes)), name, options);
    return std::vector<int64_t>{info.height, info.width, info.channels};
  };
  EXPECT_EQ(probe("rgba.png"), (std::vector<int64_t>{23, 17, 3}));
  EXPECT_EQ(probe("gray_alpha.png"), (std::vector<int64_t>{23, 17, 1}));
  EXPECT_EQ(probe("gray_alpha.png", {.channels = 3}), (std::vector<int64_t>{23, 17, 3}));
  EXPECT_EQ(probe("cmyk.jpg"), (std::vector<int64_t>{23, 17, 3}));
  EXPECT_EQ(probe("gray.jpg"), (std::vector<int64_t>{23, 17, 1}));
}

TEST(Image, EncodedPngsDecodeToThemselves) {
  for (const int64_t channels : {1, 3}) {
    Image image{.height = 7, .width = 5, .channels = channels};
    for (int64_t i = 0; i < 35 * channels; ++i) {
      image.pixels.push_back(static_cast<uint8_t>(i * 37));
    }
    const std::string png = encode_png(image);
    EXPECT_EQ(png, encode_png(image));
    expect_near(decode(png), image, 0, "round trip");
  }
  EXPECT_EQ(message_of([] { (void)encode_png({.height = 1, .width = 1, .channels = 2}); }),
            "image: a picture has 1 or 3 channels, this one 2");
  EXPECT_EQ(message_of([] { (void)encode_png({.height = 2, .width = 2, .channels = 1}); }),
            "image: 2 x 2 x 1 pixels need 4 bytes, there are 0");
}

/// A PNG head that announces any size; what follows is missing.
std::string png_head(uint32_t width, uint32_t height) {
  std::string ihdr = "IHDR";
  for (const uint32_t size : {width, height}) {
    for (int shift = 24; shift >= 0; shift -= 8) ihdr += static_cast<char>(size >> shift & 0xFF);
  }
  ihdr += std::string("\x08\x02\x00\x00\x00", 5);
  const auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(ihdr.data()), static_cast<uInt>(ihdr.size())));
  std::string file("\x89PNG\r\n\x1a\n\0\0\0\x0d", 12);
  file += ihdr;
  for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(crc >> shift & 0xFF);
  return file + std::string("\0\0\0\0IDAT", 8);
}

TEST(Image, TooManyPixelsAreRefusedFromTheHead) {
  EXPECT_EQ(message_of([] { (void)decode(png_head(20000, 20000)); }),
            "image: \"a\": 20000 x 20000 pixels are more than the 67108864 allowed");
  EXPECT_EQ(code_of([] { (void)decode(png_head(20000, 20000)); }), "invalid_argument");
  EXPECT_EQ(message_of([] { (void)decode(png_head(1000000, 1000000)); }),
            "image: \"a\": 1000000 x 1000000 pixels are more than the 67108864 allowed");
  EXPECT_EQ(message_of([] { (void)read_image(kFolder + "rgb.png", {.max_pixels = 23 * 17 - 1}); }),
            "image: \"" + kFolder + "rgb.png\": 17 x 23 pixels are more than the 390 allowed");
  EXPECT_NO_THROW((void)read_image(kFolder + "rgb.png", {.max_pixels = 23 * 17}));
  // The size of a JPEG stands in its start-of-frame segment: ff c0, length, precision, height,
  // width.
  std::string jpeg = read_file(kFolder + "rgb.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\x4e\x20\x4e\x20");  // 20000, 20000
  EXPECT_EQ(message_of([&] { (void)decode(jpeg); }),
            "image: \"a\": 20000 x 20000 pixels are more than the 67108864 allowed");
}

/// A chunk of a PNG: length, name, content, checksum.
std::string png_chunk(const std::string& name, const std::string& content) {
  const std::string checked = name + content;
  const auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())));
  std::string chunk;
  const auto number = [&](uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) chunk += static_cast<char>(value >> shift & 0xFF);
  };
  number(static_cast<uint32_t>(content.size()));
  chunk += checked;
  number(crc);
  return chunk;
}

TEST(Image, PackedTextsOfAPngAreNotUnpacked) {
  constexpr size_t kText = size_t{4} << 20;
  constexpr int kChunks = 64;
  constexpr size_t kHead = 33;  // signature and IHDR
  const std::string zeros(kText, '\0');
  std::string packed(compressBound(kText), '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(zeros.data()), kText),
            Z_OK);
  const std::string text = png_chunk("zTXt", std::string("k\0\0", 3) + packed.substr(0, size));
  std::string png = encode_png({.height = 1, .width = 1, .channels = 1, .pixels = {7}});
  for (int i = 0; i < kChunks; ++i) png.insert(kHead, text);
  const bool is_fresh = reset_peak_resident();
  const int64_t before = peak_resident_bytes();
  EXPECT_EQ(decode(png).pixels, std::vector<uint8_t>{7});
  EXPECT_EQ(probe_image(std::as_bytes(std::span(png)), "a").width, 1);
  if (is_fresh) {
    EXPECT_LT(peak_resident_bytes() - before, int64_t{kChunks * kText / 8});
  }
}

TEST(Image, RawPixelsAreAPnmFile) {
  for (const char* name : {"rgb.png.ppm", "gray.png.pgm"}) {
    const std::string file = read_file(kFolder + name);
    const Image image = decode(file);
    expect_near(image, netpbm(kFolder + name), 0, name);
    const std::string again = pnm_head(image.height, image.width, image.channels) +
                              std::string(image.pixels.begin(), image.pixels.end());
    EXPECT_EQ(again, file);
    EXPECT_EQ(probe_image(std::as_bytes(std::span(file)), "a").width, image.width);
  }
  EXPECT_EQ(message_of([] { (void)decode("P6\n2 1\n255\nabcde"); }),
            "image: \"a\": broken PNM: 1 x 2 x 3 pixels need 6 bytes, there are 5");
  EXPECT_EQ(message_of([] { (void)decode("P5\n20000 20000\n255\n"); }),
            "image: \"a\": 20000 x 20000 pixels are more than the 67108864 allowed");
  for (const char* head :
       {"P5\n2\n255\nab", "P5\n2 1\n65535\nab", "P5\n2 1\n255", "P5\nx 1\n255\na"}) {
    EXPECT_EQ(message_of([&] { (void)decode(head); }),
              "image: \"a\": broken PNM: its head is not width, height and 255");
  }
  EXPECT_EQ(message_of([] { (void)decode("P5\n0 1\n255\n"); }), "image: \"a\": 0 x 1 pixels");
}

TEST(Image, PicturesAreToldFromPaths) {
  for (const char* name : {"rgb.png", "rgb.jpg", "rgb.png.ppm", "gray.png.pgm"}) {
    EXPECT_TRUE(is_image(read_file(kFolder + name))) << name;
  }
  for (const char* text : {"", "a.png", "P6", "P6 engine", "P6\nengine", "P5\n2 0\n255\n", "PNG"})
    EXPECT_FALSE(is_image(text));
}

TEST(Image, EmptyAndForeignFilesAreNamed) {
  EXPECT_EQ(message_of([] { (void)decode(""); }), "image: \"a\": the file is empty");
  EXPECT_EQ(code_of([] { (void)decode(""); }), "corrupt_file");
  EXPECT_EQ(message_of([] { (void)decode("some text"); }),
            "image: \"a\": none of PNG, JPEG, PGM and PPM by its first bytes");
  EXPECT_EQ(message_of([] { (void)decode("\x89PN"); }),
            "image: \"a\": none of PNG, JPEG, PGM and PPM by its first bytes (the file has 3)");
  EXPECT_EQ(code_of([] { (void)read_image("/no/such.png"); }), "not_found");
}

TEST(Image, APictureOfAnotherKindIsNamed) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string> kinds[] = {
      {"RIFF\x24\x00\x00\x00WEBPVP8 "sv, "WEBP"},
      {"\x00\x00\x00\x18"
       "ftypheic"sv,
       "HEIC"},
      {"\x00\x00\x00\x1c"
       "ftypavif"sv,
       "AVIF"},
      {"GIF89a\x01\x00"sv, "GIF"},
      {"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36"sv, "BMP"},
      {"II*\x00\x08"sv, "TIFF"},
      {"MM\x00*\x00"sv, "TIFF"}};
  for (const auto& [bytes, kind] : kinds) {
    EXPECT_EQ(message_of([&, data = std::string(bytes)] { (void)decode(data); }),
              "image: \"a\": " + kind +
                  " by its first bytes, which is not read; convert it to PNG or JPEG");
  }
  for (const std::string_view text : {"RIFF\x24\x00\x00\x00WAVEfmt "sv, "BMW, a car"sv}) {
    EXPECT_EQ(message_of([&] { (void)decode(std::string(text)); }),
              "image: \"a\": none of PNG, JPEG, PGM and PPM by its first bytes");
  }
}

TEST(Image, ACutAnywhereIsAnError) {
  for (const char* name : {"rgb.png", "palette.png", "rgb.jpg", "progressive.jpg", "gray.jpg"}) {
    const std::string whole = read_file(kFolder + name);
    const bool is_png = std::string(name).ends_with("png");
    // A JPEG may lack its last marker only: every pixel is there.
    const size_t last = is_png ? whole.size() : whole.size() - 2;
    for (size_t size = 8; size < last; ++size) {
      const std::string message = message_of([&] { (void)decode(whole.substr(0, size)); });
      EXPECT_TRUE(message.starts_with(is_png ? "image: \"a\": broken PNG: "
                                             : "image: \"a\": broken JPEG: "))
          << name << " cut to " << size << ": " << message;
    }
  }
  EXPECT_EQ(message_of([] { (void)decode(read_file(kFolder + "rgb.png").substr(0, 60)); }),
            "image: \"a\": broken PNG: truncated");
  EXPECT_EQ(message_of([] { (void)decode(read_file(kFolder + "rgb.jpg").substr(0, 640)); }),
            "image: \"a\": broken JPEG: Premature end of JPEG file");
}

TEST(Image, DamageNeverGoesFurtherThanAnError) {
  for (const char* name :
       {"rgb.png", "palette.png", "rgb16.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg"}) {
    const std::string whole = read_file(kFolder + name);
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const char flip : {'\x01', '\x80', '\xff'}) {
        std::string broken = whole;
        broken[at] = static_cast<char>(broken[at] ^ flip);
        try {
          const Image image = decode(broken, {.max_pixels = 1 << 20});
          EXPECT_EQ(static_cast<int64_t>(image.pixels.size()),
                    image.height * image.width * image.channels);
        } catch (const Error& error) {
          EXPECT_NE(error.code(), Code::kInternal) << name << " " << at << ": " << error.what();
        }
      }
    }
  }
}

}  // namespace
}  // namespace ingot::io::image_test
