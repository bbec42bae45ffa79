// SPDX-License-Identifier: Apache-2.0
#include "nn/whiten.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ingot::nn {
namespace {

constexpr int64_t kMaxPatch = 512;
constexpr int64_t kRowBlock = 16;  // of the moments: what a worker takes at once
constexpr int kMaxSweeps = 64;     // convergence is quadratic: about ten are needed

size_t at(int64_t row, int64_t col, int64_t n) { return static_cast<size_t>(row * n + col); }

/// Rotates rows and columns p and q of `a` so that element (p, q) becomes 0, and the same rows of
/// `v`, which end as the eigenvectors.
void rotate(std::vector<double>& a, std::vector<double>& v, int64_t n, int64_t p, int64_t q) {
  const double apq = a[at(p, q, n)];
  if (apq == 0.0) return;
  const double tau = (a[at(q, q, n)] - a[at(p, p, n)]) / (2.0 * apq);
  const double t = (tau >= 0.0 ? 1.0 : -1.0) / (std::abs(tau) + std::sqrt(1.0 + tau * tau));
  const double c = 1.0 / std::sqrt(1.0 + t * t), s = t * c;
  const auto turn = [c, s](double& x, double& y) {
    const double before = x;
    x = c * before - s * y;
    y = s * before + c * y;
  };
  for (int64_t k = 0; k < n; ++k) turn(a[at(k, p, n)], a[at(k, q, n)]);
  for (int64_t k = 0; k < n; ++k) turn(a[at(p, k, n)], a[at(q, k, n)]);
  for (int64_t k = 0; k < n; ++k) turn(v[at(p, k, n)], v[at(q, k, n)]);
}

/// Windows of images [batch, height, width, channels] that lie inside, one after the other.
class Patches {
 public:
  Patches(const Tensor& images, const Shape& weight)
      : images_(images), kernel_h_(weight[1]), kernel_w_(weight[2]) {}

  [[nodiscard]] int64_t count() const {
    return images_.dim(0) * std::max<int64_t>(0, images_.dim(1) - kernel_h_ + 1) * columns();
  }
  /// The first numbers of window i.
  void read(int64_t i, std::span<double> patch) const {
    const int64_t height = images_.dim(1), width = images_.dim(2), channels = images_.dim(3);
    const int64_t rows = height - kernel_h_ + 1, run = kernel_w_ * channels;
    const int64_t x = i % columns(), y = i / columns() % rows, image = i / columns() / rows;
    const auto* from = images_.data<float>() + ((image * height + y) * width + x) * channels;
    for (int64_t k = 0; k < std::ssize(patch); k += run, from += width * channels) {
      const int64_t n = std::min(run, std::ssize(patch) - k);
      std::copy(from, from + n, patch.begin() + k);
    }
  }

 private:
  [[nodiscard]] int64_t columns() const {
    return std::max<int64_t>(0, images_.dim(2) - kernel_w_ + 1);
  }

  const Tensor& images_;
  int64_t kernel_h_, kernel_w_;
};

/// Σ patch·patchᵀ / patches, over every position where the window lies inside the image. A worker
/// has rows of the result for itself, each a sum in the order of the patches.
std::vector<double> second_moments(const Tensor& images, const Shape& weight) {
  const Patches patches(images, weight);
  const int64_t n = weight.size(1, 4), count = patches.count();
  const int64_t blocks = (n + kRowBlock - 1) / kRowBlock;
  std::vector<double> sums(static_cast<size_t>(n * n));
  std::vector<double> room(static_cast<size_t>(blocks * n));
  images.engine().team().tiles(blocks, false, [&](int64_t tile) {
    // Short rows and long ones by turns, for workers of equal work.
    const int64_t block = tile % 2 == 0 ? tile / 2 : blocks - 1 - tile / 2;
    const int64_t first = block * kRowBlock, last = std::min(n, first + kRowBlock);
    const std::span<double> patch(&room[at(block, 0, n)], static_cast<size_t>(last));
    for (int64_t p = 0; p < count; ++p) {
      patches.read(p, patch);
      for (int64_t i = first; i < last; ++i) {
        double* row = &sums[at(i, 0, n)];
        const double x = patch[static_cast<size_t>(i)];
        for (int64_t j = 0; j <= i; ++j) row[j] += x * patch[static_cast<size_t>(j)];
      }
    }
  });
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      sums[at(j, i, n)] = sums[at(i, j, n)] /= static_cast<double>(std::max<int64_t>(count, 1));
    }
  }
  return sums;
}

}  // namespace

Eigen symmetric_eigen(std::vector<double> a, int64_t n) {
  INGOT_ASSERT(std::ssize(a) == n * n);
  std::vector<double> v(a.size());
  for (int64_t i = 0; i < n; ++i) v[at(i, i, n)] = 1.0;
  for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
    double off = 0.0, all = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const double square = a[at(i, j, n)] * a[at(i, j, n)];
        all += square;
        if (i != j) off += square;
      }
    }
    if (off <= 1e-30 * all) break;
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) rotate(a, v, n, p, q);
    }
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return a[at(i, i, n)] > a[at(j, j, n)]; });
  Eigen eigen;
  for (const int64_t i : order) {
    eigen.values.push_back(a[at(i, i, n)]);
    for (int64_t j = 0; j < n; ++j) eigen.vectors.push_back(v[at(i, j, n)]);
  }
  return eigen;
}

std::vector<float> whitening_filters(const Tensor& images, const Shape& weight, float scale,
                                     double eps) {
  INGOT_ASSERT(images.rank() == 4 && weight.rank() == 4 && weight[3] == images.dim(3));
  const int64_t n = weight.size(1, 4), filters = weight[0];
  require(n <= kMaxPatch && filters % 2 == 0 && filters <= 2 * n, Code::kInvalidArgument,
          "whiten: {} filters over windows of {} x {} x {} numbers; an even number up to {} is "
          "possible, for windows of up to {} numbers",
          filters, weight[1], weight[2], weight[3], 2 * std::min(n, kMaxPatch), kMaxPatch);
  const Eigen eigen = symmetric_eigen(second_moments(images, weight), n);
  std::vector<float> values;
  values.reserve(static_cast<size_t>(weight.size()));
  for (int64_t i = 0; i < filters; ++i) {
    const double sign = i % 2 == 0 ? 1.0 : -1.0;
    const double root = std::sqrt(std::max(0.0, eigen.values[static_cast<size_t>(i / 2)]) + eps);
    for (int64_t j = 0; j < n; ++j) {
      values.push_back(static_cast<float>(sign * static_cast<double>(scale) *
                                          eigen.vectors[at(i / 2, j, n)] / root));
    }
  }
  return values;
}

}  // namespace ingot::nn
