// SPDX-License-Identifier: Apache-2.0
// features.json: what is stored encodes the same bits, and broken files are named.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/transforms/feature_set.h"
#include "data/transforms/samples.h"

namespace ingot::data::feature_set_json_test {
namespace {

using ::ingot::testing::code_of;
using ::ingot::testing::message_of;
using ::ingot::testing::TempDir;
using samples::schema_of;
using samples::table_of;
using Kind = ColumnKind;

const char* const kTable =
    "a,b,city,note,y\n"
    "0.1,3,Oslo,\"some \"\"quoted\"\" wörds: {x}\",no\n"
    "0.7,,Rome,more 日本語 words,yes\n"
    ",1e-3,,,no\n"
    "-5e7,12,\"\\n: [#]\",tab\tand 😀,yes\n";

FeatureSet fitted() {
  std::vector<FeatureConfig> configs(3);
  configs[0].name = "a";
  configs[0].clip = Clip::kQuantiles;
  configs[0].clip_low = 0.1;
  configs[0].noise = 0.25F;
  configs[1].name = "b";
  configs[1].scale = Scale::kLogStandard;
  configs[1].missing_flag = true;
  configs[2].name = "note";
  configs[2].text.length = 4;
  configs[2].text.filters = "\"{}:\n\t\\";
  TargetConfig target;
  target.column = "y";
  FeatureSet set(schema_of({{"a", Kind::kNumber},
                            {"b", Kind::kNumber},
                            {"city", Kind::kCategory},
                            {"note", Kind::kText},
                            {"y", Kind::kCategory}}),
                 configs, target);
  set.fit(*table_of(kTable));
  return set;
}

TEST(FeaturesJson, RoundTripEncodesTheSameBits) {
  const FeatureSet set = fitted();
  const TempDir folder;
  const auto files = real_files();
  set.save(*files, folder.file("features.json"));
  const FeatureSet again = FeatureSet::load(folder.file("features.json"));
  EXPECT_EQ(again.to_json(), set.to_json());
  EXPECT_TRUE(again.fitted());
  ASSERT_EQ(again.blocks().size(), set.blocks().size());
  EXPECT_EQ(again.blocks()[1].id_limit, set.blocks()[1].id_limit);
  EXPECT_TRUE(again.has_noise());
  ASSERT_NE(again.target(), nullptr);
  EXPECT_EQ(again.target()->classes()[1], "yes");

  const auto table = table_of(kTable);
  const ColumnMap map = set.map_columns(table->columns(), "t", true);
  Record a = set.make_record();
  Record b = again.make_record();
  std::vector<std::string_view> cells;
  while (table->next(cells)) {
    ASSERT_TRUE(set.encode(cells, map, table->line(), a));
    ASSERT_TRUE(again.encode(cells, map, table->line(), b));
    EXPECT_EQ(a.table, b.table);
    EXPECT_EQ(a.ids, b.ids);
  }
}

TEST(FeaturesJson, KeepsASetWithoutTarget) {
  FeatureSet set(schema_of({{"a", Kind::kNumber}}), {}, {});
  set.fit(*table_of("a\n1\n2\n"));
  EXPECT_EQ(FeatureSet::from_json(set.to_json(), "f").target(), nullptr);
}

TEST(FeaturesJson, KeepsTheNamesOfOtherColumns) {
  TargetConfig target;
  target.column = "y";
  std::vector<FeatureConfig> configs(1);
  configs[0].name = "note";
  configs[0].kind = FeatureKind::kIgnore;
  FeatureSet set(schema_of({{"id", Kind::kIgnore},
                            {"a", Kind::kNumber},
                            {"note", Kind::kText},
                            {"y", Kind::kCategory}}),
                 configs, target);
  set.fit(*table_of("id,a,note,y\n1,1,x,no\n2,2,x,yes\n"));
  const FeatureSet again = FeatureSet::from_json(set.to_json(), "f");
  EXPECT_EQ(std::vector<std::string>(again.ignored().begin(), again.ignored().end()),
            (std::vector<std::string>{"id", "note"}));
  Json before = parse_json(set.to_json(), "t");  // of a program that did not keep them
  before.erase("ignored");
  EXPECT_TRUE(FeatureSet::from_json(dump_json(before), "f").ignored().empty());
}

TEST(FeaturesJson, NamesWhatIsBroken) {
  const std::string good = fitted().to_json();
  const auto message = [](const std::string& json) {
    return message_of([&] { (void)FeatureSet::from_json(json, "features.json"); });
  };
  const auto changed = [&](const auto& change) {
    Json json = parse_json(good, "t");
    change(json);
    return dump_json(json);
  };
  EXPECT_EQ(message("{}"), "features.json: \"format\" is missing");
  EXPECT_EQ(message(changed([](Json& json) { json["format"] = 2; })),
            "features.json: \"format\" is 2, this program reads 1; train again or use a newer "
            "program");
  EXPECT_EQ(message(changed([](Json& json) { json["features"] = Json::array(); })),
            "features.json: \"features\" must be a list of one feature or more");
  EXPECT_EQ(message(changed([](Json& json) { json["missing"] = Json::array({1}); })),
            "features.json: \"missing\" must be a list of texts");
  EXPECT_EQ(message(changed([](Json& json) { json["features"][0]["state"].erase("fill"); })),
            "features.json: \"fill\" is missing");
  EXPECT_NE(message(changed([](Json& json) {
              json["features"][0]["config"]["skale"] = 1;
            })).find("unknown key \"skale\". Did you mean \"scale\"?"),
            std::string::npos);
  EXPECT_EQ(code_of([&] { (void)FeatureSet::from_json("{}", "f"); }), "corrupt_file");
  EXPECT_EQ(code_of([&] { (void)FeatureSet::from_json(good.substr(0, 100), "f"); }),
            "corrupt_file");
  EXPECT_EQ(code_of([] { (void)FeatureSet::load("/no/such/features.json"); }), "not_found");
}

}  // namespace
}  // namespace ingot::data::feature_set_json_test
