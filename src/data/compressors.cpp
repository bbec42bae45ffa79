// SPDX-License-Identifier: Apache-2.0
// zlib and liblzma, fed from memory and counted, not stored. xz's preset 9 asks for a 64 MiB
// dictionary and ten times that in memory; a dictionary larger than the input gains nothing, so it
// is cut to the input's size (the result is the same).
#include "data/compressors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <memory>
#include <vector>

#include <lzma.h>
#include <zlib.h>

#include "base/error.h"

namespace ingot::data {
namespace {

constexpr size_t kChunk = size_t{1} << 16;

class GzipCounter {
 public:
  GzipCounter() {
    constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip container
    const int status =
        deflateInit2(&stream_, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
    require(status == Z_OK, Code::kOutOfMemory, "gzip: deflateInit2 returned {}", status);
  }
  ~GzipCounter() { deflateEnd(&stream_); }
  GzipCounter(const GzipCounter&) = delete;
  GzipCounter& operator=(const GzipCounter&) = delete;

  void add(std::string_view text) {
    constexpr size_t kMaxInput = size_t{1} << 30;  // avail_in is 32 bits wide
    for (size_t at = 0; at < text.size(); at += kMaxInput) {
      pump(text.substr(at, kMaxInput), Z_NO_FLUSH);
    }
  }
  int64_t finish() {
    pump({}, Z_FINISH);
    return size_;
  }

 private:
  void pump(std::string_view text, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int status = deflate(&stream_, flush);
      INGOT_ASSERT(status != Z_STREAM_ERROR);
      size_ += static_cast<int64_t>(out_.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::array<Bytef, kChunk> out_;
  int64_t size_ = 0;
};

class XzCounter {
 public:
  explicit XzCounter(int64_t total) {
    lzma_options_lzma options;
    INGOT_ASSERT(!lzma_lzma_preset(&options, 9));
    const uint64_t needed = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(total, 4096)));
    options.dict_size = static_cast<uint32_t>(std::min<uint64_t>(options.dict_size, needed));
    const std::array<lzma_filter, 2> filters{
        {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
    const lzma_ret status = lzma_stream_encoder(&stream_, filters.data(), LZMA_CHECK_CRC64);
    require(status == LZMA_OK, Code::kOutOfMemory, "xz: the encoder returned {}",
            static_cast<int>(status));
  }
  ~XzCounter() { lzma_end(&stream_); }
  XzCounter(const XzCounter&) = delete;
  XzCounter& operator=(const XzCounter&) = delete;

  void add(std::string_view text) { pump(text, LZMA_RUN); }
  int64_t finish() {
    pump({}, LZMA_FINISH);
    return size_;
  }

 private:
  void pump(std::string_view text, lzma_action action) {
    stream_.next_in = reinterpret_cast<const uint8_t*>(text.data());
    stream_.avail_in = text.size();
    lzma_ret status = LZMA_OK;
    do {
      stream_.next_out = out_.data();
      stream_.avail_out = out_.size();
      status = lzma_code(&stream_, action);
      require(status == LZMA_OK || status == LZMA_STREAM_END, Code::kInternal,
              "xz: lzma_code returned {}", static_cast<int>(status));
      size_ += static_cast<int64_t>(out_.size() - stream_.avail_out);
    } while (action == LZMA_FINISH ? status != LZMA_STREAM_END : stream_.avail_in > 0);
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::array<uint8_t, kChunk> out_;
  int64_t size_ = 0;
};

}  // namespace

int64_t gzip_size(std::string_view text) {
  const auto counter = std::make_unique<GzipCounter>();
  counter->add(text);
  return counter->finish();
}

int64_t xz_size(std::string_view text) {
  const auto counter = std::make_unique<XzCounter>(static_cast<int64_t>(text.size()));
  counter->add(text);
  return counter->finish();
}

CompressorBaselines compressor_baselines(std::span<const Document> documents,
                                         const StopFlag* stop) {
  CompressorBaselines result;
  result.documents = static_cast<int64_t>(documents.size());
  std::vector<const Document*> sorted;
  for (const Document& document : documents) {
    result.text_bytes += static_cast<int64_t>(document.text.size());
    sorted.push_back(&document);
  }
  if (result.text_bytes == 0) return result;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Document* a, const Document* b) { return a->path < b->path; });
  const auto gzip = std::make_unique<GzipCounter>();
  const auto xz = std::make_unique<XzCounter>(result.text_bytes);
  int64_t alone = 0;
  for (const Document* document : sorted) {
    throw_if_stopped(stop);
    alone += gzip_size(document->text);
    gzip->add(document->text);
    xz->add(document->text);
  }
  const auto rate = [&](int64_t size) {
    return 8.0 * static_cast<double>(size) / static_cast<double>(result.text_bytes);
  };
  result.gzip_per_file = rate(alone);
  result.gzip_joined = rate(gzip->finish());
  result.xz_joined = rate(xz->finish());
  return result;
}

}  // namespace ingot::data
