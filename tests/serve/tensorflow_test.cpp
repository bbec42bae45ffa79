// SPDX-License-Identifier: Apache-2.0
// Bodies of :predict, right and wrong, as tables; answers, status and metadata literally.
#include "serve/tensorflow.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::serve::tensorflow_test {
namespace {

using Cells = std::vector<std::string>;

const std::vector<PredictorInput> kInputs = {{"legs", InputKind::kNumber},
                                             {"note", InputKind::kText}};
const std::vector<PredictorInput> kText = {{"note", InputKind::kText}};
const std::vector<PredictorInput> kImage = {{"picture", InputKind::kImage}};
const std::vector<PredictorInput> kNumbers = {{"a", InputKind::kNumber}, {"b", InputKind::kNumber}};

PredictRequest good(const std::string& body, const std::vector<PredictorInput>& inputs = kInputs,
                    const PredictLimits& limits = {}) {
  auto result = parse_tensorflow(body, inputs, limits);
  if (const auto* error = std::get_if<ApiError>(&result)) {
    ADD_FAILURE() << body << " gave " << error->message;
    return {};
  }
  return std::get<PredictRequest>(std::move(result));
}

std::string bad(const std::string& body, const std::vector<PredictorInput>& inputs = kInputs,
                const PredictLimits& limits = {}) {
  const auto result = parse_tensorflow(body, inputs, limits);
  const auto* error = std::get_if<ApiError>(&result);
  if (error == nullptr) {
    ADD_FAILURE() << body << " was accepted";
    return {};
  }
  EXPECT_EQ(error->status, 400) << body;
  return error->message;
}

TEST(Tensorflow, RowsAreObjectsOrListsInOrder) {
  const Cells cells = {"4", "it barks", "2.5", ""};
  for (const char* instances :
       {R"([{"legs":4,"note":"it barks"},{"note":null,"legs":2.5}])",
        R"([[4,"it barks"],[2.5,null]])", R"([[4,"it barks"],{"legs":[2.5],"note":[null]}])"}) {
    const PredictRequest request =
        good(R"({"signature_name":"serving_default","instances":)" + std::string(instances) + "}");
    EXPECT_EQ(request.rows, 2);
    EXPECT_EQ(request.cells, cells) << instances;
    EXPECT_FALSE(request.by_column);
  }
}

TEST(Tensorflow, ColumnsThatTheModelDoesNotUseAreLeftOut) {
  const std::vector<std::string> unused = {"id", "animal"};
  PredictLimits limits;
  limits.unused = unused;
  limits.strict = true;  // they are known
  const Cells cells = {"4", "a", "2", "b"};
  for (
      const char* body :
      {R"({"instances":[{"legs":4,"note":"a","id":7},{"id":[8],"animal":{},"legs":2,"note":"b"}]})",
       R"({"inputs":{"id":[7,8,9],"legs":[4,2],"animal":null,"note":["a","b"]}})"}) {
    const PredictRequest request = good(body, kInputs, limits);
    EXPECT_EQ(request.cells, cells) << body;
    Cells ignored = request.ignored;
    std::sort(ignored.begin(), ignored.end());
    EXPECT_EQ(ignored, (Cells{"animal", "id"})) << body;
  }
  EXPECT_EQ(bad(R"({"instances":[{"legs":4,"note":"a","animals":1}]})", kInputs, limits)
                .find(R"(instance 0: the model has no input "animals".)"),
            0U);
  EXPECT_EQ(bad(R"({"instances":[{"legs":4,"id":1}]})", kInputs, limits),
            R"(instance 0 lacks the column "note"; null stands for a missing value)");
}

TEST(Tensorflow, ColumnsAreListsOfOneLength) {
  const PredictRequest request = good(R"({"inputs":{"note":["a","b"],"legs":[[4],[true]]}})");
  EXPECT_EQ(request.rows, 2);
  EXPECT_EQ(request.cells, (Cells{"4", "a", "true", "b"}));
  EXPECT_TRUE(request.by_column);
  EXPECT_EQ(good(R"({"inputs":{"note":"a","legs":1e2}})").cells, (Cells{"100.0", "a"}));
}

TEST(Tensorflow, ATableOfNumbersIsRowsOrOneInput) {
  const Cells cells = {"1.0", "2.5", "3", ""};
  for (const char* body :
       {R"({"instances":[[1.0,2.5],[3,null]]})", R"({"inputs":[[1.0,2.5],[3,null]]})",
        R"({"inputs":{"b":[2.5,null],"a":[1.0,3]}})"}) {
    EXPECT_EQ(good(body, kNumbers).cells, cells) << body;
  }
  EXPECT_TRUE(good(R"({"inputs":[[1.0,2.5]]})", kNumbers).by_column);
  EXPECT_EQ(bad(R"({"instances":[[1,2],[3,4,5]]})", kNumbers),
            "instance 1 has 3 values but the model takes 2: a, b");
  EXPECT_EQ(bad(R"({"inputs":[[1,2],[3]]})", kNumbers),
            "instance 1 has 1 values but the model takes 2: a, b");
  EXPECT_EQ(bad(R"({"inputs":[[1,2],3]})", kNumbers),
            "instance 1 must be an object of the columns a, b, but is 3");
  EXPECT_EQ(bad(R"({"inputs":[1,2]})", kNumbers),
            R"("inputs" must be an object of the columns a, b)");
  EXPECT_EQ(bad(R"({"inputs":[[1,"a"]]})"),
            R"("inputs" must be an object of the columns legs, note)");
}

TEST(Tensorflow, PixelsAreListsOfHeightWidthAndChannels) {
  const Cells one = {std::string("P5\n2 1\n255\n\0\xFF", 13)};
  for (const char* body :
       {R"({"instances":[[[[0],[255]]]]})", R"({"instances":[{"picture":[[[0],[255]]]}]})",
        R"({"instances":[[[[[0],[255]]]]]})", R"({"inputs":[[[[0],[255]]]]})",
        R"({"inputs":{"picture":[[[[0],[255]]]]}})"}) {
    EXPECT_EQ(good(body, kImage).cells, one) << body;
  }
  const Cells colours = {"P6\n1 1\n255\n\x01\x02\x03", "P5\n1 1\n255\n\x04"};
  EXPECT_EQ(good(R"({"instances":[[[[1,2,3]]],[[[4]]]]})", kImage).cells, colours);
  EXPECT_EQ(good(R"({"inputs":[[[[1,2,3]]],[[[4]]]]})", kImage).cells, colours);
  const std::vector<PredictorInput> both = {{"legs", InputKind::kNumber},
                                            {"picture", InputKind::kImage}};
  EXPECT_EQ(good(R"({"instances":[[4,[[[1,2,3]]]],{"picture":[[[4]]],"legs":2}]})", both).cells,
            (Cells{"4", colours[0], "2", colours[1]}));
  EXPECT_EQ(bad(R"({"instances":[[[[0.5]]]]})", kImage),
            R"(instance 0: column "picture" must have pixels of whole numbers from 0 to 255, as )"
            R"(pictures hold them before any scaling, but [0][0][0] is 0.5)");
  const std::string form =
      R"(instance 0: column "picture" must be the base64 of a file, or its pixels as lists )"
      R"([height][width][channels] of 1 channel (gray) or 3 (red, green, blue), but is )";
  for (const char* value : {"[[0,1],[2,3]]", "[1,2]", "[]", "[[[1,2,3,4]]]"}) {
    const std::string list = value;
    EXPECT_EQ(bad("{\"instances\":[" + list + "]}", kImage), form + list);
    EXPECT_EQ(bad("{\"instances\":[{\"picture\":" + list + "}]}", kImage), form + list);
  }
  EXPECT_EQ(bad(R"({"instances":[{"legs":[[[1]]],"note":"a"}]})"),
            R"(instance 0: column "legs" must be a text, a number, true, false, null or )"
            R"({"b64": text}, but is [[1]])")
      << "no picture";
}

TEST(Tensorflow, AModelOfOneInputTakesBareValues) {
  EXPECT_EQ(good(R"({"instances":["a","b"]})", kText).cells, (Cells{"a", "b"}));
  EXPECT_EQ(good(R"({"instances":[["a"],{"note":"b"}]})", kText).cells, (Cells{"a", "b"}));
  EXPECT_EQ(good(R"({"inputs":["a","b"]})", kText).cells, (Cells{"a", "b"}));
  EXPECT_EQ(good(R"({"inputs":"a"})", kText).cells, Cells{"a"});
}

TEST(Tensorflow, BytesComeAsBase64) {
  EXPECT_EQ(good(R"({"instances":[{"b64":"Zm9v"}]})", kText).cells, Cells{"foo"});
  EXPECT_EQ(good(R"({"instances":[{"note":{"b64":"Zm9v"}}]})", kText).cells, Cells{"foo"});
  EXPECT_EQ(good(R"({"inputs":{"b64":"Zm9v"}})", kText).cells, Cells{"foo"});
  const Cells bytes = {std::string("\xFF\0", 2)};
  EXPECT_EQ(good(R"({"instances":[{"b64":"/wA="}]})", kImage).cells, bytes);
  EXPECT_EQ(good(R"({"instances":["/wA="]})", kImage).cells, bytes);
  EXPECT_EQ(bad(R"({"instances":["x.png"]})", kImage),
            R"(instance 0: column "picture" is not base64: "x.png")");
  EXPECT_EQ(bad(R"({"instances":[{"b64":"/wA="}]})", kText),
            R"(instance 0: column "note" holds bytes that are not UTF-8)");
}

struct Wrong {
  std::string body;
  std::string message;
};

TEST(Tensorflow, WhatIsWrongIsNamedWithInstanceColumnAndValue) {
  const std::vector<Wrong> table = {
      {"{}", R"(give either "instances" (a list of rows) or "inputs" (columns))"},
      {R"({"instances":[[1,"a"]],"inputs":{}})",
       R"(give either "instances" (a list of rows) or "inputs" (columns))"},
      {R"({"instances":[]})", R"("instances" must be a list of at least one instance)"},
      {R"({"instances":{"legs":1}})", R"("instances" must be a list of at least one instance)"},
      {R"({"instances":[[4,"a"],{"legs":4}]})",
       R"(instance 1 lacks the column "note"; null stands for a missing value)"},
      {R"({"instances":[{"legs":4,"nota":"a"}]})",
       R"(instance 0: the model has no input "nota". Did you mean "note"?)"},
      {R"({"instances":[[4,"a"],[4]]})",
       "instance 1 has 1 values but the model takes 2: legs, note"},
      {R"({"instances":["a"]})",
       R"(instance 0 must be an object of the columns legs, note, but is "a")"},
      {R"({"instances":[{"legs":[1,2],"note":"a"}]})",
       R"(instance 0: column "legs" must be a text, a number, true, false, null or {"b64": text}, )"
       R"(but is [1,2])"},
      {R"({"instances":[[4,{"b65":"a"}]]})",
       R"(instance 0: column "note" must be a text, a number, true, false, null or {"b64": text}, )"
       R"(but is {"b65":"a"})"},
      {R"({"instances":[[4,{"b64":"a"}]]})", R"(instance 0: column "note" is not base64: "a")"},
      {R"({"inputs":{"legs":[1]}})", R"("inputs" lacks the column "note")"},
      {R"({"inputs":{"legs":[1],"note":["a","b"]}})",
       R"(column "note" of "inputs" has 2 values but must have at least one, and as many as )"
       R"(column "legs" (1))"},
      {R"({"inputs":{"legs":[],"note":[]}})",
       R"(column "legs" of "inputs" has 0 values but must have at least one, and as many as )"
       R"(column "legs" (0))"},
      {R"({"inputs":{"wings":[1]}})", R"(the model has no input "wings". Known: legs, note.)"},
      {R"({"inputs":[1,2]})", R"("inputs" must be an object of the columns legs, note)"},
      {R"({"signature_name":"other","instances":[[1,"a"]]})",
       R"("signature_name" must be "serving_default", the only one, but is "other")"},
  };
  for (const Wrong& wrong : table) EXPECT_EQ(bad(wrong.body), wrong.message) << wrong.body;
}

TEST(Tensorflow, TextThatIsNoJsonIsRefusedWithItsPlace) {
  const std::string deep = std::string(250000, '[') + std::string(250000, ']');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("nonsense"),
        std::string(R"({"instances":[[NaN,"a"]]})"),
        std::string(R"({"instances":[[Infinity,"a"]]})"),
        std::string(R"({"instances":[[1e400,"a"]]})"), std::string(R"({"instances":[[-,"a"]]})"),
        std::string(R"({"instances":[[1,"\ud800"]]})"),
        std::string("{\"instances\":[[1,\"\xFF\"]]}"),
        std::string(R"({"instances":[],"instances":[]})"), deep, R"({"instances":)" + deep + "}"}) {
    EXPECT_EQ(bad(text).find("the JSON body could not be parsed: body:1:"), 0U) << bad(text);
  }
  EXPECT_EQ(bad("[1]"), "the body must be a JSON object, but is an array");
}

TEST(Tensorflow, HugeNumbersAreCellsLikeOthers) {
  EXPECT_EQ(good(R"({"instances":[[18446744073709551615,"a"],[-9223372036854775808,"b"]]})").cells,
            (Cells{"18446744073709551615", "a", "-9223372036854775808", "b"}));
  EXPECT_EQ(good(R"({"instances":[[1e308,"a"]]})").cells, (Cells{"1e+308", "a"}));
}

TEST(Tensorflow, UnknownFieldsAreNamedOrRefused) {
  const std::string body = R"({"instances":[[1,"a"]],"signature":"x"})";
  EXPECT_EQ(good(body).ignored, std::vector<std::string>{"signature"});
  EXPECT_EQ(bad(body, kInputs, {.strict = true}),
            R"(unknown field "signature". Did you mean "signature_name"?)");
}

TEST(Tensorflow, NoPrefixOfARequestCrashes) {
  const std::string text =
      R"({"signature_name":"","instances":[[1,"a"],{"legs":1,"note":{"b64":"Zm8="}}]})";
  (void)good(text);
  for (size_t size = 0; size < text.size(); ++size) (void)bad(text.substr(0, size));
}

TEST(Tensorflow, AWideModelDoesNotMultiplyABodyOfBareValues) {
  std::vector<PredictorInput> wide;
  for (int i = 0; i < 1000; ++i) wide.push_back({"c" + std::to_string(i), InputKind::kNumber});
  std::string values = "1";
  for (int i = 0; i < 100000; ++i) values += ",1";
  EXPECT_NE(bad(R"({"instances":[)" + values + "]}", wide).find("instance 0 must be an object"),
            std::string::npos);
  EXPECT_NE(bad(R"({"inputs":{"c0":[)" + values + "]}}", wide).find("lacks the column \"c1\""),
            std::string::npos);
}

TEST(Tensorflow, AWideModelTakesObjectsInAnyOrder) {
  constexpr size_t kColumns = 500;
  std::vector<PredictorInput> wide;
  std::string object;
  Cells cells;
  for (size_t i = 0; i < kColumns; ++i) {
    wide.push_back({"c" + std::to_string(i), InputKind::kNumber});
    object = "\"c" + std::to_string(i) + "\":" + std::to_string(i) + (i == 0 ? "" : ",") + object;
    cells.push_back(std::to_string(i));
  }
  EXPECT_EQ(good("{\"instances\":[{" + object + "}]}", wide).cells, cells);
}

const std::array<float, 4> kValues = {0.25F, 0.75F, 0.5F, 0.5F};

TEST(Tensorflow, AnswersAreRowsOrColumns) {
  const AnswerForm form({"bird", "dog"});
  const std::span<const float> values(kValues);
  const AnswerRows rows = {values.first(2), {}, values.last(2)};
  EXPECT_EQ(tensorflow_answer(form, rows, false),
            R"({"predictions":[{"prediction":"dog","probabilities":{"bird":0.25,"dog":0.75}},)"
            R"({"prediction":null},)"
            R"({"prediction":"bird","probabilities":{"bird":0.5,"dog":0.5}}]})");
  EXPECT_EQ(tensorflow_answer(form, rows, true),
            R"({"outputs":{"prediction":["dog",null,"bird"],)"
            R"("probabilities":{"bird":[0.25,null,0.5],"dog":[0.75,null,0.5]}}})");
}

TEST(Tensorflow, ASingleOutputHasNoName) {
  const AnswerForm form({});
  const std::span<const float> values(kValues);
  const AnswerRows rows = {values.first(1), {}, values.subspan(1, 1)};
  EXPECT_EQ(tensorflow_answer(form, rows, false), R"({"predictions":[0.25,null,0.75]})");
  EXPECT_EQ(tensorflow_answer(form, rows, true), R"({"outputs":[0.25,null,0.75]})");
}

TEST(Tensorflow, StatusAndMetadataHaveItsShape) {
  EXPECT_EQ(tensorflow_status("1"),
            R"({"model_version_status":[{"version":"1","state":"AVAILABLE",)"
            R"("status":{"error_code":"OK","error_message":""}}]})");
  const std::string batch = R"({"size":"-1","name":""})";
  EXPECT_EQ(tensorflow_metadata("m", "1", kInputs, AnswerForm({"bird", "dog"})),
            R"({"model_spec":{"name":"m","signature_name":"","version":"1"},)"
            R"("metadata":{"signature_def":{"signature_def":{"serving_default":{"inputs":{)"
            R"("legs":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[)" +
                batch + R"(],"unknown_rank":false},"name":"legs"},)" +
                R"("note":{"dtype":"DT_STRING","tensor_shape":{"dim":[)" + batch +
                R"(],"unknown_rank":false},"name":"note"}},"outputs":{)" +
                R"("prediction":{"dtype":"DT_STRING","tensor_shape":{"dim":[)" + batch +
                R"(],"unknown_rank":false},"name":"prediction"},)" +
                R"("probabilities":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[)" + batch +
                R"(,{"size":"2","name":""}],"unknown_rank":false},"name":"probabilities"}},)" +
                R"("method_name":"tensorflow/serving/predict"}}}}})");
}

}  // namespace
}  // namespace ingot::serve::tensorflow_test
