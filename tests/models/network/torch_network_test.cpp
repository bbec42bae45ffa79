// SPDX-License-Identifier: Apache-2.0
// Networks of PyTorch with its weights: our layer list, the checkpoint, and the answers must be
// PyTorch's. A small made-up one with every kind of layer (golden file and script: tests/golden/
// models, scripts/golden/torch_file_golden.py), and the published ResNet-20 and tutorial network
// when INGOT_DATA_DIR holds them, with the reference logits beside them.
#include <cstdlib>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/team.h"
#include "io/byte_source.h"
#include "models/network/channels_first.h"
#include "models/network/layer_lists.h"
#include "models/network/runner.h"
#include "nn/parameter_store.h"
#include "source_dir.h"

namespace ingot::models::torch_network_test {
namespace {

using testing::layers_of;
using testing::picture;

constexpr const char* kSmall = R"(
- {type: conv2d, filters: 4, kernel: 3, padding: 1, activation: gelu}
- {type: max_pool2d}
- type: residual
  activation: relu
  layers:
    - {type: conv2d, filters: 6, kernel: 3, stride: 2, padding: 1, bias: false}
    - {type: batch_norm, activation: relu}
    - {type: conv2d, filters: 6, kernel: 3, padding: 1, groups: 2, bias: false}
    - {type: batch_norm}
- {type: conv2d_transpose, filters: 4, kernel: 2, stride: 2}
- {type: average_pool2d, kernel: 3, stride: 1, padding: 1}
- {type: flatten}
- {type: activation, activation: relu}
- {type: dense, units: 5, activation: tanh}
- {type: dense, units: 3}
)";

TEST(TorchNetwork, AnswersAsPyTorchDoes) {
  constexpr double kTolerance = 2e-5;  // float32 sums of some hundred products in another order
  const std::string folder = INGOT_SOURCE_DIR "/tests/golden/models/";
  const Json golden = parse_json(read_file(folder + "torch_network.json"), "golden");
  Team team(2);
  Engine engine(team);
  Network network(layers_of(kSmall), {picture(16, 16, 3)});
  const nn::ParameterStore store(engine, network);
  load_torch_file(folder + "torch_network.pt", network);
  const auto x = golden.at("x").get<std::vector<float>>();
  const auto expected = golden.at("y").get<std::vector<double>>();
  NetworkRunner runner(engine, network, 3, Link::kNone);
  std::copy(x.begin(), x.end(), runner.input(0).data<float>());
  const std::span<const float> y = runner.run(3);
  ASSERT_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], kTolerance);
}

// ---- Published networks -------------------------------------------------------------------------

/// Two 3 x 3 convolutions, option A's shortcut; `first` has the stride, the others follow.
std::string resnet_stage(const std::string& filters, int stride, int more) {
  const auto block = [&](int s, const std::string& repeat) {
    const std::string conv = "    - {type: conv2d, filters: " + filters +
                             ", kernel: 3, padding: 1, bias: false, stride: ";
    return "- type: residual\n  shortcut: pad\n  activation: relu\n" + repeat + "  layers:\n" +
           conv + std::to_string(s) + "}\n    - {type: batch_norm, activation: relu}\n" + conv +
           "1}\n    - {type: batch_norm}\n";
  };
  return block(stride, "") + block(1, "  repeat: " + std::to_string(more) + "\n");
}

std::string resnet20() {
  return "- {type: conv2d, filters: 16, kernel: 3, padding: 1, bias: false}\n"
         "- {type: batch_norm, activation: relu}\n" +
         resnet_stage("16", 1, 2) + resnet_stage("32", 2, 2) + resnet_stage("64", 2, 2) +
         "- {type: global_average_pool}\n- {type: dense, units: 10}\n";
}

constexpr const char* kTutorial = R"(
- {type: conv2d, filters: 6, kernel: 5, activation: relu}
- {type: max_pool2d}
- {type: conv2d, filters: 16, kernel: 5, activation: relu}
- {type: max_pool2d}
- {type: flatten}
- {type: dense, units: 120, activation: relu}
- {type: dense, units: 84, activation: relu}
- {type: dense, units: 10}
)";

struct Published {
  const char* folder;
  const char* file;
  std::string layers;
  int64_t parameters;  // that train
};

class PublishedNetwork : public ::testing::Test {
 protected:
  static constexpr int64_t kImages = 1000, kPixels = 32 * 32;

  void SetUp() override {
    const char* data = std::getenv("INGOT_DATA_DIR");
    if (data == nullptr || !file_exists(std::string(data) + "/model_resnet_cifar10/SOURCE.md")) {
      GTEST_SKIP() << "needs INGOT_DATA_DIR with model_resnet_cifar10 and cifar10";
    }
    data_ = data;
  }

  /// The first test images, normalised as `golden` says, and their labels.
  void read_images(const Json& golden, std::vector<float>& x, std::vector<int>& labels) {
    const std::vector<double> half(3, 0.5);
    const auto mean = golden.value("mean", half), deviation = golden.value("std", half);
    const auto source = io::open_source(data_ + "/cifar10/test_batch_first1000.bin.xz");
    std::vector<std::byte> record(1 + 3 * kPixels);
    for (int64_t n = 0; n < kImages; ++n) {
      ASSERT_EQ(io::read_fully(*source, record), std::ssize(record));
      labels.push_back(std::to_integer<int>(record[0]));
      for (int64_t p = 0; p < kPixels; ++p) {
        for (size_t c = 0; c < 3; ++c) {
          const auto byte = std::to_integer<int>(record[1 + c * kPixels + static_cast<size_t>(p)]);
          x.push_back(static_cast<float>((byte / 255.0 - mean[c]) / deviation[c]));
        }
      }
    }
  }

  void check(const Published& published) {
    constexpr double kLogit = 1e-3;  // logits up to 30, 20 layers of float32 sums
    const std::string folder = data_ + "/" + published.folder + "/";
    const Json golden = parse_json(read_file(folder + "reference_logits.json"), "logits");
    const Json model = golden.contains("models") ? golden.at("models").begin().value() : golden;
    std::vector<float> x;
    std::vector<int> labels;
    read_images(golden, x, labels);
    Team team(2);
    Engine engine(team);
    Network network(layers_of(published.layers), {picture(32, 32, 3)});
    const nn::ParameterStore store(engine, network);
    int64_t trained = 0;
    for (const nn::StoredParameter& p : store.list()) {
      trained += p.parameter->trainable ? p.parameter->shape.size() : 0;
    }
    EXPECT_EQ(trained, published.parameters);
    load_torch_file(folder + published.file, network);
    constexpr int64_t kBatch = 100;
    NetworkRunner runner(engine, network, kBatch, Link::kNone);
    const auto logits = model.at("logits").get<std::vector<std::vector<double>>>();
    int correct = 0;
    for (int64_t first = 0; first < kImages; first += kBatch) {
      std::copy_n(x.data() + first * 3 * kPixels, kBatch * 3 * kPixels,
                  runner.input(0).data<float>());
      const std::span<const float> y = runner.run(kBatch);
      for (int64_t i = 0; i < kBatch; ++i) {
        const auto row = y.subspan(static_cast<size_t>(i * 10), 10);
        const auto best = std::max_element(row.begin(), row.end()) - row.begin();
        const auto n = static_cast<size_t>(first + i);
        correct += best == labels[n] ? 1 : 0;
        if (n >= logits.size()) continue;
        for (size_t k = 0; k < 10; ++k) EXPECT_NEAR(row[k], logits[n][k], kLogit) << n << " " << k;
      }
    }
    EXPECT_EQ(correct, model.at("correct_of_first_1000").get<int>());
  }

  std::string data_;
};

TEST_F(PublishedNetwork, Resnet20GivesItsReferenceLogitsAndAccuracy) {
  check({"model_resnet_cifar10", "resnet20-12fca82f.th", resnet20(), 269'722});
}

TEST_F(PublishedNetwork, TutorialNetworkGivesItsReferenceLogitsAndAccuracy) {
  check({"model_cifar_tutorial", "cifar_torchvision.pt", kTutorial, 62'006});
}

}  // namespace
}  // namespace ingot::models::torch_network_test
