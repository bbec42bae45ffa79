// SPDX-License-Identifier: Apache-2.0
// Arrays become records, and arrays that do not fit the model are refused with both sides named.
#include "fit/examples.h"

#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "fit/layers.h"

namespace ingot::examples_test {
namespace {

using testing::message_of;

models::Network two_inputs() {
  const Flow numbers = input("numbers", {2}), words = input_ids("words", 3, 10);
  const Flow mean = global_average_pool()(embedding(2)(words));
  const LayerList list = list_layers({numbers, words}, dense(1)(concatenate()({numbers, mean})));
  return models::Network(list.layers, list.inputs);
}

class FitExamples : public ::testing::Test {
 protected:
  std::string refusal(const Inputs& x, const Values& y, int64_t classes = 0) {
    return message_of([&] { (void)make_examples(network_, x, &y, classes); });
  }
  models::Network network_ = two_inputs();
  std::vector<float> numbers_ = {1, 2, 3, 4};
  std::vector<int32_t> words_ = {1, 2, 3, 4, 5, 6};
  std::vector<int32_t> labels_ = {0, 1};
};

TEST_F(FitExamples, ARecordHoldsEveryInputAndTheTarget) {
  const Values y(labels_);
  const data::ExampleReader examples =
      make_examples(network_, {{"words", words_}, {"numbers", numbers_}}, &y, 2);
  ASSERT_EQ(examples.rows(), 2);
  EXPECT_EQ(examples.layout().record_bytes(), 4 * (2 + 3 + 1));
  float number = 0.0F;
  int32_t ids[3] = {}, label = 0;
  std::memcpy(&number, examples.row(1).data() + 4, sizeof(number));
  std::memcpy(ids, examples.row(1).data() + 8, sizeof(ids));
  std::memcpy(&label, examples.row(1).data() + 20, sizeof(label));
  EXPECT_EQ(number, 4.0F);
  EXPECT_EQ(ids[0], 4);
  EXPECT_EQ(ids[2], 6);
  EXPECT_EQ(label, 1);
}

TEST_F(FitExamples, WithoutTargetsARecordHasNone) {
  const data::ExampleReader examples =
      make_examples(network_, {{"numbers", numbers_}, {"words", words_}}, nullptr, 0);
  EXPECT_EQ(examples.layout().find("target"), nullptr);
}

TEST_F(FitExamples, InputsThatDoNotFitAreRefused) {
  EXPECT_EQ(refusal(numbers_, labels_), "model: values for 1 input were given, the model has 2");
  EXPECT_EQ(refusal({{"numbers", numbers_}, {"text", words_}}, labels_),
            "model: no values were given for the input \"words\"");
  EXPECT_EQ(refusal({{"numbers", words_}, {"words", words_}}, labels_),
            "model: the input \"numbers\" takes float32 numbers, int32 ids were given");
  const std::vector<float> three = {1, 2, 3};
  EXPECT_EQ(refusal({{"numbers", three}, {"words", words_}}, labels_),
            "model: 3 values for the input \"numbers\" [2] are no whole number of examples of 2");
  const std::vector<float> six = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(refusal({{"numbers", six}, {"words", words_}}, std::vector<int32_t>{0, 1, 0}),
            "model: 3 examples of \"numbers\" and 2 of \"words\"");
  const std::vector<int32_t> beyond = {1, 2, 3, 4, 10, 6};
  EXPECT_EQ(refusal({{"numbers", numbers_}, {"words", beyond}}, labels_),
            "model: value 4 of the input \"words\" is 10, ids are from 0 to 9");
}

TEST_F(FitExamples, TargetsThatDoNotFitAreRefused) {
  const Inputs x = {{"numbers", numbers_}, {"words", words_}};
  EXPECT_EQ(refusal(x, std::vector<float>{1}), "model: 2 examples and 1 targets");
  EXPECT_EQ(refusal(x, std::vector<int32_t>{0, 2}, 2),
            "model: target 1 is 2, labels of 2 classes are 0 to 1");
  EXPECT_EQ(refusal(x, std::vector<float>{0.5F, 1}, 2),
            "model: target 0 is 0.5, labels of 2 classes are 0 to 1");
  EXPECT_EQ(refusal(x, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}),
            "model: target 1 is nan");
}

}  // namespace
}  // namespace ingot::examples_test
