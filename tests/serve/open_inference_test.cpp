// SPDX-License-Identifier: Apache-2.0
// Bodies of infer, right and wrong, as tables; answers and metadata literally.
#include "serve/open_inference.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::serve::open_inference_test {
namespace {

using Cells = std::vector<std::string>;

const std::vector<PredictorInput> kInputs = {{"legs", InputKind::kNumber},
                                             {"note", InputKind::kText}};
const AnswerForm kForm({"bird", "dog"});

std::string tensor(const std::string& name, const std::string& type, const std::string& shape,
                   const std::string& data) {
  return R"({"name":")" + name + R"(","datatype":")" + type + R"(","shape":)" + shape +
         R"(,"data":)" + data + "}";
}
const std::string kNote = tensor("note", "BYTES", "[2]", R"(["a",null])");

/// A request with this tensor for "legs".
std::string legs(const std::string& type, const std::string& shape, const std::string& data) {
  return R"({"inputs":[)" + tensor("legs", type, shape, data) + "," + kNote + "]}";
}

PredictRequest good(const std::string& body, const std::string& raw = "") {
  auto result = parse_open_inference({body, raw}, kInputs, kForm, {});
  if (const auto* error = std::get_if<ApiError>(&result)) {
    ADD_FAILURE() << body << " gave " << error->message;
    return {};
  }
  return std::get<PredictRequest>(std::move(result));
}

std::string bad(const std::string& body, const std::string& raw = "") {
  const auto result = parse_open_inference({body, raw}, kInputs, kForm, {});
  const auto* error = std::get_if<ApiError>(&result);
  if (error == nullptr) {
    ADD_FAILURE() << body << " was accepted";
    return {};
  }
  EXPECT_EQ(error->status, 400) << body;
  return error->message;
}

TEST(OpenInference, ColumnsThatTheModelDoesNotUseAreLeftOut) {
  const std::vector<std::string> unused = {"animal"};
  PredictLimits limits;
  limits.unused = unused;
  // raw: its bytes are passed over too
  const std::string body = R"({"inputs":[{"name":"animal","datatype":"INT8","shape":[2],)"
                           R"("parameters":{"binary_data_size":2}},)" +
                           tensor("legs", "INT8", "[2]", "[4,2]") + "," + kNote + "]}";
  const auto result = parse_open_inference({body, "xy"}, kInputs, kForm, limits);
  const auto* request = std::get_if<PredictRequest>(&result);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->cells, (std::vector<std::string>{"4", "a", "2", ""}));
  EXPECT_EQ(request->ignored, std::vector<std::string>{"animal"});
}

TEST(OpenInference, EveryDatatypeOfJsonMakesCells) {
  const std::vector<std::vector<std::string>> table = {
      {"FP32", "[0.1,-2]", "0.1", "-2"},
      {"FP64", "[1e300,3]", "1e+300", "3"},
      {"INT8", "[-128,127]", "-128", "127"},
      {"INT16", "[-32768,32767]", "-32768", "32767"},
      {"INT32", "[-2147483648,2147483647]", "-2147483648", "2147483647"},
      {"INT64", "[-9223372036854775808,9223372036854775807]", "-9223372036854775808",
       "9223372036854775807"},
      {"UINT8", "[0,255]", "0", "255"},
      {"UINT16", "[0,65535]", "0", "65535"},
      {"UINT32", "[0,4294967295]", "0", "4294967295"},
      {"UINT64", "[0,18446744073709551615]", "0", "18446744073709551615"},
      {"BOOL", "[true,false]", "true", "false"},
      {"BYTES", R"(["4","2"])", "4", "2"},
  };
  for (const auto& row : table) {
    const PredictRequest request = good(legs(row[0], "[2]", row[1]));
    EXPECT_EQ(request.cells, (Cells{row[2], "a", row[3], ""})) << row[0];
    EXPECT_EQ(request.rows, 2);
  }
}

TEST(OpenInference, DataMayBeNested) {
  EXPECT_EQ(good(legs("INT32", "[2,1]", "[[4],[2]]")).cells, (Cells{"4", "a", "2", ""}));
  EXPECT_EQ(good(legs("INT32", "[2,1]", "[4,2]")).cells, (Cells{"4", "a", "2", ""}));
}

TEST(OpenInference, IdOutputsAndParametersAreRead) {
  const PredictRequest request = good(
      R"({"id":"x1","parameters":{"priority":1,"binary_data_output":false},"outputs":[{"name":)"
      R"("probabilities","parameters":{"binary_data":false}}],"inputs":[)" +
      kNote + "," + tensor("legs", "FP32", "[2]", "[4,2]") + R"(],"more":1})");
  EXPECT_EQ(request.id, "x1");
  ASSERT_EQ(request.outputs.size(), 1U);
  EXPECT_EQ(request.outputs[0].name, "probabilities");
  EXPECT_FALSE(request.outputs[0].is_binary);
  EXPECT_EQ(request.ignored, std::vector<std::string>{"more"});
}

struct Wrong {
  std::string body;
  std::string message;
};

TEST(OpenInference, WhatIsWrongIsNamed) {
  const std::string types =
      "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BYTES";
  const std::string shapes =
      R"(input "legs": "shape" must be [n] or [n, 1] for n >= 1 instances, )";
  const std::vector<Wrong> table = {
      {"{}", R"("inputs" must be a list with a tensor per column: legs, note)"},
      {R"({"inputs":[]})", R"("inputs" must be a list with a tensor per column: legs, note)"},
      {R"({"inputs":[1]})", R"(every input needs a "name", "shape", "datatype" and "data")"},
      {R"({"inputs":[)" + kNote + "]}",
       R"(the input "legs" is missing; the model takes legs, note)"},
      {R"({"inputs":[)" + kNote + "," + kNote + "]}", R"(input "note" is given twice)"},
      {R"({"inputs":[)" + tensor("legz", "FP32", "[1]", "[1]") + "]}",
       R"(the model has no input "legz". Did you mean "legs"?)"},
      {legs("BF16", "[2]", "[4,2]"),
       R"(input "legs": "datatype" must be one of )" + types + R"(, but is "BF16")"},
      {legs("FP32", "[2,2]", "[4,2]"), shapes + "but is [2,2]"},
      {legs("FP32", "[-1]", "[4,2]"), shapes + "but is [-1]"},
      {legs("FP32", "[0]", "[]"), shapes + "but is [0]"},
      {legs("FP32", "[]", "[4]"), shapes + "but is []"},
      {legs("FP32", "[18446744073709551615]", "[4]"), shapes + "but is [18446744073709551615]"},
      {legs("FP32", "[1152921504606846978,16]", "[4]"), shapes + "but is [1152921504606846978,16]"},
      {legs("FP32", "[2.5]", "[4]"), shapes + "but is [2.5]"},
      {legs("FP32", "[3]", "[4,2]"), R"(input "legs" has 2 values but its shape holds 3)"},
      {legs("FP32", "[1]", "[4]"), R"(input "note" has 2 instances but "legs" has 1)"},
      {legs("FP32", "[2]", "4"), R"(input "legs": "data" must be a list, but is 4)"},
      {legs("FP32", "[2]", R"([4,"x"])"), R"(instance 1: column "legs" must be FP32, but is "x")"},
      {legs("INT32", "[2]", "[4,2.5]"), R"(instance 1: column "legs" must be INT32, but is 2.5)"},
      {legs("INT32", "[2]", "[4,2147483648]"),
       R"(instance 1: column "legs" must be INT32, but is 2147483648)"},
      {legs("INT8", "[2]", "[4,-129]"), R"(instance 1: column "legs" must be INT8, but is -129)"},
      {legs("UINT8", "[2]", "[4,-1]"), R"(instance 1: column "legs" must be UINT8, but is -1)"},
      {legs("UINT8", "[2]", "[4,256]"), R"(instance 1: column "legs" must be UINT8, but is 256)"},
      {legs("INT64", "[2]", "[4,18446744073709551615]"),
       R"(instance 1: column "legs" must be INT64, but is 18446744073709551615)"},
      {legs("BOOL", "[2]", "[4,2]"), R"(instance 0: column "legs" must be BOOL, but is 4)"},
      {legs("BYTES", "[2]", "[4,2]"), R"(instance 0: column "legs" must be BYTES, but is 4)"},
      {R"({"outputs":[{"name":"logits"}],"inputs":[]})",
       R"(the model has no output "logits", only prediction, probabilities)"},
      {R"({"outputs":[{"name":"prediction"},{"name":"prediction"}],"inputs":[]})",
       R"(the output "prediction" is asked for twice)"},
      {R"({"outputs":[{"name":"prediction","parameters":{"classification":2}}],"inputs":[]})",
       R"(the output parameter "classification" is not supported)"},
      {R"({"outputs":{},"inputs":[]})", R"("outputs" must be a list, but is {})"},
      {R"({"id":7,"inputs":[]})", R"("id" must be a string, but is 7)"},
  };
  for (const Wrong& wrong : table) EXPECT_EQ(bad(wrong.body), wrong.message) << wrong.body;
}

/// A request whose "legs" are `bytes` of a raw tensor.
std::string raw_legs(const std::string& type, const std::string& bytes) {
  return R"({"inputs":[{"name":"legs","datatype":")" + type +
         R"(","shape":[2],"parameters":{"binary_data_size":)" + bytes + "}}," + kNote + "]}";
}

TEST(OpenInference, RawTensorsFollowTheJson) {
  const std::string floats("\xCD\xCC\xCC\x3D\0\0\x80\xC0", 8);  // 0.1, -4
  EXPECT_EQ(good(raw_legs("FP32", "8"), floats).cells, (Cells{"0.1", "a", "-4", ""}));
  EXPECT_EQ(good(raw_legs("INT16", "4"), std::string("\xFE\xFF\x03\0", 4)).cells,
            (Cells{"-2", "a", "3", ""}));
  EXPECT_EQ(good(raw_legs("BOOL", "2"), std::string("\1\0", 2)).cells,
            (Cells{"true", "a", "false", ""}));
  const std::string texts("\1\0\0\0004\0\0\0\0", 9);
  EXPECT_EQ(good(raw_legs("BYTES", "9"), texts).cells, (Cells{"4", "a", "", ""}));
}

/// A category of numbers, raw and in JSON; the digits of a double that a float has are those that
/// clients write of one.
TEST(OpenInference, ANumberIsTheSameCategoryRawAndInJson) {
  const auto notes = [](const std::string& type, const std::string& more, const std::string& raw) {
    const std::string note = R"({"name":"note","datatype":")" + type + R"(","shape":[3],)" + more;
    return good(R"({"inputs":[)" + note + "}," + tensor("legs", "INT8", "[3]", "[1,2,3]") + "]}",
                raw)
        .cells;
  };
  const Cells cells = {"1", "4", "2", "0.1", "3", "-2.5e+20"};
  const std::string floats("\0\0\x80\x40\xCD\xCC\xCC\x3D\x27\xD7\x58\xE1", 12);
  EXPECT_EQ(notes("FP32", R"("parameters":{"binary_data_size":12})", floats), cells);
  for (const char* type : {"FP32", "FP64"}) {
    EXPECT_EQ(notes(type, R"("data":[4.0,0.1,-2.5e20])", ""), cells) << type;
  }
  EXPECT_EQ(notes("FP32", R"("data":[4,0.10000000149011612,-2.5e20])", ""), cells);
  EXPECT_EQ(notes("FP32", R"("data":[null,1e300,null])", ""),
            (Cells{"1", "", "2", "1e+300", "3", ""}));
  EXPECT_EQ(good(legs("FP32", "[2]", "[0.10000000149011612,4.0]")).cells,
            (Cells{"0.10000000149011612", "a", "4.0", ""}))
      << "as it is written";
}

/// Whole numbers without a point too: 2^24 + 1 is no float, 10^20 has more digits than a double.
TEST(OpenInference, AWholeNumberIsTheSameCategoryRawAndInJson) {
  const auto notes = [](const std::string& type, const std::string& more, const std::string& raw) {
    const std::string note = R"({"name":"note","datatype":")" + type + R"(","shape":[2],)" + more;
    return good(R"({"inputs":[)" + note + "}," + tensor("legs", "INT8", "[2]", "[1,2]") + "]}", raw)
        .cells;
  };
  const std::string floats("\0\0\x80\x4B\xAC\xC5\x27\x37", 8);  // 2^24, 1e-5
  const Cells cells = notes("FP32", R"("parameters":{"binary_data_size":8})", floats);
  EXPECT_EQ(cells[1], "16777216");
  EXPECT_EQ(notes("FP32", R"("data":[16777217,0.00001])", ""), cells);
  EXPECT_EQ(notes("FP64", R"("data":[16777217,-3])", ""), (Cells{"1", "16777217", "2", "-3"}));
  const std::string doubles("\x40\x8C\xB5\x78\x1D\xAF\x15\x44\0\0\0\0\0\0\0\0", 16);
  EXPECT_EQ(notes("FP64", R"("data":[100000000000000000000,0])", ""),
            notes("FP64", R"("parameters":{"binary_data_size":16})", doubles));
  EXPECT_EQ(notes("INT64", R"("data":[16777217,0])", ""), (Cells{"1", "16777217", "2", "0"}));
}

TEST(OpenInference, RawTensorsOfAnotherSizeAreNamed) {
  const std::string bytes(8, '\0');
  EXPECT_EQ(bad(raw_legs("FP32", "8"), "xx"),
            R"(input "legs": "binary_data_size" is 8 but 2 bytes are left in the body)");
  EXPECT_EQ(bad(raw_legs("FP32", "-8"), bytes),
            R"(input "legs": "binary_data_size" is -8 but 8 bytes are left in the body)");
  EXPECT_EQ(bad(raw_legs("FP32", "4"), bytes), R"(input "legs": 4 bytes are not 2 values of FP32)");
  EXPECT_EQ(bad(raw_legs("INT8", "2"), bytes), "6 bytes of the body belong to no tensor");
  EXPECT_EQ(bad(raw_legs("BYTES", "8"), std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8)),
            R"(input "legs": 8 bytes are not 2 values of BYTES)");
  EXPECT_EQ(bad(raw_legs("BYTES", "9"), std::string("\1\0\0\0\xFF\0\0\0\0", 9)),
            R"(instance 0: column "legs" holds bytes that are not UTF-8)");
}

TEST(OpenInference, TheHeaderCutsTheBody) {
  const auto cut = [](std::string_view body, std::string_view header) {
    const auto result = split_infer_body(body, header);
    if (const auto* error = std::get_if<ApiError>(&result)) return error->message;
    const auto& parts = std::get<InferBody>(result);
    return std::string(parts.json) + "|" + std::string(parts.raw);
  };
  EXPECT_EQ(cut("abc", ""), "abc|");
  EXPECT_EQ(cut("abc", "2"), "ab|c");
  EXPECT_EQ(cut("abc", "3"), "abc|");
  EXPECT_EQ(cut("abc", "0"),
            "Inference-Header-Content-Length is 0: a body of one raw tensor is not supported; send "
            "the JSON header with \"inputs\" before it");
  for (const char* header : {"4", "-1", "x", "2x", "99999999999999999999999", " 2"}) {
    EXPECT_EQ(cut("abc", header), std::string("Inference-Header-Content-Length is ") + header +
                                      " but must be the bytes of JSON in a body of 3");
  }
}

TEST(OpenInference, NoPrefixOfARequestCrashes) {
  const std::string text = R"({"id":"1","outputs":[{"name":"prediction"}],"inputs":[)" + kNote +
                           "," + tensor("legs", "FP32", "[2,1]", "[[4],[2]]") + "]}";
  (void)good(text);
  for (size_t size = 0; size < text.size(); ++size) (void)bad(text.substr(0, size));
}

const std::array<float, 4> kValues = {0.25F, 0.75F, 0.5F, 0.5F};

TEST(OpenInference, AnswersAreTensors) {
  const std::span<const float> values(kValues);
  const AnswerRows rows = {values.first(2), {}, values.last(2)};
  PredictRequest request = good(legs("FP32", "[2]", "[4,2]"));
  EXPECT_EQ(open_inference_answer("m", "1", kForm, rows, request).body,
            R"({"model_name":"m","model_version":"1","outputs":[)"
            R"({"name":"prediction","shape":[3],"datatype":"BYTES","data":["dog",null,"bird"]},)"
            R"({"name":"probabilities","shape":[3,2],"datatype":"FP32",)"
            R"("data":[0.25,0.75,null,null,0.5,0.5]}]})");
  request.id = "x\"1";
  request.outputs = {{"prediction", false}};
  const Reply reply = open_inference_answer("m", "1", AnswerForm({}), {values.first(1)}, request);
  EXPECT_EQ(reply.body, R"({"model_name":"m","model_version":"1","id":"x\"1","outputs":[)"
                        R"({"name":"prediction","shape":[1],"datatype":"FP32","data":[0.25]}]})");
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(reply.more_lines, "");
}

TEST(OpenInference, AnswersAreRawWhereThatIsWanted) {
  const std::span<const float> values(kValues);
  PredictRequest request;
  request.outputs = {{"probabilities", true}, {"prediction", true}};
  const Reply reply = open_inference_answer("m", "1", kForm, {values.first(2), {}}, request);
  const std::string json = R"({"model_name":"m","model_version":"1","outputs":[)"
                           R"({"name":"probabilities","shape":[2,2],"datatype":"FP32",)"
                           R"("parameters":{"binary_data_size":16}},)"
                           R"({"name":"prediction","shape":[2],"datatype":"BYTES",)"
                           R"("parameters":{"binary_data_size":11}}]})";
  const std::string numbers("\0\0\x80\x3E\0\0\x40\x3F\0\0\xC0\x7F\0\0\xC0\x7F", 16);
  const std::string texts("\3\0\0\0dog\0\0\0\0", 11);
  EXPECT_EQ(reply.body, json + numbers + texts);
  EXPECT_EQ(reply.content_type, "application/octet-stream");
  EXPECT_EQ(reply.more_lines,
            "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
}

TEST(OpenInference, MetadataNamesTensorsAndClasses) {
  const std::vector<PredictorInput> inputs = {{"legs", InputKind::kNumber},
                                              {"picture", InputKind::kImage}};
  EXPECT_EQ(open_inference_metadata("m", "1", inputs, kForm),
            R"({"name":"m","versions":["1"],"platform":"ingot_network","inputs":[)"
            R"({"name":"legs","datatype":"FP32","shape":[-1]},)"
            R"({"name":"picture","datatype":"BYTES","shape":[-1],)"
            R"("parameters":{"content_type":"base64",)"
            R"("pixels":{"datatype":"UINT8","shape":[-1,-1,-1,-1]}}}],"outputs":[)"
            R"({"name":"prediction","datatype":"BYTES","shape":[-1]},)"
            R"({"name":"probabilities","datatype":"FP32","shape":[-1,2]}],)"
            R"("parameters":{"classes":["bird","dog"]}})");
}

TEST(OpenInference, MetadataOfNumbersNamesTheOneInputThatHoldsThem) {
  const std::vector<PredictorInput> inputs = {{"a", InputKind::kNumber}, {"b", InputKind::kNumber}};
  EXPECT_EQ(open_inference_metadata("m", "1", inputs, AnswerForm({})),
            R"({"name":"m","versions":["1"],"platform":"ingot_network","inputs":[)"
            R"({"name":"a","datatype":"FP32","shape":[-1]},)"
            R"({"name":"b","datatype":"FP32","shape":[-1]}],"outputs":[)"
            R"({"name":"prediction","datatype":"FP32","shape":[-1]}],)"
            R"("parameters":{"classes":[],"one_input":{"datatype":"FP32","shape":[-1,2]}}})");
}

}  // namespace
}  // namespace ingot::serve::open_inference_test
