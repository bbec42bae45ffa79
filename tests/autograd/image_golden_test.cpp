// SPDX-License-Identifier: Apache-2.0
// Convolutions, pools, batch norm and resampling against PyTorch in float64, values and all
// gradients (tests/golden/autograd/images.json, written by scripts/golden/image_golden.py).
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

namespace ingot::testing::image_golden_test {
namespace {

// Sums of up to a hundred products of float32, relative to the tensor's largest element.
constexpr double kTolerance = 1e-5;

Shape shape_of(const Json& j) {
  Shape shape;
  for (const Json& d : j.at("shape")) shape.push(d.get<int64_t>());
  return shape;
}

Tensor tensor_of(Engine& engine, const Json& j) {
  return Tensor::from<float>(engine, j.at("values").get<std::vector<float>>(), shape_of(j));
}

void expect_close(const Tensor& got, const Json& want, const std::string& what) {
  ASSERT_TRUE(got.defined()) << what;
  EXPECT_EQ(got.shape().text(), shape_of(want).text()) << what;
  const std::vector<float> g = got.to_vector<float>();
  const auto w = want.at("values").get<std::vector<double>>();
  ASSERT_EQ(g.size(), w.size()) << what;
  double largest = 0.0;
  for (const double v : w) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < w.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(g[i]), w[i], kTolerance * largest) << what << " at " << i;
  }
}

ops::Padding2d padding_of(const Json& j) {
  return {j[0].get<int64_t>(), j[1].get<int64_t>(), j[2].get<int64_t>(), j[3].get<int64_t>()};
}

ops::ConvTranspose2dOptions conv_options(const Json& j) {
  ops::ConvTranspose2dOptions o;
  o.stride_h = j.at("stride")[0], o.stride_w = j.at("stride")[1];
  o.padding = padding_of(j.at("padding"));
  o.dilation_h = j.at("dilation")[0], o.dilation_w = j.at("dilation")[1];
  o.groups = j.at("groups");
  if (j.contains("output_padding")) {
    o.output_padding_h = j.at("output_padding")[0], o.output_padding_w = j.at("output_padding")[1];
  }
  return o;
}

ops::Pool2dOptions pool_options(const Json& j) {
  ops::Pool2dOptions o;
  o.kernel_h = j.at("kernel")[0], o.kernel_w = j.at("kernel")[1];
  o.stride_h = j.at("stride")[0], o.stride_w = j.at("stride")[1];
  o.padding = padding_of(j.at("padding"));
  o.is_ceil = j.at("ceil"), o.counts_padding = j.at("counts_padding");
  return o;
}

Tensor batch_norm(const Json& j, const std::vector<Tensor>& in,
                  const std::vector<Tensor>& buffers) {
  ops::BatchNormOptions o;
  o.eps = j.at("eps"), o.momentum = j.at("momentum"), o.is_training = j.at("training");
  return ops::batch_norm(in[0], {in[1], in[2], buffers[0], buffers[1]}, o);
}

/// The op of a case on its inputs.
Tensor run(const Json& c, const std::vector<Tensor>& in, const std::vector<Tensor>& buffers) {
  const std::string op = c.at("op");
  const Json& j = c.at("options");
  if (op == "conv2d") return ops::conv2d(in[0], in[1], in[2], conv_options(j));
  if (op == "conv_transpose2d") {
    return ops::conv_transpose2d(in[0], in[1], in[2], conv_options(j));
  }
  if (op == "max_pool2d") return ops::max_pool2d(in[0], pool_options(j));
  if (op == "avg_pool2d") return ops::avg_pool2d(in[0], pool_options(j));
  if (op == "batch_norm") return batch_norm(j, in, buffers);
  if (op == "pad2d") {
    return ops::pad2d(in[0], padding_of(j.at("padding")),
                      j.at("mode") == "reflect" ? ops::PadMode::kReflect : ops::PadMode::kZero);
  }
  const int64_t out_h = j.at("out")[0], out_w = j.at("out")[1];
  if (op == "adaptive_max_pool2d") return ops::adaptive_max_pool2d(in[0], out_h, out_w);
  if (op == "adaptive_avg_pool2d") return ops::adaptive_avg_pool2d(in[0], out_h, out_w);
  EXPECT_EQ(op, "upsample2d");
  return ops::upsample2d(
      in[0], out_h, out_w,
      j.at("mode") == "bilinear" ? ops::UpsampleMode::kBilinear : ops::UpsampleMode::kNearest);
}

TEST(ImageGolden, ValuesGradientsAndRunningStatisticsEqualPyTorch) {
  const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/autograd/images.json";
  const Json golden = parse_json(read_file(path), path);
  ASSERT_EQ(golden.at("cases").size(), 46U);
  Team team(2);
  Engine engine(team);
  for (const Json& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("op").get<std::string>() + ": " + c.at("what").get<std::string>());
    std::vector<Tensor> in, buffers;
    for (const Json& j : c.at("inputs")) in.push_back(tensor_of(engine, j));
    if (c.contains("buffers")) {
      for (const Json& j : c.at("buffers")) buffers.push_back(tensor_of(engine, j));
    }
    Tape tape(engine);
    tape.begin_step();
    {
      const Recording on(engine, &tape);
      for (Tensor& t : in) tape.watch(t);
      const Tensor y = run(c, in, buffers);
      expect_close(y, c.at("y"), "y");
      tape.backward(ops::sum(ops::mul(y, tensor_of(engine, c.at("dy")))));
    }
    for (size_t i = 0; i < in.size(); ++i) {
      expect_close(tape.grad(in[i]), c.at("grads")[i], "gradient " + std::to_string(i));
    }
    for (size_t i = 0; i < buffers.size(); ++i) {
      expect_close(buffers[i], c.at("buffers_after")[i], "buffer " + std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace ingot::testing::image_golden_test
