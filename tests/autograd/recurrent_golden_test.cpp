// SPDX-License-Identifier: Apache-2.0
// lstm and gru against torch.nn.LSTM and GRU and against Keras's layers with masks, in float64,
// values and all gradients (tests/golden/autograd/recurrent.json, written by
// scripts/golden/recurrent_golden.py). Keras's weights are turned into our layout here: kernels are
// transposed, a GRU's gates go from z r n to r z n, its bias holds both biases as rows.
#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "autograd/ops.h"
#include "autograd/tape.h"
#include "base/files.h"
#include "base/json.h"
#include "source_dir.h"

namespace ingot::testing::recurrent_golden_test {
namespace {

// Functions of float32 through six steps, relative to the tensor's largest element.
constexpr double kTolerance = 1e-5;

using Doubles = std::vector<double>;

struct Matrix {
  Shape shape;
  Doubles values;
};

Matrix matrix_of(const Json& j) {
  Matrix m;
  for (const Json& d : j.at("shape")) m.shape.push(d.get<int64_t>());
  m.values = j.at("values").get<Doubles>();
  return m;
}

Tensor tensor_of(Engine& engine, const Matrix& m) {
  const std::vector<float> values(m.values.begin(), m.values.end());
  return Tensor::from<float>(engine, values, m.shape);
}

/// Keras's [rows, gates·hidden] → ours: transposed (rank 2), gates in our order.
Matrix from_keras(const Matrix& k, bool is_gru) {
  const bool is_matrix = k.shape.rank() == 2;
  const int64_t rows = is_matrix ? k.shape[0] : 1, width = k.shape[k.shape.rank() - 1];
  const int64_t hidden = is_gru ? width / 3 : width / 4;
  Matrix m;
  m.shape.push(width);
  if (is_matrix) m.shape.push(rows);
  for (int64_t to = 0; to < width; ++to) {
    int64_t gate = to / hidden;
    if (is_gru && gate < 2) gate = 1 - gate;
    for (int64_t r = 0; r < rows; ++r) {
      m.values.push_back(k.values[static_cast<size_t>(r * width + gate * hidden + to % hidden)]);
    }
  }
  return m;
}

/// Row of a matrix, as a vector.
Matrix row_of(const Matrix& m, int64_t row) {
  const auto begin = m.values.begin() + row * m.shape[1];
  return {{m.shape[1]}, {begin, begin + m.shape[1]}};
}

/// weight_ih, weight_hh, bias and, unless the tool has one bias only, recurrent bias.
std::vector<Matrix> our_layout(const Json& c, const char* key) {
  std::vector<Matrix> m;
  for (const Json& j : c.at(key)) m.push_back(matrix_of(j));
  if (c.at("tool") == "torch") return m;
  const bool is_gru = c.at("op") == "gru";
  std::vector<Matrix> ours = {from_keras(m[0], is_gru), from_keras(m[1], is_gru)};
  if (is_gru) {
    for (const int64_t row : {0, 1}) ours.push_back(from_keras(row_of(m[2], row), true));
  } else {
    ours.push_back(from_keras(m[2], false));
  }
  return ours;
}

void expect_close(const Tensor& got, const Matrix& want, const std::string& what) {
  ASSERT_TRUE(got.defined()) << what;
  EXPECT_EQ(got.shape().text(), want.shape.text()) << what;
  const std::vector<float> g = got.to_vector<float>();
  double largest = 0.0;
  for (const double v : want.values) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < want.values.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(g[i]), want.values[i], kTolerance * largest)
        << what << " at " << i;
  }
}

Tensor ids_of(Engine& engine, const Json& c) {
  if (!c.contains("ids")) return {};
  std::vector<int32_t> ids;
  for (const Json& row : c.at("ids")) {
    for (const Json& id : row) ids.push_back(id.get<int32_t>());
  }
  const auto batch = static_cast<int64_t>(c.at("ids").size());
  return Tensor::from<int32_t>(engine, ids, {batch, static_cast<int64_t>(ids.size()) / batch});
}

TEST(RecurrentGolden, ValuesAndGradientsEqualPyTorchAndKeras) {
  const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/autograd/recurrent.json";
  const Json golden = parse_json(read_file(path), path);
  ASSERT_EQ(golden.at("cases").size(), 8U);
  Team team(2);
  Engine engine(team);
  for (const Json& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("tool").get<std::string>() + " " + c.at("op").get<std::string>());
    Tensor x = tensor_of(engine, matrix_of(c.at("x")));
    std::vector<Tensor> w;
    for (const Matrix& m : our_layout(c, "weights")) w.push_back(tensor_of(engine, m));
    ops::RecurrentOptions options;
    options.is_reverse = c.at("reverse").get<bool>();
    options.ids = ids_of(engine, c);
    Tape tape(engine);
    tape.begin_step();
    {
      const Recording on(engine, &tape);
      tape.watch(x);
      for (Tensor& t : w) tape.watch(t);
      const auto op = c.at("op") == "gru" ? &ops::gru : &ops::lstm;
      const Tensor y = op(x, {w[0], w[1], w[2], w.size() > 3 ? w[3] : Tensor()}, options);
      expect_close(y, matrix_of(c.at("y")), "y");
      tape.backward(ops::sum(ops::mul(y, tensor_of(engine, matrix_of(c.at("dy"))))));
    }
    expect_close(tape.grad(x), matrix_of(c.at("dx")), "gradient of x");
    const std::vector<Matrix> grads = our_layout(c, "grads");
    for (size_t i = 0; i < w.size(); ++i) {
      expect_close(tape.grad(w[i]), grads[i], "gradient of weight " + std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace ingot::testing::recurrent_golden_test
