// SPDX-License-Identifier: Apache-2.0
// What quantize_model writes, reports and refuses.
#include "compress/quantize.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/faulty_files.h"
#include "compress/compress_testing.h"

namespace ingot::compress::quantize_test {
namespace {

using namespace testing;

// The limits on bytes, with norms, biases and positions in float32 included.
constexpr double kMostQ8 = 0.30;
constexpr double kMostQ4 = 0.18;
// Uniform rounding of normal weights: step max|w|/127 with max ≈ 2.1σ over 32 weights gives an
// rms of 0.0048 σ (q8); 16 levels with a searched scale stay below 0.1 σ (q4).
constexpr double kErrorQ8 = 0.008;
constexpr double kErrorQ4 = 0.11;

QuantizeConfig with(QuantFormat format) {
  QuantizeConfig c;
  c.format = format;
  return c;
}

const TensorReport* find(const QuantizeReport& report, const std::string& name) {
  for (const TensorReport& t : report.tensors) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

TEST(Quantize, KeepsTheRatiosOnRealisticShapes) {
  for (const ModelLayout layout : {ModelLayout::kLlama, ModelLayout::kGpt2}) {
    const TempDir dir;
    write_random(medium(layout), dir.file("float"));
    const QuantizeReport q8 = compress_to(dir.file("float"), dir.file("q8"));
    const QuantizeReport q4 =
        compress_to(dir.file("float"), dir.file("q4"), with(QuantFormat::kQ4));
    EXPECT_LE(q8.ratio(), kMostQ8) << enum_name(layout);
    EXPECT_LE(q4.ratio(), kMostQ4) << enum_name(layout);
    EXPECT_GT(q8.float_bytes, 20'000'000);
    EXPECT_LE(static_cast<double>(file_size(dir.file("q8/model.safetensors"))),
              kMostQ8 * static_cast<double>(file_size(dir.file("float/model.safetensors"))));
    for (const TensorReport& t : q8.tensors) EXPECT_LE(t.relative_error, kErrorQ8) << t.name;
    for (const TensorReport& t : q4.tensors) EXPECT_LE(t.relative_error, kErrorQ4) << t.name;
  }
}

TEST(Quantize, ReportsEveryTensorAndItsError) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kGpt2, true), dir.file("float"));
  const QuantizeReport report = compress_to(dir.file("float"), dir.file("q8"));
  const io::Safetensors before(dir.file("float/model.safetensors"));
  const io::Safetensors after(dir.file("q8/model.safetensors"));
  EXPECT_EQ(report.tensors.size(), before.header().tensors.size());
  int64_t float_bytes = 0, stored = 0;
  for (const TensorReport& t : report.tensors) {
    const io::TensorInfo& info = after.at(t.name);
    EXPECT_EQ(info.end - info.begin, t.stored_bytes) << t.name;
    float_bytes += t.float_bytes;
    stored += t.stored_bytes;
  }
  EXPECT_EQ(report.float_bytes, float_bytes);
  EXPECT_EQ(report.quantized_bytes, stored);
  const TensorReport* fc = find(report, "transformer.h.1.mlp.c_fc.weight");
  ASSERT_NE(fc, nullptr);
  EXPECT_EQ(fc->shape, (Shape{75, 44}));  // [out, in], although the float file has [44, 75]
  // The error again, from the bytes of both files.
  const auto* w = reinterpret_cast<const float*>(before.bytes(before.at(fc->name)).data());
  const auto* blocks = reinterpret_cast<const uint8_t*>(after.bytes(after.at(fc->name)).data());
  double error = 0, norm = 0;
  for (int64_t o = 0; o < 75; ++o) {
    for (int64_t i = 0; i < 44; ++i) {
      const double value = w[i * 75 + o];
      const double d = value - kernels::reference::quant_weight(QuantFormat::kQ8, blocks, 44, o, i);
      error += d * d, norm += value * value;
    }
  }
  EXPECT_NEAR(fc->relative_error, std::sqrt(error / norm), 1e-9);
}

TEST(Quantize, WritesBlocksFirstAndAlignedTheRestAsBefore) {
  for (const ModelLayout layout : {ModelLayout::kLlama, ModelLayout::kGpt2}) {
    const TempDir dir;
    write_random(tiny(layout, false), dir.file("float"));
    const QuantizeReport report =
        compress_to(dir.file("float"), dir.file("q4"), with(QuantFormat::kQ4));
    const io::Safetensors before(dir.file("float/model.safetensors"));
    const io::Safetensors after(dir.file("q4/model.safetensors"));
    bool seen_float = false;
    for (const io::TensorInfo& t : after.header().tensors) {
      const bool is_block = after.header().metadata.contains("quant." + t.name);
      EXPECT_EQ(is_block, find(report, t.name)->is_quantized) << t.name;
      if (is_block) {
        EXPECT_FALSE(seen_float) << t.name;
        EXPECT_EQ((after.header().data_begin + t.begin) % 64, 0) << t.name;
        EXPECT_EQ(t.dtype, DType::kU8);
        continue;
      }
      seen_float = true;
      const auto a = after.bytes(t), b = before.bytes(before.at(t.name));
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << t.name;
    }
    EXPECT_EQ(before.header().tensors.size(), after.header().tensors.size());
  }
}

TEST(Quantize, KeepsWhatSkipAndEmbeddingsName) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kGpt2, false), dir.file("float"));
  QuantizeConfig config;
  config.embeddings = false;
  config.skip = {"h.0.", "c_proj"};
  const QuantizeReport report = compress_to(dir.file("float"), dir.file("q8"), config);
  const auto is_block = [&](const char* name) { return find(report, name)->is_quantized; };
  EXPECT_FALSE(is_block("transformer.wte.weight"));
  EXPECT_FALSE(is_block("transformer.wpe.weight"));
  EXPECT_FALSE(is_block("lm_head.weight"));
  EXPECT_FALSE(is_block("transformer.h.0.attn.c_attn.weight"));
  EXPECT_FALSE(is_block("transformer.h.1.mlp.c_proj.weight"));
  EXPECT_TRUE(is_block("transformer.h.1.attn.c_attn.weight"));
  EXPECT_TRUE(is_block("transformer.h.1.mlp.c_fc.weight"));
  // A float matrix goes back in the order of the float file.
  const io::Safetensors before(dir.file("float/model.safetensors"));
  const io::Safetensors after(dir.file("q8/model.safetensors"));
  const char* name = "transformer.h.1.mlp.c_proj.weight";
  EXPECT_EQ(after.at(name).shape, before.at(name).shape);
  EXPECT_EQ(std::memcmp(after.bytes(after.at(name)).data(), before.bytes(before.at(name)).data(),
                        before.bytes(before.at(name)).size()),
            0);
}

TEST(Quantize, WritesConfigAndCopiesTheTokenizer) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kLlama, true), dir.file("float"));
  const auto files = real_files();
  write_atomically(*files, dir.file("float/tokenizer.json"), std::string_view("{\"a\": 1}"));
  write_atomically(*files, dir.file("float/optimizer.bin"), std::string_view("not for inference"));
  (void)compress_to(dir.file("float"), dir.file("out/q4"), with(QuantFormat::kQ4));
  EXPECT_EQ(read_file(dir.file("out/q4/tokenizer.json")), "{\"a\": 1}");
  EXPECT_FALSE(file_exists(dir.file("out/q4/optimizer.bin")));
  const Json config = parse_json(read_file(dir.file("out/q4/config.json")), "config");
  EXPECT_EQ(config["quantization_config"],
            (Json{{"quant_method", "ingot"}, {"format", "q4"}, {"group_size", 32}}));
  EXPECT_EQ(config["eos_token_id"], 7);
  EXPECT_EQ(config["hidden_size"], 44);
  EXPECT_EQ(model_format(dir.file("out/q4")), "q4");
  EXPECT_EQ(model_format(dir.file("float")), "float32");
}

TEST(Quantize, SameBytesForAnyTeam) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kLlama, true), dir.file("float"));
  const auto files = real_files();
  for (const int threads : {1, 3}) {
    World w(threads);
    (void)quantize_model(w.engine, dir.file("float"), dir.file(std::to_string(threads)),
                         with(QuantFormat::kQ4), *files);
  }
  EXPECT_EQ(read_file(dir.file("1/model.safetensors")), read_file(dir.file("3/model.safetensors")));
}

TEST(Quantize, NamesATensorThatIsNotFinite) {
  for (const char* name : {"model.layers.1.mlp.down_proj.weight", "model.norm.weight"}) {
    const TempDir dir;
    write_random(tiny(ModelLayout::kLlama, true), dir.file("float"));
    std::vector<float> bad;
    rewrite(dir.file("float"), [&](FileParts& parts) {
      for (io::TensorToWrite& t : parts.tensors) {
        if (t.name != name) continue;
        bad.resize(t.bytes.size() / 4, 0.5F);
        bad[5] = std::numeric_limits<float>::infinity();
        t.bytes = std::as_bytes(std::span(bad));
      }
    });
    const auto compress = [&] { (void)compress_to(dir.file("float"), dir.file("q8")); };
    EXPECT_NE(message_of(compress).find(std::string("\"") + name + "\""), std::string::npos);
    EXPECT_NE(message_of(compress).find("holds inf at element 5. The model is damaged"),
              std::string::npos);
    EXPECT_EQ(code_of(compress), "numeric");
    EXPECT_FALSE(file_exists(dir.file("q8/config.json")));
  }
}

TEST(Quantize, RefusesWhatMakesNoSense) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kLlama, true), dir.file("float"));
  (void)compress_to(dir.file("float"), dir.file("q8"));
  EXPECT_EQ(message_of([&] { (void)compress_to(dir.file("q8"), dir.file("q4")); }),
            "compress: " + dir.file("q8") +
                " is q8 already; rounding twice would lose more. Start from the float model");
  EXPECT_EQ(message_of([&] { (void)compress_to(dir.file("float"), dir.file("q8/../float")); }),
            "compress: " + dir.file("q8/../float") +
                " would overwrite the float model; choose another folder");
  EXPECT_EQ(message_of([&] { (void)compress_to(dir.file("none"), dir.file("q4")); }),
            "model: there is no folder \"" + dir.file("none") + "\"");
  QuantizeConfig config;
  config.skip = {"layers.1.", "layer.0"};
  const std::string message =
      message_of([&] { (void)compress_to(dir.file("float"), dir.file("q4"), config); });
  EXPECT_TRUE(
      message.starts_with("compress.skip: \"layer.0\" is in the name of no layer; names "
                          "look like \"model.layers."))
      << message;
}

TEST(Quantize, AFullDiskLeavesThePreviousModel) {
  const TempDir dir;
  write_random(tiny(ModelLayout::kLlama, true), dir.file("float"));
  (void)compress_to(dir.file("float"), dir.file("out"));
  const std::string before = read_file(dir.file("out/model.safetensors"));
  const auto files = real_files();
  FaultyFiles full(*files, {{FileOp::kWrite, 4, ENOSPC, true, false}});
  World w;
  EXPECT_EQ(code_of([&] {
              (void)quantize_model(w.engine, dir.file("float"), dir.file("out"),
                                   with(QuantFormat::kQ4), full);
            }),
            "io");
  EXPECT_EQ(read_file(dir.file("out/model.safetensors")), before);
  EXPECT_EQ(model_format(dir.file("out")), "q8");
}

TEST(QuantizeConfig, ReadsFromText) {
  QuantizeConfig config;
  apply_override("format=q4", config);
  apply_override("embeddings=false", config);
  EXPECT_EQ(config.format, QuantFormat::kQ4);
  EXPECT_FALSE(config.embeddings);
}

}  // namespace
}  // namespace ingot::compress::quantize_test
