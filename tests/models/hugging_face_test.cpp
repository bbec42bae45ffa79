// SPDX-License-Identifier: Apache-2.0
// Models as Hugging Face folders: logits, loss and every gradient against PyTorch (golden files of
// scripts/golden/models_golden.py), saving and reloading, and what a broken folder says.
#include "models/hugging_face.h"

#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

#include "autograd/ops/shape.h"
#include "base/json.h"
#include "base/message_of.h"
#include "kernels/reference/convert.h"
#include "models/model_testing.h"

namespace ingot::testing::hugging_face_test {
namespace {

using models::Transformer;

const char* const kModels[] = {"gpt2", "llama", "llama_tied"};

// Both sides compute in float32 with sums in different orders over at most 97 terms.
constexpr double kLogits = 1e-5;
constexpr double kGradient = 1e-4;

TEST(HuggingFace, LogitsEqualThoseOfTransformers) {
  Team team(2);
  Engine engine(team);
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const Golden golden(name);
    const auto model = models::load_model(engine, golden_path(name));
    const Tensor logits = model->logits(model->forward(golden.tensor(engine, "ids")));
    expect_near_max(logits.to_vector<float>(), golden.values<float>("logits"), kLogits);
    model->prepare_inference();
    const Tensor packed = model->logits(model->forward(golden.tensor(engine, "ids")));
    EXPECT_EQ(packed.to_vector<float>(), logits.to_vector<float>());
    const Tensor targets = golden.tensor(engine, "targets");
    EXPECT_NEAR(model->loss(golden.tensor(engine, "ids"), targets, {}).item(),
                golden.values<float>("loss")[0], kLogits);
    const std::string what =
        message_of([&] { models::save_model(*real_files(), *model, "/nowhere", 0); });
    EXPECT_TRUE(what.starts_with("save: ")) << what;
    EXPECT_TRUE(what.ends_with("weights are packed or quantised; save it before that")) << what;
  }
}

TEST(HuggingFace, LossAndEveryGradientEqualThoseOfPyTorch) {
  Team team(2);
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    Engine engine(team);
    const Golden golden(name);
    const std::string path = golden_path(name, "config.json");
    Transformer model(engine, models::parse_config_json(read_file(path), path));
    nn::ParameterStore store(engine, model);
    models::load_weights(model, golden_path(name, "model.safetensors"));
    Tape tape(engine);
    store.bind(tape);
    tape.begin_step();
    {
      const Recording on(engine, &tape);
      const Tensor loss =
          model.loss(golden.tensor(engine, "ids"), golden.tensor(engine, "targets"), Tensor());
      EXPECT_NEAR(loss.item(), golden.values<float>("loss")[0], 1e-5);
      tape.backward(loss);
    }
    tape.finish_step();
    ASSERT_GT(store.list().size(), 10U);
    for (const nn::StoredParameter& p : store.list()) {
      SCOPED_TRACE(p.name);
      expect_near_max(dense_grad(tape, store, p), golden.values<float>("grad." + p.name),
                      kGradient);
    }
  }
}

TEST(HuggingFace, SavedModelsReloadBitForBit) {
  // The folder may be named so that the script can open it with transformers:
  // INGOT_SAVED_MODELS=/tmp/saved models_test, then models_golden.py --check /tmp/saved/gpt2 …
  const char* kept = std::getenv("INGOT_SAVED_MODELS");
  const TempDir temporary;
  const std::string root = kept != nullptr ? kept : temporary.path();
  Team team(1);
  Engine engine(team);
  const auto files = real_files();
  for (const char* name : kModels) {
    SCOPED_TRACE(name);
    const Golden golden(name);
    const auto model = models::load_model(engine, golden_path(name));
    const std::string folder = join_path(root, name);
    models::save_model(*files, *model, folder, 0);
    const auto again = models::load_model(engine, folder);
    const auto before = nn::parameters(*model), after = nn::parameters(*again);
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(before[i].name, after[i].name);
      EXPECT_EQ(before[i].parameter->value.to_vector<float>(),
                after[i].parameter->value.to_vector<float>());
    }
    const models::TransformerConfig &a = model->config(), &b = again->config();
    EXPECT_EQ(models::config_json(a, 0), models::config_json(b, 0));
    const Tensor ids = golden.tensor(engine, "ids");
    EXPECT_EQ(model->logits(model->forward(ids)).to_vector<float>(),
              again->logits(again->forward(ids)).to_vector<float>());
  }
}

TEST(HuggingFace, ConfigNamesTheTokenizer) {
  const TempDir folder;
  const auto config = models::TransformerConfig{.vocab = 300};
  const auto digest_of = [&](const std::string& text) {
    write_atomically(*real_files(), folder.file("config.json"), text);
    return models::tokenizer_digest(folder.path());
  };
  EXPECT_EQ(digest_of(models::config_json(config, 0, "5f0c")), "5f0c");
  EXPECT_EQ(digest_of(models::config_json(config, 0)), "") << "of earlier versions";
  const std::string text = models::config_json(config, 0, "5f0c");
  EXPECT_EQ(models::config_json(models::parse_config_json(text, "memory"), 0, "5f0c"), text);
  EXPECT_TRUE(message_of([&] {
                (void)digest_of(R"({"tokenizer_sha256": 5})");
              }).ends_with("\"tokenizer_sha256\" is 5, a text is needed"));
}

/// A copy of a golden model's folder whose parts a test may spoil.
class Spoiled : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(golden_path("llama", "config.json"), folder_.file("config.json"));
    std::filesystem::copy(golden_path("llama", "model.safetensors"),
                          folder_.file("model.safetensors"));
  }

  void replace(const std::string& from, const std::string& to) {
    std::string text = read_file(folder_.file("config.json"));
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    write("config.json", text);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
  }
  /// Rewrites the weights; `change` edits the list.
  void rewrite(const std::function<void(std::vector<io::TensorToWrite>&)>& change) {
    const io::Safetensors file(golden_path("llama", "model.safetensors"));
    std::vector<io::TensorToWrite> list;
    for (const io::TensorInfo& t : file.header().tensors) {
      list.push_back({t.name, t.dtype, t.shape, file.bytes(t)});
    }
    change(list);
    io::write_safetensors(*real_files(), folder_.file("model.safetensors"), list);
  }
  std::string error() {
    return message_of([&] { (void)models::load_model(engine_, folder_.path()); });
  }
  void expect_error(const std::string& part) {
    const std::string what = error();
    EXPECT_NE(what.find(part), std::string::npos) << what;
  }

  TempDir folder_;
  Team team_{1};
  Engine engine_{team_};
};

TEST_F(Spoiled, AMissingFolderIsNamed) {
  EXPECT_EQ(message_of([&] { (void)models::load_model(engine_, "/nowhere/model"); }),
            "model: there is no folder /nowhere/model");
}

TEST_F(Spoiled, ConfigKeysThatAreMissingWrongOrUnsupportedAreNamed) {
  const std::string where = folder_.file("config.json") + ": ";
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& text) {
    const std::string original = read_file(folder_.file("config.json"));
    replace(from, to);
    EXPECT_EQ(error(), where + text);
    write("config.json", original);
  };
  expect("\"vocab_size\": 97", "\"vocab\": 97", "\"vocab_size\" is missing");
  expect("\"vocab_size\": 97", "\"vocab_size\": \"many\"",
         "\"vocab_size\" is \"many\", a whole number above 0 is needed");
  for (const char* size : {"32.5", "-24", "0", "1e300", "true", "\"24\"", "[24]"}) {
    expect("\"hidden_size\": 24", fmt::format("\"hidden_size\": {}", size),
           fmt::format("\"hidden_size\" is {}, a whole number above 0 is needed",
                       dump_json(parse_json(size, "size"))));
  }
  expect("\"vocab_size\": 97", "\"vocab_size\": null", "\"vocab_size\" is missing");
  expect("\"num_key_value_heads\": 2", "\"num_key_value_heads\": -2",
         "\"num_key_value_heads\" is -2, a whole number above 0 is needed");
  expect("\"mlp_bias\": false", "\"mlp_bias\": false, \"rope_theta\": \"big\"",
         "\"rope_theta\" is \"big\", a number above 1 is needed");
  expect("\"model_type\": \"llama\"", "\"model_type\": 5", "\"model_type\" is 5, a text is needed");
  expect("\"hidden_size\": 24", "\"hidden_size\": 1000000000000",
         "\"hidden_size\": 1000000000000 is too large, at most 1048576 is possible. Take the "
         "config.json that came with the weights");
  expect("\"model_type\": \"llama\"", "\"model_type\": \"bert\"",
         "model_type \"bert\" is not available, gpt2 and llama are");
  expect("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"",
         "\"hidden_act\" is \"gelu\", only \"silu\" is available here");
  expect("\"attention_bias\": false", "\"attention_bias\": true",
         "\"attention_bias\" is true, only false is available here");
  expect("\"head_dim\": 6", "\"head_dim\": 8", "\"head_dim\" is 8, only 6 is available here");
  expect("\"rope_type\": \"default\"", "\"rope_type\": \"llama3\"",
         "\"rope_type\" is \"llama3\", only \"default\" is available here");
  expect("\"mlp_bias\": false", "\"mlp_bias\": false, \"rope_scaling\": {\"factor\": 2}",
         "\"rope_scaling\" is {\"factor\":2}, only null is available here");
  write("config.json", "[1]");
  expect_error("a JSON object is needed");
}

TEST_F(Spoiled, SizesThatDoNotGoTogetherAreToldInTheWordsOfTheFile) {
  replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 5");
  replace("\"head_dim\": 6,", "");
  replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 5");
  EXPECT_EQ(error(),
            folder_.file("config.json") +
                ": \"hidden_size\": 24 is not a multiple of \"num_attention_heads\" 5. Take "
                "the config.json that came with the weights");
}

TEST_F(Spoiled, TensorsThatAreMissingTooManyOrOfAnotherShapeAreNamed) {
  rewrite([](auto& list) { list.erase(list.begin()); });
  expect_error("there is no tensor \"");
  const std::vector<float> extra(4, 1.0F);
  rewrite([&](auto& list) {
    list.push_back({"model.surprise", DType::kF32, {4}, std::as_bytes(std::span(extra))});
  });
  expect_error("tensor \"model.surprise\" has no place in the model that config.json describes");
  rewrite([](auto& list) {
    for (auto& t : list) {
      if (t.name == "model.norm.weight") t.shape = {4, 6};
    }
  });
  expect_error("\"model.norm.weight\" is [4, 6], the model needs [24]");
}

TEST_F(Spoiled, HalfPrecisionWeightsAreWidenedAndIntegersRefused) {
  std::vector<uint16_t> half;
  std::vector<float> want;
  const io::Safetensors file(golden_path("llama", "model.safetensors"));
  const auto bytes = file.bytes(file.at("model.norm.weight"));
  for (size_t i = 0; i < bytes.size() / 4; ++i) {
    float x = 0.0F;
    std::memcpy(&x, bytes.data() + 4 * i, 4);
    half.push_back(kernels::reference::encode({8, 7}, static_cast<double>(x)));
    want.push_back(static_cast<float>(kernels::reference::decode({8, 7}, half.back())));
  }
  const std::vector<int32_t> whole_numbers(24, 1);
  const auto store_as = [&](DType dtype) {
    rewrite([&](auto& list) {
      for (auto& t : list) {
        if (t.name != "model.norm.weight") continue;
        t.dtype = dtype;
        t.bytes = dtype == DType::kI32 ? std::as_bytes(std::span(whole_numbers))
                                       : std::as_bytes(std::span(half));
      }
    });
  };
  store_as(DType::kBF16);
  const auto model = models::load_model(engine_, folder_.path());
  for (const nn::NamedParameter& p : nn::parameters(*model)) {
    if (p.name != "model.norm.weight") continue;
    EXPECT_EQ(p.parameter->value.to_vector<float>(), want);
  }
  store_as(DType::kI32);
  expect_error("\"model.norm.weight\" is int32, float32, bfloat16 or float16 is needed");
}

}  // namespace
}  // namespace ingot::testing::hugging_face_test
