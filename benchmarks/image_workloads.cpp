// SPDX-License-Identifier: Apache-2.0
#include "image_workloads.h"

#include <fmt/format.h>

#include "autograd/ops/loss.h"
#include "base/config.h"
#include "models/network/channels_first.h"

namespace ingot::bench {
namespace {

constexpr const char* kCifarCnn = R"(layers:
- {type: conv2d, filters: 32, kernel: 5, activation: relu}
- {type: max_pool2d}
- {type: conv2d, filters: 64, kernel: 5, activation: relu}
- {type: max_pool2d}
- {type: flatten}
- {type: dense, units: 1024, activation: relu}
- {type: dense, units: 10}
)";

/// A stage of ResNet-18: two blocks, the first with the stride.
std::string stage(int filters, int stride) {
  std::string text;
  for (int block = 0; block < 2; ++block) {
    text += fmt::format(
        "- {{type: residual, activation: relu, layers: [\n"
        "    {{type: conv2d, filters: {0}, kernel: 3, stride: {1}, padding: 1, bias: false}},\n"
        "    {{type: batch_norm, activation: relu}},\n"
        "    {{type: conv2d, filters: {0}, kernel: 3, padding: 1, bias: false}},\n"
        "    {{type: batch_norm}}]}}\n",
        filters, block == 0 ? stride : 1);
  }
  return text;
}

std::string resnet18() {
  return "layers:\n- {type: conv2d, filters: 64, kernel: 3, padding: 1, bias: false}\n"
         "- {type: batch_norm, activation: relu}\n" +
         stage(64, 1) + stage(128, 2) + stage(256, 2) + stage(512, 2) +
         "- {type: global_average_pool}\n- {type: dense, units: 10}\n";
}

struct LayerList {
  std::vector<models::LayerConfig> layers;
  void visit(auto& field) { field("layers", layers, "of the network"); }
};

models::Network network_of(const std::string& yaml, const Shape& x) {
  LayerList list;
  bind_text(yaml, "workload", list);
  return models::Network(list.layers, {{"image", {x[1], x[2], x[3]}, DType::kF32, 0, -1}});
}

/// [batch, channels, height, width] of the dump → [batch, height, width, channels].
Tensor pictures(Engine& engine, const Dump& dump) {
  const Tensor x = dump.read(engine, "x");
  const int64_t channels = x.dim(1), pixels = x.dim(2) * x.dim(3);
  Tensor y = Tensor::empty(engine, {x.dim(0), x.dim(2), x.dim(3), channels});
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t n = i / (channels * pixels), c = i / pixels % channels, p = i % pixels;
    y.data<float>()[(n * pixels + p) * channels + c] = x.data<float>()[i];
  }
  return y;
}

class ImageTask : public FixedTask {
 public:
  ImageTask(Engine& engine, const Dump& dump, const std::string& yaml)
      : x_(pictures(engine, dump)),
        y_(dump.read(engine, "y")),
        network_(network_of(yaml, x_.shape())) {
    for (const io::TensorInfo& info : dump.list()) {
      if (info.name != "x" && info.name != "y") names_.push_back(info.name);
    }
    ours_ = nn::parameters(network_);
    require(names_.size() == ours_.size(), Code::kShapeMismatch,
            "bench: the dump holds {} weights, the network has {}", names_.size(), ours_.size());
  }

  nn::Module& module() override { return network_; }
  int64_t load(int64_t, int64_t) override { return items(); }
  int64_t items() const override { return x_.dim(0); }
  Tensor loss(int64_t, const Tensor& count) override {
    ops::CrossEntropyOptions options;
    options.count = count;
    return ops::cross_entropy(network_.forward({&x_, 1}, true), y_, options);
  }
  int64_t model_flops() override { return 3 * items() * network_.flops(); }

  /// Parameters in the order of the layers: it is the order of the dump.
  void read_weight(const Dump& dump, const nn::StoredParameter& p) override {
    const size_t i = place_of(p.name);
    const Tensor theirs = dump.read(x_.engine(), names_[i]);
    models::copy_channels_first(
        {names_[i], theirs.shape(), {theirs.data<float>(), static_cast<size_t>(theirs.size())}},
        network_, ours_[i], "bench");
  }
  std::string dump_name(const std::string& name) const override { return names_[place_of(name)]; }

 private:
  [[nodiscard]] size_t place_of(const std::string& name) const {
    size_t i = 0;
    while (ours_[i].name != name) ++i;
    return i;
  }

  Tensor x_, y_;
  models::Network network_;
  std::vector<nn::NamedParameter> ours_;  // in the order of the layers
  std::vector<std::string> names_;        // of the same tensors in the dump
};

}  // namespace

std::unique_ptr<FixedTask> make_image_task(Engine& engine, const std::string& name,
                                           const Dump& dump) {
  return std::make_unique<ImageTask>(engine, dump, name == "resnet18_b64" ? resnet18() : kCifarCnn);
}

}  // namespace ingot::bench
