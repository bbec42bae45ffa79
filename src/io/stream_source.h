// SPDX-License-Identifier: Apache-2.0
// Bytes that come once, from a pipe say, as a source of which the beginning can be read again: what
// was read is kept until seal(), so that a reader may look at the first records and start over;
// from then on the kept part is given once more and dropped, and memory does not grow with the
// input. Called by `ingot predict` for standard input.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "io/byte_source.h"

namespace ingot::io {

class StreamSource final : public ByteSource {
 public:
  /// Fills a front part of `out` and returns its length, 0 at the end; not called again after that.
  using Pull = std::function<int64_t(std::span<std::byte> out)>;

  /// `head`: the bytes that were pulled already.
  StreamSource(std::string head, Pull pull, std::string name)
      : kept_(std::move(head)), pull_(std::move(pull)), name_(std::move(name)) {}

  int64_t read(std::span<std::byte> out) override;
  /// Only before seal().
  void rewind() override;
  [[nodiscard]] const std::string& name() const override { return name_; }

  /// Nothing will be read twice any more.
  void seal();
  /// Bytes in memory.
  [[nodiscard]] int64_t kept() const { return std::ssize(kept_); }

 private:
  void drop_what_is_given();

  std::string kept_;  // the bytes before those that pull_ gives next; empty once they are given
  size_t offset_ = 0;
  Pull pull_;
  std::string name_;
  bool is_sealed_ = false;
  bool has_ended_ = false;
};

}  // namespace ingot::io
