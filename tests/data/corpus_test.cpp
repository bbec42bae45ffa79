// SPDX-License-Identifier: Apache-2.0
// Where a corpus lies; its lists and pieces are tested through what prepare makes of them
// (prepare_test.cpp).
#include "data/corpus.h"

#include "data/temp_folder.h"

namespace ingot::data::corpus_test {
namespace {

TEST(CorpusRoot, IsTheFolderOfDataPath) {
  const TempFolder folder;
  EXPECT_EQ(corpus_root(folder.path()), folder.path());
}

TEST(CorpusRoot, NamesTheKeyAndWhatIsThere) {
  const TempFolder folder;
  (void)folder.put("notes", "a file");
  const auto refusal = [&](const std::string& name) {
    return message_of(Code::kNotFound, [&] { (void)corpus_root(folder.file(name)); });
  };
  const std::string said = "data: data.path is \"" + folder.path();
  EXPECT_EQ(refusal("corpus"), said + "/corpus\", which is not there.") << "no folder to offer";
  (void)folder.put("corpora/a.txt", "");
  EXPECT_EQ(refusal("corpra"), said + "/corpra\", which is not there. Did you mean \"" +
                                   folder.file("corpora") + "\"?");
  EXPECT_EQ(refusal("q"), said + "/q\", which is not there. Known: corpora.");
  EXPECT_EQ(refusal("notes"),
            said + "/notes\", a file; a folder of files is needed. Of a table set table.path");
}

}  // namespace
}  // namespace ingot::data::corpus_test
