// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/made_up.h"

#include "base/faulty_files.h"
#include "base/hash.h"
#include "base/philox.h"
#include "base/text.h"
#include "data/loader.h"
#include "data/shard.h"
#include "ledger/metrics.h"
#include "models/hugging_face.h"
#include "text/bpe_train.h"
#include "train/lm_task.h"
#include "train/run_files.h"

namespace ingot::cli {
namespace {

constexpr uint64_t kMadeUpSeed = 7;
constexpr int64_t kVocab = 320;
constexpr int64_t kDocuments = 48;
constexpr int64_t kValidationDocuments = 6;
constexpr int64_t kMadeUpSteps = 48;
constexpr const char* kHash = "made-up";
// Steps between which nothing is evaluated: what replay allocates or records is counted there.
constexpr int64_t kCountFrom = 7, kCountTo = 11;
constexpr int64_t kMaxMetrics = 1 << 24;

constexpr const char* kWords[] = {"the",   "river",  "runs",  "over",  "stones", "and",  "under",
                                  "a",     "bridge", "where", "birds", "sing",   "when", "morning",
                                  "comes", "slowly", "to",    "every", "valley", "again"};

std::string document(int64_t index) {
  Philox random(kMadeUpSeed, static_cast<uint64_t>(index));
  const auto words = 20 + static_cast<int64_t>(random.bounded(60));
  std::string text;
  uint64_t word = random.bounded(std::size(kWords));
  for (int64_t i = 0; i < words; ++i) {
    text += kWords[word];
    text += random.bounded(9) == 0 ? ".\n" : " ";
    // A word is mostly followed by one of three: there is something to learn.
    word = random.bounded(8) == 0 ? random.bounded(std::size(kWords))
                                  : (word * 3 + random.bounded(3)) % std::size(kWords);
  }
  return text;
}

void write_shard(FileSystem& files, const std::string& path, const text::Tokenizer& tokenizer,
                 int64_t begin, int64_t end) {
  write_atomically(files, path, [&](WritableFile& file) {
    data::ShardWriter writer(file, tokenizer.vocab_size(), tokenizer.eos_id().value(),
                             sha256_hex(std::string_view(kHash)));
    for (int64_t i = begin; i < end; ++i) {
      const std::string text = document(i);
      writer.add_document(tokenizer.encode(text, text::Added::kPlain),
                          static_cast<int64_t>(text.size()));
    }
    (void)writer.finish();
  });
}

/// Thrown in place of SIGKILL: everything in memory is lost.
struct Killed {};

/// One process of the run, from opening the run directory to its end, however it comes.
class Attempt {
 public:
  Attempt(const Clock& clock, const MadeUpData& data, const MadeUpRun& run, std::string folder)
      : clock_(clock),
        folder_(std::move(folder)),
        config_(made_up_training(run.replay)),
        team_(run.threads),
        engine_(team_, {kMadeUpSeed, 0}),
        model_(engine_, made_up_model(run.layout, data.vocab)),
        train_(data.train),
        validation_(data.validation) {}

  /// False when the attempt was cut off.
  bool go(FileSystem& files, const Interrupt* interrupt, MadeUpOutcome& outcome);

 private:
  void count(int64_t step, MadeUpOutcome& outcome);

  const Clock& clock_;
  std::string folder_;
  train::TrainConfig config_;
  Team team_;
  Engine engine_;
  models::Transformer model_;
  data::ShardReader train_, validation_;
};

void Attempt::count(int64_t step, MadeUpOutcome& outcome) {
  const Counters& c = engine_.counters;
  const int64_t sign = step == kCountFrom ? -1 : step == kCountTo ? 1 : 0;
  if (step == kCountFrom) outcome.tape_records = outcome.allocator_calls = outcome.conversions = 0;
  outcome.tape_records += sign * c.tape_records;
  outcome.allocator_calls += sign * engine_.allocator().calls();
  outcome.conversions += sign * c.conversions;
}

bool Attempt::go(FileSystem& files, const Interrupt* interrupt, MadeUpOutcome& outcome) {
  train::LanguageModel lm{model_, [this](const Tensor& ids, const Tensor& targets,
                                         const Tensor& count, const nn::SequenceContext& context) {
                            return model_.loss(ids, targets, count, context);
                          }};
  const data::PackConfig pack;
  train::LmTask task(engine_, config_, pack, lm, train_, &validation_);
  train::RunFiles kept(files, clock_, folder_, kHash, config_.keep);
  train::LoopContext context{engine_, task, clock_, kept};
  int64_t step = 0;
  context.after_step = [&](int64_t done) {
    step = done;
    count(done, outcome);
    if (interrupt != nullptr && interrupt->kind == Interruption::kKill && done == interrupt->at) {
      throw Killed();
    }
  };
  context.should_stop = [&] {
    return interrupt != nullptr && interrupt->kind == Interruption::kStop && step == interrupt->at;
  };
  outcome.summary = train::train(context, config_);
  if (outcome.summary.end == train::EndReason::kStopped) return false;
  outcome.epochs = static_cast<double>(outcome.summary.steps * task.items() * config_.accumulate) /
                   static_cast<double>(task.items_per_epoch());
  models::save_model(files, model_, join_path(folder_, "model"), -1);
  return true;
}

/// One attempt; false when it was cut off.
bool attempt(FileSystem& files, const Clock& clock, const MadeUpData& data,
             const std::string& folder, const MadeUpRun& run, const Interrupt* interrupt,
             MadeUpOutcome& outcome) {
  const bool tears = interrupt != nullptr && interrupt->kind == Interruption::kTear;
  std::vector<Fault> faults;
  if (tears) faults.push_back({FileOp::kWrite, interrupt->at, EIO, true, true});
  FaultyFiles faulty(files, std::move(faults));
  try {
    return Attempt(clock, data, run, folder).go(faulty, interrupt, outcome);
  } catch (const Killed&) {
    return false;
  } catch (const Error&) {
    if (!faulty.crashed()) throw;
    return false;
  }
}

}  // namespace

MadeUpData make_up_data(FileSystem& files, const std::string& folder) {
  make_directories(files, folder);
  text::BpeTrainConfig config;
  config.vocab_size = kVocab;
  text::BpeTrainer trainer(config);
  for (int64_t i = 0; i < kDocuments; ++i) trainer.feed(document(i));
  const text::ByteBpe tokenizer(trainer.train());
  MadeUpData data{join_path(folder, "train.shard"), join_path(folder, "validation.shard"),
                  tokenizer.vocab_size()};
  write_shard(files, data.train, tokenizer, 0, kDocuments);
  write_shard(files, data.validation, tokenizer, kDocuments, kDocuments + kValidationDocuments);
  return data;
}

models::TransformerConfig made_up_model(models::ModelLayout layout, int64_t vocab) {
  models::TransformerConfig c;
  c.layout = layout;
  c.vocab = vocab;
  c.context = 48;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = layout == models::ModelLayout::kLlama ? 2 : 0;
  c.dim = 48;
  c.dropout = 0.1F;
  // Llama has an output layer of its own here, so that its embedding's gradient is row-sparse.
  c.tie_embeddings = layout == models::ModelLayout::kGpt2;
  return c;
}

train::TrainConfig made_up_training(bool replay) {
  train::TrainConfig c;
  c.steps = kMadeUpSteps;
  c.seq = 48;
  c.micro_batch = 3;
  c.accumulate = 2;
  c.lr = 4e-3;
  c.schedule.name = train::ScheduleKind::kPlateau;
  c.schedule.patience = 2;
  c.schedule.gamma = 0.5;
  c.eval_every = 6;
  c.checkpoint_every = 5;
  c.early_stop.patience = 4;
  c.early_stop.min_delta = 0.12;  // some evaluations do not count as improvements
  c.replay = replay;
  return c;
}

MadeUpOutcome run_made_up(FileSystem& files, const Clock& clock, const MadeUpData& data,
                          const std::string& folder, const MadeUpRun& run) {
  make_directories(files, folder);
  MadeUpOutcome outcome;
  for (const Interrupt& interrupt : run.interrupts) {
    outcome.interrupted += attempt(files, clock, data, folder, run, &interrupt, outcome) ? 0 : 1;
  }
  (void)attempt(files, clock, data, folder, run, nullptr, outcome);
  outcome.sha256 = sha256_file(join_path(folder, "model/model.safetensors"));
  const std::string metrics = read_file(join_path(folder, "metrics.jsonl"), kMaxMetrics);
  for (const std::string_view line : split(trim(metrics), '\n')) {
    outcome.metrics.push_back(ledger::without_clock(line));
  }
  return outcome;
}

}  // namespace ingot::cli
