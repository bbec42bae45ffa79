// SPDX-License-Identifier: Apache-2.0
// What training takes in memory, and what it does not: the square of attention scores and the full
// logits of a long sequence, an embedding gradient that grows with the vocabulary, heap
// allocations, page faults and layout conversions once steps repeat. Each part ends in PASS or
// FAIL; the exit code is 1 when one failed.
//   bench_memory [long | embedding | counters] …
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <stdlib.h>

#include "autograd/ops/loss.h"
#include "base/machine.h"
#include "base/philox.h"
#include "base/text.h"
#include "cli/doctor/made_up.h"
#include "count_malloc.h"
#include "nn/embedding.h"
#include "nn/linear.h"
#include "train/lm_task.h"

namespace ingot::bench {
namespace {

constexpr int kThreads = 2;

bool report(bool passed, const std::string& what) {
  std::printf("%s  %s\n", passed ? "PASS" : "FAIL", what.c_str());
  return passed;
}

/// Fixed random tokens for any module with a loss.
class TokenTask : public train::Task {
 public:
  using LossOf =
      std::function<Tensor(const Tensor& ids, const Tensor& targets, const Tensor& count)>;
  TokenTask(Engine& engine, nn::Module& module, LossOf loss, const Shape& shape, int64_t vocab)
      : module_(module),
        loss_(std::move(loss)),
        ids_(Tensor::zeros(engine, shape, DType::kI32)),
        targets_(Tensor::zeros(engine, shape, DType::kI32)) {
    Philox random(1);
    for (int64_t i = 0; i < ids_.size(); ++i) {
      ids_.data<int32_t>()[i] = static_cast<int32_t>(random.bounded(static_cast<uint64_t>(vocab)));
      targets_.data<int32_t>()[i] = static_cast<int32_t>(random.bounded(kFewClasses));
    }
  }
  static constexpr uint64_t kFewClasses = 10;  // below every number of classes here

  nn::Module& module() override { return module_; }
  int64_t load(int64_t, int64_t) override { return ids_.size(); }
  Tensor loss(int64_t, const Tensor& count) override { return loss_(ids_, targets_, count); }
  train::Evaluation evaluate() override { return {}; }
  int64_t items() const override { return ids_.size(); }
  int64_t items_per_epoch() const override { return ids_.size(); }

 private:
  nn::Module& module_;
  LossOf loss_;
  Tensor ids_, targets_;
};

train::TrainConfig plain_training() {
  train::TrainConfig c;
  c.steps = 1;
  return c;
}

bool long_sequence() {
  constexpr int64_t kSeq = 4096, kVocab = 50000, kHeads = 8;
  Team team(kThreads);
  Engine engine(team);
  models::TransformerConfig config;
  config.layout = models::ModelLayout::kGpt2;
  config.vocab = kVocab;
  config.context = kSeq;
  config.layers = 2;
  config.heads = kHeads;
  config.dim = 128;
  models::Transformer model(engine, config);
  TokenTask task(
      engine, model,
      [&](const Tensor& ids, const Tensor& targets, const Tensor& count) {
        return model.loss(ids, targets, count);
      },
      {1, kSeq}, kVocab);
  train::Step step(engine, plain_training(), task);
  reset_peak_resident();
  for (int64_t i = 0; i < 2; ++i) (void)step.run(i, 1e-4);
  const int64_t peak = peak_resident_bytes();
  const int64_t slab = engine.slab_bytes();
  constexpr int64_t kFloat = sizeof(float);
  constexpr int64_t kScores = kHeads * kSeq * kSeq * kFloat, kLogits = kSeq * kVocab * kFloat;
  std::printf("sequence %ld, vocabulary %ld, 2 layers of 128: slab %s, tensors %s, peak RSS %s\n",
              kSeq, kVocab, human_bytes(slab).c_str(),
              human_bytes(engine.allocator().held_bytes()).c_str(), human_bytes(peak).c_str());
  return report(slab < kScores / 2 && slab < kLogits / 2,
                fmt::format("the step's slab {} is below one layer's scores {} and the logits {}",
                            human_bytes(slab), human_bytes(kScores), human_bytes(kLogits)));
}

/// Embedding (row-sparse) and a small classifier on every token.
class Tagger : public nn::Module {
 public:
  explicit Tagger(int64_t vocab)
      : table(vocab, 16, {nn::InitKind::kNormal, 0.1F}, true),
        out(16, 10, true, {nn::InitKind::kNormal, 0.1F}) {}
  void visit(nn::Visitor& visitor) override {
    visitor.child("table", table);
    visitor.child("out", out);
  }
  nn::Embedding table;
  nn::Linear out;
};

struct TableMemory {
  int64_t slab, grads, state;
};

TableMemory table_memory(int64_t vocab) {
  Team team(kThreads);
  Engine engine(team);
  Tagger tagger(vocab);
  TokenTask task(
      engine, tagger,
      [&](const Tensor& ids, const Tensor& targets, const Tensor& count) {
        ops::CrossEntropyOptions options;
        options.count = count;
        return ops::cross_entropy(tagger.out.forward(tagger.table.forward(ids)), targets, options);
      },
      {8, 256}, vocab);
  train::Step step(engine, plain_training(), task);
  for (int64_t i = 0; i < 2; ++i) (void)step.run(i, 1e-3);
  return {engine.slab_bytes(), step.store().grads().size_bytes(), engine.allocator().held_bytes()};
}

bool embedding_gradient() {
  const TableMemory small = table_memory(10'000), large = table_memory(1'000'000);
  std::printf(
      "vocabulary 10,000: slab %s, dense gradients %s; 1,000,000: slab %s, dense gradients %s\n",
      human_bytes(small.slab).c_str(), human_bytes(small.grads).c_str(),
      human_bytes(large.slab).c_str(), human_bytes(large.grads).c_str());
  return report(small.slab == large.slab && small.grads == large.grads,
                fmt::format("gradient bytes do not depend on the vocabulary: {} and {}",
                            small.slab + small.grads, large.slab + large.grads));
}

struct Counts {
  int64_t heap = 0, faults = 0, allocator = 0, records = 0, conversions = 0;
};

Counts counts_now(Engine& engine, Team& team) {
  return {malloc_calls(), team.page_faults(), engine.allocator().calls(),
          engine.counters.tape_records, engine.counters.conversions};
}

/// Steps of the real training task: batches from a token shard on disk, both layouts.
bool step_counts(models::ModelLayout layout, const cli::MadeUpData& data) {
  constexpr int64_t kFrom = 3, kTo = 43;
  Team team(kThreads);
  Engine engine(team);
  models::Transformer model(engine, cli::made_up_model(layout, data.vocab));
  const data::ShardReader shard(data.train);
  const train::TrainConfig config = cli::made_up_training(true);
  train::LanguageModel lm{model, [&](const Tensor& ids, const Tensor& targets, const Tensor& count,
                                     const nn::SequenceContext& context) {
                            return model.loss(ids, targets, count, context);
                          }};
  train::LmTask task(engine, config, {}, lm, shard, nullptr);
  train::Step step(engine, config, task);
  int64_t i = 0;
  while (i < kFrom) (void)step.run(i++, 1e-3);
  const Counts before = counts_now(engine, team);
  while (i < kTo) (void)step.run(i++, 1e-3);
  const Counts after = counts_now(engine, team);
  const Counts d{after.heap - before.heap, after.faults - before.faults,
                 after.allocator - before.allocator, after.records - before.records,
                 after.conversions};  // recording counts too: none in the whole run
  return report(d.heap + d.faults + d.allocator + d.records + d.conversions == 0,
                fmt::format("{}: steps {} to {}: {} heap allocations, {} page faults, {} allocator "
                            "calls, {} tape records, {} conversions",
                            layout == models::ModelLayout::kLlama ? "llama" : "gpt2", kFrom + 1,
                            kTo, d.heap, d.faults, d.allocator, d.records, d.conversions));
}

bool counters() {
  const std::unique_ptr<FileSystem> files = real_files();
  std::string folder = "/tmp/ingot-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) fail_system("bench: cannot make", folder, errno);
  const cli::MadeUpData data = cli::make_up_data(*files, folder);
  const bool llama = step_counts(models::ModelLayout::kLlama, data);
  const bool gpt2 = step_counts(models::ModelLayout::kGpt2, data);
  remove_tree(*files, folder);
  return llama && gpt2;
}

struct Part {
  const char* name;
  bool (*run)();
};
constexpr Part kParts[] = {
    {"long", &long_sequence}, {"embedding", &embedding_gradient}, {"counters", &counters}};

int run(std::span<char* const> words) {
  std::vector<std::string> names;
  for (const Part& part : kParts) names.emplace_back(part.name);
  for (const std::string_view word : words) {
    require(std::find(names.begin(), names.end(), word) != names.end(), Code::kInvalidArgument,
            "bench: unknown part \"{}\".{}", word, did_you_mean(word, names));
  }
  bool passed = true;
  for (const Part& part : kParts) {
    const bool is_wanted =
        words.empty() || std::any_of(words.begin(), words.end(), [&](const char* w) {
          return std::string_view(w) == part.name;
        });
    if (is_wanted) passed = part.run() && passed;
  }
  return passed ? 0 : 1;
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  try {
    return ingot::bench::run({argv + 1, static_cast<size_t>(argc - 1)});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
