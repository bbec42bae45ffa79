// SPDX-License-Identifier: Apache-2.0
// What does not fit on a disk is refused with keys under which it would, computed by hand.
#include "data/example_space.h"

#include <string>

#include "data/table_examples.h"
#include "data/temp_folder.h"
#include "data/transforms/samples.h"
#include "io/image.h"

namespace ingot::data::example_space_test {
namespace {

/// A text and a number to learn: 100 slots of 4 bytes and the target's 4.
FeatureSet texts(TextEncode encode) {
  FeatureConfig note;
  note.name = "note";
  note.text.encode = encode;
  note.text.length = note.text.words = 100;
  TargetConfig target;
  target.column = "y";
  FeatureSet features(samples::schema_of({{"note", ColumnKind::kText}, {"y", ColumnKind::kNumber}}),
                      std::vector<FeatureConfig>{note}, target);
  (void)features.fit(*samples::table_of("note,y\na b,1\nb c,2\n"));
  return features;
}

TEST(ExampleSpace, NamesTheLengthThatFits) {
  const FeatureSet features = texts(TextEncode::kIds);
  ASSERT_EQ(example_layout(features, true).record_bytes(), 404);
  for (const int64_t enough : {404'000, 0, -1}) {
    EXPECT_NO_THROW(require_space(features, 1000, "runs/x/data", enough));
  }
  // Nine tenths of 200,000 bytes are 180 a row, 176 without the target: 44 ids.
  EXPECT_EQ(message_of(Code::kIo, [&] { require_space(features, 1000, "runs/x/data", 200'000); }),
            "examples: 1,000 rows of 404 B take 395 KiB, and 195 KiB are free in \"runs/x/data\"; "
            "take a folder of another disk (out=DIR), or set {name: \"note\", text: {length: 44}} "
            "in table.features");
  const std::string none =
      message_of(Code::kIo, [&] { require_space(features, 1000, "runs/x/data", 1000); });
  EXPECT_TRUE(none.ends_with("take a folder of another disk (out=DIR)")) << none;
}

TEST(ExampleSpace, NamesTheWordsOfABagThatFits) {
  const FeatureSet features = texts(TextEncode::kTfidf);
  ASSERT_EQ(example_layout(features, true).record_bytes(), 404);
  const std::string refusal =
      message_of(Code::kIo, [&] { require_space(features, 1000, "d", 200'000); });
  EXPECT_TRUE(contains(refusal, "{name: \"note\", text: {words: 44}}")) << refusal;
}

TEST(ExampleSpace, NamesTheSizeOfPicturesThatFits) {
  const TempFolder folder;
  for (const char* const name : {"p/cat/1.png", "p/dog/1.png"}) {
    (void)folder.put(name, io::pnm_head(2, 2, 1) + std::string(4, 'x'));
  }
  FeatureConfig picture;
  picture.name = "image";
  picture.image.size = {40, 20};
  picture.image.channels = 3;
  picture.image.scale = PixelScale::kZeroOne;
  TargetConfig target;
  target.column = "class";
  FeatureSet features(
      samples::schema_of({{"image", ColumnKind::kImage}, {"class", ColumnKind::kCategory}}),
      std::vector<FeatureConfig>{picture}, target);
  (void)features.fit(*open_table(folder.file("p")));
  ASSERT_EQ(example_layout(features, true).record_bytes(), 2404);
  // Nine tenths of 671,120 bytes are 604 a row, 600 without the target: a quarter of 2,400.
  const std::string refusal =
      message_of(Code::kIo, [&] { require_space(features, 1000, "d", 671'120); });
  EXPECT_TRUE(contains(refusal, "{name: \"image\", image: {size: [20, 10]}}")) << refusal;
}

TEST(ExampleSpace, IsWorthANoteFromAGibibyteOn) {
  EXPECT_EQ(space_note(1'000'000, 1000, "d"), "");
  EXPECT_EQ(space_note(1'000'000, 2048, "runs/news/data"),
            "1,000,000 rows of 2.0 KiB take 1.9 GiB in runs/news/data");
}

}  // namespace
}  // namespace ingot::data::example_space_test
