// SPDX-License-Identifier: Apache-2.0
// The catalog: which model types of tokenizer.json open as which Tokenizer. One line per type.
#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "text/bpe.h"
#include "text/tokenizer_json.h"

namespace ingot::text {
namespace {

// Below this a cache costs more to clear than it saves.
constexpr size_t kCacheFromBytes = 16384;
constexpr int64_t kSmallCache = 4096;

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text, Added added) const {
  EncodeScratch scratch(text.size() < kCacheFromBytes ? 0 : kSmallCache);
  std::vector<int32_t> ids;
  encode(text, added, scratch, ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string bytes;
  for (const int32_t id : ids) {
    const std::string_view token = token_bytes(id);
    if (!skip_special || !is_special(id)) bytes.append(token);
  }
  return bytes;
}

bool Tokenizer::is_special(int32_t id) const {
  return std::binary_search(specials_.all.begin(), specials_.all.end(), id);
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path) {
  const std::string file = directory_exists(path) ? join_path(path, "tokenizer.json") : path;
  require(file_exists(file), Code::kNotFound,
          "load tokenizer: {} does not exist; give a tokenizer.json or the folder that holds one",
          file);
  require(file_size(file) <= kMaxTokenizerJsonBytes, Code::kCorruptFile,
          "load tokenizer: {} has {} bytes, at most {} are read", file, file_size(file),
          kMaxTokenizerJsonBytes);
  BpeModel model = parse_tokenizer(read_file(file, kMaxTokenizerJsonBytes), file);
  const std::string config = join_path(parent_path(file), "tokenizer_config.json");
  if (file_exists(config)) {
    require(file_size(config) <= kMaxTokenizerJsonBytes, Code::kCorruptFile,
            "load tokenizer: {} has {} bytes, at most {} are read", config, file_size(config),
            kMaxTokenizerJsonBytes);
    apply_tokenizer_config(read_file(config, kMaxTokenizerJsonBytes), config, model);
  }
  return std::make_unique<ByteBpe>(std::move(model));
}

}  // namespace ingot::text
