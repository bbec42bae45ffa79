// SPDX-License-Identifier: Apache-2.0
// One dense layer on 100 rows of 10 random numbers with random targets: Adam after 100 epochs, and
// with a falling learning rate until it stands where least squares stands.
#include <cmath>
#include <cstdio>
#include <random>

#include <ingot.h>

using namespace ingot;

constexpr size_t kRows = 100, kColumns = 10, kUnknowns = kColumns + 1;  // the last one: the bias

/// Mean squared error of the least squares solution: normal equations by Gaussian elimination.
double least_squares(const std::vector<float>& x, const std::vector<float>& y) {
  const auto value = [&](size_t row, size_t i) {
    return i < kColumns ? static_cast<double>(x[row * kColumns + i]) : 1.0;
  };
  double a[kUnknowns][kUnknowns + 1] = {};
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t i = 0; i < kUnknowns; ++i) {
      for (size_t j = 0; j < kUnknowns; ++j) a[i][j] += value(row, i) * value(row, j);
      a[i][kUnknowns] += value(row, i) * static_cast<double>(y[row]);
    }
  }
  for (size_t i = 0; i < kUnknowns; ++i) {  // positive definite: no pivoting needed
    for (size_t k = 0; k < kUnknowns; ++k) {
      const double factor = k == i ? 0.0 : a[k][i] / a[i][i];
      for (size_t j = i; j <= kUnknowns; ++j) a[k][j] -= factor * a[i][j];
    }
  }
  double sum = 0.0;
  for (size_t row = 0; row < kRows; ++row) {
    double error = -static_cast<double>(y[row]);
    for (size_t i = 0; i < kUnknowns; ++i) error += a[i][kUnknowns] / a[i][i] * value(row, i);
    sum += error * error;
  }
  return sum / kRows;
}

int main() {
  std::mt19937 random(1);
  std::vector<float> x(kRows * kColumns), y(kRows);
  for (float& v : x) v = static_cast<float>(random()) * 0x1p-32F;
  for (float& v : y) v = static_cast<float>(random()) * 0x1p-32F;

  Sequential model(input("table", {kColumns}), {dense(1)});
  model.compile({.optimizer = optim::adam(0.01), .loss = Loss::kMse, .metrics = {"mse"}});
  const History history = model.fit(x, y, {.epochs = 100});
  std::printf("epoch %3ld  loss %.6f\n", long{1}, history.front().loss);
  std::printf("epoch 100  loss %.6f\n", history.back().loss);

  CompileOptions slower;
  slower.optimizer = optim::adam(0.02);
  slower.loss = Loss::kMse;
  slower.schedule = {.name = train::ScheduleKind::kLinear, .warmup = 0.0, .final = 0.0};
  model.compile(slower);
  model.fit(x, y, {.epochs = 6000, .batch = kRows});
  const double trained = model.evaluate(x, y)["mse"];
  const double best = least_squares(x, y);
  std::printf("trained to the end %.8f, least squares %.8f\n", trained, best);
  std::printf("the first row: target %.4f, predicted %.4f\n", y[0], model.predict(x)[0]);
  return std::abs(trained - best) < 1e-5 * best ? 0 : 1;
}
