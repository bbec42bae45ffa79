// SPDX-License-Identifier: Apache-2.0
// Learning from pictures with every augmentation on: the same bytes on any number of threads, op by
// op or replayed, stopped and continued.
#include <cmath>

#include "base/hash.h"
#include "data/table_examples.h"
#include "data/transforms/feature_rows.h"
#include "io/image.h"
#include "train/supervised_run.h"

namespace ingot::train::image_training_test {
namespace {

data::AugmentConfig augment(data::AugmentKind kind) {
  data::AugmentConfig config;
  config.kind = kind;
  return config;
}

class ImageTraining : public ::testing::Test {
 protected:
  static constexpr int64_t kSide = 9, kPictures = 90;

  /// A folder of pictures of two classes, bright at the top or at the bottom, as examples.
  void SetUp() override {
    std::vector<data::AugmentConfig> augments;
    augments.push_back(augment(data::AugmentKind::kCrop));
    augments.back().padding = 2;
    augments.back().border = data::Border::kReflect;
    augments.push_back(augment(data::AugmentKind::kFlip));
    augments.back().alternate = true;
    augments.push_back(augment(data::AugmentKind::kRotate));
    augments.back().degrees = 10;
    augments.push_back(augment(data::AugmentKind::kScale));
    augments.back().low = 0.9;
    augments.back().high = 1.1;
    augments.push_back(augment(data::AugmentKind::kColorJitter));
    augments.back().brightness = augments.back().contrast = augments.back().saturation = 0.2;
    augments.push_back(augment(data::AugmentKind::kCutout));
    augments.back().size = 3;
    for (int64_t i = 0; i < kPictures; ++i) {
      const bool is_top = i % 2 == 0;
      io::Image image{kSide, kSide, 3};
      for (int64_t k = 0; k < kSide * kSide * 3; ++k) {
        const bool is_bright = (k / (3 * kSide) < kSide / 2) == is_top;
        const uint64_t grain = mix64(static_cast<uint64_t>(i * 1000 + k)) % 60;
        image.pixels.push_back(static_cast<uint8_t>(grain + (is_bright ? 150 : 20)));
      }
      const std::string folder = join_path(folder_, is_top ? "pictures/top" : "pictures/under");
      make_directories(*files_, folder);
      write_atomically(*files_, join_path(folder, std::to_string(i) + ".png"), encode_png(image));
    }
    data::TableConfig table;
    table.path = join_path(folder_, "pictures");
    table.target.column = "class";
    table.split.validation = 0.2;
    table.split.test = 0;
    table.features.emplace_back().name = "image";
    table.features.back().image.augment = augments;
    (void)data::make_examples(*files_, table, join_path(folder_, "data"));
  }

  /// A small convolutional network with all that has state or random numbers of its own.
  static std::vector<models::LayerConfig> layers() {
    std::vector<models::LayerConfig> list(6);
    list[0].type = models::LayerType::kConv2d;
    list[0].filters = 8;
    list[0].kernel = std::vector<int64_t>{3, 3};
    list[1].type = models::LayerType::kBatchNorm;
    list[1].activation = models::ActivationName::kRelu;
    list[2].type = models::LayerType::kMaxPool2d;
    list[3].type = models::LayerType::kFlatten;
    list[4].type = models::LayerType::kDropout;
    list[4].rate = 0.2F;
    list[5].units = 2;
    return list;
  }

  testing::SupervisedResult fit(const std::string& out, int threads, bool replay = true,
                                int64_t stop_at = -1) {
    testing::SupervisedRun run;
    run.layers = layers();
    run.inputs = {{"image", {kSide, kSide, 3}, DType::kF32, 0, -1}};
    run.classes = 2;
    TrainConfig& c = run.config;
    c.steps = 30;
    c.seq = 1;
    c.micro_batch = 16;
    c.accumulate = 2;
    c.lr = 0.01;
    c.eval_every = 0;
    c.keep_best = false;
    c.replay = replay;
    const std::string data = join_path(folder_, "data");
    run.train_file = data::examples_path(data, data::Split::kTrain);
    run.validation_file = data::examples_path(data, data::Split::kValidation);
    run.out = join_path(folder_, out);
    const data::FeatureSet features = data::FeatureSet::load(join_path(data, "features.json"));
    run.filler = [&](uint64_t seed) { return std::make_unique<data::FeatureRows>(features, seed); };
    run.threads = threads;
    run.stop_at = stop_at;
    return train_supervised(run);
  }

  testing::TempDir dir_;
  std::string folder_ = dir_.path();
  std::unique_ptr<FileSystem> files_ = real_files();
};

TEST_F(ImageTraining, GivesTheSameBytesHoweverItIsRun) {
  const auto whole = fit("whole", 1);
  EXPECT_GT(whole.evaluation.metrics.at("accuracy"), 0.9) << "something was learned";
  for (const int threads : {2, 3, 8}) {
    EXPECT_EQ(fit("threads" + std::to_string(threads), threads).weights, whole.weights)
        << threads << " threads";
  }
  EXPECT_EQ(fit("eager", 2, false).weights, whole.weights);
  (void)fit("parts", 3, true, 13);
  EXPECT_EQ(fit("parts", 2).weights, whole.weights) << "stopped after 13 steps and continued";
}

}  // namespace
}  // namespace ingot::train::image_training_test
