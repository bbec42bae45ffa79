// SPDX-License-Identifier: Apache-2.0
#include "io/image.h"

#include <utility>

#include <png.h>

#include "base/error.h"
#include "base/files.h"
#include "io/image_codecs.h"

namespace ingot::io {
namespace {

constexpr int64_t kMaxFile = int64_t{1} << 30;

using Decoder = Image (*)(std::span<const std::byte>, std::string_view, const DecodeOptions&,
                          ImageInfo*);
struct Codec {
  std::string_view magic;
  Decoder decode;
};
constexpr Codec kCodecs[] = {{"\x89PNG\r\n\x1a\n", &decode_png},
                             {"\xFF\xD8\xFF", &decode_jpeg},
                             {"P5\n", &decode_pnm},
                             {"P6\n", &decode_pnm}};

const Codec* codec_of(std::string_view bytes) {
  for (const Codec& codec : kCodecs) {
    if (bytes.starts_with(codec.magic)) return &codec;
  }
  return nullptr;
}

/// Of a kind of picture that is not read, "" for anything else. WebP: RIFF, a size, WEBP; HEIF and
/// AVIF: a size, ftyp and a brand.
std::string_view foreign_kind(std::string_view bytes) {
  constexpr std::pair<std::string_view, std::string_view> kMagics[] = {
      {"GIF87a", "GIF"},
      {"GIF89a", "GIF"},
      {std::string_view("II*\0", 4), "TIFF"},
      {std::string_view("MM\0*", 4), "TIFF"}};
  for (const auto& [magic, kind] : kMagics) {
    if (bytes.starts_with(magic)) return kind;
  }
  const auto at = [&](size_t from) {
    return bytes.size() >= from + 4 ? bytes.substr(from, 4) : std::string_view();
  };
  // Two letters are few: a BMP has four bytes of 0 behind its size.
  if (bytes.starts_with("BM") && at(6) == std::string_view("\0\0\0\0", 4)) return "BMP";
  if (at(0) == "RIFF" && at(8) == "WEBP") return "WEBP";
  if (at(4) != "ftyp") return {};
  if (at(8) == "avif" || at(8) == "avis") return "AVIF";
  constexpr std::string_view kHeif[] = {"heic", "heix", "hevc", "hevx",
                                        "heim", "heis", "mif1", "msf1"};
  for (const std::string_view brand : kHeif) {
    if (at(8) == brand) return "HEIC";
  }
  return {};
}

Image decode(std::span<const std::byte> bytes, std::string_view name, const DecodeOptions& options,
             ImageInfo* info) {
  require(options.channels == 0 || options.channels == 1 || options.channels == 3,
          Code::kInvalidArgument, "image: channels must be 0 (as stored), 1 or 3, got {}",
          options.channels);
  require(!bytes.empty(), Code::kCorruptFile, "image: \"{}\": the file is empty", name);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const Codec* codec = codec_of(text);
  const std::string_view foreign = codec == nullptr ? foreign_kind(text) : std::string_view();
  require(foreign.empty(), Code::kCorruptFile,
          "image: \"{}\": {} by its first bytes, which is not read; convert it to PNG or JPEG",
          name, foreign);
  require(codec != nullptr, Code::kCorruptFile,
          "image: \"{}\": none of PNG, JPEG, PGM and PPM by its first bytes{}", name,
          bytes.size() < 8 ? fmt::format(" (the file has {})", bytes.size()) : "");
  return codec->decode(bytes, name, options, info);
}

void to_gray(Image& image) {
  const size_t count = image.pixels.size() / 3;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* rgb = image.pixels.data() + 3 * i;
    image.pixels[i] = static_cast<uint8_t>((luma_of(rgb) + (1U << 15)) >> 16);
  }
  image.pixels.resize(count);
  image.channels = 1;
}

void to_rgb(Image& image) {
  std::vector<uint8_t> rgb(image.pixels.size() * 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = image.pixels[i];
  }
  image.pixels = std::move(rgb);
  image.channels = 3;
}

}  // namespace

bool is_image(std::string_view bytes) {
  const Codec* codec = codec_of(bytes);
  return codec != nullptr && (codec->decode != &decode_pnm || has_pnm_head(bytes));
}

void check_pixels(int64_t height, int64_t width, std::string_view name,
                  const DecodeOptions& options) {
  require(height > 0 && width > 0, Code::kCorruptFile, "image: \"{}\": {} x {} pixels", name, width,
          height);
  require(width <= options.max_pixels / height, Code::kInvalidArgument,
          "image: \"{}\": {} x {} pixels are more than the {} allowed", name, width, height,
          options.max_pixels);
}

Image decode_image(std::span<const std::byte> bytes, std::string_view name,
                   const DecodeOptions& options) {
  Image image = decode(bytes, name, options, nullptr);
  if (options.channels == 1 && image.channels == 3) to_gray(image);
  if (options.channels == 3 && image.channels == 1) to_rgb(image);
  return image;
}

ImageInfo probe_image(std::span<const std::byte> bytes, std::string_view name,
                      const DecodeOptions& options) {
  ImageInfo info;
  (void)decode(bytes, name, options, &info);
  if (options.channels != 0) info.channels = options.channels;
  return info;
}

Image read_image(const std::string& path, const DecodeOptions& options) {
  const std::string bytes = read_regular_file(path, kMaxFile);
  return decode_image(std::as_bytes(std::span(bytes)), path, options);
}

std::string encode_png(const Image& image) {
  require(image.channels == 1 || image.channels == 3, Code::kInvalidArgument,
          "image: a picture has 1 or 3 channels, this one {}", image.channels);
  const DecodeOptions limits;
  check_pixels(image.height, image.width, "to be encoded", limits);
  require(static_cast<int64_t>(image.pixels.size()) == image.height * image.width * image.channels,
          Code::kInvalidArgument, "image: {} x {} x {} pixels need {} bytes, there are {}",
          image.height, image.width, image.channels, image.height * image.width * image.channels,
          image.pixels.size());
  png_image head{};
  head.version = PNG_IMAGE_VERSION;
  head.width = static_cast<png_uint_32>(image.width);
  head.height = static_cast<png_uint_32>(image.height);
  head.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(head), '\0');
  png_alloc_size_t size = bytes.size();
  const int done =
      png_image_write_to_memory(&head, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr);
  require(done != 0, Code::kInternal, "image: libpng cannot write: {}", head.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace ingot::io
