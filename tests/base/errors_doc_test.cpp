// SPDX-License-Identifier: Apache-2.0
// docs/errors.md has a section with cause, cure, exit code and a message for every Code, and for
// nothing else. That the messages are the program's: tests/flows/errors.test.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "source_dir.h"

namespace ingot::errors_doc_test {
namespace {

std::string page() { return read_file(INGOT_SOURCE_DIR "/docs/errors.md"); }

// The names in enum class Code of error.h, in order.
std::vector<std::string> codes_in_header() {
  const std::string header = read_file(INGOT_SOURCE_DIR "/src/base/error.h");
  const size_t begin = header.find("enum class Code {");
  const size_t end = header.find("};", begin);
  std::vector<std::string> names;
  for (size_t at = header.find("\n  k", begin); at < end; at = header.find("\n  k", at + 1)) {
    names.push_back(header.substr(at + 3, header.find(',', at) - at - 3));
  }
  return names;
}

// The text under "## <name>" up to the next section; empty when there is none.
std::string section(const std::string& text, const std::string& name) {
  const size_t begin = text.find("\n## " + name + "\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

TEST(ErrorsDoc, HasASectionForEveryCode) {
  const std::string text = page();
  const std::vector<std::string> names = codes_in_header();
  ASSERT_EQ(names.front(), "kInvalidArgument");
  ASSERT_EQ(names.back(), "kInternal");
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string found = section(text, std::string(code_name(static_cast<Code>(i))));
    EXPECT_NE(found.find("`Code::" + names[i] + "`"), std::string::npos) << names[i];
    EXPECT_NE(found.find("*Cause.*"), std::string::npos) << names[i];
    EXPECT_NE(found.find("*Cure.*"), std::string::npos) << names[i];
    EXPECT_NE(found.find("**Exit "), std::string::npos) << names[i];
  }
}

TEST(ErrorsDoc, ShowsAMessageOfEveryCode) {
  const std::string text = page();
  for (size_t i = 0; i < codes_in_header().size(); ++i) {
    const auto code = static_cast<Code>(i);
    const std::string name(code_name(code));
    const std::string found = section(text, name);
    if (code == Code::kCancelled) {  // no error: a line of its own, without a code
      EXPECT_NE(found.find("\n    train: stopped; "), std::string::npos);
      continue;
    }
    const size_t begin = found.find("\n    ingot: error: ");
    ASSERT_NE(begin, std::string::npos) << name;
    const std::string line = found.substr(begin + 1, found.find('\n', begin + 1) - begin - 1);
    EXPECT_TRUE(line.ends_with(" [" + name + "]")) << line;
  }
}

TEST(ErrorsDoc, HasNoSectionWithoutACode) {
  const std::string text = page();
  size_t sections = 0;
  for (size_t at = text.find("\n## "); at != std::string::npos; at = text.find("\n## ", at + 1)) {
    ++sections;
  }
  EXPECT_EQ(sections, codes_in_header().size());
}

}  // namespace
}  // namespace ingot::errors_doc_test
