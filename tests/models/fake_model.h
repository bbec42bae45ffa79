// SPDX-License-Identifier: Apache-2.0
// A language model without weights. Its logits are a hash of the whole history of their sequence,
// read back token by token from a fake paged cache, so any mistake with pages, positions, order or
// recomputation changes the text. The tokenizer has the 256 bytes, an end and some longer tokens.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "models/decoder.h"
#include "text/tokenizer.h"

namespace ingot::testing {

inline constexpr int32_t kEos = 256;
inline constexpr int32_t kHello = 257;     // "hello"
inline constexpr int32_t kEuroHead = 258;  // first two bytes of U+20AC
inline constexpr int32_t kEuroTail = 259;  // its last byte

class FakeTokenizer final : public text::Tokenizer {
 public:
  FakeTokenizer() {
    for (int byte = 0; byte < 256; ++byte) tokens_.emplace_back(1, static_cast<char>(byte));
    for (const char* token : {"<|endoftext|>", "hello", "\xE2\x82", "\xAC"})
      tokens_.push_back(token);
    specials_.eos = kEos;
    specials_.all = {kEos};
  }
  using text::Tokenizer::encode;
  void encode(std::string_view text, text::Added, text::EncodeScratch&,
              std::vector<int32_t>& out) const override {
    require(text != "explode", Code::kInternal, "fake tokenizer: exploded");
    for (const char byte : text) out.push_back(static_cast<unsigned char>(byte));
  }
  [[nodiscard]] int64_t vocab_size() const override { return static_cast<int64_t>(tokens_.size()); }
  [[nodiscard]] std::string_view token_bytes(int32_t id) const override {
    require(id >= 0 && id < vocab_size(), Code::kInvalidArgument, "decode: id {}", id);
    return tokens_[static_cast<size_t>(id)];
  }
  [[nodiscard]] std::optional<int32_t> token_id(std::string_view) const override { return {}; }
  void save(FileSystem&, const std::string&) const override {}

 private:
  std::vector<std::string> tokens_;
};

class FakeDecoder final : public models::Decoder {
 public:
  struct Options {
    int64_t context = 256;
    int64_t page_tokens = 4;
    int64_t pages = 1024;
    int64_t max_sequences = 64;
    int64_t max_rows = 128;
    int64_t vocab = 264;  // padded beyond the tokenizer's 260
  };
  FakeDecoder() : FakeDecoder(Options()) {}
  explicit FakeDecoder(const Options& options)
      : options_(options), cache_(static_cast<size_t>(options.pages * options.page_tokens), -1) {}

  [[nodiscard]] models::DecoderSpec spec() const override {
    models::DecoderSpec spec;
    spec.vocab = options_.vocab;
    spec.context = options_.context;
    spec.page_tokens = options_.page_tokens;
    spec.pages = options_.pages;
    spec.max_sequences = options_.max_sequences;
    spec.max_rows = options_.max_rows;
    spec.page_bytes = options_.page_tokens * 4;
    return spec;
  }

  void forward(std::span<const models::DecodeRow> rows, std::span<const int32_t> page_table,
               std::span<float> logits) override {
    if (before_step) before_step();
    ++steps;
    require(static_cast<int64_t>(rows.size()) <= options_.max_rows, Code::kInternal, "fake: rows");
    for (const models::DecodeRow& row : rows) slot(row, row.position, page_table) = row.token;
    size_t at = 0;
    for (const models::DecodeRow& row : rows) {
      if (!row.wants_logits) continue;
      write_logits(row, page_table, logits.subspan(at, static_cast<size_t>(options_.vocab)));
      at += static_cast<size_t>(options_.vocab);
    }
    require(at == logits.size(), Code::kInternal, "fake: logits");
  }

  /// Runs at the start of every step, on the caller's thread: to hold it or to throw.
  std::function<void()> before_step;
  /// Where not empty: the token after position p is script[p + 1], the last one for ever.
  std::vector<int32_t> script;
  /// Added to the end's logit.
  float end_bias = -100.0F;
  std::atomic<int64_t> steps{0};

 private:
  int32_t& slot(const models::DecodeRow& row, int32_t position, std::span<const int32_t> table) {
    const int64_t row_pages = (options_.context + options_.page_tokens - 1) / options_.page_tokens;
    require(position < options_.context && row.sequence < options_.max_sequences, Code::kInternal,
            "fake: position {} of sequence {}", position, row.sequence);
    const int64_t entry = row.sequence * row_pages + position / options_.page_tokens;
    const int32_t page = table[static_cast<size_t>(entry)];
    require(page >= 0 && page < options_.pages, Code::kInternal, "fake: page {}", page);
    return cache_[static_cast<size_t>(page * options_.page_tokens +
                                      position % options_.page_tokens)];
  }

  void write_logits(const models::DecodeRow& row, std::span<const int32_t> table,
                    std::span<float> out) {
    uint64_t history = 0x9E3779B97F4A7C15ULL;
    for (int32_t p = 0; p <= row.position; ++p) {
      history = mix64(history + static_cast<uint64_t>(slot(row, p, table)) + 1);
    }
    for (size_t id = 0; id < out.size(); ++id) {
      // Printable characters are likely, so that texts are readable; ids of the padding the most,
      // which must never be drawn.
      const float noise = static_cast<float>(mix64(history + id) >> 40) * 0x1.0p-22F;  // [0, 4)
      const bool printable = id >= 32 && id < 127;
      out[id] = noise + (id >= 260 ? 50.0F : printable ? 6.0F : 0.0F);
    }
    out[kEos] += end_bias;
    if (script.empty()) return;
    const size_t next = std::min(static_cast<size_t>(row.position) + 1, script.size() - 1);
    for (float& x : out) x = -30.0F;
    out[static_cast<size_t>(script[next])] = 30.0F;
  }

  Options options_;
  std::vector<int32_t> cache_;  // [pages, page_tokens] tokens
};

/// A script that answers a prompt of `prompt` tokens with these ids, then the end.
inline std::vector<int32_t> script_after(size_t prompt, std::vector<int32_t> ids) {
  std::vector<int32_t> script(prompt, 0);
  script.insert(script.end(), ids.begin(), ids.end());
  script.push_back(kEos);
  return script;
}

/// The message of the Error that `body` throws; "" when it throws none.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace ingot::testing
