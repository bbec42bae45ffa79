// SPDX-License-Identifier: Apache-2.0
#include "cli/search_words.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ingot::cli::search_words_test {
namespace {

using Words = std::vector<std::string>;

TEST(SearchWords, AListWhereOneValueIsTakenIsAnAxis) {
  const SearchWords words = search_words(
      Words{"train.lr=[0.01, 1e-3]", "train.epochs=3", "layers.2.units=[8,16]", "threads=1"});
  ASSERT_EQ(words.axes.size(), 2U);
  EXPECT_EQ(words.axes[0].key, "train.lr");
  EXPECT_EQ(words.axes[0].values, (Words{"0.01", "1e-3"}));
  EXPECT_EQ(words.axes[1].key, "layers.2.units");
  EXPECT_EQ(words.axes[1].values, (Words{"8", "16"}));
  EXPECT_EQ(words.fixed, (Words{"train.epochs=3", "threads=1"}));
}

TEST(SearchWords, OfAKeyThatTakesAListAListOfListsIs) {
  const SearchWords words =
      search_words(Words{"layers.0.inputs=[a, b]", "layers.1.inputs=[[a], [a, \"b, c\"]]"});
  EXPECT_EQ(words.fixed, Words{"layers.0.inputs=[a, b]"});
  ASSERT_EQ(words.axes.size(), 1U);
  EXPECT_EQ(words.axes[0].values, (Words{"[a]", "[a, \"b, c\"]"}));
}

TEST(SearchWords, AListOfMapsIsWhatItsKeyTakes) {
  const Words lists = {"layers=[{type: dense, units: 1}]",
                       "table.clean.ranges=[{column: a, high: 5}]"};
  EXPECT_EQ(search_words(lists).fixed, lists);
  EXPECT_TRUE(search_words(lists).axes.empty());
  const SearchWords two =
      search_words(Words{"layers=[[{type: dense, units: 1}], [{type: dense, units: 2}]]"});
  ASSERT_EQ(two.axes.size(), 1U);
  EXPECT_EQ(two.axes[0].values, (Words{"[{type: dense, units: 1}]", "[{type: dense, units: 2}]"}));
}

TEST(SearchWords, TextAndWholeSectionsCanBeSearched) {
  const SearchWords words = search_words(Words{"train.optimizer.name=[adam, 'sgd']",
                                               "train.schedule=[{name: cosine}, {name: linear}]"});
  ASSERT_EQ(words.axes.size(), 2U);
  EXPECT_EQ(words.axes[0].values, (Words{"adam", "sgd"}));
  EXPECT_EQ(words.axes[1].values, (Words{"{name: cosine}", "{name: linear}"}));
}

TEST(SearchWords, AKeyTwiceIsRefused) {
  for (const Words& twice :
       {Words{"train.lr=[1, 2]", "train.lr=3"}, Words{"train.lr=3", "train.lr=[1, 2]"},
        Words{"train.lr=[1, 2]", "train.lr=[3, 4]"}}) {
    EXPECT_THROW((void)search_words(twice), Error) << twice[0];
  }
  EXPECT_EQ(search_words(Words{"generate.prompt=[INST"}).fixed, Words{"generate.prompt=[INST"});
}

}  // namespace
}  // namespace ingot::cli::search_words_test
