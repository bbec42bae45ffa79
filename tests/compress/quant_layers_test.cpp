// SPDX-License-Identifier: Apache-2.0
// QuantLinear and QuantEmbedding against plain double loops over the dequantised weights.
#include "compress/quant_layers.h"

#include <algorithm>

#include "autograd/ops/elementwise.h"
#include "compress/compress_testing.h"

namespace ingot::compress::quant_layers_test {
namespace {

using namespace testing;

constexpr QuantFormat kFormats[] = {QuantFormat::kQ8, QuantFormat::kQ4};

double weight_at(const QuantMatrix& m, int64_t row, int64_t k) {
  const auto* blocks = reinterpret_cast<const uint8_t*>(m.blocks.raw());
  return kernels::reference::quant_weight(m.format(), blocks, m.in_features(), row, k);
}

struct Case {
  int64_t rows, in, out;
};
constexpr Case kCases[] = {{1, 1, 1}, {3, 33, 17}, {5, 100, 7}, {1, 64, 48}, {9, 31, 16}};

/// Σ over groups of (max|x| / 127 / 2) · Σ|w|: the rounding of x; and float rounding of the sum.
double bound(const QuantMatrix& m, const float* x, int64_t row) {
  double total = 0, magnitude = 0;
  for (int64_t g = 0; g < m.in_features(); g += 32) {
    double top = 0, weights = 0;
    for (int64_t k = g; k < std::min(g + 32, m.in_features()); ++k) {
      top = std::max(top, std::abs(static_cast<double>(x[k])));
      weights += std::abs(weight_at(m, row, k));
    }
    total += top / 254.0 * weights;
    magnitude += top * weights;
  }
  return total * 1.0001 + magnitude * 1e-6 + 1e-7;
}

void check_case(QuantFormat format, const Case& c) {
  World w;
  const std::vector<float> values = normals(c.out * c.in, 0.2F, 3);
  const QuantMatrix m =
      quantize_matrix(Tensor::from<float>(w.engine, values, {c.out, c.in}), format);
  const std::vector<float> x = normals(c.rows * c.in, 1.0F, 4), b = normals(c.out, 1.0F, 5);
  QuantLinear layer(m, Tensor::from<float>(w.engine, b, {c.out}), kernels::Activation::kRelu);
  const Tensor y = layer.forward(Tensor::from<float>(w.engine, x, {1, c.rows, c.in}));
  ASSERT_EQ(y.shape(), (Shape{1, c.rows, c.out}));
  for (int64_t r = 0; r < c.rows; ++r) {
    for (int64_t o = 0; o < c.out; ++o) {
      double sum = b[static_cast<size_t>(o)];
      for (int64_t k = 0; k < c.in; ++k) {
        sum += weight_at(m, o, k) * x[static_cast<size_t>(r * c.in + k)];
      }
      EXPECT_NEAR(y.data<float>()[r * c.out + o], std::max(sum, 0.0),
                  bound(m, &x[static_cast<size_t>(r * c.in)], o))
          << "row " << r << " output " << o;
    }
  }
}

TEST(QuantLinear, EqualsALoopOverTheRoundedWeights) {
  for (const QuantFormat format : kFormats) {
    for (const Case& c : kCases) {
      SCOPED_TRACE(::testing::Message()
                   << enum_name(format) << " " << c.rows << " rows, " << c.in << " -> " << c.out);
      check_case(format, c);
    }
  }
}

TEST(QuantLinear, TakesNoRowsAndStridedRows) {
  World w;
  const QuantMatrix m = quantize_matrix(
      Tensor::from<float>(w.engine, normals(8 * 6, 1.0F, 1), {8, 6}), QuantFormat::kQ8);
  QuantLinear layer(m);
  EXPECT_EQ(layer.forward(Tensor::empty(w.engine, {0, 6})).shape(), (Shape{0, 8}));
  const Tensor wide = Tensor::from<float>(w.engine, normals(4 * 6, 1.0F, 2), {4, 6});
  const Tensor second = layer.forward(wide.strided({2, 6}, {12, 1}, 6));  // rows 1 and 3
  const std::vector<float> all = layer.forward(wide).to_vector<float>();
  const std::vector<float> some = second.to_vector<float>();
  EXPECT_TRUE(std::equal(some.begin(), some.begin() + 8, all.begin() + 8));
  EXPECT_TRUE(std::equal(some.begin() + 8, some.end(), all.begin() + 24));
}

TEST(QuantEmbedding, GivesTheRoundedRows) {
  for (const QuantFormat format : kFormats) {
    World w;
    const QuantMatrix m =
        quantize_matrix(Tensor::from<float>(w.engine, normals(19 * 45, 1.0F, 1), {19, 45}), format);
    QuantEmbedding table(m);
    const std::vector<int64_t> ids = {18, 0, 3, 3, 16, 7};
    const Tensor rows = table.forward(Tensor::from<int64_t>(w.engine, ids, {2, 3}));
    ASSERT_EQ(rows.shape(), (Shape{2, 3, 45}));
    for (int64_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows.data<float>()[i],
                static_cast<float>(weight_at(m, ids[static_cast<size_t>(i / 45)], i % 45)));
    }
  }
}

TEST(QuantEmbedding, NamesAnIdThatIsOutside) {
  World w;
  QuantEmbedding table(quantize_matrix(Tensor::from<float>(w.engine, normals(32, 1.0F, 1), {4, 8}),
                                       QuantFormat::kQ8));
  const auto forward = [&](std::vector<int32_t> ids) {
    return [&, ids] { (void)table.forward(Tensor::from<int32_t>(w.engine, ids, {2})); };
  };
  EXPECT_EQ(message_of(forward({3, 4})), "quant_embedding: id 4 at position 1 is outside [0, 4)");
  EXPECT_EQ(message_of(forward({-1, 0})), "quant_embedding: id -1 at position 0 is outside [0, 4)");
  EXPECT_EQ(code_of([&] { (void)table.forward(Tensor::zeros(w.engine, {2})); }), "dtype_mismatch");
}

TEST(QuantLinear, RefusesWrongShapesAndGradients) {
  World w;
  const QuantMatrix m = quantize_matrix(Tensor::from<float>(w.engine, normals(32, 1.0F, 1), {4, 8}),
                                        QuantFormat::kQ4);
  QuantLinear layer(m);
  EXPECT_EQ(message_of([&] {
              (void)layer.forward(Tensor::zeros(w.engine, {2, 7}));
            }),
            "quant_linear: x is [2, 7], its last axis must be in_features 8");
  EXPECT_EQ(message_of([&] { QuantLinear(m, Tensor::zeros(w.engine, {5})); }),
            "quant_linear: bias is [5], [4] is needed");
  EXPECT_EQ(message_of([&] {
              QuantLinear({Tensor::zeros(w.engine, {4, 8})});
            }),
            "quant_linear: the matrix is float32, q8 or q4 blocks are needed");
  QuantMatrix small{Tensor::opaque(w.engine, {4, 8}, DType::kQ8, Layout::kBlocks, 64)};
  EXPECT_EQ(message_of([&] { QuantLinear{small}; }),
            "quant_linear: q8 [4, 8] takes 576 bytes, 64 are there");
  EXPECT_EQ(
      message_of([&] { (void)quantize_matrix(Tensor::zeros(w.engine, {4}), QuantFormat::kQ8); }),
      "quantize: weight is [4], a matrix is needed");
  Tape tape(w.engine);
  Tensor x = Tensor::zeros(w.engine, {2, 8});
  tape.bind_parameter(x, Tensor::zeros(w.engine, {2, 8}));
  const Recording on(w.engine, &tape);
  EXPECT_NE(message_of([&] { (void)layer.forward(x); }).find("Train the float model"),
            std::string::npos);
}

TEST(QuantLinear, CheckFiniteNamesIt) {
  World w;
  w.engine.check_finite = true;
  QuantLinear layer(quantize_matrix(Tensor::from<float>(w.engine, normals(32, 1.0F, 1), {4, 8}),
                                    QuantFormat::kQ8));
  const Tensor x = Tensor::full(w.engine, {1, 8}, std::nanf(""));
  EXPECT_NE(message_of([&] { (void)layer.forward(x); }).find("quant_linear"), std::string::npos);
}

}  // namespace
}  // namespace ingot::compress::quant_layers_test
