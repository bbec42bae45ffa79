// SPDX-License-Identifier: Apache-2.0
#include "io/xz.h"

#include <array>
#include <string>
#include <utility>

#include <lzma.h>

#include "base/error.h"

namespace ingot::io {
namespace {

constexpr size_t kXzChunk = size_t{1} << 16;
constexpr uint64_t kMaxMemory = uint64_t{512} << 20;

class Unxz final : public ByteSource {
 public:
  explicit Unxz(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)) { start(); }
  ~Unxz() override { lzma_end(&stream_); }
  Unxz(const Unxz&) = delete;
  Unxz& operator=(const Unxz&) = delete;

  int64_t read(std::span<std::byte> out) override {
    if (out.empty()) return 0;
    stream_.next_out = reinterpret_cast<uint8_t*>(out.data());
    stream_.avail_out = out.size();
    while (stream_.avail_out == out.size() && !done_) step();
    return static_cast<int64_t>(out.size() - stream_.avail_out);
  }
  void rewind() override {
    packed_->rewind();
    start();
    stream_.avail_in = 0;
    taken_ = 0;
    ended_ = false;
    done_ = false;
  }
  [[nodiscard]] const std::string& name() const override { return packed_->name(); }

 private:
  void start() {
    const lzma_ret status = lzma_stream_decoder(&stream_, kMaxMemory, LZMA_CONCATENATED);
    require(status == LZMA_OK, Code::kOutOfMemory, "xz: the decoder returned {}",
            static_cast<int>(status));
  }

  void step() {
    if (stream_.avail_in == 0 && !ended_) {
      const int64_t got = packed_->read(std::as_writable_bytes(std::span(in_)));
      taken_ += got;
      stream_.next_in = in_.data();
      stream_.avail_in = static_cast<size_t>(got);
      ended_ = got == 0;
    }
    const lzma_ret status = lzma_code(&stream_, ended_ ? LZMA_FINISH : LZMA_RUN);
    if (status == LZMA_STREAM_END) {
      done_ = true;
    } else if (status != LZMA_OK) {
      refuse(status);
    }
  }

  [[noreturn]] void refuse(lzma_ret status) const {
    require(status != LZMA_MEMLIMIT_ERROR, Code::kOutOfMemory,
            "xz: \"{}\": needs {} bytes to be unpacked, {} are allowed; pack it with xz -6", name(),
            lzma_memusage(&stream_), kMaxMemory);
    require(status != LZMA_BUF_ERROR, Code::kCorruptFile,
            "xz: \"{}\": truncated after {} packed bytes; fetch the file again", name(), taken_);
    fail(Code::kCorruptFile, "xz: \"{}\": damaged before packed byte {}; fetch the file again",
         name(), taken_ - static_cast<int64_t>(stream_.avail_in));
  }

  std::unique_ptr<ByteSource> packed_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::array<uint8_t, kXzChunk> in_{};
  int64_t taken_ = 0;   // packed bytes read so far
  bool ended_ = false;  // the packed bytes are all read
  bool done_ = false;   // so are the unpacked ones
};

}  // namespace

std::unique_ptr<ByteSource> unxz(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<Unxz>(std::move(packed));
}

}  // namespace ingot::io
