// SPDX-License-Identifier: Apache-2.0
// Blocks of documents: read serially, encoded one document per tile, written serially in order.
#include "data/tokenize.h"

#include <exception>
#include <vector>

#include "base/error.h"
#include "data/corpus_file.h"

namespace ingot::data {
namespace {

constexpr int64_t kBlockBytes = int64_t{8} << 20;
constexpr int64_t kMaxBlockDocuments = 4096;

struct TokenBlock {
  std::vector<Document> documents;
  std::vector<std::vector<int32_t>> ids;
  int64_t bytes = 0;
};

bool read_block(CorpusReader& reader, TokenBlock& block) {
  block.documents.clear();
  block.bytes = 0;
  Document document;
  while (block.bytes < kBlockBytes && std::ssize(block.documents) < kMaxBlockDocuments &&
         reader.next(document)) {
    block.bytes += std::ssize(document.text);
    block.documents.push_back(std::move(document));
  }
  return !block.documents.empty();
}

/// Workers take documents from a shared counter: their sizes differ by orders of magnitude. The
/// result does not depend on who encodes what.
void encode_block(TokenBlock& block, const text::Tokenizer& tokenizer,
                  std::vector<text::EncodeScratch>& scratches, Team& team) {
  constexpr int64_t kSerialBytes = 1024;
  block.ids.resize(block.documents.size());
  std::vector<std::exception_ptr> failures(scratches.size());
  std::atomic<size_t> next{0};
  const auto work = [&](int worker) {
    const auto w = static_cast<size_t>(worker);
    try {
      for (size_t i = next++; i < block.documents.size(); i = next++) {
        block.ids[i].clear();
        tokenizer.encode(block.documents[i].text, text::Added::kPlain, scratches[w], block.ids[i]);
      }
    } catch (...) {
      failures[w] = std::current_exception();
    }
  };
  if (block.bytes < kSerialBytes) {
    work(0);
  } else {
    team.run(work);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

ShardInfo tokenize_corpus(FileSystem& files, const std::string& corpus_file,
                          const text::Tokenizer& tokenizer, const std::string& tokenizer_sha256,
                          const std::string& shard_file, Team& team, const StopFlag* stop) {
  require(
      tokenizer.eos_id().has_value(), Code::kInvalidArgument,
      "tokenize: the tokenizer names no eos token; documents of {} could not be told apart. Set "
      "eos_token in tokenizer_config.json",
      corpus_file);
  const int32_t eos = *tokenizer.eos_id();
  CorpusReader reader(corpus_file);
  std::vector<text::EncodeScratch> scratches;
  for (int i = 0; i < team.size(); ++i) scratches.emplace_back();
  ShardInfo info;
  write_atomically(files, shard_file, [&](WritableFile& file) {
    ShardWriter writer(file, tokenizer.vocab_size(), eos, tokenizer_sha256);
    for (TokenBlock block; read_block(reader, block);) {
      throw_if_stopped(stop);
      encode_block(block, tokenizer, scratches, team);
      for (size_t i = 0; i < block.documents.size(); ++i) {
        writer.add_document(block.ids[i], std::ssize(block.documents[i].text));
      }
    }
    info = writer.finish();
  });
  return info;
}

}  // namespace ingot::data
