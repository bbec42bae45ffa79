// SPDX-License-Identifier: Apache-2.0
#include "nn/init.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/hash.h"
#include "base/philox.h"
#include "nn/orthogonal.h"

namespace ingot::nn {
namespace {

constexpr int64_t kTile = 1 << 14;
constexpr uint64_t kWordsPerValue = 64;  // room for redraws, so that a value's words are its own

/// values[i] = draw(generator at i's own position), in parallel.
template <class Draw>
void fill(std::span<float> values, uint64_t seed, std::string_view name, Team& team,
          const Draw& draw) {
  const auto n = static_cast<int64_t>(values.size());
  const uint64_t stream = hash64(name);
  team.tiles((n + kTile - 1) / kTile, n < kTile, [&](int64_t tile) {
    Philox random(seed, stream);
    for (int64_t i = tile * kTile; i < std::min(n, (tile + 1) * kTile); ++i) {
      random.seek(static_cast<uint64_t>(i) * kWordsPerValue);
      values[static_cast<size_t>(i)] = static_cast<float>(draw(random));
    }
  });
}

void fill_uniform(std::span<float> v, double limit, uint64_t seed, std::string_view name,
                  Team& team) {
  fill(v, seed, name, team,
       [limit](Philox& r) { return (2.0 * r.uniform_double() - 1.0) * limit; });
}

void fill_normal(std::span<float> v, double deviation, uint64_t seed, std::string_view name,
                 Team& team) {
  fill(v, seed, name, team, [deviation](Philox& r) { return r.normal() * deviation; });
}

/// Rows of a random normal matrix made orthonormal; with more rows than columns, its columns.
void fill_orthogonal(std::span<float> v, int64_t rows, int64_t cols, double scale, uint64_t seed,
                     std::string_view name, Team& team) {
  fill_normal(v, 1.0, seed, name, team);
  const bool is_tall = rows > cols;
  const int64_t count = is_tall ? cols : rows, length = is_tall ? rows : cols;
  std::vector<double> q(static_cast<size_t>(count * length));
  const auto at = [&](int64_t i, int64_t j) -> float& {
    return v[static_cast<size_t>(is_tall ? j * cols + i : i * cols + j)];
  };
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      q[static_cast<size_t>(i * length + j)] = static_cast<double>(at(i, j));
    }
  }
  orthonormalise(q, count, length, team);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      at(i, j) = static_cast<float>(q[static_cast<size_t>(i * length + j)] * scale);
    }
  }
}

/// Weight [out_channels, kernel_h, kernel_w, in_channels]: 1 at the middle of the window, from
/// channel i to channel i.
void fill_dirac(std::span<float> v, const Shape& shape, double scale, uint64_t seed,
                std::string_view name, Team& team) {
  INGOT_ASSERT(shape.rank() == 4);
  const int64_t per_filter = shape.size(1, 4), channels = shape[3];
  fill_uniform(v, scale / std::sqrt(static_cast<double>(per_filter)), seed, name, team);
  const int64_t middle = (shape[1] / 2 * shape[2] + shape[2] / 2) * channels;
  for (int64_t i = 0; i < std::min(channels, shape[0]); ++i) {
    const auto filter =
        v.subspan(static_cast<size_t>(i * per_filter), static_cast<size_t>(per_filter));
    std::fill(filter.begin(), filter.end(), 0.0F);
    filter[static_cast<size_t>(middle + i)] = 1.0F;
  }
}

}  // namespace

void initialise(std::span<float> values, const Shape& shape, Init init, uint64_t seed,
                std::string_view name, Team& team) {
  const int64_t rows = shape.rank() > 0 ? shape[0] : 1;
  const int64_t fan_in = rows > 0 ? shape.size() / rows : 1;
  const int64_t window = shape.rank() == 4 ? shape[1] * shape[2] : 1;  // of a convolution
  const int64_t fan_out = rows * window;
  const auto in = static_cast<double>(fan_in), both = static_cast<double>(fan_in + fan_out);
  const auto scale = static_cast<double>(init.scale);
  switch (init.kind) {
    case InitKind::kZeros:
    case InitKind::kWhiten:
      std::fill(values.begin(), values.end(), 0.0F);
      return;
    case InitKind::kOnes:
      std::fill(values.begin(), values.end(), init.scale);
      return;
    case InitKind::kNormal:
      fill_normal(values, scale, seed, name, team);
      return;
    case InitKind::kTruncatedNormal:
      fill(values, seed, name, team, [scale](Philox& r) {
        double x = r.normal();
        for (int redraw = 0; std::abs(x) > 2.0 && redraw < 15; ++redraw) x = r.normal();
        return std::clamp(x, -2.0, 2.0) * scale;
      });
      return;
    case InitKind::kUniform:
      fill_uniform(values, scale, seed, name, team);
      return;
    case InitKind::kGlorotUniform:
      fill_uniform(values, scale * std::sqrt(6.0 / both), seed, name, team);
      return;
    case InitKind::kGlorotNormal:
      fill_normal(values, scale * std::sqrt(2.0 / both), seed, name, team);
      return;
    case InitKind::kHeUniform:
      fill_uniform(values, scale * std::sqrt(6.0 / in), seed, name, team);
      return;
    case InitKind::kHeNormal:
      fill_normal(values, scale * std::sqrt(2.0 / in), seed, name, team);
      return;
    case InitKind::kOrthogonal:
      fill_orthogonal(values, rows, fan_in, scale, seed, name, team);
      return;
    case InitKind::kDirac:
      fill_dirac(values, shape, scale, seed, name, team);
      return;
    case InitKind::kForgetGate: {
      const size_t gate = values.size() / 4;
      std::fill(values.begin(), values.end(), 0.0F);
      std::fill_n(values.begin() + static_cast<int64_t>(gate), gate, init.scale);
      return;
    }
  }
}

}  // namespace ingot::nn
