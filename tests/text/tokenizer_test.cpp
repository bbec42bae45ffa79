// SPDX-License-Identifier: Apache-2.0
// Opening and saving through the interface, in a temporary folder.
#include "text/tokenizer.h"

#include <string>

#include <gtest/gtest.h>

#include "text/text_samples.h"

namespace ingot::text::tokenizer_test {
namespace {

class TokenizerFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "tokenizer_files_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    remove_tree(*files_, folder_);
    make_directories(*files_, folder_);
  }
  void TearDown() override { remove_tree(*files_, folder_); }
  void write(const std::string& name, std::string_view text) {
    write_atomically(*files_, join_path(folder_, name), text);
  }

  std::unique_ptr<FileSystem> files_ = real_files();
  std::string folder_;
};

TEST_F(TokenizerFiles, ASavedTokenizerOpensFromItsFolderOrFile) {
  const ByteBpe saved(golden_model());
  saved.save(*files_, folder_);
  const std::string text = "it's a <|endoftext|> test\xFF";
  for (const std::string& path : {folder_, join_path(folder_, "tokenizer.json")}) {
    const auto opened = load_tokenizer(path);
    EXPECT_EQ(opened->encode(text), saved.encode(text));
    EXPECT_EQ(opened->vocab_size(), saved.vocab_size());
    EXPECT_EQ(opened->eos_id(), 0);
  }
}

TEST_F(TokenizerFiles, ConfigDecidesTheRoles) {
  const ByteBpe saved(golden_model());
  saved.save(*files_, folder_);
  write("tokenizer_config.json", R"({"eos_token": null, "bos_token": "<|endoftext|>"})");
  const auto opened = load_tokenizer(folder_);
  EXPECT_EQ(opened->eos_id(), std::nullopt);
  EXPECT_EQ(opened->bos_id(), 0);
  write("tokenizer_config.json", "{");
  expect_error(Code::kCorruptFile, "tokenizer_config.json", [&] { (void)load_tokenizer(folder_); });
}

TEST_F(TokenizerFiles, ErrorsNameThePath) {
  EXPECT_EQ(
      error_of(Code::kNotFound, [&] { (void)load_tokenizer(folder_); }),
      "load tokenizer: " + folder_ +
          "/tokenizer.json does not exist; give a tokenizer.json or the folder that holds one");
  write("tokenizer.json", "{\"model\": ");
  expect_error(Code::kCorruptFile, "load tokenizer: " + folder_ + "/tokenizer.json",
               [&] { (void)load_tokenizer(folder_); });
  EXPECT_THROW(ByteBpe(golden_model()).save(*files_, folder_ + "/missing"), Error);
}

TEST_F(TokenizerFiles, AFileThatIsTooLongIsNotRead) {
  constexpr int64_t kBytes = (int64_t{64} << 20) + 1;
  write("tokenizer.json", std::string(static_cast<size_t>(kBytes), ' '));
  expect_error(Code::kCorruptFile, "has 67108865 bytes, at most 67108864 are read",
               [&] { (void)load_tokenizer(folder_); });
}

}  // namespace
}  // namespace ingot::text::tokenizer_test
