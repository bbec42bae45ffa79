// SPDX-License-Identifier: Apache-2.0
// The tiny run of tiny_run.h: data, model, one call that trains.
#include <algorithm>
#include <sstream>

#include "base/hash.h"
#include "base/philox.h"
#include "ledger/metrics.h"
#include "train/tiny_run.h"
#include "train/unsynced_files.h"

namespace ingot::testing {
namespace {

constexpr int32_t kEos = kTinyVocab - 1;
constexpr const char* kDigest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Sentences over a dozen words, so that there is something to learn.
std::vector<int32_t> document(Philox& random) {
  static const char* const kWords[] = {"ab",  "cask", "dune", "elm", "fir",  "gorse",
                                       "hut", "iris", "jay",  "kin", "lamp", "moss"};
  std::vector<int32_t> ids;
  const uint64_t words = 4 + random.bounded(8);
  for (uint64_t i = 0; i < words; ++i) {
    for (const char* c = kWords[random.bounded(12)]; *c != '\0'; ++c) ids.push_back(*c);
    ids.push_back(' ');
  }
  return ids;
}

void write_shard(const std::string& path, uint64_t seed, int documents) {
  const auto files = real_files();
  write_atomically(*files, path, [&](WritableFile& file) {
    data::ShardWriter writer(file, kTinyVocab, kEos, kDigest);
    Philox random(seed, 0);
    for (int i = 0; i < documents; ++i) {
      const std::vector<int32_t> ids = document(random);
      writer.add_document(ids, static_cast<int64_t>(ids.size()));
    }
    (void)writer.finish();
  });
}

std::string newest_checkpoint(const std::string& out) {
  std::string newest;
  for (const std::string& name : real_files()->list(join_path(out, "checkpoints"))) {
    if (name.starts_with("step-")) newest = std::max(newest, name);
  }
  return join_path(out, "checkpoints/" + newest + "/state.safetensors");
}

}  // namespace

TinyData::TinyData() {
  write_shard(dir_.file("train.shard"), 1, 20);
  write_shard(dir_.file("validation.shard"), 2, 6);
  train_ = std::make_unique<data::ShardReader>(dir_.file("train.shard"));
  validation_ = std::make_unique<data::ShardReader>(dir_.file("validation.shard"));
}

models::TransformerConfig tiny_model() {
  models::TransformerConfig c;
  c.layout = models::ModelLayout::kLlama;
  c.vocab = kTinyVocab;
  c.context = 16;
  c.layers = 2;
  c.heads = 2;
  c.kv_heads = 1;
  c.dim = 16;
  c.hidden = 32;
  c.dropout = 0.1F;
  return c;
}

train::TrainConfig tiny_config() {
  train::TrainConfig c;
  c.steps = kTinySteps;
  c.seq = 16;
  c.micro_batch = 2;
  c.accumulate = 2;
  c.lr = 0.02;
  c.schedule.name = train::ScheduleKind::kPlateau;
  c.schedule.warmup = 3;
  c.schedule.patience = 1;
  c.schedule.gamma = 0.5;
  c.eval_every = 3;
  c.checkpoint_every = 2;
  c.sample_every = 5;
  c.early_stop.patience = 3;
  c.early_stop.min_delta = 0.15;
  return c;
}

train::LanguageModel tiny_hooks(models::Transformer& model) {
  return {model,
          [&model](const Tensor& ids, const Tensor& targets, const Tensor& count,
                   const nn::SequenceContext& context) {
            return model.loss(ids, targets, count, context);
          },
          [] {
            return train::Sample{"a ", "sample"};
          }};
}

TinyStep::TinyStep(const TinyData& data, const train::TrainConfig& config,
                   const models::TransformerConfig& model_config, int threads)
    : team(threads),
      engine(team),
      model(engine, model_config),
      task(engine, config, {}, tiny_hooks(model), data.train(), &data.validation()),
      step(engine, config, task) {}

TinyResult run_tiny(const TinyData& data, const std::string& out, const train::TrainConfig& config,
                    const TinyOptions& options) {
  UnsyncedFiles usual;
  const FakeClock clock(1.0, 1.7e9);
  Team team(options.threads);
  Engine engine(team);
  models::Transformer model(engine, tiny_model());
  train::LmTask task(engine, config, {}, tiny_hooks(model), data.train(),
                     options.has_validation ? &data.validation() : nullptr);
  FileSystem& files = options.files != nullptr ? *options.files : usual;
  train::RunFiles kept(files, clock, out, "recipe-1", config.keep);
  kept.note = options.note;
  train::LoopContext context{engine, task, clock, kept};
  int64_t at = 0;
  context.after_step = [&](int64_t step) {
    at = step;
    options.after_step(engine, step);
  };
  context.should_stop = [&] { return options.should_stop(at); };
  TinyResult result;
  result.summary = train::train(context, config);
  Sha256 weights;
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    const std::vector<float> values = p.parameter->value.to_vector<float>();
    weights.update(std::as_bytes(std::span(values)));
  }
  result.weights = weights.hex();
  result.checkpoint = sha256_file(newest_checkpoint(out));
  std::istringstream lines(read_file(join_path(out, "metrics.jsonl")));
  for (std::string line; std::getline(lines, line);) {
    result.metrics += ledger::without_clock(line) + "\n";
  }
  return result;
}

}  // namespace ingot::testing
