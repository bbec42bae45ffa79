// SPDX-License-Identifier: Apache-2.0
// Where a corpus lies and what of it is no text; its pieces are tested through what prepare makes
// of them (prepare_test.cpp).
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

TEST(SourceList, LeavesRunDirectoriesOutAndNamesThem) {
  const TempFolder folder;
  (void)folder.put("a.txt", "text");
  (void)folder.put("runs/one/run.json", "{}");
  (void)folder.put("runs/one/stages/clean.json", "{}");
  (void)folder.put("runs/one/replaced-1/run.json", "{}");
  (void)folder.put("runs/one/replaced-1/stages/clean.json", "{}");
  (void)folder.put("runs/one.txt", "text");
  (void)folder.put("runs/run.json", "a text of this name");
  (void)folder.put("stages/b.txt", "text");
  const SourceList sources = list_corpus(folder.path(), {});
  std::vector<std::string> paths;
  for (const FileEntry& file : sources.files) paths.push_back(file.path);
  EXPECT_EQ(paths,
            (std::vector<std::string>{"a.txt", "runs/one.txt", "runs/run.json", "stages/b.txt"}));
  EXPECT_EQ(sources.runs.count, 1) << "what lies in a run counts with it";
  EXPECT_EQ(sources.runs.bytes, 8);
  EXPECT_EQ(sources.runs.examples, std::vector<std::string>{"runs/one"});
}

TEST(SourceList, ReadsARunDirectoryThatIsAskedFor) {
  const TempFolder folder;
  (void)folder.put("run.json", "{}");
  (void)folder.put("stages/clean.json", "{}");
  EXPECT_EQ(list_corpus(folder.path(), {}).files.size(), 2U);
}

}  // namespace
}  // namespace ingot::data::corpus_test
