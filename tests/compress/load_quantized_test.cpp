// SPDX-License-Identifier: Apache-2.0
// Compressed directories read back: the right logits, one copy of the bytes, the same bytes alone
// and in any batch, and a clear error for every lie in the file.
#include "compress/load_quantized.h"

#include <fstream>

#include <malloc.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/machine.h"
#include "base/message_of.h"
#include "compress/compress_testing.h"

namespace ingot::compress::load_quantized_test {
namespace {

using namespace testing;

// Distances of logits, two blocks deep with a dozen products in a row. Rounding x to 8 bits is an
// rms error of 0.5 % per product; gates and attention multiply such terms. Measured up to 0.024.
constexpr double kActivationRounding = 0.05;
// The weights' own rounding on top: 0.5 % (q8), 8 % (q4) per matrix. Measured up to 0.029 and 0.32.
constexpr double kRoundingQ8 = 0.06;
constexpr double kRoundingQ4 = 0.5;

const Tokens kText = {3, 14, 15, 9, 26, 50, 0, 35, 8, 9, 7};

struct Variant {
  ModelLayout layout;
  bool tied;
  QuantFormat format;
};
std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const ModelLayout layout : {ModelLayout::kLlama, ModelLayout::kGpt2}) {
    for (const bool tied : {true, false}) {
      for (const QuantFormat format : {QuantFormat::kQ8, QuantFormat::kQ4}) {
        all.push_back({layout, tied, format});
      }
    }
  }
  return all;
}

/// dir/float and dir/quant
struct Pair {
  explicit Pair(const Variant& v, QuantizeConfig config = {}) {
    write_random(tiny(v.layout, v.tied), dir.file("float"));
    config.format = v.format;
    report = compress_to(dir.file("float"), dir.file("quant"), config);
  }
  TempDir dir;
  QuantizeReport report;
};

std::string name_of(const Variant& v) {
  return std::string(enum_name(v.layout)) + (v.tied ? " tied " : " untied ") +
         std::string(enum_name(v.format));
}

TEST(LoadQuantized, LogitsAreThoseOfTheRoundedWeights) {
  for (const Variant& v : variants()) {
    SCOPED_TRACE(name_of(v));
    const Pair pair(v);
    World w;
    const auto model = load_model(w.engine, pair.dir.file("quant"));
    const auto exact = models::load_model(w.engine, pair.dir.file("float"));
    const auto rounded = rounded_model(w.engine, pair.dir.file("float"), pair.dir.file("quant"));
    const std::vector<float> logits = logits_of(w.engine, *model, kText);
    EXPECT_LE(distance(logits, logits_of(w.engine, *rounded, kText)), kActivationRounding);
    EXPECT_LE(distance(logits, logits_of(w.engine, *exact, kText)),
              v.format == QuantFormat::kQ8 ? kRoundingQ8 : kRoundingQ4);
  }
}

TEST(LoadQuantized, AloneOrInABatchOnAnyTeamTheBytesAreTheSame) {
  const std::vector<Tokens> texts = {
      kText, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40}};
  for (const Variant& v : variants()) {
    SCOPED_TRACE(name_of(v));
    const Pair pair(v);
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2, 3}) {
      World w(threads);
      const auto model = load_model(w.engine, pair.dir.file("quant"));
      const auto alone = decode(w.engine, *model, texts, 1, false);
      const auto together = decode(w.engine, *model, texts, 1, true);
      const auto pieces = decode(w.engine, *model, texts, 4, true);
      if (first.empty()) first = alone;
      for (size_t s = 0; s < texts.size(); ++s) {
        EXPECT_TRUE(same_bits(alone[s], first[s])) << threads << " threads, text " << s;
        EXPECT_TRUE(same_bits(together[s], first[s])) << threads << " threads, text " << s;
        EXPECT_TRUE(same_bits(pieces[s], first[s])) << threads << " threads, text " << s;
      }
    }
  }
}

TEST(LoadQuantized, LossIsCloseToTheFloatModels) {
  for (const Variant& v : variants()) {
    if (v.format == QuantFormat::kQ4) continue;
    SCOPED_TRACE(name_of(v));
    const Pair pair(v);
    World w;
    const Tensor ids = Tensor::from<int32_t>(w.engine, kText, {1, 11});
    Tokens next(kText.begin() + 1, kText.end());
    next.push_back(-1);
    const Tensor targets = Tensor::from<int32_t>(w.engine, next, {1, 11});
    const auto loss = [&](models::Transformer& model) {
      return model.loss(ids, targets, {}).item();
    };
    const auto exact = models::load_model(w.engine, pair.dir.file("float"));
    const auto packed = load_model(w.engine, pair.dir.file("float"));
    const auto model = load_model(w.engine, pair.dir.file("quant"));
    EXPECT_NEAR(loss(*packed), loss(*exact), 1e-5F * loss(*exact));  // other summation order
    EXPECT_NEAR(loss(*model), loss(*exact), 0.02F * loss(*exact));
  }
}

TEST(LoadQuantized, FloatDirectoriesAreOpenedAsTheyAre) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kGpt2, true), dir.file("float"));
  World w;
  const auto plain = models::load_model(w.engine, dir.file("float"));
  const auto packed = load_model(w.engine, dir.file("float"));
  const auto unpacked = load_model(w.engine, dir.file("float"), {.prepare = false});
  const std::vector<float> expected = logits_of(w.engine, *plain, kText);
  EXPECT_TRUE(same_bits(logits_of(w.engine, *unpacked, kText), expected));
  EXPECT_LE(distance(logits_of(w.engine, *packed, kText), expected), 1e-6);
  EXPECT_EQ(nn::parameters(*unpacked).size(), nn::parameters(*plain).size());
}

TEST(LoadQuantized, LayersThatWereSkippedStayFloat) {
  QuantizeConfig config;
  config.skip = {"h.0."};
  config.embeddings = false;
  const Pair pair({ModelLayout::kGpt2, true, QuantFormat::kQ8}, config);
  World w;
  const auto rounded = rounded_model(w.engine, pair.dir.file("float"), pair.dir.file("quant"));
  const std::vector<float> expected = logits_of(w.engine, *rounded, kText);
  for (const bool prepare : {true, false}) {
    const auto model = load_model(w.engine, pair.dir.file("quant"), {.prepare = prepare});
    EXPECT_LE(distance(logits_of(w.engine, *model, kText), expected), kActivationRounding);
  }
}

TEST(LoadQuantized, ATiedHeadReadsTheBytesOfTheTable) {
  for (const ModelLayout layout : {ModelLayout::kLlama, ModelLayout::kGpt2}) {
    const Pair pair({layout, true, QuantFormat::kQ8});
    World w;
    const auto model = load_model(w.engine, pair.dir.file("quant"));
    struct Finder : nn::Visitor {
      void parameter(const std::string& /*name*/, nn::Parameter& /*p*/) override {}
      bool layer(const std::string& name, std::unique_ptr<nn::Layer>& slot) override {
        if (is_token_table(name)) table = dynamic_cast<QuantEmbedding*>(slot.get());
        if (name == "lm_head") head = dynamic_cast<QuantLinear*>(slot.get());
        return false;
      }
      QuantEmbedding* table = nullptr;
      QuantLinear* head = nullptr;
    } found;
    model->visit(found);
    ASSERT_NE(found.table, nullptr);
    ASSERT_NE(found.head, nullptr);
    EXPECT_EQ(found.table->table().blocks.raw(), found.head->weight().blocks.raw());
  }
}

// Peak resident memory while a compressed model is loaded and decodes stays far below the float
// bytes; the same measure sees the float copy of the float model.
TEST(LoadQuantized, NoFloatCopyExists) {
  if (ingot::testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory hides the model's";
  const TempDir dir;
  write_random(medium(ModelLayout::kLlama), dir.file("float"));
  const QuantizeReport report = compress_to(dir.file("float"), dir.file("q8"));
  const auto growth = [&](const std::string& directory, int64_t& tensor_bytes) {
    malloc_trim(0);
    const bool has_peak = reset_peak_resident();
    const int64_t before = resident_bytes();
    World w;
    const auto model = load_model(w.engine, directory);
    (void)decode(w.engine, *model, {{1, 2, 3, 4}, {5, 6, 7, 8}}, 1, true);
    tensor_bytes = w.engine.allocator().peak_bytes();
    return (has_peak ? peak_resident_bytes() : resident_bytes()) - before;
  };
  int64_t quant_tensors = 0, float_tensors = 0;
  const int64_t quant_growth = growth(dir.file("q8"), quant_tensors);
  const int64_t float_growth = growth(dir.file("float"), float_tensors);
  EXPECT_LT(quant_growth, report.float_bytes / 4 * 3);
  EXPECT_LT(quant_tensors, report.float_bytes / 4);
  EXPECT_GE(float_growth, report.float_bytes);
  EXPECT_GE(float_tensors, report.float_bytes);
  RecordProperty("float_bytes", std::to_string(report.float_bytes));
  RecordProperty("quant_growth", std::to_string(quant_growth));
  RecordProperty("float_growth", std::to_string(float_growth));
}

TEST(LoadQuantized, ReadsGpt2FilesWithoutThePrefix) {
  const Pair pair({ModelLayout::kGpt2, true, QuantFormat::kQ8});
  const std::string plain = read_file(pair.dir.file("quant/model.safetensors"));
  rewrite(pair.dir.file("float"), [](FileParts& parts) {
    for (io::TensorToWrite& t : parts.tensors) t.name = t.name.substr(12);  // "transformer."
  });
  (void)compress_to(pair.dir.file("float"), pair.dir.file("again"));
  EXPECT_EQ(read_file(pair.dir.file("again/model.safetensors")), plain);
}

// ---- files that lie
// ------------------------------------------------------------------------------

class Lies : public ::testing::Test {
 protected:
  Lies() : pair_({ModelLayout::kLlama, true, QuantFormat::kQ8}) {}

  [[nodiscard]] std::string path() const { return pair_.dir.file("quant/model.safetensors"); }
  std::string message() {
    World w;
    return message_of([&] { (void)load_model(w.engine, pair_.dir.file("quant")); });
  }
  std::string after(const std::function<void(FileParts&)>& change) {
    rewrite(pair_.dir.file("quant"), change);
    return message();
  }
  std::string with_config(const std::function<void(Json&)>& change) {
    const std::string config_path = pair_.dir.file("quant/config.json");
    Json json = parse_json(read_file(config_path), "config");
    change(json);
    std::ofstream(config_path) << json.dump();
    return message();
  }
  Pair pair_;
};

constexpr const char* kMatrix = "model.layers.0.self_attn.q_proj.weight";  // [44, 44]
const std::string kKey = std::string("quant.") + kMatrix;

io::TensorToWrite& tensor(FileParts& parts, const std::string& name) {
  for (io::TensorToWrite& t : parts.tensors) {
    if (t.name == name) return t;
  }
  throw std::runtime_error("no tensor " + name);
}

TEST_F(Lies, TruncatedFile) {
  const std::string whole = read_file(path());
  for (const size_t keep :
       {size_t{0}, size_t{7}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << whole.substr(0, keep);
    World w;
    EXPECT_EQ(code_of([&] { (void)load_model(w.engine, pair_.dir.file("quant")); }), "corrupt_file")
        << keep;
  }
  EXPECT_NE(message().find("lie outside the file's"), std::string::npos) << message();
}

TEST_F(Lies, OtherShape) {
  EXPECT_EQ(after([](FileParts& p) { p.metadata[kKey] = "q8 [44, 45]"; }),
            path() + ": \"" + kMatrix + "\" is [44, 45], the model needs [44, 44]");
}

TEST_F(Lies, OtherFormat) {
  EXPECT_EQ(
      after([](FileParts& p) { p.metadata[kKey] = "q4 [44, 44]"; }),
      path() + ": \"" + kMatrix + "\": q4 [44, 44] takes 1728 bytes, the file holds uint8 [3264]");
}

TEST_F(Lies, NotADescription) {
  EXPECT_EQ(after([](FileParts& p) { p.metadata[kKey] = "q8 44x44"; }),
            path() + ": \"" + kMatrix +
                "\": \"q8 44x44\" is not of the form \"q8 [out_features, in_features]\"");
}

TEST_F(Lies, NoDescription) {
  EXPECT_EQ(after([](FileParts& p) { p.metadata.erase(kKey); }),
            path() + ": \"" + kMatrix + "\" is [3264], the model needs [44, 44]");
}

TEST_F(Lies, ADescriptionOfNothing) {
  EXPECT_EQ(after([](FileParts& p) { p.metadata["quant.model.norm.weight"] = "q8 [1, 44]"; }),
            path() +
                ": metadata \"quant.model.norm.weight\" names no matrix of the model that "
                "config.json describes");
}

TEST_F(Lies, BlocksOffTheirGrid) {
  const std::string m = after([](FileParts& p) {
    std::rotate(p.tensors.begin(), p.tensors.end() - 1, p.tensors.end());  // 176 bytes come first
  });
  EXPECT_NE(m.find("of the file, a multiple of 64 is needed"), std::string::npos) << m;
}

TEST_F(Lies, OneTensorTooManyOrTooFew) {
  EXPECT_NE(after([](FileParts& p) {
              p.tensors.push_back(p.tensors[0]);
              p.tensors.back().name = "model.extra";
            }).find("\"model.extra\" has no place"),
            std::string::npos);
  EXPECT_NE(after([](FileParts& p) {
              p.tensors.pop_back();
              std::erase_if(p.tensors, [](const auto& t) { return t.name == kMatrix; });
            }).find(std::string("there is no tensor \"") + kMatrix),
            std::string::npos);
}

TEST_F(Lies, BlocksOfAnotherType) {
  const std::string m = after([](FileParts& p) {
    io::TensorToWrite& t = tensor(p, kMatrix);
    t.dtype = DType::kF32;
    t.shape = {816};
  });
  EXPECT_EQ(m, path() + ": \"" + kMatrix +
                   "\": q8 [44, 44] takes 3264 bytes, the file holds float32 [816]");
}

TEST_F(Lies, SizesBeyondAnyFile) {
  (void)after(
      [](FileParts& p) { p.metadata["quant.model.embed_tokens.weight"] = "q8 [4294967296, 44]"; });
  const std::string m = with_config([](Json& j) { j["vocab_size"] = int64_t{1} << 32; });
  EXPECT_NE(m.find("4294967296"), std::string::npos) << m;
  EXPECT_NE(m, "no error");
}

TEST_F(Lies, AForeignMethod) {
  EXPECT_EQ(with_config([](Json& j) { j["quantization_config"]["quant_method"] = "awq"; }),
            pair_.dir.file("quant/config.json") +
                ": quantization_config.quant_method \"awq\" is not available, \"ingot\" is. "
                "Compress the float model with ingot compress");
}

TEST_F(Lies, ACompressedFileUnderAFloatConfig) {
  EXPECT_NE(with_config([](Json& j) { j.erase("quantization_config"); }).find("the model needs"),
            std::string::npos);
}

}  // namespace
}  // namespace ingot::compress::load_quantized_test
