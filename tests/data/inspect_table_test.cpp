// SPDX-License-Identifier: Apache-2.0
// What a table's report says of a table whose faults were put there.
#include "data/inspect_table.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "data/formats/npy.h"
#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::inspect_table_test {
namespace {

class InspectTableTest : public ::testing::Test {
 protected:
  /// 100 rows: ages 0 … 96 and outliers, notes of i mod 7 + 1 words, classes 3 to 1.
  TableConfig config() {
    std::string csv = "age,note,empty,same,label\n";
    for (int i = 0; i < 97; ++i) {
      std::string note = "w" + std::to_string(i);
      for (int k = 0; k < i % 7; ++k) note += " and more";
      csv += std::to_string(i) + "," + note + ",,x," + (i % 4 == 0 ? "yes" : "no") + "\n";
    }
    csv += "-500,far below the rest,,x,no\n";  // line 99
    csv += "900,far above the rest,,x,no\n";   // line 100
    csv += "900,far above the rest,,x,yes\n";  // the same with another label
    TableConfig c;
    c.path = folder_.put("t.csv", csv);
    c.target.column = "label";
    FeatureConfig note;
    note.name = "note";
    note.kind = FeatureKind::kText;
    note.text.length = 10;
    c.features = {note};
    return c;
  }
  TempFolder folder_;
};

TEST_F(InspectTableTest, FindsOutliersByTukeysOuterFences) {
  const TableReport report = inspect_table(config());
  // Quartiles of -500, 0 … 96, 900, 900 at positions 24.75 and 74.25.
  const double low = 23.75 - 3 * 49.5, high = 73.25 + 3 * 49.5;
  ASSERT_TRUE(report.findings[0].outliers.has_value());
  const Outliers& o = *report.findings[0].outliers;
  EXPECT_NEAR(o.low, low, 1e-9);
  EXPECT_NEAR(o.high, high, 1e-9);
  EXPECT_EQ(o.below, 1);
  EXPECT_EQ(o.above, 2);
}

TEST_F(InspectTableTest, CountsTextsThatWillBeCut) {
  const TableReport report = inspect_table(config());
  ASSERT_TRUE(report.findings[1].truncation.has_value());
  const Truncation& t = *report.findings[1].truncation;
  // 1 + 2·(i mod 7) words: 11 and 13 for i mod 7 = 5 and 6, of 97 rows 14 and 13… by loop:
  int64_t longer = 0;
  for (int i = 0; i < 97; ++i) longer += 1 + 2 * (i % 7) > 10 ? 1 : 0;
  EXPECT_EQ(t.texts, longer);
  EXPECT_EQ(t.longest, 13);
  EXPECT_EQ(t.length, 10);
}

TEST_F(InspectTableTest, KnownWordsAreThoseOfTheTrainingRows) {
  // With text.words=2 the commonest word, w0, is the only one that becomes an id.
  std::string csv = "note,label\n";
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    csv += "w0 w0 only" + n + " x" + n + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  TableConfig c;
  c.path = folder_.put("known.csv", csv);
  c.target.column = "label";
  FeatureConfig note;
  note.name = "note";
  note.kind = FeatureKind::kText;
  note.text.oov = "";
  note.text.words = 2;
  note.text.length = 2;
  c.features = {note};
  const Truncation kept = *inspect_table(c).findings[0].truncation;
  EXPECT_EQ(kept.texts, 0);
  EXPECT_EQ(kept.longest, 2);
  c.features[0].text.length = 1;
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.findings[0].truncation->texts, 50);
  EXPECT_EQ(report.rows, 50);
  EXPECT_TRUE(contains(report.text(), "; 50 longer than 1 known words lose some")) << report.text();
}

TEST_F(InspectTableTest, CountsClassesDuplicatesAndConflicts) {
  const TableReport report = inspect_table(config());
  ASSERT_EQ(report.classes.size(), 2U);
  EXPECT_EQ(report.classes[0].value, "no");
  EXPECT_EQ(report.classes[0].count, 74);
  EXPECT_EQ(report.classes[1].count, 26);
  EXPECT_EQ(report.leaks.duplicates, 1);
  EXPECT_EQ(report.conflicts, 2);  // both of the pair
  EXPECT_EQ(report.splits, (std::array<int64_t, kSplits>{80, 10, 10}));
}

TEST_F(InspectTableTest, EveryRowOfAGroupWithSeveralLabelsIsAConflict) {
  TableConfig c;
  c.path =
      folder_.put("g.csv", "a,label\n1,yes\n1,no\n1,yes\n1,no\n1,yes\n2,no\n2,no\n3,yes\n1,\n");
  c.target.column = "label";
  c.target.missing = MissingTarget::kDropRow;
  c.split.validation = c.split.test = 0;
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.conflicts, 5);         // those of a = 1; a row without label has no other one
  EXPECT_EQ(report.leaks.duplicates, 5);  // 4 of a = 1, 1 of a = 2
  EXPECT_TRUE(contains(report.text(),
                       "5 rows have the same features as a row with another "
                       "\"label\""))
      << report.text();
}

TEST_F(InspectTableTest, SaysWhatShouldNotBeOverlooked) {
  const TableReport report = inspect_table(config());
  const std::vector<std::string> wanted = {
      "column \"empty\": no row has a value; it is not used",
      "column \"same\": the same value in every row that has one",
      "2 rows have the same features as a row with another \"label\""};
  EXPECT_EQ(report.warnings, wanted);
  const std::string text = report.text();
  EXPECT_TRUE(contains(text, "classes of label: no 74 (74.0 %), yes 26 (26.0 %)\n")) << text;
  EXPECT_TRUE(contains(text, "3 far out")) << text;
  EXPECT_TRUE(contains(
      text, "longer than 10 words lose some (text.length in table.features), the longest has 13"))
      << text;
}

TEST_F(InspectTableTest, ShowsTheSameRowsEveryTime) {
  const TableReport one = inspect_table(config());
  const TableReport two = inspect_table(config());
  ASSERT_EQ(one.samples.size(), 5U);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(one.samples[i].cells, two.samples[i].cells);
  for (size_t i = 1; i < 5; ++i) EXPECT_LT(one.samples[i - 1].line, one.samples[i].line);
}

TEST_F(InspectTableTest, FindsRowsThatTrainAndTest) {
  TableConfig c = config();
  c.split.test = 0;
  c.split.test_file =
      folder_.put("test.csv", "label,age,note,empty,same\nno,-500,far below the rest,,x\n");
  c.split.validation = 0;
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.leaks.test_in_train, 1);  // though the columns stand in another order
}

TEST_F(InspectTableTest, CountsRowsWithoutATarget) {
  TableConfig c;
  c.path = folder_.put("gaps.csv", "a,y\n1,2\n2,\n3,6\n4,NA\n5,9\n");
  c.target.column = "y";
  c.split.validation = c.split.test = 0;
  const auto warns = [&](std::string_view wanted) {
    const std::vector<std::string> warnings = inspect_table(c).warnings;
    return std::find(warnings.begin(), warnings.end(), wanted) != warnings.end();
  };
  EXPECT_EQ(inspect_table(c).without_target, 2);
  EXPECT_EQ(inspect_table(c).to_json()["without_target"], 2);
  EXPECT_TRUE(
      warns("target \"y\": 2 of 5 rows have no value; training refuses them: set "
            "table.target.missing=drop_row"));
  c.target.missing = MissingTarget::kDropRow;
  EXPECT_TRUE(
      warns("target \"y\": 2 of 5 rows have no value; training leaves them out "
            "(table.target.missing=drop_row)"));
}

TEST_F(InspectTableTest, ASplitThatCannotBeIsAWarning) {
  TableConfig c;
  c.path = folder_.put("one.csv", "a,b\n1,x\n");
  const TableReport report = inspect_table(c);
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_EQ(report.warnings[0],
            "split: the table has 1 rows, 3 splits need at least as many; add rows, or set "
            "table.split.validation=0 and table.split.test=0");
}

TEST_F(InspectTableTest, SaysTheSameWhenItSpills) {
  TableConfig c = config();
  c.clean.duplicates = Duplicates::kDrop;
  c.split.method = SplitMethod::kStratified;
  const Json here = inspect_table(c).to_json();
  c.space.bytes = 128;
  EXPECT_EQ(inspect_table(c).to_json(), here);
}

TEST_F(InspectTableTest, WithoutAFeatureNothingIsSaidOfDuplicates) {
  std::string csv = "id,label\n";
  for (int i = 0; i < 200; ++i) csv += std::to_string(i) + (i % 2 == 0 ? ",yes\n" : ",no\n");
  TableConfig c;
  c.path = folder_.put("ids.csv", csv);
  c.target.column = "label";
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.leaks.duplicates, 0);
  EXPECT_EQ(report.warnings.back(),
            "no column is a feature: duplicates and leaks are not known, nothing can be learned");
  EXPECT_FALSE(contains(report.text(), "leakage:")) << report.text();
}

TEST_F(InspectTableTest, CountsAllRowsWhenTheSchemaIsOfTheFirst) {
  TableConfig c = config();
  c.infer.max_rows = 50;
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.rows, 100);
  EXPECT_EQ(report.warnings[0],
            "the columns are described by the first 50 of 100 rows (table.infer.max_rows)");
  EXPECT_EQ(report.warnings[1],
            "column \"empty\": no row of the first 50 has a value; it is not used");
  const std::string text = report.text();
  EXPECT_TRUE(contains(text, ": 100 rows, 5 columns\n")) << text;
  EXPECT_TRUE(contains(text, "no 74 (74.0 %), yes 26 (26.0 %)\n")) << text;
}

TEST_F(InspectTableTest, ClassesBeyondThoseToldApartAreCounted) {
  std::string csv = "x,label\n";
  for (int i = 0; i < 1010; ++i) csv += std::to_string(i % 10) + ",c" + std::to_string(i) + "\n";
  TableConfig c;
  c.path = folder_.put("many.csv", csv);
  c.target.column = "label";
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.classes.size(), 1000U);
  EXPECT_EQ(report.other_classes, 10);
  EXPECT_TRUE(contains(report.text(), " and 980 more and 10 rows of other classes\n"));
}

TEST_F(InspectTableTest, OnePictureUnderTwoNamesIsADuplicate) {
  const std::string dark("P5\n2 2\n255\n\x09\x0a\x0b\x20", 15);
  const std::string darker("P5\n2 2\n255\n\x0a\x0a\x0b\x20", 15);  // differs in white space
  for (const char* name : {"p/a/1.png", "p/a/2.png", "p/b/1.png"}) (void)folder_.put(name, dark);
  (void)folder_.put("p/b/2.png", darker);
  TableConfig c;
  c.path = folder_.file("p");
  c.target.column = "class";
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.leaks.rows, 4);
  EXPECT_EQ(report.leaks.duplicates, 2);
  EXPECT_EQ(report.conflicts, 3);
}

TEST_F(InspectTableTest, TheClassesOfAFolderAreItsFolders) {
  const std::string dark("P5\n2 2\n255\n\x09\x0a\x0b\x20", 15);
  const std::string light("P5\n2 2\n255\n\xa0\xa1\xa2\xa3", 15);
  for (const char* name : {"p/0/1.png", "p/0/2.png", "p/1/1.png"}) (void)folder_.put(name, dark);
  (void)folder_.put("p/1/2.png", light);
  (void)folder_.put("p/1/3.png", light);
  TableConfig c;
  c.path = folder_.file("p");
  const TableReport report = inspect_table(c);
  EXPECT_EQ(report.target, "class");
  EXPECT_EQ(report.classes, (std::vector<CategoryCount>{{"1", 3}, {"0", 2}}));
  EXPECT_EQ(report.conflicts, 3) << "one picture in two classes";
  const std::string text = report.text();
  EXPECT_TRUE(contains(text, "classes (the folders): 1 3 (60.0 %), 0 2 (40.0 %)\n")) << text;
  EXPECT_FALSE(contains(text, "no target")) << text;
}

TEST_F(InspectTableTest, TheClassesThatAReaderFindsAreTheTarget) {
  const auto report_of = [](const std::string& path) {
    TableConfig c;
    c.path = path;
    c.split.validation = c.split.test = 0;
    return inspect_table(c);
  };
  const std::string pixels = "abcdefghijklmnop", labels("\0\1\1\1", 4);
  std::string batch;  // as CIFAR-10's
  for (const char label : labels) {
    batch += label + std::string(3072, static_cast<char>('a' + batch.size() / 3073));
  }
  const std::string head("\0\0\x8\x3\0\0\0\4\0\0\0\2\0\0\0\2", 16);
  (void)folder_.put("a-labels-idx1-ubyte", std::string("\0\0\x8\x1\0\0\0\4", 8) + labels);
  Array four{{DType::kU8, {4, 2, 2}}, {}}, classes{{DType::kU8, {4}}, {}};
  for (const char c : pixels) four.bytes.push_back(static_cast<std::byte>(c));
  for (const char c : labels) classes.bytes.push_back(static_cast<std::byte>(c));
  (void)folder_.put("y_a.npy", npy_bytes(classes));
  for (const std::string& path :
       {folder_.put("a.bin", batch), folder_.put("a-images-idx3-ubyte", head + pixels),
        folder_.put("x_a.npy", npy_bytes(four))}) {
    const TableReport report = report_of(path);
    EXPECT_EQ(report.target, "class") << path;
    EXPECT_EQ(report.classes, (std::vector<CategoryCount>{{"1", 3}, {"0", 1}})) << path;
    EXPECT_TRUE(contains(report.text(), "classes of class: 1 3 (75.0 %), 0 1 (25.0 %)\n"));
    EXPECT_FALSE(contains(report.text(), "no target")) << report.text();
  }
  // A table of paths has its columns from somebody else.
  const std::string paths = folder_.put("t.csv", "image,class\na.png,cat\nb.png,dog\n");
  EXPECT_EQ(report_of(paths).target, "");
  EXPECT_TRUE(contains(report_of(paths).text(), "no target is named"));
}

/// Inspect counts rows and duplicates as training does.
void expect_as_in_training(TableConfig c, const std::string& folder, int64_t rows,
                           int64_t duplicates) {
  c.split.validation = c.split.test = 0;
  const LeakReport inspected = inspect_table(c).leaks;
  const LeakReport trained = make_examples(*real_files(), c, folder).leaks;
  EXPECT_EQ(trained.rows, rows);
  EXPECT_EQ(trained.duplicates, duplicates);
  EXPECT_EQ(inspected.rows, rows);
  EXPECT_EQ(inspected.duplicates, duplicates);
}

TEST_F(InspectTableTest, PicturesAreComparedAsTrainingSeesThem) {
  const auto picture = [](int64_t side, int64_t channels, char value) {
    return io::pnm_head(side, side, channels) +
           std::string(static_cast<size_t>(side * side * channels), value);
  };
  (void)folder_.put("p/a/1.png", picture(10, 1, 0));
  (void)folder_.put("p/b/2.png", picture(20, 1, 0));  // black at 8 x 8, too
  (void)folder_.put("p/a/3.png", picture(10, 1, 'x'));
  (void)folder_.put("p/b/4.png", picture(10, 3, 'x'));  // the same in colours
  (void)folder_.put("p/b/5.png", picture(10, 3, 'y'));
  TableConfig c;
  c.path = folder_.file("p");
  c.target.column = "class";
  FeatureConfig image;
  image.name = "image";
  image.kind = FeatureKind::kImage;
  image.image.size = {8, 8};
  c.features = {image};
  expect_as_in_training(c, folder_.file("coloured"), 5, 2);
  c.features[0].image.channels = 1;
  expect_as_in_training(c, folder_.file("gray"), 5, 2);
  c.features[0].image.size = {8};
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument, [&] { (void)inspect_table(c); }),
                       "column \"image\""));
}

TEST_F(InspectTableTest, RowsThatTrainingLeavesOutAreNoDuplicates) {
  TableConfig c;
  c.path = folder_.put("few.csv", "age,note,label\n1,x,a\n2,y,b\n,z,a\n,z,a\n3,x,\n3,x,\n1,x,b\n");
  c.target.column = "label";
  c.target.kind = TargetKind::kClass;
  c.target.missing = MissingTarget::kDropRow;
  FeatureConfig age;
  age.name = "age";
  age.kind = FeatureKind::kNumber;
  age.missing = Missing::kDropRow;
  FeatureConfig note;
  note.name = "note";
  note.kind = FeatureKind::kCategory;
  c.features = {age, note};
  expect_as_in_training(c, folder_.file("few"), 3, 1);

  (void)folder_.put("p/a/1.png", "P5\n1 1\n255\nx");
  (void)folder_.put("p/b/2.png", "P5\n1 1\n255\ny");
  for (const char* name : {"p/a/3.png", "p/a/4.png"}) (void)folder_.put(name, "");
  TableConfig pictures;
  pictures.path = folder_.file("p");
  pictures.target.column = "class";
  FeatureConfig image;
  image.name = "image";
  image.kind = FeatureKind::kImage;
  image.image.bad = BadImage::kDropRow;
  pictures.features = {image};
  expect_as_in_training(pictures, folder_.file("pictures"), 2, 0);
}

TEST_F(InspectTableTest, SaysWhatTrainingWillSayOfTheFeatures) {
  TableConfig c;
  c.path =
      folder_.put("f.csv", "day,city,town,y\n1,Oslo,a,1\n2,Rome,b,2\n3,Oslo,a,3\n4,Rome,b,4\n");
  c.target.column = "y";
  c.split.method = SplitMethod::kTime;
  c.split.column = "day";
  FeatureConfig city, town;
  city.name = "city";
  city.encode = CategoryEncode::kTarget;
  town.name = "town";
  town.folds = 3;
  c.features = {city, town};
  const std::vector<std::string> warnings = inspect_table(c).warnings;
  const std::string later =
      "table.features: column \"city\": encode=target would tell a training row the targets of "
      "later rows, which table.split.method=time rules out; set encode: frequency or index for it "
      "in table.features, or table.split.method=random";
  const std::string idle =
      "column \"town\": folds only counts under encode: target, here it is one_hot";
  EXPECT_EQ(std::count(warnings.begin(), warnings.end(), later), 1);
  EXPECT_EQ(std::count(warnings.begin(), warnings.end(), idle), 1);
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)make_examples(*real_files(), c, folder_.file("time")); }),
            later);
}

TEST_F(InspectTableTest, AValueToKeepThatNoRowHasIsNamed) {
  TableConfig c = config();
  c.keep = {"label", {"no", "yess"}};
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument, [&] { (void)inspect_table(c); }),
                       "has \"yess\" in column \"label\". Did you mean \"yes\"?"));
}

TEST_F(InspectTableTest, JsonHasWhatTheTextHas) {
  const Json json = inspect_table(config()).to_json();
  EXPECT_EQ(json["rows"], 100);
  EXPECT_EQ(json["columns"][0]["outliers"]["above"], 2);
  EXPECT_EQ(json["columns"][1]["truncation"]["longest"], 13);
  EXPECT_EQ(json["classes"]["yes"], 26);
  EXPECT_EQ(json["split"]["train"], 80);
  EXPECT_EQ(json["conflicts"], 2);
  EXPECT_EQ(json["samples"].size(), 5U);
}

}  // namespace
}  // namespace ingot::data::inspect_table_test
