// SPDX-License-Identifier: Apache-2.0
// JPEG through libjpeg. It repairs what it can and only warns; of its warnings those that mean lost
// pixels (a file that ends early, codes that do not exist) are errors here. Files with hundreds of
// scans, which cost time out of all proportion to their size, are refused. A picture comes as it
// was seen, turned by the orientation of its Exif segment.
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include <jpeglib.h>
// after jpeglib.h, which it needs
#include <jerror.h>

#include "base/error.h"
#include "io/exif.h"
#include "io/image_codecs.h"

namespace ingot::io {
namespace {

constexpr int kMaxScans = 200;  // a progressive file has about ten

/// All that a phase touches; plain data, so that a longjmp past it loses nothing.
struct JpegJob {
  jpeg_decompress_struct codec{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf exit{};
  char reason[JMSG_LENGTH_MAX] = "";
  bool started = false;
};

[[noreturn]] void leave(j_common_ptr codec) {
  auto* job = static_cast<JpegJob*>(codec->client_data);
  codec->err->format_message(codec, job->reason);
  std::longjmp(job->exit, 1);
}

extern "C" {
static void ingot_jpeg_error(j_common_ptr codec) { leave(codec); }
static void ingot_jpeg_message(j_common_ptr codec, int level) {
  if (level >= 0) return;  // traces
  const int code = codec->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE) leave(codec);
}
static void ingot_jpeg_progress(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMaxScans) return;
  auto* job = static_cast<JpegJob*>(codec->client_data);
  std::snprintf(job->reason, sizeof(job->reason), "more than %d scans", kMaxScans);
  std::longjmp(job->exit, 1);
}
}

/// Reads the head; false leaves the reason in the job.
bool read_head(JpegJob* job, const unsigned char* bytes, size_t size) {
  if (setjmp(job->exit) != 0) return false;
  jpeg_create_decompress(&job->codec);
  job->started = true;
  job->codec.client_data = job;
  job->codec.progress = &job->progress;
  jpeg_mem_src(&job->codec, bytes, size);
  jpeg_read_header(&job->codec, TRUE);
  return true;
}

bool start(JpegJob* job, J_COLOR_SPACE space) {
  if (setjmp(job->exit) != 0) return false;
  job->codec.out_color_space = space;
  jpeg_start_decompress(&job->codec);
  return true;
}

/// One row; `row` holds output_width * output_components bytes.
bool read_row(JpegJob* job, unsigned char* row) {
  if (setjmp(job->exit) != 0) return false;
  JSAMPROW rows[] = {row};
  jpeg_read_scanlines(&job->codec, rows, 1);
  return true;
}

bool finish(JpegJob* job) {
  if (setjmp(job->exit) != 0) return false;
  jpeg_finish_decompress(&job->codec);
  return true;
}

class JpegReader {
 public:
  explicit JpegReader(JpegJob* job) : job_(job) {
    job->codec.err = jpeg_std_error(&job->errors);
    job->codec.client_data = job;
    job->errors.error_exit = ingot_jpeg_error;
    job->errors.emit_message = ingot_jpeg_message;
    job->progress.progress_monitor = ingot_jpeg_progress;
  }
  ~JpegReader() {
    if (job_->started) jpeg_destroy_decompress(&job_->codec);
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

 private:
  JpegJob* job_;
};

/// a * b / 255, rounded, for bytes.
uint32_t scaled(uint32_t a, uint32_t b) {
  const uint32_t product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

/// Inks to light. Adobe's files hold 255 for no ink.
void cmyk_to_rgb(const std::vector<uint8_t>& cmyk, bool inverted, uint8_t* rgb) {
  for (size_t i = 0; i < cmyk.size() / 4; ++i) {
    std::array<uint32_t, 4> light{};
    for (size_t ink = 0; ink < 4; ++ink) {
      light[ink] = inverted ? cmyk[4 * i + ink] : 255U - cmyk[4 * i + ink];
    }
    for (size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<uint8_t>(scaled(light[c], light[3]));
  }
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, std::string_view name,
                  const DecodeOptions& options, ImageInfo* info) {
  JpegJob job;
  const JpegReader reader(&job);
  const auto check = [&](bool done) {
    require(done, Code::kCorruptFile, "image: \"{}\": broken JPEG: {}", name,
            static_cast<const char*>(job.reason));
  };
  check(read_head(&job, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  const jpeg_decompress_struct& codec = job.codec;
  check_pixels(codec.image_height, codec.image_width, name, options);
  const bool is_gray = codec.jpeg_color_space == JCS_GRAYSCALE;
  const bool is_cmyk = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
  const int orientation = exif_orientation(bytes);
  Image image;
  if (info != nullptr) {
    *info = {codec.image_height, codec.image_width, is_gray ? 1 : 3};
    if (is_sideways(orientation)) std::swap(info->height, info->width);
    return image;
  }
  check(start(&job, is_gray ? JCS_GRAYSCALE : is_cmyk ? JCS_CMYK : JCS_RGB));
  image.height = codec.image_height;
  image.width = codec.image_width;
  image.channels = is_gray ? 1 : 3;
  const auto row_bytes = static_cast<size_t>(image.width * image.channels);
  image.pixels.resize(row_bytes * codec.image_height);
  std::vector<uint8_t> inks(is_cmyk ? static_cast<size_t>(image.width) * 4 : 0);
  for (size_t y = 0; y < codec.image_height; ++y) {
    uint8_t* row = image.pixels.data() + y * row_bytes;
    check(read_row(&job, is_cmyk ? inks.data() : row));
    if (is_cmyk) cmyk_to_rgb(inks, codec.saw_Adobe_marker != 0, row);
  }
  check(finish(&job));
  return upright(std::move(image), orientation);
}

}  // namespace ingot::io
