// SPDX-License-Identifier: Apache-2.0
// Text to ids and back, behind one small interface, and the catalog that opens a tokenizer from a
// Hugging Face folder. Implementations are immutable after construction, so any number of threads
// may share one; what changes while encoding lives in an EncodeScratch that the caller owns.
// Not here: chat templates, truncation, padding. Called by data/, models/generate and serve/.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "text/encode_scratch.h"

namespace ingot::text {

/// Most tokens of a vocabulary that is learnt here, and of a model's.
inline constexpr int64_t kMaxVocab = int64_t{1} << 24;

/// What to do where the text spells an added token such as "<|endoftext|>".
enum class Added : uint8_t {
  kMatch,  ///< emit its id, as the `tokenizers` package does
  kPlain,  ///< treat it as ordinary text: for prompts of strangers and for training corpora
};

/// Ids with a role; absent where the tokenizer names none.
struct SpecialIds {
  std::optional<int32_t> eos, bos, pad;
  std::vector<int32_t> all;  ///< every special id, ascending
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Appends the ids of `text` to `out`. Any bytes are accepted; decode() gives the same bytes
  /// back. Cost linear in the text. One scratch per thread; keep it for the next call, it holds a
  /// cache.
  virtual void encode(std::string_view text, Added added, EncodeScratch& scratch,
                      std::vector<int32_t>& out) const = 0;
  [[nodiscard]] virtual int64_t vocab_size() const = 0;
  /// The bytes an id stands for; they may be part of a code point. Throws kInvalidArgument.
  [[nodiscard]] virtual std::string_view token_bytes(int32_t id) const = 0;
  /// The id of a token with exactly these bytes; absent where there is none.
  [[nodiscard]] virtual std::optional<int32_t> token_id(std::string_view bytes) const = 0;
  /// Writes tokenizer.json and tokenizer_config.json into an existing `directory`, each whole or
  /// not at all.
  virtual void save(FileSystem& files, const std::string& directory) const = 0;

  /// encode() with a scratch of its own, for single short texts.
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text,
                                            Added added = Added::kMatch) const;
  /// The bytes of all ids in a row, possibly invalid UTF-8 (see replace_invalid_utf8,
  /// StreamDecoder). Throws kInvalidArgument for an id outside the vocabulary.
  [[nodiscard]] std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;

  [[nodiscard]] const SpecialIds& specials() const { return specials_; }
  [[nodiscard]] bool is_special(int32_t id) const;
  [[nodiscard]] std::optional<int32_t> eos_id() const { return specials_.eos; }
  [[nodiscard]] std::optional<int32_t> bos_id() const { return specials_.bos; }

 protected:
  Tokenizer() = default;
  SpecialIds specials_;
};

/// Opens a tokenizer.json, or the folder that holds one; tokenizer_config.json beside it names the
/// end-of-text and begin-of-text tokens ("<|endoftext|>" is taken where it is missing).
/// Throws kNotFound, kIo, kCorruptFile (path, key, cause), kUnsupported (names the feature).
[[nodiscard]] std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path);

}  // namespace ingot::text
