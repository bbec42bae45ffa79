// SPDX-License-Identifier: Apache-2.0
// PNG through libpng's row reader, with its conversions: palette to RGB, 1, 2 and 4 bits to 8, 16
// bits to 8 by rounding, alpha dropped. Chunks beyond the pixels are skipped, not kept.
#include <csetjmp>
#include <cstring>
#include <vector>

#include <png.h>

#include "base/error.h"
#include "io/image_codecs.h"

namespace ingot::io {
namespace {

constexpr png_alloc_size_t kMaxChunk = png_alloc_size_t{8} << 20;

/// All that a phase touches; plain data, so that a longjmp past it loses nothing.
struct PngJob {
  const std::byte* next = nullptr;
  size_t left = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_uint_32 width = 0, height = 0;
  int color_type = 0;
  size_t row_bytes = 0;
  char reason[128] = "";
};

extern "C" {
static void ingot_png_error(png_structp png, png_const_charp text) {
  auto* job = static_cast<PngJob*>(png_get_error_ptr(png));
  std::strncpy(job->reason, text, sizeof(job->reason) - 1);
  png_longjmp(png, 1);
}
static void ingot_png_warning(png_structp, png_const_charp) {}
static void ingot_png_read(png_structp png, png_bytep out, size_t size) {
  auto* job = static_cast<PngJob*>(png_get_io_ptr(png));
  if (size > job->left) png_error(png, "truncated");
  std::memcpy(out, job->next, size);
  job->next += size;
  job->left -= size;
}
}

/// Reads the head and asks for the conversions; false leaves the reason in the job.
bool read_head(PngJob* job) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return false;
  png_set_read_fn(job->png, job, ingot_png_read);
  png_set_chunk_malloc_max(job->png, kMaxChunk);
  constexpr int kAllThatPixelsDoNotNeed = -1;  // texts too, which may unpack to gigabytes
  png_set_keep_unknown_chunks(job->png, PNG_HANDLE_CHUNK_NEVER, nullptr, kAllThatPixelsDoNotNeed);
  png_read_info(job->png, job->info);
  job->width = png_get_image_width(job->png, job->info);
  job->height = png_get_image_height(job->png, job->info);
  job->color_type = png_get_color_type(job->png, job->info);
  return true;
}

/// Rows of 1 or 3 bytes per pixel from here on; fills row_bytes.
bool start_rows(PngJob* job) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return false;
  if (job->color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(job->png);
  if (job->color_type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(job->png);
  png_set_scale_16(job->png);
  png_set_strip_alpha(job->png);
  png_set_interlace_handling(job->png);
  png_read_update_info(job->png, job->info);
  job->row_bytes = png_get_rowbytes(job->png, job->info);
  return true;
}

/// Reads all rows and the end of the file.
bool read_rows(PngJob* job, png_bytepp rows) {
  if (setjmp(png_jmpbuf(job->png)) != 0) return false;
  png_read_image(job->png, rows);
  png_read_end(job->png, nullptr);
  return true;
}

class PngReader {
 public:
  explicit PngReader(PngJob* job) : job_(job) {
    job->png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, job, ingot_png_error, ingot_png_warning);
    if (job->png != nullptr) job->info = png_create_info_struct(job->png);
    if (job->info != nullptr) return;
    png_destroy_read_struct(&job->png, nullptr, nullptr);
    fail(Code::kOutOfMemory, "image: libpng could not start");
  }
  ~PngReader() { png_destroy_read_struct(&job_->png, &job_->info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

 private:
  PngJob* job_;
};

}  // namespace

Image decode_png(std::span<const std::byte> bytes, std::string_view name,
                 const DecodeOptions& options, ImageInfo* info) {
  PngJob job;
  job.next = bytes.data();
  job.left = bytes.size();
  const PngReader reader(&job);
  const auto check = [&](bool done) {
    require(done, Code::kCorruptFile, "image: \"{}\": broken PNG: {}", name,
            static_cast<const char*>(job.reason));
  };
  check(read_head(&job));
  check_pixels(job.height, job.width, name, options);
  Image image;
  const bool is_gray = (job.color_type & PNG_COLOR_MASK_COLOR) == 0;
  if (info != nullptr) {
    *info = {job.height, job.width, is_gray ? 1 : 3};
    return image;
  }
  check(start_rows(&job));
  image.height = job.height;
  image.width = job.width;
  image.channels = is_gray ? 1 : 3;
  const auto row_bytes = static_cast<size_t>(image.width * image.channels);
  INGOT_ASSERT(job.row_bytes == row_bytes);
  image.pixels.resize(row_bytes * job.height);
  std::vector<png_bytep> rows(job.height);
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = image.pixels.data() + y * row_bytes;
  check(read_rows(&job, rows.data()));
  return image;
}

}  // namespace ingot::io
