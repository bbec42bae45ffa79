// SPDX-License-Identifier: Apache-2.0
// What every op says to a wrong dtype, a wrong shape and a wrong value: the code, and a message
// that starts with the op's name and gives both values.
#include <set>

#include <gtest/gtest.h>

#include "autograd/op.h"
#include "autograd/op_cases.h"
#include "autograd/op_table.h"
#include "autograd/ops.h"

namespace ingot::testing::op_error_test {
namespace {

struct Wrong {
  std::string op;
  std::function<void()> call;
  Code code;
  std::string message;  ///< a part that must be there
};

constexpr Code kDtype = Code::kDtypeMismatch, kShape = Code::kShapeMismatch,
               kArgument = Code::kInvalidArgument, kNo = Code::kUnsupported;

class OpErrors : public ::testing::Test {
 protected:
  Tensor f(const Shape& shape) { return Tensor::full(engine_, shape, 0.5F); }
  Tensor t(const Shape& shape, DType dtype) { return Tensor::zeros(engine_, shape, dtype); }

  void check(const std::vector<Wrong>& list) {
    for (const Wrong& w : list) {
      SCOPED_TRACE(w.op + ": " + w.message);
      try {
        w.call();
        ADD_FAILURE() << "no error";
      } catch (const Error& e) {
        const std::string what = e.what();
        EXPECT_EQ(code_name(e.code()), code_name(w.code)) << what;
        EXPECT_TRUE(what.starts_with(w.op + ":")) << what;
        EXPECT_NE(what.find(w.message), std::string::npos) << what;
      }
      seen_.insert(w.op);
    }
  }

  Team team_{1};
  Engine engine_{team_};
  std::set<std::string> seen_;
};

using Unary = Tensor (*)(const Tensor&);

TEST_F(OpErrors, EveryOpRefusesAWrongDtype) {
  namespace o = ops;
  const Tensor ints = t({2, 3}, DType::kI32), half = t({2, 3}, DType::kBF16), x = f({2, 3});
  const std::string want = "float32 is needed. Convert it with cast()";
  std::vector<Wrong> list;
  const auto add = [&](const char* op, const std::function<void()>& call,
                       const std::string& message = "float32 is needed. Convert it with cast()") {
    list.push_back({op, call, kDtype, message});
  };
  const std::pair<const char*, Unary> unary[] = {{"neg", o::neg},
                                                 {"exp", o::exp},
                                                 {"log", o::log},
                                                 {"sqrt", o::sqrt},
                                                 {"abs", o::abs},
                                                 {"tanh", o::tanh},
                                                 {"sigmoid", o::sigmoid},
                                                 {"relu", o::relu},
                                                 {"gelu", o::gelu},
                                                 {"gelu_tanh", o::gelu_tanh},
                                                 {"silu", o::silu},
                                                 {"softmax", o::softmax},
                                                 {"log_softmax", o::log_softmax}};
  for (const auto& [op, run] : unary) {
    add(
        op, [&, run = run] { (void)run(ints); }, "x is int32, " + want);
    add(
        op, [&, run = run] { (void)run(half); }, "x is bfloat16, " + want);
  }
  add(
      "add", [&] { (void)o::add(ints, x); }, "a is int32");
  add(
      "sub", [&] { (void)o::sub(x, ints); }, "b is int32");
  add(
      "mul", [&] { (void)o::mul(half, x); }, "a is bfloat16");
  add(
      "div", [&] { (void)o::div(x, half); }, "b is bfloat16");
  add(
      "where", [&] { (void)o::where(x, x, x); }, "cond must be uint8");
  add(
      "where",
      [&] {
        (void)o::where(t({2, 3}, DType::kU8), ints, x);
      },
      "a is int32");
  add("scale", [&] { (void)o::scale(ints, 2.0F); });
  add("leaky_relu", [&] { (void)o::leaky_relu(ints); });
  add("pow", [&] { (void)o::pow(ints, 2.0F); });
  add("clamp", [&] { (void)o::clamp(ints, 0.0F, 1.0F); });
  add(
      "gated", [&] { (void)o::gated(x, ints); }, "up is int32");
  add("layer_norm", [&] { (void)o::layer_norm(ints); });
  add(
      "layer_norm", [&] { (void)o::layer_norm(x, t({3}, DType::kI32)); }, "weight is int32");
  add("rms_norm", [&] { (void)o::rms_norm(half); });
  add("dropout", [&] { (void)o::dropout(ints, 0.5F); });
  add("rope", [&] { (void)o::rope(t({1, 1, 1, 2}, DType::kI32), f({1, 1}), f({1, 1})); });
  add("sum", [&] { (void)o::sum(ints); });
  add("mean", [&] { (void)o::mean(ints); });
  add("max", [&] { (void)o::max(ints); });
  add("variance", [&] { (void)o::variance(ints); });
  add("argmax", [&] { (void)o::argmax(ints); });
  add(
      "matmul",
      [&] {
        (void)o::matmul(ints, f({3, 2}));
      },
      "a is int32");
  add(
      "linear",
      [&] {
        (void)o::linear(ints, f({4, 3}));
      },
      "x is int32");
  add(
      "linear",
      [&] {
        (void)o::linear(x, t({4, 3}, DType::kBF16));
      },
      "weight is bfloat16");
  add(
      "attention",
      [&] {
        (void)o::attention(t({1, 2, 1, 4}, DType::kI32), f({1, 2, 1, 4}), f({1, 2, 1, 4}));
      },
      "q is int32");
  add("attention_qkv", [&] { (void)o::attention_qkv(t({1, 2, 12}, DType::kF16), 1, 1); });
  add(
      "lstm",
      [&] {
        (void)o::lstm(t({2, 5, 3}, DType::kI32), {f({16, 3}), f({16, 4}), {}, {}});
      },
      "x is int32");
  add(
      "gru",
      [&] {
        (void)o::gru(f({2, 5, 3}), {f({12, 3}), t({12, 4}, DType::kBF16), {}, {}});
      },
      "recurrent weight is bfloat16");
  add(
      "concat",
      [&] {
        (void)o::concat({x, ints}, 0);
      },
      "parts are float32 and int32");
  add(
      "gather", [&] { (void)o::gather(ints, t({2}, DType::kI32)); }, "x is int32");
  add(
      "gather", [&] { (void)o::gather(x, f({2})); }, "ids is float32, int32 or int64 is needed");
  add(
      "cast", [&] { (void)o::cast(ints, DType::kBF16); }, "int32 to bfloat16 is not available");
  add(
      "cast", [&] { (void)o::cast(x, DType::kQ8); }, "float32 to q8 is not available");
  const Tensor image = f({2, 3, 3, 4}), image_ids = t({2, 3, 3, 4}, DType::kI32);
  add("conv2d", [&] { (void)o::conv2d(image_ids, f({5, 1, 1, 4})); });
  add(
      "conv2d",
      [&] {
        (void)o::conv2d(image, t({5, 1, 1, 4}, DType::kBF16));
      },
      "weight is bfloat16");
  add("conv_transpose2d", [&] { (void)o::conv_transpose2d(image_ids, f({4, 1, 1, 5})); });
  add("max_pool2d", [&] { (void)o::max_pool2d(image_ids, {}); });
  add("avg_pool2d", [&] { (void)o::avg_pool2d(image_ids, {}); });
  add("adaptive_max_pool2d", [&] { (void)o::adaptive_max_pool2d(image_ids, 1, 1); });
  add("adaptive_avg_pool2d", [&] { (void)o::adaptive_avg_pool2d(image_ids, 1, 1); });
  add("batch_norm", [&] { (void)o::batch_norm(image_ids, {}); });
  add("pad2d", [&] { (void)o::pad2d(image_ids, {}); });
  add("upsample2d", [&] { (void)o::upsample2d(image_ids, 4, 4); });
  add(
      "one_hot", [&] { (void)o::one_hot(x, 3); }, "ids is float32, int32 or int64 is needed");
  add("cross_entropy", [&] { (void)o::cross_entropy(ints, t({2}, DType::kI32)); });
  add(
      "cross_entropy", [&] { (void)o::cross_entropy(x, f({2})); }, "targets is float32");
  add(
      "linear_cross_entropy", [&] { (void)o::linear_cross_entropy(x, ints, t({2}, DType::kI32)); },
      "weight is int32");
  ops::CrossEntropyOptions count;
  count.count = t({}, DType::kI32);
  const Tensor two = t({2}, DType::kI32);
  add(
      "cross_entropy", [&] { (void)o::cross_entropy(x, two, count); },
      "count is int32 [], one int64 or float32 is needed");
  add(
      "linear_cross_entropy",
      [&] {
        (void)o::linear_cross_entropy(x, f({5, 3}), two, count);
      },
      "count is int32 []");
  add("focal", [&] { (void)o::focal(ints, two); });
  add("multi_margin", [&] { (void)o::multi_margin(half, two); });
  add("mae", [&] { (void)o::mae(ints, x); });
  add("huber", [&] { (void)o::huber(half, x); });
  add("binary_focal", [&] { (void)o::binary_focal(x, half); });
  add("kl_divergence", [&] { (void)o::kl_divergence(x, ints); });
  add(
      "hinge", [&] { (void)o::hinge(x, x, {.count = t({}, DType::kI32)}); },
      "count is int32 [], one int64 or float32 is needed");
  add(
      "mae",
      [&] {
        (void)o::mae(x, x, {t({2}, DType::kI32), {}});
      },
      "weights is int32");
  add(
      "mse", [&] { (void)o::mse(x, ints); }, "target is int32");
  add(
      "bce_with_logits", [&] { (void)o::bce_with_logits(half, x); }, "x is bfloat16");
  check(list);
  for (const OpRow& row : op_table()) {
    const std::set<std::string> any = {"reshape", "permute", "slice", "contiguous"};
    EXPECT_TRUE(seen_.contains(row.name) != any.contains(row.name)) << row.name;
  }
}

TEST_F(OpErrors, EveryOpRefusesShapesThatDoNotFit) {
  namespace o = ops;
  const Tensor x = f({2, 3}), y = f({2, 4}), scalar = f({});
  const int wrong_order[] = {0, 0}, short_order[] = {0};
  check({
      {"add", [&] { (void)o::add(x, y); }, kShape,
       "shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4"},
      {"sub", [&] { (void)o::sub(x, y); }, kShape, "do not broadcast"},
      {"mul", [&] { (void)o::mul(x, y); }, kShape, "do not broadcast"},
      {"div",
       [&] {
         (void)o::div(x, f({3, 3}));
       },
       kShape, "axis 0 has sizes 2 and 3"},
      {"where", [&] { (void)o::where(t({2}, DType::kU8), x, x); }, kShape, "do not broadcast"},
      {"clamp", [&] { (void)o::clamp(x, 2.0F, 1.0F); }, kArgument, "lo 2 is above hi 1"},
      {"gated", [&] { (void)o::gated(x, y); }, kShape, "gate is [2, 3] and up is [2, 4]"},
      {"softmax", [&] { (void)o::softmax(scalar); }, kShape, "shape [] has no last axis"},
      {"log_softmax",
       [&] {
         (void)o::log_softmax(f({2, 0}));
       },
       kShape, "[2, 0] has no last axis"},
      {"layer_norm", [&] { (void)o::layer_norm(x, f({4})); }, kShape,
       "weight is [4] but the last axis of x is 3"},
      {"layer_norm", [&] { (void)o::layer_norm(x, f({3}), f({2})); }, kShape, "bias is [2]"},
      {"rms_norm", [&] { (void)o::rms_norm(x, f({4})); }, kShape, "weight is [4]"},
      {"dropout", [&] { (void)o::dropout(x, 1.0F); }, kArgument, "p is 1, it must be at least 0"},
      {"dropout", [&] { (void)o::dropout(x, -0.1F); }, kArgument, "p is -0.1"},
      {"rope",
       [&] {
         (void)o::rope(x, f({2, 1}), f({2, 1}));
       },
       kShape, "x is [2, 3]"},
      {"rope",
       [&] {
         (void)o::rope(f({1, 2, 1, 2}), f({2, 2}), f({2, 2}));
       },
       kShape, "tables [2, 2] and [2, 2] do not fit head_dim 2"},
      {"rope",
       [&] {
         (void)o::rope(f({1, 3, 1, 2}), f({2, 1}), f({2, 1}));
       },
       kArgument, "a sequence of 3 tokens is longer than the tables' 2"},
      {"rope",
       [&] {
         (void)o::rope(f({1, 2, 1, 2}), f({2, 1}), f({2, 1}), t({3}, DType::kI32));
       },
       kShape, "positions are int32 [3], int32 with 2 elements are needed"},
      {"sum", [&] { (void)o::sum(x, {2}); }, kArgument, "axis 2 is outside [-2, 2)"},
      {"mean",
       [&] {
         (void)o::mean(x, {0, -2});
       },
       kArgument, "axis -2 is named twice"},
      {"max",
       [&] {
         (void)o::max(f({0, 3}), {0});
       },
       kShape, "[0, 3] has no element to take"},
      {"variance", [&] { (void)o::variance(x, {-3}); }, kArgument, "axis -3 is outside"},
      {"argmax", [&] { (void)o::argmax(x, 5); }, kArgument, "axis 5 is outside"},
      {"argmax",
       [&] {
         (void)o::argmax(f({3, 0}));
       },
       kShape, "no element to take"},
      {"matmul", [&] { (void)o::matmul(x, y); }, kShape, "inner sizes 3 and 2 differ"},
      {"matmul", [&] { (void)o::matmul(x, f({3})); }, kShape, "both need at least two axes"},
      {"matmul",
       [&] {
         (void)o::matmul(f({2, 2, 3}), f({3, 3, 2}));
       },
       kShape, "leading axes of [2, 2, 3] and [3, 3, 2] differ"},
      {"linear",
       [&] {
         (void)o::linear(x, f({5, 4}));
       },
       kShape, "input last axis is 3 but in_features is 4"},
      {"linear", [&] { (void)o::linear(x, f({5})); }, kShape, "weight is [5]"},
      {"linear",
       [&] {
         (void)o::linear(x, f({5, 3}), f({4}));
       },
       kShape, "bias is [4] but out_features is 5"},
      {"linear",
       [&] {
         (void)o::linear(scalar, f({5, 3}));
       },
       kShape, "input []"},
      {"attention",
       [&] {
         (void)o::attention(f({1, 2, 3, 4}), f({1, 2, 2, 4}), f({1, 2, 2, 4}));
       },
       kShape, "3 query heads are not a multiple of 2 key heads"},
      {"attention",
       [&] {
         (void)o::attention(f({1, 2, 2, 4}), f({1, 3, 2, 4}), f({1, 3, 2, 4}));
       },
       kShape, "q [1, 2, 2, 4], k [1, 3, 2, 4]"},
      {"attention",
       [&] {
         (void)o::attention(f({1, 2, 1, 300}), f({1, 2, 1, 300}), f({1, 2, 1, 300}));
       },
       kNo, "head_dim is 300"},
      {"attention",
       [&] {
         const Tensor q = o::transpose(f({1, 2, 4, 4}));
         (void)o::attention(q, q, q);
       },
       kShape, "the head_dim axis of q, k and v must be dense"},
      {"attention",
       [&] {
         (void)o::attention(f({1, 2, 1, 4}), f({1, 2, 1, 4}), f({1, 2, 1, 4}), t({3}, DType::kI32));
       },
       kShape, "doc_start is int32 [3], int32 [1, 2] is needed"},
      {"attention_qkv",
       [&] {
         (void)o::attention_qkv(f({1, 2, 13}), 2, 1);
       },
       kShape, "qkv is [1, 2, 13], its last axis must be a multiple of 4 heads"},
      {"attention_qkv",
       [&] {
         (void)o::attention_qkv(f({1, 2, 12}), 0, 1);
       },
       kArgument, "0 heads and 1 key heads"},
      {"reshape", [&] { (void)o::reshape(x, {4}); }, kShape, "[2, 3] has 6 elements, [4] has 4"},
      {"reshape",
       [&] {
         (void)o::reshape(x, {-1, -1});
       },
       kArgument, "more than one axis is -1"},
      {"reshape",
       [&] {
         (void)o::reshape(x, {-1, 4});
       },
       kShape, "has 6 elements"},
      {"permute", [&] { (void)o::permute(x, wrong_order); }, kArgument, "axis 0 is named twice"},
      {"permute", [&] { (void)o::permute(x, short_order); }, kArgument,
       "1 axes named for a rank-2 tensor"},
      {"transpose", [&] { (void)o::transpose(x, 0, 2); }, kArgument, "axis 2 is outside"},
      {"slice", [&] { (void)o::slice(x, 1, 1, 4); }, kArgument,
       "[1, 4) is not inside axis 1 of size 3"},
      {"slice", [&] { (void)o::slice(x, 1, 2, 1); }, kArgument, "[2, 1) is not inside"},
      {"concat", [&] { (void)o::concat({}, 0); }, kArgument, "no tensors given"},
      {"concat",
       [&] {
         (void)o::concat({x, y}, 0);
       },
       kShape, "[2, 4] does not fit [2, 3] along axis 0"},
      {"gather", [&] { (void)o::gather(f({2}), t({1}, DType::kI32)); }, kShape,
       "x is [2], a dense matrix is needed"},
      {"cross_entropy", [&] { (void)o::cross_entropy(x, t({3}, DType::kI32)); }, kShape,
       "targets are [3], 2 dense elements are needed"},
      {"cross_entropy", [&] { (void)o::cross_entropy(scalar, t({}, DType::kI32)); }, kShape,
       "logits [] have no class axis"},
      {"linear_cross_entropy", [&] { (void)o::linear_cross_entropy(x, y, t({2}, DType::kI32)); },
       kShape, "x is [2, 3] and weight is [2, 4]"},
      {"mse", [&] { (void)o::mse(x, y); }, kShape, "x is [2, 3] and target is [2, 4]"},
      {"bce_with_logits", [&] { (void)o::bce_with_logits(f({0}), f({0})); }, kShape,
       "equal shapes with elements"},
  });
}

TEST_F(OpErrors, IdsOutsideTheTableAreNamedWithTheirPosition) {
  namespace o = ops;
  const auto ids32 = [&](std::vector<int32_t> v) {
    return Tensor::from<int32_t>(engine_, v, {static_cast<int64_t>(v.size())});
  };
  const auto ids64 = [&](std::vector<int64_t> v) {
    return Tensor::from<int64_t>(engine_, v, {static_cast<int64_t>(v.size())});
  };
  const Tensor x = f({3, 4});
  check({
      {"gather",
       [&] {
         (void)o::gather(x, ids32({0, 3}));
       },
       kArgument, "id 3 at position 1 is outside [0, 3)"},
      {"gather", [&] { (void)o::gather(x, ids64({-1})); }, kArgument, "id -1 at position 0"},
      {"gather", [&] { (void)o::gather(x, ids64({int64_t{1} << 40})); }, kArgument,
       "id 1099511627776 at position 0"},
      {"cross_entropy",
       [&] {
         (void)o::cross_entropy(x, ids32({0, 4, 0}));
       },
       kArgument, "target 4 at position 1 is outside [0, 4) and not ignore_index -100"},
      {"cross_entropy",
       [&] {
         (void)o::cross_entropy(x, ids64({0, 1, -1}));
       },
       kArgument, "target -1 at position 2"},
      {"attention",
       [&] {
         (void)o::attention(f({1, 2, 1, 2}), f({1, 2, 1, 2}), f({1, 2, 1, 2}), ids32({0, 2}));
       },
       kArgument, "doc_start is 2 at position 1 of its sequence, 0 to 1 can be"},
      {"attention",
       [&] {
         (void)o::attention(f({1, 2, 1, 2}), f({1, 2, 1, 2}), f({1, 2, 1, 2}), {},
                            {false, 0.0F, ids32({2, 3})});
       },
       kArgument, "doc_end is 3 at position 1 of its sequence, 0 to 2 can be"},
      {"attention_qkv",
       [&] {
         (void)o::attention_qkv(f({1, 2, 6}), 1, 1, ids32({-1, 0}));
       },
       kArgument, "doc_start is -1 at position 0 of its sequence, 0 to 0 can be"},
      {"rope",
       [&] {
         (void)o::rope(f({1, 2, 1, 2}), f({9, 1}), f({9, 1}), ids32({8, 9}));
       },
       kArgument, "id 9 at position 1 is outside [0, 9)"},
      {"linear_cross_entropy",
       [&] {
         (void)o::linear_cross_entropy(x, f({5, 4}), ids32({5, 0, 0}));
       },
       kArgument, "target 5 at position 0 is outside [0, 5)"},
  });
}

TEST_F(OpErrors, WhatHasNoGradientSaysSo) {
  namespace o = ops;
  Tape tape(engine_);
  tape.begin_step();
  Tensor x = f({2, 3});
  tape.watch(x);
  const Recording on(engine_, &tape);
  const Tensor packed = o::pack_weight(f({4, 3}));
  check({
      {"cast", [&] { (void)o::cast(x, DType::kBF16); }, kNo,
       "float32 to bfloat16 has no gradient. Detach the tensor first"},
      {"linear", [&] { (void)o::linear(x, packed); }, kNo, "a packed weight has no gradient"},
      {"mse",
       [&] {
         (void)o::mse(f({2, 3}), x);
       },
       kNo, "the target carries a gradient"},
      {"neg", [&] { (void)o::neg(packed); }, kNo, "x has a packed layout"},
      {"neg", [&] { (void)o::neg(Tensor()); }, kArgument, "x is empty (not initialised)"},
  });
}

}  // namespace
}  // namespace ingot::testing::op_error_test
