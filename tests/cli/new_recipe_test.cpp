// SPDX-License-Identifier: Apache-2.0
// Which recipe a table suggests: target, task, columns, split and network, each by its rule; and
// that the text binds to a recipe.
#include "cli/new_recipe.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/message_of.h"
#include "cli/recipe.h"
#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::cli::new_recipe_test {
namespace {

struct Made {
  data::Schema schema;
  RecipeDraft draft;
  Recipe recipe;
};

class NewRecipe : public ::testing::Test {
 protected:
  /// The recipe of a table of `rows` rows, each made by `row`.
  template <class Row>
  Made make(const std::string& names, int rows, const Row& row) {
    std::string csv = names + "\n";
    for (int i = 0; i < rows; ++i) csv += row(i) + "\n";
    const auto table = data::open_table(io::memory_source(csv, "t.csv"), "t.csv");
    Made made{data::infer_schema(*table), {}, {}};
    request_.name = "mine";
    request_.path = "t.csv";
    request_.schema_file = "mine.schema.yaml";
    made.draft = draft_recipe(made.schema, request_);
    text_ = recipe_text(made.draft, made.schema, request_);
    bind_text(text_, "mine.yaml", made.recipe);
    made.recipe.train.check();
    return made;
  }
  static const ColumnDraft& column(const Made& made, const std::string& name) {
    for (const ColumnDraft& c : made.draft.columns) {
      if (c.name == name) return c;
    }
    throw std::runtime_error("no column " + name);
  }
  NewRequest request_;
  std::string text_;
};

std::string n(int i) { return std::to_string(i); }

TEST_F(NewRecipe, ANameSaysWhatIsPredicted) {
  const Made made = make("price,area,rooms", 200, [](int i) {
    return n(1000 + 7 * i) + "," + n(50 + i % 90) + "," + n(i % 5);
  });
  EXPECT_EQ(made.draft.target, "price");
  EXPECT_EQ(made.draft.why_target, "its name says \"price\"");
  EXPECT_FALSE(made.draft.is_class);
  EXPECT_EQ(made.recipe.table.target.scale, data::Scale::kStandard);
  EXPECT_EQ(made.recipe.layers.back().units, 1);
  EXPECT_EQ(made.recipe.table.split.method, data::SplitMethod::kRandom);
}

TEST_F(NewRecipe, RowsOfAnInfiniteTargetAreLeftOut) {
  const Made made = make("area,price", 200, [](int i) {
    return n(50 + i % 90) + "," + (i == 3 ? "inf" : i == 4 ? "-1e400" : n(1000 + 7 * i));
  });
  EXPECT_FALSE(made.draft.is_class);
  EXPECT_EQ(made.draft.rows, 198);
  const std::vector<data::ColumnRange>& ranges = made.recipe.table.clean.ranges;
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].column, "price");
  EXPECT_EQ(ranges[0].low, -3e38);
  EXPECT_EQ(ranges[0].high, 3e38);
  const auto row = [](int i) { return n(50 + i % 90) + "," + n(1000 + 7 * i); };
  EXPECT_TRUE(make("area,price", 200, row).recipe.table.clean.ranges.empty());
}

TEST_F(NewRecipe, WordsOfANameAreToldApart) {
  // "MSSubClass" says class and "SalePrice" price; price is the likelier answer.
  const auto row = [](int i) { return n(i % 7) + "," + n(900 + 13 * i) + "," + n(i % 2); };
  EXPECT_EQ(make("MSSubClass,SalePrice,garage", 200, row).draft.target, "SalePrice");
  EXPECT_EQ(make("a,b,Machine_failure", 200, row).draft.target, "Machine_failure");
  EXPECT_EQ(make("evaluated,b,c", 200, row).draft.target, "c");  // no word of its own
}

TEST_F(NewRecipe, WithoutANameTheLastThatCanBe) {
  const Made made = make("kind,x,user_id", 200, [](int i) {
    return std::string(i % 2 == 0 ? "a" : "b") + "," + n(i * i % 97) + "," + n(i % 40);
  });
  EXPECT_EQ(made.draft.target, "x");
  EXPECT_EQ(column(made, "user_id").kind, data::ColumnKind::kIgnore);
  ASSERT_EQ(made.draft.proposals.size(), 1U);
  EXPECT_EQ(made.draft.proposals[0].column, "user_id");
  EXPECT_NE(text_.find("# split: {method: group, column: user_id,"), std::string::npos) << text_;
}

TEST_F(NewRecipe, WhatIsAskedForIsTaken) {
  request_.target = "kind";
  const Made made = make("kind,label", 200, [](int i) {
    return std::string(i % 3 == 0 ? "a" : "b") + "," + n(i % 4);
  });
  EXPECT_EQ(made.draft.target, "kind");
  EXPECT_EQ(made.draft.outputs(), 1);  // two classes: one score
  EXPECT_EQ(made.recipe.table.split.method, data::SplitMethod::kStratified);
}

TEST_F(NewRecipe, FewWholeNumbersAreClasses) {
  const Made made = make("x,label", 300, [](int i) { return n(i * 31 % 101) + "," + n(i % 4); });
  EXPECT_TRUE(made.draft.is_class);
  EXPECT_EQ(made.recipe.table.target.kind, data::TargetKind::kClass);
  EXPECT_EQ(made.recipe.layers.back().units, 4);
  EXPECT_FALSE(
      make("x,label", 300, [](int i) { return n(i * 31 % 101) + "," + n(i % 40); }).draft.is_class);
}

TEST_F(NewRecipe, ColumnsAreTreatedByWhatTheyHold) {
  const Made made = make("id,far,gap,one,town,label", 200, [](int i) {
    return n(i) + "," + n(i == 7 ? 100000 : i % 50) + "," + (i % 9 == 0 ? "" : n(i % 30)) +
           ",same," + (i % 2 == 0 ? "Oslo" : "Rome") + "," + n(i % 2);
  });
  EXPECT_EQ(column(made, "id").kind, data::ColumnKind::kIgnore);
  EXPECT_EQ(column(made, "far").options, "clip: quantiles");
  EXPECT_EQ(column(made, "gap").options, "missing: median, missing_flag: true");
  EXPECT_EQ(column(made, "gap").why, "23 of 200 are missing");
  EXPECT_EQ(column(made, "one").kind, data::ColumnKind::kIgnore);
  EXPECT_EQ(column(made, "town").kind, data::ColumnKind::kCategory);
  EXPECT_EQ(made.draft.used(), 3);
}

TEST_F(NewRecipe, TextsGetALengthThatHoldsMostOfThem) {
  const Made made = make("text,label", 200, [](int i) {
    std::string text = "word" + n(i);
    for (int k = 0; k < i % 40; ++k) text += " again";
    return text + "," + n(i % 2);
  });
  ASSERT_EQ(made.draft.texts.size(), 1U);
  EXPECT_EQ(made.draft.texts[0].length, 40);  // 95 % have at most 38 words
  EXPECT_FALSE(made.recipe.table.features[0].text.char_level);
  EXPECT_EQ(made.recipe.layers[0].type, models::LayerType::kEmbedding);
}

TEST_F(NewRecipe, TextsWithoutSpacesAreReadByCharacter) {
  const Made made = make("text_a,label", 100, [](int i) {
    std::string text;
    for (int k = 0; k < 20 + i % 10; ++k)
      text += ((i >> (k % 7)) + k) % 2 == 0 ? "\xE5\xA5\xBD" : "\xE4\xB8\x8D";
    return text + "," + n(i % 2);
  });
  ASSERT_EQ(made.draft.texts.size(), 1U);
  EXPECT_EQ(made.draft.texts[0].length, 30);
  EXPECT_TRUE(made.recipe.table.features[0].text.char_level);
}

TEST_F(NewRecipe, SeveralInputsMeetInOneLayer) {
  const Made made = make("text,size,label", 200, [](int i) {
    return "some words and number " + n(i) + "," + n(i % 50) + "," + n(i % 2);
  });
  bool is_joined = false;
  for (const models::LayerConfig& layer : made.recipe.layers) {
    is_joined |= layer.type == models::LayerType::kConcatenate && layer.inputs.size() == 2;
  }
  EXPECT_TRUE(is_joined) << text_;
}

TEST_F(NewRecipe, PicturesAreSeenByConvolutions) {
  request_.picture_files = true;
  const Made made = make("photo,size,class", 200, [](int i) {
    return "p" + n(i) + ".png," + n(i % 60) + "," + (i % 2 == 0 ? "cat" : "dog");
  });
  EXPECT_EQ(made.recipe.table.features[0].image.size, (std::vector<int64_t>{64, 64}));
  EXPECT_EQ(made.recipe.layers[0].type, models::LayerType::kConv2d);
  EXPECT_EQ(made.recipe.layers[0].inputs, std::vector<std::string>{"photo"});
  const auto again = [](int i) {
    return "p" + n(i) + ".png," + n(i % 60) + "," + (i % 2 == 0 ? "cat" : "dog");
  };
  request_.picture_sizes = {{"photo", {32, 48, 100}}};
  const Made shared = make("photo,size,class", 200, again);
  EXPECT_EQ(shared.recipe.table.features[0].image.size, (std::vector<int64_t>{32, 48}));
  EXPECT_NE(text_.find("padding: 3, border: reflect}]}}  # as all of 100 pictures looked at;"),
            std::string::npos)
      << text_;
  for (const data::SizeCount& size : {data::SizeCount{4, 4, 9}, data::SizeCount{225, 64, 9}}) {
    request_.picture_sizes = {{"photo", size}};
    EXPECT_EQ(make("photo,size,class", 200, again).recipe.table.features[0].image.size,
              (std::vector<int64_t>{64, 64}));
  }
  request_.picture_files = false;
  const Made raw = make("photo,class", 200,
                        [](int i) { return "p" + n(i) + ".png," + (i % 2 == 0 ? "cat" : "dog"); });
  EXPECT_TRUE(raw.recipe.table.features[0].image.size.empty());
}

TEST_F(NewRecipe, LaterRowsAreHeldOutWhereThereIsATime) {
  const Made made = make("day,x,y", 300, [](int i) {
    return "2024-" + n(10 + i % 3) + "-" + n(10 + i / 3 % 18) + "," + n(i % 50) + "," +
           n(i * 37 % 211);
  });
  EXPECT_EQ(made.recipe.table.split.method, data::SplitMethod::kTime);
  EXPECT_EQ(made.recipe.table.split.column, "day");
  EXPECT_EQ(column(made, "day").kind, data::ColumnKind::kIgnore);
  EXPECT_NE(text_.find("- {name: day, kind: ignore}  # a time"), std::string::npos) << text_;
}

TEST_F(NewRecipe, DatesInAnotherOrderAreNoCategories) {
  const Made made = make("day,x,y", 300, [](int i) {
    return n(1 + i / 3 % 28) + "." + n(1 + i % 3) + ".2024," + n(i % 50) + "," + n(i * 37 % 211);
  });
  EXPECT_EQ(made.recipe.table.split.method, data::SplitMethod::kRandom);
  EXPECT_EQ(column(made, "day").kind, data::ColumnKind::kIgnore);
  EXPECT_NE(column(made, "day").why.find("written as 2024-12-31 (ISO 8601)"), std::string::npos);
}

TEST_F(NewRecipe, FewRowsTrainALineAndHoldNothingOut) {
  const Made made = make("x,y", 12, [](int i) { return n(i) + "," + n(3 * i + 1); });
  EXPECT_EQ(made.recipe.layers.size(), 1U);
  EXPECT_EQ(made.recipe.table.split.test, 0.0);
  EXPECT_LE(made.recipe.train.micro_batch, 12);
}

TEST_F(NewRecipe, NamesThatYamlWouldMistakeAreQuoted) {
  const Made made = make("\"Air temperature [K]\",yes,\"say \"\"y\"\"\",label", 200, [](int i) {
    return n(i % 60) + "," + n(i % 70) + "," + n(i % 80) + "," + n(i % 2);
  });
  EXPECT_EQ(made.recipe.table.features[0].name, "Air temperature [K]");
  EXPECT_EQ(made.recipe.table.features[1].name, "yes");
  EXPECT_EQ(made.recipe.table.features[2].name, "say \"y\"");
}

TEST_F(NewRecipe, RowsWithoutATargetFillNoBatch) {
  const Made made =
      make("x,y", 40, [](int i) { return n(i) + "," + (i % 4 == 0 ? n(i * 7) : ""); });
  EXPECT_EQ(made.draft.rows, 10);
  EXPECT_EQ(made.recipe.table.split.test, 0.0);  // too few to hold any out
  EXPECT_LE(made.recipe.train.micro_batch, 10);
}

TEST_F(NewRecipe, LayersHaveNamesThatNoColumnHas) {
  const Made made = make("words_1,numbers,label", 200, [](int i) {
    return "some words and number " + n(i) + "," + n(i % 50) + "," + n(i % 2);
  });
  EXPECT_EQ(made.recipe.layers[0].inputs, std::vector<std::string>{"words_1"});
  EXPECT_EQ(made.recipe.layers[1].name, "words_1_layer");
  EXPECT_EQ(made.recipe.layers[2].name, "numbers_layer");
}

TEST_F(NewRecipe, ATextThatIsCalledAsTheNumbersAreIsLeftOut) {
  const Made made = make("table,size,label", 200, [](int i) {
    return "some words and number " + n(i) + "," + n(i % 50) + "," + n(i % 2);
  });
  EXPECT_EQ(column(made, "table").kind, data::ColumnKind::kIgnore);
  EXPECT_TRUE(made.draft.texts.empty());
}

TEST_F(NewRecipe, ReasonsAndNamesStayOnTheirLine) {
  request_.name = "\xE6\x88\xBF\xE4\xBB\xB7";
  const auto table = data::open_table(io::memory_source("x,y\n1,2\n2,4\n3,6\n", "t.csv"), "t.csv");
  const data::Schema schema = data::infer_schema(*table);
  RecipeDraft draft = draft_recipe(schema, request_);
  draft.why_split = "rows at random, because \"a\nb\" is no column";
  Recipe recipe;
  request_.schema_file = "s.yaml";
  bind_text(recipe_text(draft, schema, request_), "mine.yaml", recipe);
  EXPECT_EQ(recipe.name, request_.name);
}

TEST_F(NewRecipe, ARareClassIsPointedOut) {
  (void)make("x,label", 400, [](int i) { return n(i % 90) + "," + n(i % 20 == 0 ? 1 : 0); });
  EXPECT_NE(text_.find("# objective: {class_weights: auto}"), std::string::npos) << text_;
}

TEST_F(NewRecipe, ATimeBudgetReplacesTheEpochs) {
  request_.minutes = 2;
  const Made made = make("x,label", 400, [](int i) { return n(i % 90) + "," + n(i % 2); });
  EXPECT_EQ(made.recipe.train.minutes, 2.0);
  EXPECT_EQ(made.recipe.train.epochs, 0.0);
}

TEST_F(NewRecipe, WhatCannotBePredictedIsRefused) {
  const auto rows = [](int i) { return "text of some length number " + n(i) + "," + n(i % 2); };
  request_.target = "note";
  EXPECT_EQ(testing::message_of([&] { (void)make("note,label", 100, rows); }),
            "new: column \"note\" is text and cannot be predicted; a number or a category can");
  request_.target = "lable";
  EXPECT_EQ(testing::message_of([&] { (void)make("note,label", 100, rows); }),
            "new: target: no column \"lable\". Did you mean \"label\"?");
  request_.target = "label";
  EXPECT_EQ(testing::message_of([&] {
              (void)make("note,label", 100, [](int i) { return "a note in words " + n(i) + ",1"; });
            }),
            "new: every row of \"label\" has the same value; there is nothing to predict");
  request_.target.clear();
  EXPECT_EQ(testing::message_of([&] { (void)make("label", 100, [](int i) { return n(i % 2); }); }),
            "new: \"label\" could be predicted, but no other column is a number, a category or a "
            "text");
  EXPECT_EQ(testing::message_of(
                [&] { (void)make("label,town", 100, [](int i) { return n(i % 2) + ",Oslo"; }); }),
            "new: \"label\" could be predicted, but no other column is a number, a category or a "
            "text (town: the same value in every row)");
  request_.target = "y";
  EXPECT_EQ(
      testing::message_of([&] {
        (void)make("x,y", 60, [](int i) { return n(i) + "," + (i % 5 == 0 ? "?" : n(i)); });
      }),
      "new: column \"y\" is ignore and cannot be predicted: 12 of 60 values are no number, the "
      "first \"?\" on line 2; if they stand for a missing value, add them to "
      "table.infer.missing, or to missing in the table.schema file; a number or a category "
      "can; `ingot new` takes such texts as missing=[TEXT]");
}

}  // namespace
}  // namespace ingot::cli::new_recipe_test
