// SPDX-License-Identifier: Apache-2.0
// A file is there whole and verified, or not at all; what came before a cut is not fetched twice.
#include "io/download.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/message_of.h"
#include "io/loopback_server.h"

namespace ingot::io::download_test {
namespace {

using testing::code_of;
using testing::message_of;

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest() {
    for (int64_t i = 0; i < 200'000; ++i) body_ += static_cast<char>('a' + i * i % 26);
  }
  DownloadResult fetch(const LoopbackServer& server, const std::string& sha256) {
    return download(*files_, {server.url("/file"), path_, sha256}, {});
  }
  std::string stored() const { return read_file(path_); }

  testing::TempDir folder_;
  std::string path_ = folder_.file("file");
  std::string body_;
  std::unique_ptr<FileSystem> files_ = real_files();
};

TEST_F(DownloadTest, StoresAndVerifies) {
  const LoopbackServer server([&](const std::string&) { return ok_answer(body_); });
  const DownloadResult got = fetch(server, sha256_hex(body_));
  EXPECT_EQ(got.sha256, sha256_hex(body_));
  EXPECT_EQ(got.bytes, 200'000);
  EXPECT_EQ(got.resumed, 0);
  EXPECT_EQ(stored(), body_);
  EXPECT_FALSE(file_exists(path_ + ".part"));
}

/// An archive is judged by the bytes that come, other packed files by what is in them.
TEST_F(DownloadTest, ADigestIsOfThePackedBytesWhereItSaysSo) {
  const std::string packed(
      "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\xc8\xe4\x02\0\x7a\x7a\x6f\xed\x03\0\0\0",
      23);  // printf 'hi\n' | gzip -n
  const LoopbackServer server([&](const std::string&) { return ok_answer(packed); });
  const auto get = [&](const std::string& sha256, bool is_packed) {
    return download(*files_, {server.url("/file"), path_, sha256, is_packed}, {}).sha256;
  };
  EXPECT_EQ(get(sha256_hex(packed), true), sha256_hex(packed));
  EXPECT_EQ(stored(), packed);
  EXPECT_EQ(get(sha256_hex(std::string_view("hi\n")), false), sha256_hex(std::string_view("hi\n")));
  EXPECT_EQ(code_of([&] { (void)get(sha256_hex(std::string_view("hi\n")), true); }),
            "corrupt_file");
  EXPECT_EQ(code_of([&] { (void)get(sha256_hex(packed), false); }), "corrupt_file");
}

TEST_F(DownloadTest, ContinuesAfterACut) {
  int calls = 0;
  const LoopbackServer server([&](const std::string& request) {
    const std::string answer = ranged_answer(request, body_);
    return ++calls == 1 ? answer.substr(0, 120'000) : answer;
  });
  EXPECT_EQ(code_of([&] { (void)fetch(server, sha256_hex(body_)); }), "io");
  EXPECT_FALSE(file_exists(path_));
  const int64_t before = file_size(path_ + ".part");
  EXPECT_GT(before, 100'000);
  const DownloadResult got = fetch(server, sha256_hex(body_));
  EXPECT_EQ(got.resumed, before);
  EXPECT_EQ(stored(), body_);
}

TEST_F(DownloadTest, AServerWithoutRangesGivesItAllAgain) {
  int calls = 0;
  const LoopbackServer server([&](const std::string&) {
    const std::string answer = ok_answer(body_);
    return ++calls == 1 ? answer.substr(0, 120'000) : answer;
  });
  EXPECT_EQ(code_of([&] { (void)fetch(server, sha256_hex(body_)); }), "io");
  const DownloadResult got = fetch(server, sha256_hex(body_));
  EXPECT_EQ(got.resumed, 0);
  EXPECT_EQ(stored(), body_);
}

TEST_F(DownloadTest, OtherBytesAreRefusedAndRemoved) {
  const LoopbackServer server([&](const std::string&) { return ok_answer("something else"); });
  EXPECT_EQ(message_of([&] { (void)fetch(server, sha256_hex(body_)); }),
            "get: \"" + server.url("/file") + "\" has the SHA-256 " +
                sha256_hex(std::string_view("something else")) + ", expected " + sha256_hex(body_) +
                "; what came is removed. Try again, or take the file from elsewhere with "
                "data.dir=FOLDER");
  EXPECT_FALSE(file_exists(path_));
  EXPECT_FALSE(file_exists(path_ + ".part"));
}

TEST_F(DownloadTest, APartOfAnUnknownFileIsNotTrusted) {
  std::ofstream(path_ + ".part") << "of another version";
  const LoopbackServer server(
      [&](const std::string& request) { return ranged_answer(request, body_); });
  const DownloadResult got = fetch(server, "");
  EXPECT_EQ(got.resumed, 0);
  EXPECT_EQ(got.sha256, sha256_hex(body_));
  EXPECT_EQ(stored(), body_);
}

TEST_F(DownloadTest, AWholePartThatWasNeverRenamedIsFetchedAnew) {
  std::ofstream(path_ + ".part") << body_;
  const LoopbackServer server(
      [&](const std::string& request) { return ranged_answer(request, body_); });
  EXPECT_EQ(fetch(server, sha256_hex(body_)).sha256, sha256_hex(body_));
  EXPECT_EQ(stored(), body_);
}

TEST_F(DownloadTest, TellsHowFarItIs) {
  const LoopbackServer server([&](const std::string&) { return ok_answer(body_); });
  DownloadOptions options;
  int64_t last = 0, all = 0;
  options.progress = [&](int64_t done, int64_t total) {
    EXPECT_GE(done, last);
    last = done;
    all = total;
  };
  (void)download(*files_, {server.url("/file"), path_, ""}, options);
  EXPECT_EQ(last, 200'000);
  EXPECT_EQ(all, 200'000);
}

}  // namespace
}  // namespace ingot::io::download_test
