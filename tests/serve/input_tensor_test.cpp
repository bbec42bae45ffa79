// SPDX-License-Identifier: Apache-2.0
// Tensors of more than one value per instance, tables of numbers and pictures, through the request
// that holds them; float16 and NaN. Tensors of one column are in open_inference_test.cpp.
#include "serve/input_tensor.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/image.h"
#include "serve/open_inference.h"

namespace ingot::serve::input_tensor_test {
namespace {

using Cells = std::vector<std::string>;
using Inputs = std::vector<PredictorInput>;

const Inputs kNumbers = {
    {"a", InputKind::kNumber}, {"b", InputKind::kNumber}, {"c", InputKind::kNumber}};
const Inputs kNumber = {{"size", InputKind::kNumber}};
const Inputs kPicture = {{"image", InputKind::kImage}};
const Inputs kBoth = {{"legs", InputKind::kNumber}, {"image", InputKind::kImage}};
const AnswerForm kForm({"bird", "dog"});

std::string head_of(const std::string& name, const std::string& type, const std::string& shape) {
  return R"({"name":")" + name + R"(","datatype":")" + type + R"(","shape":)" + shape;
}
std::string tensor(const std::string& name, const std::string& type, const std::string& shape,
                   const std::string& data) {
  return head_of(name, type, shape) + ",\"data\":" + data + "}";
}
std::string raw_tensor(const std::string& name, const std::string& type, const std::string& shape,
                       size_t bytes) {
  return head_of(name, type, shape) + R"(,"parameters":{"binary_data_size":)" +
         std::to_string(bytes) + "}}";
}
std::string request(const std::string& tensors) { return R"({"inputs":[)" + tensors + "]}"; }

template <class Value>
std::string bytes_of(const std::vector<Value>& values) {
  std::string bytes(values.size() * sizeof(Value), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

PredictRequest good(const Inputs& inputs, const std::string& tensors, const std::string& raw = "") {
  auto result = parse_open_inference({request(tensors), raw}, inputs, kForm, {});
  if (const auto* error = std::get_if<ApiError>(&result)) {
    ADD_FAILURE() << tensors << " gave " << error->message;
    return {};
  }
  return std::get<PredictRequest>(std::move(result));
}

std::string bad(const Inputs& inputs, const std::string& tensors, const std::string& raw = "",
                const PredictLimits& limits = {}) {
  const auto result = parse_open_inference({request(tensors), raw}, inputs, kForm, limits);
  const auto* error = std::get_if<ApiError>(&result);
  if (error == nullptr) {
    ADD_FAILURE() << tensors << " was accepted";
    return {};
  }
  EXPECT_EQ(error->status, 400) << tensors;
  return error->message;
}

TEST(InputTensor, ATableOfNumbersHoldsTheCellsOfItsColumns) {
  const Cells cells = good(kNumbers, tensor("c", "FP64", "[2]", "[null,6e2]") + "," +
                                         tensor("a", "FP64", "[2,1]", "[0.1,4]") + "," +
                                         tensor("b", "FP64", "[2]", "[2.0,-5]"))
                          .cells;
  EXPECT_EQ(cells, (Cells{"0.1", "2.0", "", "4", "-5", "600.0"}));
  for (const char* name : {"input-0", "a", "c"}) {
    for (const char* data : {"[[0.1,2.0,null],[4,-5,6e2]]", "[0.1,2.0,null,4,-5,6e2]"}) {
      const PredictRequest table = good(kNumbers, tensor(name, "FP32", "[2,3]", data));
      EXPECT_EQ(table.rows, 2);
      EXPECT_EQ(table.cells, cells) << name << data;
    }
  }
}

TEST(InputTensor, ATableMayHaveEveryDatatypeOfNumbers) {
  const Cells cells = {"1", "2", "3", "4", "5", "6"};
  for (const char* type :
       {"UINT8", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"}) {
    EXPECT_EQ(good(kNumbers, tensor("x", type, "[2,3]", "[[1,2,3],[4,5,6]]")).cells, cells) << type;
  }
  const auto raw_cells = [](const char* type, const std::string& bytes) {
    return good(kNumbers, raw_tensor("x", type, "[2,3]", bytes.size()), bytes).cells;
  };
  EXPECT_EQ(raw_cells("FP32", bytes_of<float>({1, 2, 3, 4, 5, 6})), cells);
  EXPECT_EQ(raw_cells("FP64", bytes_of<double>({1, 2, 3, 4, 5, 6})), cells);
  EXPECT_EQ(raw_cells("INT32", bytes_of<int32_t>({1, 2, 3, 4, 5, 6})), cells);
  EXPECT_EQ(raw_cells("INT64", bytes_of<int64_t>({1, 2, 3, 4, 5, 6})), cells);
  EXPECT_EQ(raw_cells("INT8", bytes_of<int8_t>({1, 2, 3, 4, 5, 6})), cells);
  EXPECT_EQ(raw_cells("FP32", bytes_of<float>({0.1F, -4, 1e20F, 0, 2.5F, 7})),
            (Cells{"0.1", "-4", "1e+20", "0", "2.5", "7"}));
}

TEST(InputTensor, AFlatRowOfATableIsToldItsShape) {
  EXPECT_EQ(bad(kNumbers, tensor("input-0", "FP32", "[3]", "[1,2,3]")),
            "the model has no input \"input-0\"; it takes a, b, c, or all of them in one tensor of "
            "shape [n, 3]: these 3 values are [1, 3]");
  EXPECT_EQ(bad(kNumbers, tensor("input-0", "FP32", "[4]", "[1,2,3,4]"))
                .find("the model has no input \"input-0\"."),
            0U);
}

TEST(InputTensor, AModelOfOneNumberTakesATableOfOneColumn) {
  EXPECT_EQ(good(kNumber, tensor("input-0", "FP32", "[2,1]", "[[1.5],[2]]")).cells,
            (Cells{"1.5", "2"}));
  EXPECT_EQ(good(kNumber, tensor("size", "FP32", "[2,1]", "[1.5,2]")).cells, (Cells{"1.5", "2"}));
  EXPECT_EQ(bad(kNumber, tensor("x", "FP32", "[1,3]", "[1,2,3]")),
            "input \"x\" has 3 columns but the model takes 1: size");
  EXPECT_EQ(bad(kNumber, tensor("input-0", "FP32", "[2]", "[1,2]")).find("the model has no input"),
            0U);
  const std::vector<std::string> unused = {"price"};
  PredictLimits limits;
  limits.unused = unused;
  EXPECT_EQ(bad(kNumber, tensor("price", "FP32", "[1,1]", "[1]"), "", limits),
            "the input \"size\" is missing; the model takes size");
}

TEST(InputTensor, ATableThatDoesNotFitIsNamed) {
  const std::string shapes =
      R"(input "x": "shape" must be [n] or [n, 1] for n >= 1 instances, or [n, 3] of the only )"
      R"(input of a request, but is )";
  const auto table = [](const std::string& shape, const std::string& data) {
    return bad(kNumbers, tensor("x", "INT32", shape, data));
  };
  EXPECT_EQ(table("[2,2]", "[1,2,3,4]"),
            "input \"x\" has 2 columns but the model takes 3: a, b, c");
  EXPECT_EQ(table("[1,4]", "[1,2,3,4]"),
            "input \"x\" has 4 columns but the model takes 3: a, b, c");
  for (const char* shape :
       {"[1,1,3]", "[1,1,1,1,3]", "[-1,3]", "[0,3]", "[2,-3]", "[2,0]", "[2147483648,3]",
        "[1431655766,3]", "[18446744073709551615,3]", "[1.5,3]", "[]", "3"}) {
    EXPECT_EQ(table(shape, "[1,2,3]"), shapes + shape);
  }
  EXPECT_EQ(table("[2,3]", "[1,2,3,4,5]"), "input \"x\" has 5 values but its shape holds 6");
  EXPECT_EQ(table("[715827882,3]", "[1,2,3]"),
            "input \"x\" has 3 values but its shape holds 2147483646");
  const std::string lists =
      "input \"x\": \"data\" must be one list of 6 values, or lists in lists of the lengths of "
      "\"shape\"";
  EXPECT_EQ(table("[2,3]", "[[1,2],[3,4],[5,6]]"), lists) << "columns in place of rows";
  EXPECT_EQ(table("[2,3]", "[[1,2,3,4],[5,6]]"), lists);
  EXPECT_EQ(table("[2,3]", "[1,2,3,[4,5,6]]"), lists);
  EXPECT_EQ(table("[2,3]", "[[[1],[2],[3]],[[4],[5],[6]]]"), lists);
  EXPECT_EQ(table("[2,3]", "[[1,2,3],[4,2.5,6]]"),
            "instance 1: column \"b\" must be INT32, but is 2.5");
  const std::string floats = bytes_of<float>({1, 2, 3, 4, 5});
  EXPECT_EQ(bad(kNumbers, raw_tensor("x", "FP32", "[2,3]", 20), floats),
            "input \"x\": 20 bytes are not 6 values of FP32");
  EXPECT_EQ(bad(kNumbers, raw_tensor("x", "FP32", "[2,3]", 24), floats),
            "input \"x\": \"binary_data_size\" is 24 but 20 bytes are left in the body");
}

TEST(InputTensor, ATableBesideOtherTensorsIsRefused) {
  EXPECT_EQ(bad(kNumbers,
                tensor("a", "FP32", "[1,3]", "[1,2,3]") + "," + tensor("b", "FP32", "[1]", "[1]")),
            R"(input "a": "shape" must be [n] or [n, 1] for n >= 1 instances, or [n, 3] of the )"
            R"(only input of a request, but is [1,3])");
}

TEST(InputTensor, PixelsBecomeFiles) {
  const std::string head = io::pnm_head(1, 2, 1);
  const std::string first = head + std::string("\0\xFF", 2);
  const std::string second = head + "\x07\x08";
  const Cells both = {first, second};
  EXPECT_EQ(good(kPicture, tensor("image", "UINT8", "[2,1,2,1]", "[0,255,7,8]")).cells, both);
  EXPECT_EQ(good(kPicture, tensor("x", "UINT8", "[2,1,2,1]", "[[[[0],[255]]],[[[7],[8]]]]")).cells,
            both)
      << "the only input of a model needs no name";
  const std::string bytes("\0\xFF\x07\x08", 4);
  EXPECT_EQ(good(kPicture, raw_tensor("image", "UINT8", "[2,1,2,1]", 4), bytes).cells, both);
  const PredictRequest one = good(kPicture, tensor("image", "UINT8", "[1,2,1]", "[[[7],[8]]]"));
  EXPECT_EQ(one.rows, 1);
  EXPECT_EQ(one.cells, Cells{second});
  EXPECT_EQ(good(kPicture, tensor("image", "UINT8", "[1,1,3]", "[1,2,3]")).cells,
            Cells{io::pnm_head(1, 1, 3) + "\x01\x02\x03"});
  EXPECT_EQ(good(kBoth,
                 tensor("legs", "INT8", "[2]", "[4,2]") + "," +
                     raw_tensor("image", "UINT8", "[2,1,2,1]", 4),
                 bytes)
                .cells,
            (Cells{"4", first, "2", second}));
}

TEST(InputTensor, PixelsThatAreNoneAreNamed) {
  const std::string shapes =
      R"(input "image": "shape" must be [n] or [n, 1] for n >= 1 instances, or of the pixels of )"
      R"(pictures [n, height, width, channels] or [height, width, channels] with 1 channel (gray) )"
      R"(or 3 (red, green, blue), but is )";
  for (const char* shape :
       {"[1,3,2,2]", "[1,2,2,4]", "[2,2]", "[1,1,1,1,1]", "[1,0,2,1]", "[1,-2,2,1]", "[2,1,2]",
        "[1,1000000,1000000,3]", "[4294967296,4294967296,1,1]"}) {
    EXPECT_EQ(bad(kPicture, tensor("image", "UINT8", shape, "[1,2,3,4]")), shapes + shape);
  }
  for (const char* type : {"FP32", "FP16", "INT8", "INT32", "BYTES"}) {
    EXPECT_EQ(bad(kPicture, tensor("image", type, "[1,1,2,1]", "[0.5,1]")),
              R"(input "image": pixels must be UINT8, whole numbers from 0 to 255, as pictures )"
              R"(hold them before any scaling, but "datatype" is )" +
                  std::string(type));
  }
  const std::string values =
      "instance 1: column \"image\" must have pixels of whole numbers from 0 to 255, as pictures "
      "hold them before any scaling, but one is ";
  for (const char* value : {"256", "-1", "0.5", "1.0", "null", "\"1\""}) {
    const std::string data = std::string("[1,2,3,") + value + "]";
    EXPECT_EQ(bad(kPicture, tensor("image", "UINT8", "[2,1,2,1]", data)), values + value);
  }
  EXPECT_EQ(bad(kPicture, tensor("image", "UINT8", "[2,1,2,1]", "[1,2,3]")),
            "input \"image\" has 3 values but its shape holds 4");
  EXPECT_EQ(bad(kPicture, raw_tensor("image", "UINT8", "[1,1,2,1]", 1), "x"),
            "input \"image\": 1 bytes are not 2 values of UINT8");
  EXPECT_EQ(bad(kPicture, raw_tensor("image", "UINT8", "[1,1,1,1]", 2), "xy"),
            "input \"image\": 2 bytes are not 1 values of UINT8");
  EXPECT_EQ(bad(kBoth, tensor("legs", "UINT8", "[1,1,1]", "[1]") + "," +
                           tensor("image", "UINT8", "[1,1,1]", "[1]"))
                .find("input \"legs\": \"shape\" must be [n] or [n, 1]"),
            0U);
  EXPECT_EQ(bad(kBoth, tensor("legs", "UINT8", "[2]", "[1,2]") + "," +
                           tensor("image", "UINT8", "[1,1,1]", "[1]")),
            "input \"image\" has 1 instances but \"legs\" has 2");
}

TEST(InputTensor, AFloat16IsTheNumberThatItIs) {
  const auto cells_of = [](const std::vector<uint16_t>& bits) {
    const std::string bytes = bytes_of(bits);
    const std::string shape = "[" + std::to_string(bits.size()) + "]";
    return good(kNumber, raw_tensor("size", "FP16", shape, bytes.size()), bytes).cells;
  };
  EXPECT_EQ(cells_of({0x3C00, 0xC000, 0x3E00, 0x7BFF, 0x2E66, 0x0001, 0x0000, 0x8000}),
            (Cells{"1", "-2", "1.5", "65504", "0.099975586", "5.9604645e-08", "0", "-0"}));
  EXPECT_EQ(cells_of({0x7C00, 0xFC00, 0x7E00, 0xFE00}), (Cells{"inf", "-inf", "", ""}));
  EXPECT_EQ(bad(kNumber, raw_tensor("size", "FP16", "[2]", 3), "abc"),
            "input \"size\": 3 bytes are not 2 values of FP16");
  EXPECT_EQ(good(kNumber, tensor("size", "FP16", "[2]", "[0.1,4]")).cells, (Cells{"0.1", "4"}));
}

/// Text after a NaN that begins inside it: each byte is written once, however often NaN comes.
TEST(InputTensor, ABodyOfNaNsIsNoLongerThanItsNulls) {
  std::string tensors = "NaN";
  for (int i = 0; i < 100'000; ++i) tensors += "aN";
  EXPECT_TRUE(bad(kNumber, tensors).starts_with("the JSON body could not be parsed"));
}

TEST(InputTensor, NaNIsAMissingValue) {
  const Cells cells = {"1", "", "-2"};
  const std::string floats = bytes_of<uint32_t>({0x3F800000, 0x7FC00000, 0xC0000000});
  EXPECT_EQ(good(kNumber, raw_tensor("size", "FP32", "[3]", 12), floats).cells, cells);
  const std::string negative = bytes_of<uint64_t>({0xFFF8000000000000});
  EXPECT_EQ(good(kNumber, raw_tensor("size", "FP64", "[1]", 8), negative).cells, Cells{""});
  EXPECT_EQ(good(kNumber, tensor("size", "FP32", "[3]", "[1,NaN,-2]")).cells, cells);
  EXPECT_EQ(good(kNumbers, tensor("x", "FP32", "[1,3]", "[[NaN, NaN,3]]")).cells,
            (Cells{"", "", "3"}));
  // as a value, not as part of a text
  const Inputs text = {{"NaN", InputKind::kText}};
  EXPECT_EQ(good(text, tensor("NaN", "BYTES", "[3]", R"(["\"NaN",NaN,"NaN\\"])")).cells,
            (Cells{"\"NaN", "", "NaN\\"}));
  for (const char* data : {"[1,Infinity]", "[NaN,Infinity]", "[NaN1,1]", "[-NaN,1]", "[nan,1]"}) {
    EXPECT_EQ(bad(kNumber, tensor("size", "FP32", "[2]", data))
                  .find("the JSON body could not be parsed: body:1:"),
              0U)
        << data;
  }
}

TEST(InputTensor, NoPrefixOfARequestCrashes) {
  const std::string tensors = tensor("x", "FP32", "[2,3]", "[[1,NaN,3],[4,5,6]]");
  (void)good(kNumbers, tensors);
  const std::string text = request(tensors);
  for (size_t size = 0; size < text.size(); ++size) {
    const auto result = parse_open_inference({text.substr(0, size), ""}, kNumbers, kForm, {});
    EXPECT_TRUE(std::holds_alternative<ApiError>(result)) << size;
  }
}

}  // namespace
}  // namespace ingot::serve::input_tensor_test
