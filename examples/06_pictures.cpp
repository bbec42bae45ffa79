// SPDX-License-Identifier: Apache-2.0
// A convolutional network on pictures that the program draws: a disc, a square or a cross somewhere
// in the noise. Convolutions, batch norm, a residual block and pools; the learning rate falls, and
// the saved folder gives the same probabilities.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include <ingot.h>

using namespace ingot;

constexpr int kSide = 20, kClasses = 3;
constexpr const char* kNames[kClasses] = {"disc", "square", "cross"};

struct Pictures {
  std::vector<float> x;    // [count, kSide, kSide, 1]
  std::vector<int32_t> y;  // [count]
};

/// Whether a pixel (dx, dy) away from the middle belongs to the figure.
bool is_inside(int figure, int dx, int dy, int radius) {
  if (figure == 0) return dx * dx + dy * dy <= radius * radius;
  const int far = std::max(std::abs(dx), std::abs(dy)), near = std::min(std::abs(dx), std::abs(dy));
  return far <= radius && (figure == 1 || near <= radius / 3);
}

Pictures draw(int count, uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
  Pictures pictures;
  for (int i = 0; i < count; ++i) {
    const int figure = below(kClasses), radius = 4 + below(3);
    const int room = kSide - 2 * radius, left = radius + below(room), top = radius + below(room);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const float noise = static_cast<float>(random()) * 0x1p-32F;
        pictures.x.push_back(is_inside(figure, x - left, y - top, radius) ? 1.0F - 0.4F * noise
                                                                          : 0.6F * noise);
      }
    }
    pictures.y.push_back(figure);
  }
  return pictures;
}

int main() {
  const Pictures train = draw(3000, 1), validation = draw(500, 2), test = draw(500, 3);

  // What a layer takes beside its sizes is named as in a recipe.
  Sequential model(input("picture", {kSide, kSide, 1}),
                   {conv2d(8, {3}, {.padding = same(), .bias = false}),
                    batch_norm({.activation = Activation::kRelu}), max_pool2d(),
                    conv2d(16, {3}, {.padding = same(), .activation = Activation::kRelu}),
                    residual({conv2d(16, {3}, {.padding = same(), .bias = false}), batch_norm()},
                             {.activation = Activation::kRelu}),
                    global_max_pool(), dense(kClasses, Activation::kSoftmax)});
  CompileOptions how;
  how.optimizer = optim::adam(3e-3);
  how.metrics = {"accuracy"};
  how.schedule = {.name = train::ScheduleKind::kLinear, .warmup = 0.0, .final = 0.0};
  model.compile(how);
  FitOptions options;
  options.epochs = 8;
  options.validation = Arrays{validation.x, validation.y};
  options.on_epoch = [](const Epoch& epoch) {
    std::printf("epoch %2d  loss %.4f  validation accuracy %.3f\n", static_cast<int>(epoch.number),
                epoch.loss, epoch.validation.at("accuracy"));
  };
  model.fit(train.x, train.y, options);

  const double accuracy = model.evaluate(test.x, test.y)["accuracy"];
  std::printf("test accuracy %.3f\n", accuracy);
  const std::vector<float> p = model.predict(test.x);
  for (size_t i = 0; i < kClasses; ++i) {
    std::printf("%s%s %.3f", i == 0 ? "the first is: " : ", ", kNames[i],
                static_cast<double>(p[i]));
  }
  std::printf("; it is a %s\n", kNames[test.y[0]]);

  model.save("picture_model");
  const bool is_same = Model::load("picture_model").predict(test.x) == p;
  return accuracy > 0.95 && is_same ? 0 : 1;
}
