// SPDX-License-Identifier: Apache-2.0
// Ops flagged row-invariant: a row computed alone has the bytes that it has among 33.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "autograd/op_cases.h"
#include "autograd/op_table.h"
#include "autograd/ops.h"

namespace ingot::testing::row_invariance_test {
namespace {

constexpr int64_t kRows = 33;

/// Inputs whose first axis counts rows come first; `shared` ones are the same for every row.
struct RowCase {
  std::vector<Input> per_row, shared;
  std::function<Tensor(const std::vector<Tensor>&, const std::vector<Tensor>&)> run;
};

using In = const std::vector<Tensor>&;

RowCase one(const std::function<Tensor(const Tensor&)>& f, Shape row = {19}) {
  Shape shape{kRows};
  for (int a = 0; a < row.rank(); ++a) shape.push(row[a]);
  return {{input(shape, 1, View::kDense, 0, 0.1, 2.0)}, {}, [f](In r, In) { return f(r[0]); }};
}

RowCase two(Tensor (*f)(const Tensor&, const Tensor&)) {
  return {{input({kRows, 19}, 2), input({kRows, 19}, 3, View::kDense, 0, 0.5, 2.0)},
          {},
          [f](In r, In) { return f(r[0], r[1]); }};
}

std::map<std::string, RowCase> row_cases() {
  namespace o = ops;
  std::map<std::string, RowCase> m;
  m["add"] = two(o::add), m["sub"] = two(o::sub), m["mul"] = two(o::mul), m["div"] = two(o::div);
  m["where"] = {{{{kRows, 19}, whole(kRows * 19, 4, 2), DType::kU8}, input({kRows, 19}, 5)},
                {input({19}, 6)},
                [](In r, In s) { return o::where(r[0], r[1], s[0]); }};
  m["scale"] = one([](const Tensor& x) { return o::scale(x, 0.3F); });
  m["neg"] = one(o::neg), m["exp"] = one(o::exp), m["log"] = one(o::log);
  m["sqrt"] = one(o::sqrt), m["abs"] = one(o::abs), m["tanh"] = one(o::tanh);
  m["sigmoid"] = one(o::sigmoid), m["relu"] = one(o::relu), m["gelu"] = one(o::gelu);
  m["leaky_relu"] = one([](const Tensor& x) { return o::leaky_relu(x); });
  m["gelu_tanh"] = one(o::gelu_tanh), m["silu"] = one(o::silu);
  m["pow"] = one([](const Tensor& x) { return o::pow(x, 1.7F); });
  m["clamp"] = one([](const Tensor& x) { return o::clamp(x, 0.5F, 1.0F); });
  m["gated"] = two([](const Tensor& a, const Tensor& b) { return o::gated(a, b); });
  m["softmax"] = one(o::softmax), m["log_softmax"] = one(o::log_softmax);
  m["layer_norm"] = {{input({kRows, 83}, 7)}, {input({83}, 8), input({83}, 9)}, [](In r, In s) {
                       return o::layer_norm(r[0], s[0], s[1]);
                     }};
  m["rms_norm"] = {{input({kRows, 83}, 7)}, {input({83}, 8)}, [](In r, In s) {
                     return o::rms_norm(r[0], s[0]);
                   }};
  m["rope"] = {{input({kRows, 3, 2, 10}, 10)},
               {input({3, 5}, 11), input({3, 5}, 12)},
               [](In r, In s) { return o::rope(r[0], s[0], s[1]); }};
  m["matmul"] = {{input({kRows, 301}, 13)}, {input({301, 70}, 14)}, [](In r, In s) {
                   return o::matmul(r[0], s[0]);
                 }};
  m["linear"] = {
      {input({kRows, 301}, 15)}, {input({70, 301}, 16), input({70}, 17)}, [](In r, In s) {
        return o::linear(r[0], s[0], s[1], kernels::Activation::kGelu);
      }};
  m["attention"] = {
      {input({kRows, 5, 4, 12}, 18), input({kRows, 5, 2, 12}, 19), input({kRows, 5, 2, 12}, 20)},
      {},
      [](In r, In) { return o::attention(r[0], r[1], r[2]); }};
  m["attention_qkv"] = one([](const Tensor& x) { return o::attention_qkv(x, 3, 1); }, {7, 5 * 11});
  const auto recurrent = [](int64_t gates, auto op) -> RowCase {
    return {{input({kRows, 9, 21}, 60), {{kRows, 9}, whole(kRows * 9, 61, 3), DType::kI32}},
            {input({gates * 19, 21}, 62), input({gates * 19, 19}, 63), input({gates * 19}, 64)},
            [op](In r, In s) {
              return op(r[0], {s[0], s[1], s[2], s[2]}, {false, r[1], {}});
            }};
  };
  m["lstm"] = recurrent(4, o::lstm), m["gru"] = recurrent(3, o::gru);
  const auto images = [](const std::function<Tensor(const Tensor&)>& f) {
    return one(f, {9, 8, 6});
  };
  m["conv2d"] = {
      {input({kRows, 9, 8, 6}, 40)}, {input({20, 3, 3, 6}, 41), input({20}, 42)}, [](In r, In s) {
        o::Conv2dOptions options;
        options.stride_w = 2, options.padding = o::Padding2d::all(1);
        return o::conv2d(r[0], s[0], s[1], options, kernels::Activation::kGelu);
      }};
  m["conv_transpose2d"] = {
      {input({kRows, 5, 4, 20}, 43)}, {input({20, 3, 3, 6}, 44), input({6}, 45)}, [](In r, In s) {
        o::ConvTranspose2dOptions options;
        options.stride_h = options.stride_w = 2;
        return o::conv_transpose2d(r[0], s[0], s[1], options);
      }};
  o::Pool2dOptions window;
  window.kernel_h = window.kernel_w = 3, window.stride_h = window.stride_w = 2;
  m["max_pool2d"] = images([=](const Tensor& x) { return o::max_pool2d(x, window); });
  m["avg_pool2d"] = images([=](const Tensor& x) { return o::avg_pool2d(x, window); });
  m["adaptive_max_pool2d"] =
      images([](const Tensor& x) { return o::adaptive_max_pool2d(x, 4, 3); });
  m["adaptive_avg_pool2d"] =
      images([](const Tensor& x) { return o::adaptive_avg_pool2d(x, 4, 3); });
  m["pad2d"] = images([](const Tensor& x) {
    return o::pad2d(x, {1, 2, 3, 0}, o::PadMode::kReflect);
  });
  m["upsample2d"] =
      images([](const Tensor& x) { return o::upsample2d(x, 5, 19, o::UpsampleMode::kBilinear); });
  m["one_hot"] = {{{{kRows}, whole(kRows, 46, 50), DType::kI64}}, {}, [](In r, In) {
                    return o::one_hot(r[0], 50);
                  }};
  m["gather"] = {{{{kRows}, whole(kRows, 21, 50), DType::kI32}},
                 {input({50, 13}, 22)},
                 [](In r, In s) { return o::gather(s[0], r[0]); }};
  return m;
}

TEST(RowInvariance, EveryFlaggedOpHasACase) {
  const auto cases = row_cases();
  for (const OpRow& row : op_table()) {
    EXPECT_EQ((row.flags & kRowInvariant) != 0, cases.contains(row.name)) << row.name;
  }
}

TEST(RowInvariance, ARowAloneHasTheBytesItHasAmong33) {
  for (const int workers : {1, 3}) {
    Team team(workers);
    Engine engine(team);
    for (const auto& [name, c] : row_cases()) {
      SCOPED_TRACE(name);
      std::vector<Tensor> all, shared;
      for (const Input& in : c.per_row) all.push_back(leaf_of(engine, in));
      for (const Input& in : c.shared) shared.push_back(leaf_of(engine, in));
      const Tensor y = c.run(all, shared);
      for (const int64_t r : {0, 1, 15, 16, 31, 32}) {
        std::vector<Tensor> alone;
        for (const Tensor& t : all) alone.push_back(ops::slice(t, 0, r, r + 1));
        ASSERT_EQ(bytes_of(c.run(alone, shared)), bytes_of(ops::slice(y, 0, r, r + 1)))
            << "row " << r;
      }
      std::vector<Tensor> few;  // five rows that start off the tiles' grid
      for (const Tensor& t : all) few.push_back(ops::slice(t, 0, 3, 8));
      ASSERT_EQ(bytes_of(c.run(few, shared)), bytes_of(ops::slice(y, 0, 3, 8))) << "five rows";
    }
  }
}

TEST(RowInvariance, PackedWeightsGiveTheBytesOfPlainOnes) {
  Team team(2);
  Engine engine(team);
  const Tensor x = leaf_of(engine, input({kRows, 301}, 30));
  const Tensor w = leaf_of(engine, input({70, 301}, 31));
  const Tensor bias = leaf_of(engine, input({70}, 32));
  const Tensor packed = ops::pack_weight(w);
  EXPECT_EQ(bytes_of(ops::linear(x, packed, bias, kernels::Activation::kSilu)),
            bytes_of(ops::linear(x, w, bias, kernels::Activation::kSilu)));
}

}  // namespace
}  // namespace ingot::testing::row_invariance_test
