// SPDX-License-Identifier: Apache-2.0
// What is appended is read back, and no name stays in the folder.
#include "base/scratch_file.h"

#include <string>

#include "base/files.h"
#include "base/message_of.h"

namespace ingot::scratch_file_test {
namespace {

TEST(ScratchFile, KeepsBytesAndLeavesNoName) {
  const testing::TempDir dir;
  ScratchFile file(dir.path());
  EXPECT_TRUE(real_files()->list(dir.path()).empty());
  const std::string text = "one two three";
  file.append(std::as_bytes(std::span(text).first(4)));
  file.append(std::as_bytes(std::span(text).subspan(4)));
  EXPECT_EQ(file.size(), 13);
  std::string read(3, ' ');
  file.read_at(4, std::as_writable_bytes(std::span(read)));
  EXPECT_EQ(read, "two");
}

TEST(ScratchFile, NamesAFolderThatIsNotThere) {
  const std::string message = testing::message_of([] { ScratchFile file("/no/such/folder"); });
  EXPECT_NE(message.find("TMPDIR"), std::string::npos) << message;
  EXPECT_NE(message.find("/no/such/folder"), std::string::npos) << message;
}

}  // namespace
}  // namespace ingot::scratch_file_test
