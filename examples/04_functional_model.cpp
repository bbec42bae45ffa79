// SPDX-License-Identifier: Apache-2.0
// A model as in Keras: inputs → dense 64 ReLU → dense 1 sigmoid, compiled with Adam, binary cross
// entropy and accuracy, fitted with validation data, evaluated, asked, saved and loaded.
// The task: is a point of the square [-1, 1]² inside the ring 0.4 < r < 0.8?
#include <cmath>
#include <cstdio>
#include <random>

#include <ingot.h>

using namespace ingot;

struct Points {
  std::vector<float> x;
  std::vector<int32_t> y;
};

Points draw(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  Points points;
  for (size_t i = 0; i < count; ++i) {
    const float a = static_cast<float>(random()) * 0x1p-31F - 1.0F;
    const float b = static_cast<float>(random()) * 0x1p-31F - 1.0F;
    const float r = std::sqrt(a * a + b * b);
    points.x.insert(points.x.end(), {a, b});
    points.y.push_back(r > 0.4F && r < 0.8F ? 1 : 0);
  }
  return points;
}

int main() {
  const Points train = draw(4000, 1), validation = draw(1000, 2), test = draw(1000, 3);

  const Flow inputs = input("table", {2});
  const Flow hidden = dense(64, Activation::kRelu)(inputs);
  const Flow output = dense(1, Activation::kSigmoid)(hidden);
  Model model({inputs}, output);

  model.compile(
      {.optimizer = optim::adam(0.01), .loss = Loss::kBinaryCrossEntropy, .metrics = {"accuracy"}});
  FitOptions options;
  options.epochs = 20;
  options.validation = Arrays{validation.x, validation.y};
  options.on_epoch = [](const Epoch& epoch) {
    std::printf("epoch %2d  loss %.4f  validation %.4f, accuracy %.3f\n",
                static_cast<int>(epoch.number), epoch.loss, epoch.validation.at("loss"),
                epoch.validation.at("accuracy"));
  };
  model.fit(train.x, train.y, options);

  const train::Scores scores = model.evaluate(test.x, test.y);
  std::printf("test: loss %.4f, accuracy %.3f\n", scores.loss, scores["accuracy"]);

  const std::vector<float> asked = {0.0F, 0.0F, 0.6F, 0.0F};  // the middle, and a point of the ring
  const std::vector<float> inside = model.predict(asked);
  std::printf("p(inside): (0, 0) %.3f, (0.6, 0) %.3f\n", inside[0], inside[1]);

  model.save("ring_model");  // ingot predict ring_model points.csv   (columns x1 and x2)
  const bool is_same = Model::load("ring_model").predict(asked) == inside;
  return scores["accuracy"] > 0.95 && inside[0] < 0.5F && inside[1] > 0.5F && is_same ? 0 : 1;
}
