// SPDX-License-Identifier: Apache-2.0
// lstm, gru and attention as layers of a recipe: last state, every state, both directions, padding
// before and behind, dropout with one mask per sequence, what the table says and what is refused.
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/team.h"
#include "models/network/network.h"
#include "nn/parameter_store.h"

namespace ingot::models::recurrent_nodes_test {
namespace {

using testing::message_of;
using Floats = std::vector<float>;

LayerConfig recurrent(LayerType type, int64_t units) {
  LayerConfig c;
  c.type = type;
  c.units = units;
  return c;
}
LayerConfig embedding(int64_t size) {
  LayerConfig c;
  c.type = LayerType::kEmbedding;
  c.size = size;
  return c;
}
Value text(int64_t length) { return {"text", {length}, DType::kI32, 9, -1}; }
Value series(int64_t length, int64_t size) {
  return {"series", {length, size}, DType::kF32, 0, -1};
}

class RecurrentNodes : public ::testing::Test {
 protected:
  static Floats run(Network& network, const Tensor& in, bool is_training = false) {
    return network.forward({&in, 1}, is_training).to_vector<float>();
  }
  Tensor ids(const std::vector<int32_t>& v, int64_t batch) {
    return Tensor::from<int32_t>(engine_, v, {batch, static_cast<int64_t>(v.size()) / batch});
  }
  Team team_{2};
  Engine engine_{team_};
};

TEST_F(RecurrentNodes, TheLastStateIsTheLastOfAllStates) {
  for (const LayerType type : {LayerType::kLstm, LayerType::kGru}) {
    for (const bool is_reverse : {false, true}) {
      LayerConfig all = recurrent(type, 3), last = recurrent(type, 3);
      all.return_sequences = true;
      all.reverse = last.reverse = is_reverse;
      all.name = last.name = "cell";
      Network every({all}, {series(5, 2)}), one({last}, {series(5, 2)});
      const nn::ParameterStore first(engine_, every),
          second(engine_, one);  // same names: same weights
      const Tensor in = Tensor::full(engine_, {2, 5, 2}, 0.5F);
      const Floats states = run(every, in), end = run(one, in);
      const size_t step = is_reverse ? 0 : 4;
      for (size_t b = 0; b < 2; ++b) {
        for (size_t j = 0; j < 3; ++j) {
          EXPECT_EQ(end[b * 3 + j], states[(b * 5 + step) * 3 + j]);
          EXPECT_NE(end[b * 3 + j], 0.0F);
        }
      }
    }
  }
}

TEST_F(RecurrentNodes, BothDirectionsLieSideBySide) {
  LayerConfig both = recurrent(LayerType::kGru, 4);
  both.bidirectional = true;
  Network network({both}, {series(6, 3)});
  const nn::ParameterStore store(engine_, network);
  EXPECT_EQ(store.list()[0].name, "gru.forward.weight_ih");
  EXPECT_EQ(network.output().shape, (Shape{8}));
  const std::vector<LayerLine> lines = network.lines();
  EXPECT_EQ(lines[1].parameters, 2 * (12 * 3 + 12 * 4 + 2 * 12));
  EXPECT_EQ(lines[1].flops, 2 * 2 * 6 * 12 * (3 + 4));
}

TEST_F(RecurrentNodes, PaddingIsNotReadWithMask) {
  for (const LayerType type : {LayerType::kLstm, LayerType::kGru}) {
    LayerConfig cell = recurrent(type, 5);
    cell.bidirectional = true;
    const auto answers = [&](bool is_masked, const std::vector<int32_t>& words) {
      cell.mask = is_masked;
      Network network({embedding(4), cell}, {text(6)});
      const nn::ParameterStore store(engine_, network);
      return run(network, ids(words, 1));
    };
    const Floats before = answers(true, {0, 0, 0, 3, 1, 4});
    EXPECT_EQ(before, answers(true, {3, 1, 4, 0, 0, 0}));
    EXPECT_NE(answers(false, {0, 0, 0, 3, 1, 4}), answers(false, {3, 1, 4, 0, 0, 0}));
    EXPECT_EQ(answers(true, {0, 0, 0, 0, 0, 0}), Floats(10, 0.0F));
  }
}

TEST_F(RecurrentNodes, TheForgetGateOpensAtOne) {
  LayerConfig cell = recurrent(LayerType::kLstm, 2);
  Network network({cell}, {series(3, 1)});
  const nn::ParameterStore store(engine_, network);
  for (const nn::StoredParameter& p : store.list()) {
    if (p.name != "lstm.bias_ih") continue;
    EXPECT_EQ(p.parameter->value.to_vector<float>(), (Floats{0, 0, 1, 1, 0, 0, 0, 0}));
  }
}

TEST_F(RecurrentNodes, DropoutKeepsOneMaskPerSequence) {
  LayerConfig drop;
  drop.type = LayerType::kDropout;
  drop.rate = 0.5F;
  drop.variational = true;
  Network network({drop}, {series(7, 40)});
  const nn::ParameterStore store(engine_, network);
  const Tensor in = Tensor::full(engine_, {3, 7, 40}, 1.0F);
  const Floats y = run(network, in, true);
  std::map<float, int> seen;
  for (size_t b = 0; b < 3; ++b) {
    for (size_t j = 0; j < 40; ++j) {
      ++seen[y[b * 280 + j]];
      for (size_t t = 0; t < 7; ++t) EXPECT_EQ(y[b * 280 + t * 40 + j], y[b * 280 + j]);
    }
  }
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_GT(seen[0.0F], 30);
  EXPECT_GT(seen[2.0F], 30);
  EXPECT_NE(Floats(y.begin(), y.begin() + 40), Floats(y.begin() + 280, y.begin() + 320));
}

TEST_F(RecurrentNodes, DropoutOfACellActsInTrainingOnly) {
  LayerConfig cell = recurrent(LayerType::kLstm, 16);
  const auto answers = [&](float dropout, float recurrent_dropout, bool is_training) {
    cell.dropout = dropout;
    cell.recurrent_dropout = recurrent_dropout;
    Network network({cell}, {series(4, 8)});
    const nn::ParameterStore store(engine_, network);
    engine_.begin_step();
    return run(network, Tensor::full(engine_, {2, 4, 8}, 0.5F), is_training);
  };
  const Floats plain = answers(0, 0, true);
  EXPECT_EQ(answers(0.5F, 0.5F, false), plain);
  EXPECT_NE(answers(0.5F, 0, true), plain);
  EXPECT_NE(answers(0, 0.5F, true), plain);
  EXPECT_EQ(answers(0, 0.5F, true), answers(0, 0.5F, true));
}

TEST_F(RecurrentNodes, WhatDoesNotFitIsNamed) {
  const auto refusal = [](const std::vector<LayerConfig>& layers, const Value& in) {
    return message_of([&] { const Network network(layers, {in}); });
  };
  LayerConfig cell = recurrent(LayerType::kLstm, 3);
  EXPECT_EQ(
      refusal({cell}, {"table", {4}, DType::kF32, 0, -1}),
      "layers.0 (lstm \"lstm\"): needs a sequence [length, size], its input \"table\" [4] does "
      "not fit. A recurrent layer before it keeps its steps with return_sequences: true; of other "
      "layers, a reshape layer makes a sequence");
  EXPECT_EQ(refusal({cell}, text(4)),
            "layers.0 (lstm \"lstm\"): needs numbers, its input \"text\" holds token ids. Put an "
            "embedding between them");
  EXPECT_EQ(
      refusal({cell, cell}, series(4, 2)),
      "layers.1 (lstm \"lstm_1\"): needs a sequence [length, size], its input \"lstm\" [3] does "
      "not fit. A recurrent layer before it keeps its steps with return_sequences: true; of other "
      "layers, a reshape layer makes a sequence");
  cell.mask = true;
  EXPECT_EQ(refusal({cell}, series(4, 2)),
            "layers.0 (lstm \"lstm\"): mask=true needs a sequence that comes from token ids, its "
            "input is \"series\" [4, 2]");
  cell = recurrent(LayerType::kGru, 0);
  EXPECT_EQ(refusal({cell}, series(4, 2)),
            "layers.0 (gru \"gru\"): units is 0, must be 1 to 2147483647");
  cell = recurrent(LayerType::kGru, 2);
  cell.recurrent_dropout = 1.0F;
  EXPECT_EQ(refusal({cell}, series(4, 2)),
            "layers.0 (gru \"gru\"): recurrent_dropout is 1, must be in [0, 1)");
  cell = recurrent(LayerType::kGru, 2);
  cell.reverse = cell.bidirectional = true;
  EXPECT_EQ(refusal({cell}, series(4, 2)),
            "layers.0 (gru \"gru\"): bidirectional=true runs both ways already. Leave reverse out");
  cell = recurrent(LayerType::kGru, 2);
  cell.forget_bias = 1.0F;
  EXPECT_EQ(refusal({cell}, series(4, 2)).substr(0, 58),
            "layers.0 (gru \"gru\"): takes no key \"forget_bias\". Its keys");
}

// ---- attention ----------------------------------------------------------------------------------

using AttentionNodes = RecurrentNodes;

LayerConfig attention(int64_t heads) {
  LayerConfig c;
  c.type = LayerType::kAttention;
  c.heads = heads;
  return c;
}

/// The mean over the tokens of an attention block, for a text of six places.
LayerConfig masked_pool() {
  LayerConfig c;
  c.type = LayerType::kGlobalAveragePool;
  c.mask = true;
  return c;
}

TEST_F(AttentionNodes, PaddingIsNotSeenWithMask) {
  LayerConfig block = attention(2);
  const auto mean = [&](bool is_masked, const std::vector<int32_t>& words) {
    block.mask = is_masked;
    Network network({embedding(4), block, masked_pool()}, {text(6)});
    const nn::ParameterStore store(engine_, network);
    return run(network, ids(words, 1));
  };
  const auto near = [](const Floats& a, const Floats& b) {  // sums in another order
    for (size_t i = 0; i < a.size(); ++i) {
      if (std::abs(a[i] - b[i]) > 1e-6F) return false;
    }
    return a.size() == b.size();
  };
  const Floats before = mean(true, {0, 0, 0, 3, 1, 4});
  EXPECT_TRUE(near(before, mean(true, {3, 1, 4, 0, 0, 0})));
  EXPECT_TRUE(near(before, mean(true, {0, 3, 1, 4, 0, 0})));
  EXPECT_EQ(mean(true, {0, 0, 0, 0, 0, 0}), Floats(4, 0.0F));
}

TEST_F(AttentionNodes, ACausalBlockSeesNothingLater) {
  LayerConfig block = attention(3);
  for (const bool is_causal : {true, false}) {
    block.causal = is_causal;
    Network network({block}, {series(5, 6)});
    const nn::ParameterStore store(engine_, network);
    Tensor in = Tensor::full(engine_, {1, 5, 6}, 0.25F);
    in.data<float>()[1] = 1.0F;
    const Floats first = run(network, in);
    in.data<float>()[4 * 6] = -2.0F;  // the last step
    const Floats second = run(network, in);
    EXPECT_EQ(std::equal(first.begin(), first.begin() + 24, second.begin()), is_causal);
  }
}

TEST_F(AttentionNodes, PositionsAreAddedAndTheTableCounts) {
  LayerConfig positions;
  positions.type = LayerType::kPositionEmbedding;
  Network network({positions, attention(2)}, {series(5, 4)});
  const nn::ParameterStore store(engine_, network);
  EXPECT_EQ(store.list()[0].name, "position_embedding.weight");
  const std::vector<LayerLine> lines = network.lines();
  EXPECT_EQ(lines[1].parameters, 20);
  EXPECT_EQ(lines[2].parameters,
            2 * 8 + (4 * 12 + 12) + (4 * 4 + 4) + (4 * 16 + 16) + (16 * 4 + 4));
  EXPECT_EQ(lines[2].flops, 2 * 5 * 4 * (4 * 4 + 2 * 16) + 4 * 25 * 4);
  EXPECT_EQ(network.output().shape, (Shape{5, 4}));
}

TEST_F(AttentionNodes, WhatDoesNotFitIsNamed) {
  const auto refusal = [](const LayerConfig& layer) {
    return message_of([&] { const Network network({layer}, {series(4, 6)}); });
  };
  EXPECT_EQ(refusal(attention(4)),
            "layers.0 (attention \"attention\"): 4 heads do not divide the size of its input "
            "\"series\" [4, 6]; 3 would");
  EXPECT_EQ(refusal(attention(0)),
            "layers.0 (attention \"attention\"): 0 heads do not divide the size of its input "
            "\"series\" [4, 6]; 1 would");
  EXPECT_EQ(message_of([&] { const Network network({attention(2)}, {series(4, 1024)}); }),
            "layers.0 (attention \"attention\"): 2 heads of size 512, at most 256 is available; "
            "give 4 heads or more");
  LayerConfig block = attention(2);
  block.mlp_ratio = 0;
  EXPECT_EQ(refusal(block), "layers.0 (attention \"attention\"): mlp_ratio is 0, 1 to 64 can be");
  block = attention(2);
  block.heads.reset();
  EXPECT_EQ(refusal(block),
            "layers.0 (attention \"attention\"): needs the key \"heads\" (attention: heads; must "
            "divide the input's size)");
}

}  // namespace
}  // namespace ingot::models::recurrent_nodes_test
