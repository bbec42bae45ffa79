// SPDX-License-Identifier: Apache-2.0
// What is said before a model is loaded against what loading, generating and evaluating then take:
// an engine with that cap does the work, and a good part of the cap is used. Quantising and the
// verbs: tests/flows/memory.test.
#include "cost/inference.h"

#include <numeric>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "cost/memory.h"
#include "models/hugging_face.h"
#include "models/paged_decoder.h"
#include "nn/parameter_store.h"
#include "train/tiny_run.h"

namespace ingot::cost::inference_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;
using testing::TinyData;

/// Blocks are rounded up, loading needs copies, and the process grows between two looks at it.
constexpr double kLeastUse = 0.4;

models::TransformerConfig config_of(models::ModelLayout layout, bool is_tied) {
  models::TransformerConfig c;
  c.layout = layout;
  c.tie_embeddings = is_tied;
  c.vocab = 2000;
  c.context = 512;
  c.layers = 3;
  c.heads = c.kv_heads = 4;
  c.dim = 256;
  c.hidden = 1024;
  return c;
}

void save(Team& team, const models::TransformerConfig& config, const std::string& folder) {
  Engine engine(team);
  models::Transformer model(engine, config);
  const nn::ParameterStore store(engine, model);
  models::save_model(*real_files(), model, folder, 0);
}

void decode(Engine& engine, models::Transformer& model, const DecodeSizes& sizes) {
  models::PagedDecoder decoder(engine, model, {sizes.pages, 1, sizes.rows});
  std::vector<models::DecodeRow> rows(static_cast<size_t>(sizes.rows));
  for (size_t i = 0; i < rows.size(); ++i) rows[i].position = static_cast<int32_t>(i);
  rows.back().wants_logits = true;
  std::vector<int32_t> table(static_cast<size_t>(sizes.pages));
  std::iota(table.begin(), table.end(), 0);
  std::vector<float> logits(static_cast<size_t>(model.config().vocab));
  decoder.forward(rows, table, logits);
}

TEST(InferenceMemory, ItsCapIsEnoughAndNotMuchMore) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  const TinyData data;
  Team team(2);
  for (const auto layout : {models::ModelLayout::kGpt2, models::ModelLayout::kLlama}) {
    for (const bool is_tied : {false, true}) {
      SCOPED_TRACE(static_cast<int>(layout) * 2 + static_cast<int>(is_tied));
      const TempDir folder;
      save(team, config_of(layout, is_tied), folder.path());
      const StoredModel stored = look_at_model(folder.path());
      EXPECT_FALSE(stored.is_quantized);

      const DecodeSizes sizes{8, 256, 1};  // the full context
      const int64_t decoding = decoding_bytes(team, stored, sizes) - program_bytes();
      {
        Engine engine(team, {1, decoding});
        const auto model = models::load_model(engine, folder.path());
        model->prepare_inference();
        decode(engine, *model, sizes);
        EXPECT_GT(static_cast<double>(engine.allocator().peak_bytes()),
                  kLeastUse * static_cast<double>(decoding));
      }

      train::TrainConfig config = testing::tiny_config();
      config.micro_batch = 32;
      const int64_t evaluating = evaluation_bytes(team, stored, config) - program_bytes();
      Engine engine(team, {1, evaluating});
      const auto model = models::load_model(engine, folder.path());
      train::LmTask task(engine, config, {}, testing::tiny_hooks(*model), data.validation(),
                         nullptr);
      (void)task.evaluate_shard(data.validation(), 0, 1);
      EXPECT_GT(static_cast<double>(engine.allocator().peak_bytes() + engine.slab_bytes()),
                kLeastUse * static_cast<double>(evaluating));
    }
  }
}

TEST(InferenceMemory, GrowsByTheCacheAndByRowsThatAreAskedForLogits) {
  const TempDir folder;
  Team team(1);
  save(team, config_of(models::ModelLayout::kLlama, true), folder.path());
  const StoredModel stored = look_at_model(folder.path());
  const int64_t one = decoding_bytes(team, stored, {8, 256, 1});
  constexpr int64_t kSlack = 1 << 20;  // the process between two looks
  // 80 contexts of 8 pages: 2 pools of 3 layers, 64 tokens of 256 floats a page
  EXPECT_GE(decoding_bytes(team, stored, {640, 256, 1}) - one + kSlack,
            2 * 3 * 632 * 64 * 256 * int64_t{4});
  EXPECT_GE(decoding_bytes(team, stored, {8, 256, 2000}) - one + kSlack, 2000 * 2000 * int64_t{4});
}

TEST(InferenceMemory, QuantisingHoldsWhatIsWrittenAndCopiesOfOneMatrix) {
  const TempDir folder;
  Team team(1);
  save(team, config_of(models::ModelLayout::kLlama, true), folder.path());
  const int64_t floats = look_at_model(folder.path()).loaded_bytes;
  const int64_t q8 = quantizing_bytes(folder.path(), kernels::QuantFormat::kQ8) - program_bytes();
  const int64_t q4 = quantizing_bytes(folder.path(), kernels::QuantFormat::kQ4) - program_bytes();
  EXPECT_GT(q8, floats / 4);
  EXPECT_GT(q8, q4);
  EXPECT_LT(q8, floats);
}

TEST(InferenceMemory, RefusesWithACapThatIsEnough) {
  constexpr int64_t kMib = 1 << 20;
  require_cap("eval", 10 * kMib, 0);
  require_cap("eval", 10 * kMib, 10 * kMib);
  const auto refused = [] { require_cap("eval", 10 * kMib, 10 * kMib - 1); };
  EXPECT_EQ(message_of(refused),
            "eval: needs 10.0 MiB, the cap is 10.0 MiB. memory=14MiB is enough");
  EXPECT_EQ(code_of(refused), "out_of_memory");
}

}  // namespace
}  // namespace ingot::cost::inference_test
