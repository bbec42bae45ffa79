// SPDX-License-Identifier: Apache-2.0
#include "workloads.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape.h"
#include "base/json.h"
#include "base/text.h"
#include "image_workloads.h"
#include "models/transformer.h"
#include "nn/linear.h"
#include "recurrent_workloads.h"

namespace ingot::bench {
namespace {

using kernels::Activation;
using nn::Linear;

constexpr int64_t kMaxJson = 1 << 20;
constexpr int64_t kMaxHeader = 1 << 24;

/// Linears in a row, under the names that a sequence has in PyTorch ("0", "2", "4"; "" for a single
/// layer).
class Stack : public nn::Module {
 public:
  Stack(const std::vector<int64_t>& sizes, std::vector<std::string> names)
      : names_(std::move(names)) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      const bool is_last = i + 2 == sizes.size();
      layers_.push_back(std::make_unique<Linear>(sizes[i], sizes[i + 1], true, nn::Init{},
                                                 is_last ? Activation::kNone : Activation::kRelu));
    }
  }
  [[nodiscard]] Tensor forward(Tensor x) {
    for (const auto& layer : layers_) x = layer->forward(x);
    return x;
  }
  void visit(nn::Visitor& visitor) override {
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (names_[i].empty()) {
        layers_[i]->visit(visitor);
      } else {
        visitor.child(names_[i], *layers_[i]);
      }
    }
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Linear>> layers_;
};

enum class Loss : uint8_t { kMse, kCrossEntropy };

class StackTask : public FixedTask {
 public:
  StackTask(Engine& engine, const Dump& dump, const std::vector<int64_t>& sizes,
            std::vector<std::string> names, Loss loss)
      : stack_(sizes, std::move(names)),
        loss_(loss),
        x_(dump.read(engine, "x")),
        y_(dump.read(engine, "y")) {}

  nn::Module& module() override { return stack_; }
  int64_t load(int64_t, int64_t) override { return items(); }
  int64_t items() const override { return x_.dim(0); }
  Tensor loss(int64_t, const Tensor& count) override {
    const Tensor out = stack_.forward(x_);
    if (loss_ == Loss::kMse) return ops::mse(out, y_);
    ops::CrossEntropyOptions options;
    options.count = count;
    return ops::cross_entropy(out, y_, options);
  }

 private:
  Stack stack_;
  Loss loss_;
  Tensor x_, y_;
};

/// Embedding 10000 x 16, mean over the words, 24 with ReLU, one logit.
class News : public nn::Module {
 public:
  News()
      : embedding_(10000, 16, {}, true),
        hidden_(16, 24, true, {}, Activation::kRelu),
        out_(24, 1, true, {}) {}
  [[nodiscard]] Tensor forward(const Tensor& ids) {
    const Tensor mean = ops::mean(embedding_.forward(ids), {1});  // [batch, 16]
    return ops::reshape(out_.forward(hidden_.forward(mean)), {ids.dim(0)});
  }
  void visit(nn::Visitor& visitor) override {
    visitor.child("embedding", embedding_);
    visitor.child("hidden", hidden_);
    visitor.child("out", out_);
  }

 private:
  nn::Embedding embedding_;
  Linear hidden_, out_;
};

class NewsTask : public FixedTask {
 public:
  NewsTask(Engine& engine, const Dump& dump)
      : x_(dump.read(engine, "x")), y_(dump.read(engine, "y")) {}
  nn::Module& module() override { return news_; }
  int64_t load(int64_t, int64_t) override { return items(); }
  int64_t items() const override { return x_.dim(0); }
  Tensor loss(int64_t, const Tensor&) override {
    return ops::bce_with_logits(news_.forward(x_), y_);
  }

 private:
  News news_;
  Tensor x_, y_;
};

models::TransformerConfig gpt2(int64_t vocab, int64_t context, int64_t layers, int64_t heads,
                               int64_t dim) {
  models::TransformerConfig c;
  c.layout = models::ModelLayout::kGpt2;
  c.vocab = vocab;
  c.context = context;
  c.layers = layers;
  c.heads = heads;
  c.dim = dim;
  c.norm_eps = 1e-5F;
  c.tie_embeddings = true;
  return c;
}

class GptTask : public FixedTask {
 public:
  GptTask(Engine& engine, const Dump& dump, const models::TransformerConfig& config)
      : model_(engine, config), x_(dump.read(engine, "x")), y_(dump.read(engine, "y")) {}

  nn::Module& module() override { return model_; }
  int64_t load(int64_t, int64_t) override { return items(); }
  int64_t items() const override { return x_.size(); }
  Tensor loss(int64_t, const Tensor& count) override {
    nn::SequenceContext context;
    context.is_training = true;
    return model_.loss(x_, y_, count, context);
  }

  /// transformer.h.3.attn.c_attn.weight is h.3.attn.weight there, and so on.
  std::string dump_name(const std::string& name) const override {
    constexpr std::pair<std::string_view, std::string_view> kParts[] = {{"transformer.", ""},
                                                                        {".attn.c_attn.", ".attn."},
                                                                        {".attn.c_proj.", ".proj."},
                                                                        {".mlp.c_fc.", ".fc."},
                                                                        {".mlp.c_proj.", ".out."}};
    std::string there = name;
    for (const auto& [ours, theirs] : kParts) {
      const size_t at = there.find(ours);
      if (at != there.npos) there.replace(at, ours.size(), theirs);
    }
    return there;
  }

  int64_t model_flops() override {
    int64_t matrices = 0;
    for (const nn::NamedParameter& p : nn::parameters(model_)) {
      const bool is_lookup = p.name.ends_with("wpe.weight");
      if (p.parameter->shape.rank() == 2 && !is_lookup) matrices += p.parameter->shape.size();
    }
    const models::TransformerConfig& c = model_.config();
    return items() * (6 * matrices + 6 * c.layers * c.dim * x_.dim(1));
  }

 private:
  models::Transformer model_;
  Tensor x_, y_;
};

}  // namespace

Workload read_workload(const std::string& dump, const std::string& name) {
  const std::string path = join_path(dump, name + ".json");
  const Json json = parse_json(read_file(path, kMaxJson), path);
  Workload w;
  w.name = json_string(json, "workload", path);
  w.optimiser = json_string(json, "optimiser", path);
  w.lr = json_number(json, "lr", path);
  w.weight_decay = json_number(json, "weight_decay", path);
  w.items_per_step = json_int(json, "items_per_step", path);
  for (const Json& loss : json_member(json, "losses", path)) w.losses.push_back(loss.get<double>());
  if (!json.contains("losses_float64")) return w;
  for (const Json& loss : json["losses_float64"]) w.losses_float64.push_back(loss.get<double>());
  require(w.losses_float64.size() == w.losses.size(), Code::kCorruptFile,
          "{}: {} losses_float64 beside {} losses", path, w.losses_float64.size(), w.losses.size());
  for (const Json& run : json_member(json, "losses_disturbed", path)) {
    require(run.size() == w.losses.size(), Code::kCorruptFile,
            "{}: a disturbed run of {} losses beside {} losses", path, run.size(), w.losses.size());
    std::vector<double>& losses = w.losses_disturbed.emplace_back();
    for (const Json& loss : run) losses.push_back(loss.get<double>());
  }
  for (const auto& [tensor, apart] : json_member(json, "gradient_distances", path).items()) {
    w.gradient_distances.emplace(tensor, apart.get<double>());
  }
  return w;
}

Dump::Dump(const std::string& path) : file_(path) {
  std::vector<std::byte> head(static_cast<size_t>(std::min(file_.size(), kMaxHeader)));
  file_.read_at(0, head);
  header_ = io::parse_safetensors(head, file_.size(), path);
}

const io::TensorInfo& Dump::at(const std::string& name) const {
  std::vector<std::string> known;
  for (const io::TensorInfo& info : header_.tensors) {
    if (info.name == name) return info;
    known.push_back(info.name);
  }
  fail(Code::kNotFound, "{}: no tensor \"{}\".{}", file_.path(), name, did_you_mean(name, known));
}

void Dump::read(const std::string& name, const Tensor& target) const {
  const io::TensorInfo& info = at(name);
  require(info.shape == target.shape(), Code::kShapeMismatch, "{}: \"{}\" is {}, {} is needed",
          file_.path(), name, info.shape.text(), target.shape().text());
  const int64_t from = header_.data_begin + info.begin;
  if (info.dtype == target.dtype()) {
    file_.read_at(from, {target.raw(), static_cast<size_t>(target.size_bytes())});
    return;
  }
  require(info.dtype == DType::kI64 && target.dtype() == DType::kI32, Code::kDtypeMismatch,
          "{}: \"{}\" is {}, {} is needed", file_.path(), name, dtype_name(info.dtype),
          dtype_name(target.dtype()));
  std::vector<int64_t> wide(static_cast<size_t>(target.size()));
  file_.read_at(from, std::as_writable_bytes(std::span(wide)));
  for (size_t i = 0; i < wide.size(); ++i) {
    target.data<int32_t>()[i] = static_cast<int32_t>(wide[i]);
  }
}

Tensor Dump::read(Engine& engine, const std::string& name) const {
  const io::TensorInfo& info = at(name);
  const DType dtype = info.dtype == DType::kI64 ? DType::kI32 : info.dtype;
  Tensor t = Tensor::empty(engine, info.shape, dtype);
  read(name, t);
  return t;
}

std::vector<std::string> workload_names() {
  return {"linear_1x1_sgd",     "dense10_adam_b32", "news_b32_len500", "mlp1000_500_250_10_b32",
          "cifar_cnn_b100",     "resnet18_b64",     "gpt_10m_b8_t256", "gpt2_124m_b2_t512",
          "lstm_b32_t100_h128", "gru_b32_t100_h128"};
}

std::unique_ptr<FixedTask> make_task(Engine& engine, const Workload& w, const Dump& dump) {
  if (w.name == "linear_1x1_sgd") {
    return std::make_unique<StackTask>(engine, dump, std::vector<int64_t>{1, 1},
                                       std::vector<std::string>{""}, Loss::kMse);
  }
  if (w.name == "dense10_adam_b32") {
    return std::make_unique<StackTask>(engine, dump, std::vector<int64_t>{10, 1},
                                       std::vector<std::string>{""}, Loss::kMse);
  }
  if (w.name == "news_b32_len500") return std::make_unique<NewsTask>(engine, dump);
  if (w.name == "mlp1000_500_250_10_b32") {
    return std::make_unique<StackTask>(engine, dump, std::vector<int64_t>{1000, 500, 250, 10},
                                       std::vector<std::string>{"0", "2", "4"},
                                       Loss::kCrossEntropy);
  }
  if (w.name == "cifar_cnn_b100" || w.name == "resnet18_b64") {
    return make_image_task(engine, w.name, dump);
  }
  if (w.name == "lstm_b32_t100_h128" || w.name == "gru_b32_t100_h128") {
    return make_recurrent_task(engine, w.name, dump);
  }
  if (w.name == "gpt_10m_b8_t256") {
    return std::make_unique<GptTask>(engine, dump, gpt2(4096, 256, 6, 6, 384));
  }
  if (w.name == "gpt2_124m_b2_t512") {
    return std::make_unique<GptTask>(engine, dump, gpt2(50257, 1024, 12, 12, 768));
  }
  fail(Code::kInvalidArgument, "bench: unknown workload \"{}\".{}", w.name,
       did_you_mean(w.name, workload_names()));
}

}  // namespace ingot::bench
