// SPDX-License-Identifier: Apache-2.0
// Learning from pictures with every augmentation on: the same bytes on any number of threads, op by
// op or replayed, stopped and continued.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/hash.h"
#include "data/permutation.h"
#include "data/preview.h"
#include "data/table_examples.h"
#include "data/transforms/feature_rows.h"
#include "data/transforms/image_feature.h"
#include "io/image.h"
#include "train/mixup.h"
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
    augments.push_back(augment(data::AugmentKind::kNoise));
    augments.back().deviation = 0.05;
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

/// The loss of a network that looks at one pixel says what that pixel of a batch is: what the
/// preview shows of the first epoch, augmented and mixed, to half a byte.
TEST_F(ImageTraining, APreviewShowsTheMixturesThatAreLearnedFrom) {
  constexpr int64_t kSize = kSide * kSide * 3;
  constexpr double kHalfAByte = 0.5 / 255 / 0.1;  // deviations are larger than 0.1
  const std::string data = join_path(folder_, "data");
  const data::FeatureSet features = data::FeatureSet::load(join_path(data, "features.json"));
  const data::ExampleReader rows(data::examples_path(data, data::Split::kTrain));
  const auto label_of = [&](int64_t row) {
    int32_t label = 0;
    const int64_t offset = rows.layout().find(data::kTargetField)->offset;
    std::memcpy(&label, rows.row(row).data() + offset, sizeof(label));
    return label;
  };
  Team team(1);
  Engine engine(team);
  std::vector<models::LayerConfig> layers(2);
  layers[0].type = models::LayerType::kFlatten;
  layers[1].units = 2;
  models::Network network(layers, {{"image", {kSide, kSide, 3}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(engine, network);
  ObjectiveConfig mixed;
  mixed.mixup = 1;
  TrainConfig c;
  c.steps = 1;
  c.seq = c.micro_batch = 1;
  const data::FeatureRows filler(features, engine.seed());
  SupervisedTask task(engine, c, make_objective(mixed, 2, network.output()), network,
                      {rows, nullptr, filler});

  data::PreviewOptions options;
  options.rows = rows.rows();
  options.versions = 1;
  options.seed = engine.seed();
  const auto mix_of = [&](int64_t row, uint64_t epoch) {
    return draw_mix(engine.seed(), epoch, row, rows.rows(), mixed.mixup);
  };
  options.mix = [&](int64_t row, uint64_t epoch) {
    const Mix mix = mix_of(row, epoch);
    return data::PreviewMix{mix.partner, mix.share};
  };
  const io::Image grid = data::preview(features, rows, options);
  // A picture of 9 pixels is enlarged ten times in a cell of 96, four pixels from the next.
  const auto shown = [&](int64_t row, int64_t pixel) {
    const int64_t y = 4 + row * 100 + 3 + pixel / (3 * kSide) * 10;
    const int64_t x = 4 + 100 + 3 + pixel / 3 % kSide * 10;
    const auto at = static_cast<size_t>((y * grid.width + x) * 3 + pixel % 3);
    const std::vector<uint8_t> bytes(kSize, grid.pixels[at]);
    std::vector<float> numbers(kSize);
    features.find_image("image")->to_numbers(bytes, numbers.data());
    return static_cast<double>(numbers[static_cast<size_t>(pixel)]);
  };

  const uint64_t key = mix64(engine.seed() ^ mix64(0x6f72646572ULL));
  Tensor count = Tensor::zeros(engine, {}, DType::kI64);
  count.data<int64_t>()[0] = 1;
  for (const int64_t place : {0, 5, 40, 71}) {
    const int64_t row = data::Permutation(rows.rows(), key)(place);
    const Mix mix = mix_of(row, 0);
    task.load(place, 0);
    for (const int64_t pixel : {0L, 100L, 121L, kSize - 1}) {
      for (const nn::NamedParameter& p : nn::parameters(network)) {
        const int64_t size = p.parameter->value.shape().size();
        std::fill_n(p.parameter->value.data<float>(), size, 0.0F);
        if (size > 2) p.parameter->value.data<float>()[pixel] = 1.0F;  // of class 0
        ++p.parameter->value.storage().version;
      }
      const double logit = shown(row, pixel);
      const auto loss_of = [&](int32_t label) {
        return std::log1p(std::exp(logit)) - (label == 0 ? logit : 0.0);
      };
      const auto s = static_cast<double>(mix.share);
      EXPECT_NEAR(static_cast<double>(task.loss(0, count).to_vector<float>()[0]),
                  s * loss_of(label_of(row)) + (1.0 - s) * loss_of(label_of(mix.partner)),
                  kHalfAByte)
          << row << ", pixel " << pixel;
    }
  }
}

}  // namespace
}  // namespace ingot::train::image_training_test
