// SPDX-License-Identifier: Apache-2.0
#include "fit/model.h"

#include <algorithm>
#include <cstring>

#include "data/transforms/feature_rows.h"
#include "fit/plain_features.h"
#include "models/network/network_file.h"
#include "train/feature_network.h"
#include "train/loop.h"

namespace ingot {
namespace {

constexpr int64_t kAnswerBatch = 256;  // examples computed at once; answers do not depend on it

using Weights = std::vector<std::vector<float>>;  // per parameter, in the order of the network

Weights weights_of(models::Network& network) {
  Weights weights;
  for (const nn::NamedParameter& p : nn::parameters(network)) {
    weights.push_back(p.parameter->value.to_vector<float>());
  }
  return weights;
}

void set_weights(models::Network& network, const Weights& weights) {
  size_t i = 0;
  for (const nn::NamedParameter& p : nn::parameters(network)) {
    const std::vector<float>& from = weights[i++];
    std::copy(from.begin(), from.end(), p.parameter->value.data<float>());
    ++p.parameter->value.storage().version;
  }
}

/// A run in memory that goes on from the network's weights.
class FitMemory : public train::RunMemory {
 public:
  FitMemory(models::Network& network, std::function<void(const train::RunRecord&)> on_record)
      : RunMemory(std::move(on_record)), network_(network), weights_(weights_of(network)) {}
  [[nodiscard]] train::RunState begin(nn::ParameterStore& store, optim::Optimizer& optimizer,
                                      const std::function<int64_t()>& steps) override {
    set_weights(network_, weights_);  // the store has drawn new ones
    return RunMemory::begin(store, optimizer, steps);
  }

 private:
  models::Network& network_;
  Weights weights_;
};

/// Whether a figure is to be reported: one of `metrics` or, where none are named, any.
bool is_wanted(const std::vector<std::string>& metrics, const std::string& name) {
  return metrics.empty() || std::find(metrics.begin(), metrics.end(), name) != metrics.end();
}

/// The loop's epochs, each with the validation that follows it where there is one.
class HistoryMaker {
 public:
  HistoryMaker(bool has_validation, const FitOptions& options,
               const std::vector<std::string>& metrics)
      : has_validation_(has_validation), options_(options), metrics_(metrics) {}

  void add(const train::RunRecord& record) {
    if (const auto* log = std::get_if<train::EpochLog>(&record.what)) {
      history_.push_back({log->epoch, log->mean_loss, {}});
      if (!has_validation_) options_.on_epoch(history_.back());
    } else if (const auto* validation = std::get_if<train::Evaluation>(&record.what)) {
      judge(*validation);
    }
  }
  [[nodiscard]] History take() { return std::move(history_); }

 private:
  void judge(const train::Evaluation& validation) {
    INGOT_ASSERT(!history_.empty());
    Epoch& epoch = history_.back();
    epoch.validation["loss"] = validation.loss;
    for (const auto& [name, value] : validation.metrics) {
      if (is_wanted(metrics_, name)) epoch.validation[name] = value;
    }
    options_.on_epoch(epoch);
  }

  bool has_validation_;
  const FitOptions& options_;
  const std::vector<std::string>& metrics_;
  History history_;
};

bool holds(std::initializer_list<Loss> losses, Loss loss) {
  return std::find(losses.begin(), losses.end(), loss) != losses.end();
}

bool is_of_numbers(Loss loss) { return holds({Loss::kMse, Loss::kMae, Loss::kHuber}, loss); }

bool holds_labels(const data::ExampleReader& examples) {
  const data::ExampleField* target = examples.layout().find(data::kTargetField);
  require(target != nullptr, Code::kInvalidArgument, "model: {} holds no targets", examples.path());
  return target->dtype == DType::kI32;
}

train::ObjectiveConfig objective_config(const CompileOptions& options) {
  train::ObjectiveConfig config;
  config.loss = options.loss;
  config.label_smoothing = options.label_smoothing;
  config.class_weights = options.class_weights;
  config.weights = options.weights;
  config.gamma = options.gamma;
  config.margin = options.margin;
  config.delta = options.delta;
  config.mixup = options.mixup;
  return config;
}

/// Examples of each class, for weights that balance them.
std::vector<int64_t> rows_per_class(const data::ExampleReader& examples, int64_t classes) {
  const int64_t offset = examples.layout().find(data::kTargetField)->offset;
  std::vector<int64_t> rows(static_cast<size_t>(classes));
  for (int64_t i = 0; i < examples.rows(); ++i) {
    int32_t label = 0;
    std::memcpy(&label, examples.row(i).data() + offset, sizeof(label));
    require(label >= 0 && label < classes, Code::kInvalidArgument,
            "model: example {} is of class {}, the model knows 0 to {}", i, label, classes - 1);
    ++rows[static_cast<size_t>(label)];
  }
  const auto none = std::find(rows.begin(), rows.end(), int64_t{0});
  require(none == rows.end(), Code::kInvalidArgument,
          "model: no training example is of class {}, so class_weights kAuto has no weight for it. "
          "Give weights, with kGiven",
          none - rows.begin());
  return rows;
}

}  // namespace

struct Model::State {
  explicit State(const RuntimeOptions& options) : runtime(options) {}

  /// Makes the network of `list`, without the activation of its last layer when the loss has it.
  void build(bool is_last_folded);
  /// That of compile, or of the folder; else one for this call alone, so that what only looks
  /// leaves the model as it was.
  [[nodiscard]] train::Objective objective_for(bool has_labels);
  /// The same to learn from these, whose classes are counted where no table has counted them.
  [[nodiscard]] train::Objective objective_to_learn(const data::ExampleReader& examples);
  /// Of the table it was compiled with, else of the folder it came from; nullptr: arrays.
  [[nodiscard]] const data::FeatureSet* features() const {
    if (table_features) return &*table_features;
    return own_features ? &*own_features : nullptr;
  }
  [[nodiscard]] const data::Target* target() const {
    return features() != nullptr ? features()->target() : nullptr;
  }
  /// Whether the last layer, as it was drawn, applies this link.
  [[nodiscard]] bool gives(models::Link link) const {
    const auto end = list.layers.back().activation.value_or(Activation::kNone);
    return (link == models::Link::kSigmoid && end == Activation::kSigmoid) ||
           (link == models::Link::kSoftmax && end == Activation::kSoftmax);
  }
  [[nodiscard]] std::vector<models::LayerConfig> layers() const;
  [[nodiscard]] std::vector<models::LayerConfig> layers_with_link() const;
  /// How examples reach the network: those of a table as its features say, arrays as they are.
  [[nodiscard]] std::unique_ptr<data::RowFiller> filler() const {
    if (features() == nullptr) return std::make_unique<data::RowFiller>();
    return std::make_unique<data::FeatureRows>(*features(), runtime.engine.seed());
  }
  [[nodiscard]] train::ExampleRunner runner(models::Link link, const data::ExampleReader& examples,
                                            const data::RowFiller& filler) {
    return {runtime.engine,
            *network,
            examples.layout(),
            filler,
            {link, kAnswerBatch, train::Tta::kNone, true},
            examples.path()};
  }

  Runtime runtime;
  LayerList list;
  bool is_folded = false;
  std::unique_ptr<models::Network> network;
  std::optional<data::FeatureSet> own_features;    // of a loaded model
  std::optional<data::FeatureSet> table_features;  // a copy, so that the table may go
  bool is_compiled = false;
  CompileOptions options;
  std::optional<train::Objective> objective;  // of compile, or of own_features
};

std::vector<models::LayerConfig> Model::State::layers() const {
  std::vector<models::LayerConfig> layers = list.layers;
  if (!is_folded) return layers;
  models::LayerConfig& last = layers.back();
  last.activation.reset();
  if (last.type == models::LayerType::kActivation) last.activation = Activation::kNone;
  return layers;
}

/// For a folder without features, whose reader knows no loss: what is applied to predictions is a
/// layer.
std::vector<models::LayerConfig> Model::State::layers_with_link() const {
  std::vector<models::LayerConfig> layers = list.layers;
  const models::Link link = objective ? objective->link : models::Link::kNone;
  if (is_folded || link == models::Link::kNone) return layers;
  models::LayerConfig& end = layers.emplace_back();
  end.type = models::LayerType::kActivation;
  end.activation = link == models::Link::kSoftmax ? Activation::kSoftmax : Activation::kSigmoid;
  return layers;
}

void Model::State::build(bool is_last_folded) {
  is_folded = is_last_folded;
  const std::unique_ptr<models::Network> before = std::move(network);
  network = std::make_unique<models::Network>(layers(), list.inputs);
  (void)nn::ParameterStore(runtime.engine, *network);  // the parameters keep its memory
  if (before != nullptr) set_weights(*network, weights_of(*before));
}

train::Objective Model::State::objective_for(bool has_labels) {
  if (objective) return *objective;
  const models::Value& output = network->output();
  const train::ObjectiveConfig config = objective_config(options);
  const bool is_class = options.loss == Loss::kAuto ? has_labels : !is_of_numbers(options.loss);
  const int64_t classes = is_class ? std::max<int64_t>(2, output.shape.size()) : 0;
  train::Objective made = target() != nullptr ? train::objective_of(config, *features(), *network)
                                              : train::make_objective(config, classes, output);
  if (!is_folded && gives(made.link)) {
    require(!is_compiled, Code::kInvalidArgument,
            "model: the last layer \"{}\" applies a {}, and so does what is predicted by the loss "
            "{}. Leave its activation out",
            list.layers.back().name, made.link == models::Link::kSigmoid ? "sigmoid" : "softmax",
            enum_name(made.loss));
    made.link = models::Link::kNone;  // what is judged before compile has it in its last layer
  }
  const std::vector<train::MetricValue> known = train::Scorer(made).result().values;
  for (const std::string& name : options.metrics) (void)train::find_metric(known, name);
  if (is_compiled) objective = made;
  return made;
}

train::Objective Model::State::objective_to_learn(const data::ExampleReader& examples) {
  const bool has_labels = holds_labels(examples);
  train::Objective made = objective_for(has_labels);
  const bool is_uncounted = has_labels && made.classes > 0 && target() == nullptr;
  if (options.class_weights != ClassWeights::kAuto || !is_uncounted) return made;
  const std::vector<int64_t> rows = rows_per_class(examples, made.classes);
  const train::ObjectiveConfig config = objective_config(options);
  made.class_weights =
      train::make_objective(config, made.classes, network->output(), rows).class_weights;
  return made;
}

Model::Model(const std::vector<Flow>& inputs, const Flow& output, const RuntimeOptions& options)
    : state_(std::make_unique<State>(options)) {
  state_->list = list_layers(inputs, output);
  state_->build(false);
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

models::Network& Model::network() { return *state_->network; }
Engine& Model::engine() { return state_->runtime.engine; }

Model Model::load(const std::string& folder, const RuntimeOptions& options) {
  auto state = std::make_unique<State>(options);
  models::LoadedNetwork loaded = models::load_network(state->runtime.engine, folder);
  state->list = {loaded.network->inputs(), std::move(loaded.layers)};
  state->network = std::move(loaded.network);
  const std::string features = join_path(folder, "features.json");
  if (file_exists(features)) {
    state->own_features.emplace(data::FeatureSet::load(features));
    state->objective = train::objective_of({}, *state->own_features, *state->network);
  }
  return Model(std::move(state));
}

void Model::compile(const CompileOptions& options, const Table* table) {
  State& s = *state_;
  s.options = options;
  s.objective.reset();  // before the features that it decodes with
  s.table_features.reset();
  if (table != nullptr) {
    s.table_features.emplace(data::FeatureSet::from_json(table->features.to_json(), "table"));
  }
  const auto end = s.list.layers.back().activation.value_or(Activation::kNone);
  const bool is_auto = options.loss == Loss::kAuto;
  const bool is_sigmoid =
      end == Activation::kSigmoid &&
      holds({Loss::kAuto, Loss::kBinaryCrossEntropy, Loss::kFocal}, options.loss);
  const bool is_softmax =
      end == Activation::kSoftmax &&
      holds({Loss::kAuto, Loss::kCrossEntropy, Loss::kFocal, Loss::kKl}, options.loss);
  if (s.is_folded != (is_sigmoid || is_softmax)) s.build(is_sigmoid || is_softmax);
  s.is_compiled = true;
  const bool is_known = !is_auto || is_sigmoid || is_softmax || s.target() != nullptr;
  if (is_known) (void)s.objective_for(is_sigmoid || is_softmax);
}

History Model::fit(const Inputs& x, const Values& y, const FitOptions& options) {
  State& s = *state_;
  require(s.is_compiled, Code::kInvalidArgument, "model: compile says how to learn; call it first");
  const int64_t classes = s.objective_for(!y.is_float()).classes;
  return fit(make_examples(*s.network, x, &y, classes), options);
}

History Model::fit(const data::ExampleReader& examples, const FitOptions& options) {
  State& s = *state_;
  require(s.is_compiled, Code::kInvalidArgument, "model: compile says how to learn; call it first");
  require(options.epochs >= 1 && options.batch >= 1, Code::kInvalidArgument,
          "model: {} epochs of batches of {}; both must be at least 1", options.epochs,
          options.batch);
  const train::Objective objective = s.objective_to_learn(examples);
  std::optional<data::ExampleReader> arrays;
  if (options.validation) {
    const Arrays& given = *options.validation;
    arrays.emplace(make_examples(*s.network, given.x, &given.y, objective.classes));
  }
  const data::ExampleReader* held_out = arrays ? &*arrays : options.validation_examples;
  const bool is_plateau = s.options.schedule.name == train::ScheduleKind::kPlateau;
  require((options.patience == 0 && !options.keep_best && !is_plateau) ||
              (held_out != nullptr && held_out->rows() > 0),
          Code::kInvalidArgument,
          "model: {} compares validation losses; give FitOptions.validation or "
          "validation_examples",
          options.keep_best       ? "keep_best"
          : options.patience != 0 ? "patience"
                                  : "the schedule plateau");
  train::TrainConfig config;
  config.seq = 1;
  config.micro_batch = std::max<int64_t>(1, std::min(options.batch, examples.rows()));
  const train::Passes passes{config.micro_batch, std::max<int64_t>(1, examples.rows())};
  config.steps = passes.steps_of(options.epochs);
  config.lr = s.options.optimizer.lr;
  config.optimizer = s.options.optimizer.config;
  config.schedule = s.options.schedule;
  config.clip_norm = s.options.clip_norm;
  config.eval_every = 0;
  config.eval_epochs = 1;
  config.checkpoint_every = 0;
  config.early_stop.patience = options.patience;
  config.keep_best = options.keep_best;
  const std::unique_ptr<data::RowFiller> filler = s.filler();
  train::SupervisedTask task(s.runtime.engine, config, objective, *s.network,
                             {examples, held_out, *filler});
  HistoryMaker history(task.has_validation(), options, s.options.metrics);
  FitMemory kept(*s.network, [&](const train::RunRecord& record) { history.add(record); });
  const RealClock clock;
  const train::LoopContext context{s.runtime.engine, task, clock, kept};
  (void)train::train(context, config);
  return history.take();
}

train::Scores Model::evaluate(const Inputs& x, const Values& y, const EvaluateOptions& options) {
  State& s = *state_;
  const int64_t classes = s.objective_for(!y.is_float()).classes;
  return evaluate(make_examples(*s.network, x, &y, classes), options);
}

train::Scores Model::evaluate(const data::ExampleReader& examples, const EvaluateOptions& options) {
  State& s = *state_;
  const train::Objective objective = s.objective_for(holds_labels(examples));
  const std::unique_ptr<data::RowFiller> filler = s.filler();
  train::ExampleRunner runner = s.runner(objective.link, examples, *filler);
  const train::BootstrapOptions bootstrap{options.replicates, options.confidence,
                                          s.runtime.engine.seed()};
  train::Scores scores = train::score(runner, objective, examples, {0, bootstrap, {}});
  std::erase_if(scores.values, [&](const train::MetricValue& value) {
    return !is_wanted(s.options.metrics, value.name);
  });
  return scores;
}

std::vector<float> Model::predict(const Inputs& x) {
  return predict(make_examples(*state_->network, x, nullptr, 0));
}

std::vector<float> Model::predict(const data::ExampleReader& examples) {
  State& s = *state_;
  const train::Objective plain{};
  const train::Objective& objective = s.objective ? *s.objective : plain;
  const std::unique_ptr<data::RowFiller> filler = s.filler();
  train::ExampleRunner runner = s.runner(objective.link, examples, *filler);
  std::vector<float> all;
  train::run_examples(examples, runner, 0, [&](int64_t /*first*/, std::span<const float> answers) {
    all.insert(all.end(), answers.begin(), answers.end());
  });
  if (objective.classes > 0) return all;
  for (float& answer : all) {
    answer = static_cast<float>(objective.decode(static_cast<double>(answer)));
  }
  return all;
}

void Model::save(const std::string& folder, const Table* table) {
  State& s = *state_;
  const std::unique_ptr<FileSystem> files = real_files();
  const std::string path = join_path(folder, "features.json");
  const data::FeatureSet* features = table != nullptr ? &table->features : s.features();
  const models::Value& in = s.list.inputs[0];
  const bool is_plain =
      s.list.inputs.size() == 1 && in.dtype == DType::kF32 && in.shape.rank() == 1;
  std::optional<data::FeatureSet> plain;
  if (features == nullptr && is_plain && in.name == "table" && s.objective) {
    plain.emplace(plain_features(in.shape[0], s.objective->classes));
    features = &*plain;
  }
  if (features == nullptr) {
    models::save_network(*files, *s.network, s.layers_with_link(), folder);
    files->remove(path);  // of a model that was saved here before
    return;
  }
  if (!s.objective) train::require_no_link(s.list.layers, *features);
  models::save_network(*files, *s.network, s.layers(), folder);
  features->save(*files, path);
}

Sequential::Sequential(const Flow& in, const std::vector<Layer>& layers,
                       const RuntimeOptions& options)
    : Model(
          {in},
          [&] {
            Flow flow = in;
            for (const Layer& layer : layers) flow = layer(flow);
            return flow;
          }(),
          options) {}

}  // namespace ingot
