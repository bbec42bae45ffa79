// SPDX-License-Identifier: Apache-2.0
// A set of this test's own, taken from a folder. The digest of "abc" is that of FIPS 180-4; the
// packed bytes are those of `printf abc | gzip -n`, their digest that of sha256sum.
#include "cli/data_get.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/message_of.h"

namespace ingot::cli::data_get_test {
namespace {

using testing::TempDir;

constexpr std::string_view kAbcDigest =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kPackedDigest =
    "a058a4f3405f909f3a49df0cb75d96198d371ae7913e5ef6b8114a382746ee5a";
const std::string kPackedAbc("\x1F\x8B\x08\0\0\0\0\0\0\x03KLJ\x06\0\xC2\x41$5\x03\0\0\0", 23);

class DataGet : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(dir_.file("have"));
    std::ofstream(dir_.file("have/" + name), std::ios::binary) << bytes;
  }
  /// The set {file} from the folder; its files as they are reported.
  Json get(const data::PublicFile& file, std::vector<std::string> more = {}) {
    const std::array files = {file};
    data::PublicData set;
    set.name = "letters";
    set.title = "Three letters";
    set.files = files;
    Invocation invocation;
    invocation.files = files_.get();
    invocation.clock = &clock_;
    invocation.stop = &stop_;
    invocation.console = Console(true);
    invocation.overrides = std::move(more);
    for (const std::string& text :
         {"data.dir=" + dir_.file("have"), "out=" + dir_.file("out"), std::string("accept=true")}) {
      invocation.overrides.push_back(text);
    }
    return get_set(invocation, set)["files"];
  }
  [[nodiscard]] static Json taken(std::string_view name, int64_t bytes, std::string_view digest,
                                  bool is_verified) {
    return Json::array({{{"name", std::string(name)},
                         {"bytes", bytes},
                         {"sha256", std::string(digest)},
                         {"verified", is_verified}}});
  }
  [[nodiscard]] std::string out(const std::string& name) const {
    return read_file(dir_.file("out/" + name));
  }
  [[nodiscard]] std::vector<std::string> names() const { return files_->list(dir_.file("out")); }

  TempDir dir_;
  std::unique_ptr<FileSystem> files_ = real_files();
  RealClock clock_;
  StopFlag stop_;
};

TEST_F(DataGet, AFileOfAKnownDigestIsVerified) {
  put("a.csv", "abc");
  EXPECT_EQ(get({.name = "a.csv", .url = "", .sha256 = kAbcDigest}),
            taken("a.csv", 3, kAbcDigest, true));
  EXPECT_EQ(out("a.csv"), "abc");
}

TEST_F(DataGet, APackedFileGetsTheNameThatIsFetched) {
  put("a.csv.gz", kPackedAbc);
  EXPECT_EQ(get({.name = "a.csv", .url = "", .sha256 = kAbcDigest}),
            taken("a.csv", 3, kAbcDigest, true));
  EXPECT_EQ(out("a.csv"), "abc");
  EXPECT_EQ(names(), std::vector<std::string>{"a.csv"});
}

TEST_F(DataGet, AFileThatIsFetchedPackedStaysSo) {
  put("a.csv.gz", kPackedAbc);
  EXPECT_EQ(get({.name = "a.csv.gz", .url = "", .sha256 = kAbcDigest}),
            taken("a.csv.gz", 23, kAbcDigest, true));
  EXPECT_EQ(out("a.csv.gz"), kPackedAbc);
  put("a.tar.gz", kPackedAbc);  // an archive: its digest is of the bytes as they come
  EXPECT_EQ(get({.name = "a.tar.gz", .url = "", .sha256 = kPackedDigest, .is_packed = true}),
            taken("a.tar.gz", 23, kPackedDigest, true));
  EXPECT_EQ(out("a.tar.gz"), kPackedAbc);
}

TEST_F(DataGet, ADigestThatIsGivenVerifiesTheFileWithoutOne) {
  const data::PublicFile file = {.name = "a.csv", .url = "", .sha256 = ""};
  const std::string given = "sha256=" + std::string(kAbcDigest);
  put("a.csv.gz", kPackedAbc);
  EXPECT_EQ(get(file, {given}), taken("a.csv", 3, kAbcDigest, true));
  EXPECT_EQ(get(file), taken("a.csv", 3, kAbcDigest, false));
  put("a.csv", "abc");  // comes before the packed one
  EXPECT_EQ(get(file, {given}), taken("a.csv", 3, kAbcDigest, true));
  put("a.csv", "abd");
  EXPECT_EQ(testing::code_of([&] { (void)get(file, {given}); }), "corrupt_file");
  EXPECT_EQ(out("a.csv"), "abc") << "what was there stays";
}

}  // namespace
}  // namespace ingot::cli::data_get_test
