// SPDX-License-Identifier: Apache-2.0
#include "io/gzip.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include <zlib.h>

#include "base/error.h"

namespace ingot::io {
namespace {

constexpr size_t kChunk = size_t{1} << 16;
constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip container

class Gunzip final : public ByteSource {
 public:
  explicit Gunzip(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)) {
    const int status = inflateInit2(&stream_, kGzipWindow);
    require(status == Z_OK, Code::kOutOfMemory, "gzip: inflateInit2 returned {}", status);
  }
  ~Gunzip() override { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  int64_t read(std::span<std::byte> out) override {
    if (out.empty()) return 0;
    const size_t room = std::min<size_t>(out.size(), std::numeric_limits<uInt>::max() / 2);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(room);
    while (stream_.avail_out == room && !done_) step();
    return static_cast<int64_t>(room - stream_.avail_out);
  }
  void rewind() override {
    packed_->rewind();
    inflateReset2(&stream_, kGzipWindow);
    stream_.avail_in = 0;
    taken_ = 0;
    state_ = State::kMember;
    done_ = false;
  }
  [[nodiscard]] const std::string& name() const override { return packed_->name(); }

 private:
  enum class State { kMember, kBetween };

  /// Makes sure that there is packed input; false at its end.
  bool fill() {
    if (stream_.avail_in > 0) return true;
    const int64_t got = packed_->read(std::as_writable_bytes(std::span(in_)));
    taken_ += got;
    stream_.next_in = in_.data();
    stream_.avail_in = static_cast<uInt>(got);
    return got > 0;
  }

  void step() {
    if (state_ == State::kBetween) return between_members();
    require(fill(), Code::kCorruptFile,
            "gzip: \"{}\": truncated after {} packed bytes; fetch the file again", name(), taken_);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      state_ = State::kBetween;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail(Code::kCorruptFile,
           "gzip: \"{}\": damaged before packed byte {} ({}); fetch the file again", name(),
           taken_ - stream_.avail_in, stream_.msg != nullptr ? stream_.msg : "bad stream");
    }
  }

  /// Zero bytes pad; anything else must be the next member.
  void between_members() {
    while (fill()) {
      if (*stream_.next_in != 0) {
        inflateReset2(&stream_, kGzipWindow);
        state_ = State::kMember;
        return;
      }
      ++stream_.next_in;
      --stream_.avail_in;
    }
    done_ = true;
  }

  std::unique_ptr<ByteSource> packed_;
  z_stream stream_{};
  std::array<Bytef, kChunk> in_{};
  int64_t taken_ = 0;  // packed bytes read so far
  State state_ = State::kMember;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> gunzip(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<Gunzip>(std::move(packed));
}

}  // namespace ingot::io
