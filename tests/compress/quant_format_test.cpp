// SPDX-License-Identifier: Apache-2.0
// The texts in a compressed directory: written, read back, and refused.
#include "compress/quant_format.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/message_of.h"

namespace ingot::compress::quant_format_test {
namespace {

using ingot::testing::code_of;
using ingot::testing::message_of;

std::string refusal(const Json& section) {
  const Json config = {{"quantization_config", section}};
  return message_of([&] { (void)quantization_of(config, "c.json"); });
}

TEST(QuantFormat, DescribesAMatrixAndReadsItBack) {
  const std::string text = describe_matrix(QuantFormat::kQ4, {768, 2048});
  EXPECT_EQ(text, "q4 [768, 2048]");
  const MatrixDescription m = parse_matrix(text, "w");
  EXPECT_EQ(m.format, QuantFormat::kQ4);
  EXPECT_EQ(m.shape, (Shape{768, 2048}));
}

TEST(QuantFormat, RefusesOtherDescriptions) {
  for (const char* text :
       {"", "q5 [1, 2]", "q8", "q8 [1]", "q8 [1, 2", "q8 [1, 2] ", "q8 [-1, 2]",
        "q8 [1, 99999999999999999999]", "q8 [1,2]", "q8[1, 2]", "q8 [1, 2, 3]"}) {
    EXPECT_EQ(message_of([&] { (void)parse_matrix(text, "f: \"w\""); }),
              "f: \"w\": \"" + std::string(text) +
                  "\" is not of the form \"q8 [out_features, in_features]\"");
  }
}

TEST(QuantFormat, SectionRoundTrips) {
  EXPECT_EQ(quantization_of({{"quantization_config", quantization_json(QuantFormat::kQ8)}}, "c"),
            QuantFormat::kQ8);
  EXPECT_EQ(quantization_of({{"quantization_config", quantization_json(QuantFormat::kQ4)}}, "c"),
            QuantFormat::kQ4);
  EXPECT_EQ(quantization_of({{"model_type", "gpt2"}}, "c"), std::nullopt);
  EXPECT_EQ(quantization_of({{"quantization_config", nullptr}}, "c"), std::nullopt);
}

TEST(QuantFormat, NamesWhatIsNotAvailable) {
  EXPECT_EQ(refusal({{"quant_method", "gptq"}, {"bits", 4}}),
            "c.json: quantization_config.quant_method \"gptq\" is not available, \"ingot\" is. "
            "Compress the float model with ingot compress");
  EXPECT_EQ(refusal({{"quant_method", "ingot"}, {"format", "q8"}, {"group_size", 64}}),
            "c.json: quantization_config.group_size 64 is not available, 32 is");
  EXPECT_EQ(refusal({{"quant_method", "ingot"}, {"format", "q5"}, {"group_size", 32}}),
            "c.json: quantization_config.format \"q5\" is not available, \"q8\" and \"q4\" are");
  EXPECT_EQ(refusal(Json::object()), "c.json: quantization_config.quant_method is missing");
  EXPECT_EQ(refusal("q8"), "c.json: quantization_config must be an object");
}

TEST(QuantFormat, FindsTheTokenTable) {
  EXPECT_TRUE(is_token_table("model.embed_tokens"));
  EXPECT_TRUE(is_token_table("transformer.wte"));
  EXPECT_FALSE(is_token_table("transformer.wpe"));
}

TEST(QuantFormat, MissingFoldersAndFilesAreNamed) {
  const ingot::testing::TempDir dir;
  EXPECT_EQ(message_of([&] { (void)read_config(dir.file("none")); }),
            "model: there is no folder \"" + dir.file("none") + "\"");
  EXPECT_EQ(code_of([&] { (void)read_config(dir.path()); }), "not_found");
}

}  // namespace
}  // namespace ingot::compress::quant_format_test
