// SPDX-License-Identifier: Apache-2.0
// The transformer: packed documents equal documents on their own, names and counts of parameters,
// dropout only in training, and the messages of a bad configuration.
#include "models/transformer.h"

#include "autograd/ops/shape.h"
#include "base/message_of.h"
#include "models/model_testing.h"

namespace ingot::testing::transformer_test {
namespace {

using models::ModelLayout;
using models::Transformer;
using models::TransformerConfig;

// float32 sums over other tile borders: a few roundings, relative to the largest.
constexpr double kTolerance = 1e-5;

struct TransformerRig {
  explicit TransformerRig(const TransformerConfig& c) : model(engine, c), store(engine, model) {}
  Team team{2};
  Engine engine{team};
  Transformer model;
  nn::ParameterStore store;
};

std::vector<float> part(const std::vector<float>& v, int64_t begin, int64_t end) {
  return {v.begin() + begin, v.begin() + end};
}

TEST(Transformer, PackedDocumentsEqualDocumentsOnTheirOwn) {
  const std::vector<int64_t> lengths = {17, 1, 70, 9};
  for (const ModelLayout layout : {ModelLayout::kGpt2, ModelLayout::kLlama}) {
    TransformerRig rig(small_config(layout, true, 128));
    const int64_t vocab = rig.model.config().vocab;
    std::vector<int32_t> ids, starts, positions;
    for (const int64_t length : lengths) {
      const auto first = static_cast<int32_t>(ids.size());
      for (const int32_t id : random_ids(length, static_cast<uint32_t>(length))) ids.push_back(id);
      for (int32_t i = 0; i < length; ++i) {
        starts.push_back(first);
        positions.push_back(i);
      }
    }
    const auto n = static_cast<int64_t>(ids.size());
    nn::SequenceContext context;
    context.doc_start = Tensor::from<int32_t>(rig.engine, starts, {1, n});
    context.positions = Tensor::from<int32_t>(rig.engine, positions, {n});
    const auto logits_of = [&](const std::vector<int32_t>& sequence,
                               const nn::SequenceContext& about) {
      const Tensor in =
          Tensor::from<int32_t>(rig.engine, sequence, {1, static_cast<int64_t>(sequence.size())});
      return rig.model.logits(rig.model.forward(in, about)).to_vector<float>();
    };
    const std::vector<float> packed = logits_of(ids, context);
    int64_t at = 0;
    for (const int64_t length : lengths) {
      const std::vector<int32_t> own(ids.begin() + at, ids.begin() + at + length);
      expect_near_max(part(packed, at * vocab, (at + length) * vocab), logits_of(own, {}),
                      kTolerance);
      at += length;
    }
  }
}

TEST(Transformer, GradientsOfPackedDocumentsEqualThoseOfDocumentsOnTheirOwn) {
  TransformerRig rig(small_config(ModelLayout::kLlama, true, 64));
  Tape tape(rig.engine);
  rig.store.bind(tape);
  const std::vector<int32_t> ids = random_ids(40, 1), targets = random_ids(40, 2);
  std::vector<int32_t> starts(40, 0), positions(40);
  for (int32_t i = 0; i < 40; ++i) {
    starts[static_cast<size_t>(i)] = i < 23 ? 0 : 23;
    positions[static_cast<size_t>(i)] = i < 23 ? i : i - 23;
  }
  const auto tensor = [&](const std::vector<int32_t>& v, int64_t begin, int64_t end) {
    return Tensor::from<int32_t>(rig.engine, std::span(v).subspan(begin, end - begin),
                                 {1, end - begin});
  };
  const std::vector<int64_t> all = {40};
  const Tensor count = Tensor::from<int64_t>(rig.engine, all, {});
  nn::SequenceContext context;
  context.doc_start = tensor(starts, 0, 40);
  context.positions = tensor(positions, 0, 40);
  const auto backward = [&](int64_t begin, int64_t end, const nn::SequenceContext& about) {
    const Recording on(rig.engine, &tape);
    tape.backward(
        rig.model.loss(tensor(ids, begin, end), tensor(targets, begin, end), count, about));
  };
  tape.begin_step();
  backward(0, 40, context);
  tape.finish_step();
  const std::vector<float> packed = rig.store.grads().to_vector<float>();
  tape.begin_step();
  backward(0, 23, {});
  backward(23, 40, {});
  tape.finish_step();
  expect_near_max(rig.store.grads().to_vector<float>(), packed, kTolerance);
}

TEST(Transformer, ParametersAreNamedAndCountedAsInTransformers) {
  TransformerRig gpt2(small_config(ModelLayout::kGpt2, true, 30)),
      llama(small_config(ModelLayout::kLlama, false, 30));
  // wte 97·36, wpe 30·36; per block 2 norms, c_attn 36→108, c_proj, c_fc 36→53, c_proj; ln_f.
  EXPECT_EQ(gpt2.store.parameter_count(),
            97 * 36 + 30 * 36 +
                2 * (4 * 36 + 36 * 108 + 108 + 36 * 36 + 36 + 36 * 53 + 53 + 53 * 36 + 36) +
                2 * 36);
  EXPECT_EQ(llama.store.parameter_count(),
            2 * 97 * 40 + 2 * (2 * 40 + 40 * 40 * 2 + 2 * 40 * 20 + 3 * 40 * 53) + 40);
  std::vector<std::string> names;
  for (const nn::NamedParameter& p : nn::parameters(gpt2.model)) names.push_back(p.name);
  EXPECT_EQ(names.front(), "transformer.wte.weight");
  EXPECT_NE(std::find(names.begin(), names.end(), "transformer.h.1.attn.c_attn.bias"), names.end());
  EXPECT_EQ(names.back(), "transformer.ln_f.bias");
  for (const nn::NamedParameter& p : nn::parameters(llama.model)) {
    EXPECT_EQ(p.parameter->decay,
              !p.name.ends_with("norm.weight") && !p.name.ends_with("layernorm.weight"))
        << p.name;
    EXPECT_EQ(p.parameter->row_sparse, p.name == "model.embed_tokens.weight") << p.name;
  }
}

TEST(Transformer, DropoutActsOnlyInTraining) {
  TransformerConfig c = small_config(ModelLayout::kGpt2, true, 16);
  c.dropout = 0.5F;
  TransformerRig rig(c);
  const Tensor ids = Tensor::from<int32_t>(rig.engine, random_ids(16, 1), {1, 16});
  nn::SequenceContext training;
  training.is_training = true;
  const auto run = [&](const nn::SequenceContext& context) {
    rig.engine.begin_step();
    return rig.model.forward(ids, context).to_vector<float>();
  };
  const std::vector<float> plain = run({}), first = run(training);
  EXPECT_EQ(plain, run({}));
  EXPECT_NE(plain, first);
  EXPECT_EQ(first, run(training)) << "the mask is a function of seed, step and op";
  *rig.engine.step_counter() = 1;
  EXPECT_NE(first, run(training)) << "another step has another mask";
}

TEST(Transformer, ALongSequenceIsRefused) {
  for (const ModelLayout layout : {ModelLayout::kGpt2, ModelLayout::kLlama}) {
    TransformerRig rig(small_config(layout, true, 8));
    const Tensor ids = Tensor::zeros(rig.engine, {1, 9}, DType::kI32);
    const std::string what = message_of([&] { (void)rig.model.forward(ids); });
    EXPECT_NE(what.find("a sequence of 9 tokens is longer than"), std::string::npos) << what;
  }
}

TEST(Transformer, BadConfigurationsNameTheKeyAndAValueThatWorks) {
  const auto message = [](const std::function<void(TransformerConfig&)>& change) {
    TransformerConfig c = small_config(ModelLayout::kLlama, true, 16);
    change(c);
    return message_of([&] { c.check(); });
  };
  EXPECT_EQ(message([](auto&) {}), "no error");
  EXPECT_EQ(message([](auto& c) { c.vocab = 0; }),
            "model.vocab: 0 must be positive, for example 32000");
  EXPECT_EQ(message([](auto& c) { c.layers = -1; }),
            "model.layers: -1 must be positive, for example 4");
  EXPECT_EQ(message([](auto& c) { c.dim = 41; }),
            "model.dim: 41 is not a multiple of model.heads 4. model.dim=48 would be");
  EXPECT_EQ(message([](auto& c) { c.kv_heads = 3; }),
            "model.kv_heads: 3 does not divide model.heads 4. model.kv_heads=4 does");
  EXPECT_EQ(message([](auto& c) { c.kv_heads = -2; }),
            "model: kv_heads -2 and hidden 53 must not be negative; 0 picks the usual size");
  EXPECT_EQ(
      message([](auto& c) { c.dim = 36; }),
      "model.dim: 36 over 4 heads gives an odd head size 9; rotary positions need an even one. "
      "model.dim=40 would do");
  EXPECT_EQ(message([](auto& c) { c.dim = 4 * 300; }),
            "model.heads: 4 heads of size 300; at most 256 is available. model.heads=5 would do");
  constexpr int64_t kHuge = int64_t{1} << 62;
  EXPECT_EQ(message([](auto& c) { c.vocab = kHuge; }),
            "model.vocab: 4611686018427387904 is too large, at most 16777216 is possible");
  EXPECT_EQ(message([](auto& c) { c.context = kHuge; }),
            "model.context: 4611686018427387904 is too large, at most 16777216 is possible");
  EXPECT_EQ(message([](auto& c) { c.layers = kHuge; }),
            "model.layers: 4611686018427387904 is too large, at most 4096 is possible");
  EXPECT_EQ(message([](auto& c) { c.dim = kHuge; }),
            "model.dim: 4611686018427387904 is too large, at most 1048576 is possible");
  EXPECT_EQ(message([](auto& c) { c.hidden = kHuge; }),
            "model.hidden: 4611686018427387904 is too large, at most 4194304 is possible");
  EXPECT_EQ(message([](auto& c) { c.dropout = 1.0F; }),
            "model.dropout: 1 is not in [0, 1); 0.1 is usual");
  EXPECT_EQ(message([](auto& c) { c.norm_eps = 0.0F; }),
            "model.norm_eps: 0 must be positive; 1e-5 is usual");
  EXPECT_EQ(message([](auto& c) { c.init_std = 1e30F; }),
            "model.init_std: 1e+30 must be from 0 to 100; 0.02 is usual");
  EXPECT_EQ(message([](auto& c) { c.rope_theta = 1.0; }),
            "model.rope_theta: 1 must be above 1; 10000 is usual");
  TransformerConfig c = small_config(ModelLayout::kLlama, true, 16);
  c.hidden = 0;
  c.dim = 256;
  EXPECT_EQ(c.mlp_width(), 704);  // 682.67 rounded up to 64
  c.layout = ModelLayout::kGpt2;
  EXPECT_EQ(c.mlp_width(), 1024);
}

}  // namespace
}  // namespace ingot::testing::transformer_test
