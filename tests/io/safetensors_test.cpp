// SPDX-License-Identifier: Apache-2.0
// safetensors files: what is written is read, files of the PyPI package are read (golden file and
// script: tests/golden/io, scripts/golden/safetensors_golden.py), and every lie of a header gets an
// error that names it, before anything is allocated.
#include "io/safetensors.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>

#include "base/faulty_files.h"
#include "base/message_of.h"
#include "source_dir.h"

namespace ingot::io::safetensors_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;

std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t n = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &n, 8);
  return file + header + std::string(data_bytes, 'x');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors(std::as_bytes(std::span(file)), static_cast<int64_t>(file.size()), "f");
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& range) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + range + "}";
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& range) {
  return R"({"t":)" + entry(dtype, shape, range) + "}";
}

void expect_message(const std::string& file, const std::string& message,
                    const std::string& code = "corrupt_file") {
  EXPECT_EQ(message_of([&] { (void)parse(file); }), message);
  EXPECT_EQ(code_of([&] { (void)parse(file); }), code) << message;
}

void expect_part(const std::string& file, const std::string& part,
                 const std::string& code = "corrupt_file") {
  const std::string message = message_of([&] { (void)parse(file); });
  EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { (void)parse(file); }), code) << message;
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

TEST(Safetensors, RoundTripKeepsNamesShapesBytesAndMetadata) {
  const TempDir dir;
  const auto files = real_files();
  const std::vector<float> a{1.5F, -2.0F, 0.25F, 3.0F, 5.0F, 8.0F};
  const std::vector<int64_t> b{-1, int64_t{1} << 62};
  const std::vector<uint8_t> c{7};
  const std::vector<float> none;
  write_safetensors(*files, dir.file("x.safetensors"),
                    {{"b.weight", DType::kF32, {2, 3}, bytes_of(a)},
                     {"empty", DType::kF32, {0, 4}, bytes_of(none)},
                     {"a \"quoted\" ünïcode", DType::kI64, {2}, bytes_of(b)},
                     {"scalar", DType::kU8, {}, bytes_of(c)}},
                    {{"format", "pt"}, {"note", "x=\"y\""}});
  const Safetensors file(dir.file("x.safetensors"));
  ASSERT_EQ(file.header().tensors.size(), 4U);
  EXPECT_EQ(file.header().metadata.at("format"), "pt");
  EXPECT_EQ(file.header().metadata.at("note"), "x=\"y\"");
  const TensorInfo& first = file.at("b.weight");
  EXPECT_EQ(first.shape, (Shape{2, 3}));
  EXPECT_EQ(std::memcmp(file.bytes(first).data(), a.data(), 24), 0);
  EXPECT_TRUE(file.bytes(file.at("empty")).empty());
  const TensorInfo& ints = file.at("a \"quoted\" ünïcode");
  EXPECT_EQ(ints.dtype, DType::kI64);
  EXPECT_EQ(std::memcmp(file.bytes(ints).data(), b.data(), 16), 0);
  EXPECT_EQ(file.at("scalar").shape.rank(), 0);
  EXPECT_EQ(file.bytes(file.at("scalar"))[0], std::byte{7});
}

TEST(Safetensors, DataBeginsAtAMultipleOf64) {
  const TempDir dir;
  const auto files = real_files();
  const std::vector<float> x{1.0F};
  for (size_t length = 1; length < 70; ++length) {  // every remainder of the header's size
    const std::string name(length, 'n');
    write_safetensors(*files, dir.file("x"), {{name, DType::kF32, {1}, bytes_of(x)}});
    EXPECT_EQ(Safetensors(dir.file("x")).header().data_begin % 64, 0) << length;
  }
}

TEST(Safetensors, SameTensorsGiveTheSameBytes) {
  const TempDir dir;
  const auto files = real_files();
  const std::vector<float> x{1.0F, 2.0F};
  for (const char* name : {"x", "y"}) {
    write_safetensors(*files, dir.file(name), {{"w", DType::kF32, {2}, bytes_of(x)}}, {{"k", "v"}});
  }
  EXPECT_EQ(read_file(dir.file("x")), read_file(dir.file("y")));
}

TEST(Safetensors, ReadsTheFileOfThePythonPackage) {
  const Safetensors file(INGOT_SOURCE_DIR "/tests/golden/io/python.safetensors");
  EXPECT_EQ(file.header().metadata.at("written_by"), "safetensors");
  ASSERT_EQ(file.header().tensors.size(), 9U);
  const struct {
    const char* name;
    DType dtype;
    Shape shape;
  } expected[] = {
      {"f64", DType::kF64, {3}},    {"i64", DType::kI64, {2, 2}}, {"i32", DType::kI32, {4}},
      {"u8", DType::kU8, {5}},      {"f16", DType::kF16, {2}},    {"bf16", DType::kBF16, {2}},
      {"f32", DType::kF32, {2, 3}}, {"scalar", DType::kF32, {}},  {"empty", DType::kF32, {0, 7}}};
  for (const auto& e : expected) {
    EXPECT_EQ(file.at(e.name).dtype, e.dtype) << e.name;
    EXPECT_EQ(file.at(e.name).shape, e.shape) << e.name;
  }
  float f32[6];
  std::memcpy(f32, file.bytes(file.at("f32")).data(), sizeof f32);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(f32[i], 0.5F * static_cast<float>(i) - 1.0F);
  int64_t i64[4];
  std::memcpy(i64, file.bytes(file.at("i64")).data(), sizeof i64);
  EXPECT_EQ(i64[3], -9'000'000'000'000'000'000);
  uint16_t bf16[2];
  std::memcpy(bf16, file.bytes(file.at("bf16")).data(), sizeof bf16);
  EXPECT_EQ(bf16[0], 0x3f80);  // 1.0
  EXPECT_EQ(bf16[1], 0xc040);  // -3.0
}

TEST(Safetensors, TruncatedAtEveryByteIsRefused) {
  const std::string file = file_of(one("F32", "[2]", "[0,8]"), 8);
  ASSERT_EQ(parse(file).tensors.size(), 1U);
  for (size_t size = 0; size < file.size(); ++size) {
    const std::string cut = file.substr(0, size);
    const std::string message = message_of([&] { (void)parse(cut); });
    EXPECT_TRUE(message.find("Is the copy complete?") != std::string::npos ||
                message.find("lie outside the file's") != std::string::npos)
        << size << ": " << message;
    EXPECT_EQ(code_of([&] { (void)parse(cut); }), "corrupt_file");
  }
}

TEST(Safetensors, EmptyAndShortFilesAreNamed) {
  const TempDir dir;
  std::ofstream(dir.file("empty")).flush();
  EXPECT_EQ(
      message_of([&] { const Safetensors f(dir.file("empty")); }),
      dir.file("empty") + ": 0 bytes are too few for a safetensors file. Is the copy complete?");
  expect_message("1234567", "f: 7 bytes are too few for a safetensors file. Is the copy complete?");
}

TEST(Safetensors, HugeHeaderSizeIsRefusedBeforeItIsRead) {
  std::string file = file_of("{}", 0);
  const uint64_t claims[] = {100'000'001, uint64_t{1} << 40, ~uint64_t{0}, uint64_t{1} << 63};
  for (const uint64_t claim : claims) {
    std::memcpy(file.data(), &claim, 8);
    expect_message(file, "f: the header claims " + std::to_string(claim) +
                             " bytes, at most 100000000 are allowed");
  }
  const uint64_t claim = 3;
  std::memcpy(file.data(), &claim, 8);
  expect_message(file, "f: the header claims 3 bytes, the file has 10. Is the copy complete?");
}

TEST(Safetensors, RangesThatOverlapLeaveAGapOrLieOutside) {
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":)" + entry("F32", "[1]", a) + R"(,"b":)" + entry("F32", "[1]", b) + "}";
  };
  ASSERT_EQ(parse(file_of(two("[4,8]", "[0,4]"), 8)).tensors.front().name, "b");  // data order
  expect_message(file_of(two("[0,4]", "[2,6]"), 6),
                 "f: tensor \"b\" begins at byte 2 of the data, 4 was expected (ranges overlap)");
  expect_message(file_of(two("[0,4]", "[0,4]"), 4),
                 "f: tensor \"b\" begins at byte 0 of the data, 4 was expected (ranges overlap)");
  expect_message(file_of(two("[0,4]", "[5,9]"), 9),
                 "f: tensor \"b\" begins at byte 5 of the data, 4 was expected (a gap)");
  expect_message(file_of(two("[4,8]", "[8,12]"), 12),
                 "f: tensor \"a\" begins at byte 4 of the data, 0 was expected (a gap)");
  expect_message(file_of(one("F32", "[1]", "[0,4]"), 5),
                 "f: the tensors take 4 bytes, the file holds 5 bytes of data");
  expect_message(file_of("{}", 1), "f: the tensors take 0 bytes, the file holds 1 bytes of data");
  expect_message(file_of(one("F32", "[2]", "[0,8]"), 4),
                 "f: tensor \"t\": data_offsets [0, 8] lie outside the file's 4 bytes of data");
  expect_message(file_of(one("F32", "[1]", "[4,0]"), 4),
                 "f: tensor \"t\": data_offsets [4, 0] lie outside the file's 4 bytes of data");
}

TEST(Safetensors, ShapeThatDoesNotMatchItsBytes) {
  expect_message(file_of(one("F32", "[3]", "[0,8]"), 8),
                 "f: tensor \"t\": float32 of shape [3] takes 12 bytes, data_offsets give 8");
  expect_message(file_of(one("F64", "[]", "[0,4]"), 4),
                 "f: tensor \"t\": float64 of shape [] takes 8 bytes, data_offsets give 4");
  expect_message(file_of(one("U8", "[0]", "[0,4]"), 4),
                 "f: tensor \"t\": uint8 of shape [0] takes 0 bytes, data_offsets give 4");
}

TEST(Safetensors, OverflowingNegativeAndOddNumbers) {
  expect_message(file_of(one("F32", "[4611686018427387904,4]", "[0,0]"), 0),
                 "f: tensor \"t\": size: 4 * 4611686018427387904 does not fit in 64 bits");
  expect_message(file_of(one("F32", "[2147483648,2147483648]", "[0,0]"), 0),
                 "f: tensor \"t\": size: 8589934592 * 2147483648 does not fit in 64 bits");
  expect_part(file_of(one("F32", "[18446744073709551615]", "[0,0]"), 0),
              "18446744073709551615 is outside");
  expect_message(file_of(one("F32", "[-1]", "[0,0]"), 0),
                 "f: tensor \"t\": shape holds -1, which is negative");
  expect_message(file_of(one("F32", "[1]", "[-4,0]"), 0),
                 "f: tensor \"t\": data_offsets holds -4, which is negative");
  expect_message(file_of(one("F32", "[1.0]", "[0,4]"), 4),
                 "f: tensor \"t\": shape must hold whole numbers");
  expect_message(file_of(one("F32", "[\"1\"]", "[0,4]"), 4),
                 "f: tensor \"t\": shape must hold whole numbers");
  expect_message(file_of(one("F32", "[1]", "[0,1e300]"), 4),
                 "f: tensor \"t\": data_offsets must hold whole numbers");
  expect_part(file_of(one("F32", "[1]", "[0,1e999]"), 4), "f:1:");
}

TEST(Safetensors, MembersOfTheWrongKind) {
  expect_message(file_of(R"({"t":[]})", 0),
                 "f: tensor \"t\": dtype, shape and data_offsets are needed");
  expect_message(file_of(R"({"t":{"dtype":"F32","shape":[]}})", 0),
                 "f: tensor \"t\": dtype, shape and data_offsets are needed");
  expect_message(file_of(R"({"t":{"dtype":7,"shape":[],"data_offsets":[0,4]}})", 4),
                 "f: tensor \"t\": dtype must be a string");
  expect_message(file_of(one("F32", "3", "[0,12]"), 12),
                 "f: tensor \"t\": shape must be a list of at most 6 sizes");
  expect_message(file_of(one("F32", "[1,1,1,1,1,1,1]", "[0,4]"), 4),
                 "f: tensor \"t\": shape must be a list of at most 6 sizes");
  expect_message(file_of(one("F32", "[1]", "[0,2,4]"), 4),
                 "f: tensor \"t\": data_offsets must be [begin, end]");
  expect_message(file_of(R"({"__metadata__":3})", 0), "f: __metadata__ must be an object");
  expect_message(file_of(R"({"__metadata__":{"k":3}})", 0),
                 "f: __metadata__ \"k\" must be a string");
}

TEST(Safetensors, UnknownDtypeIsUnsupported) {
  expect_message(
      file_of(one("F8_E4M3", "[1]", "[0,1]"), 1),
      "f: tensor \"t\": dtype \"F8_E4M3\" is not one of F32, BF16, F16, F64, I64, I32, U8",
      "unsupported");
}

TEST(Safetensors, HeadersThatAreNotTheRightJson) {
  expect_message(file_of("[]", 0), "f: the header must be a JSON object");
  expect_part(file_of("not json", 0), "f:1:");
  expect_part(file_of("", 0), "f:1:");
  expect_part(file_of("{} {}", 0), "f:1:");
  expect_part(file_of(R"({"t":NaN})", 0), "f:1:");
  expect_part(file_of(std::string("{\"a\xff\":1}"), 0), "f:1:");
  expect_part(file_of(std::string("{}\0", 3), 0), "f:1:");
  const std::string twice =
      R"({"t":)" + entry("F32", "[1]", "[0,4]") + R"(,"t":)" + entry("F32", "[1]", "[4,8]") + "}";
  expect_part(file_of(twice, 8), "\"t\"");
  const std::string deep = R"({"t":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  expect_part(file_of(deep, 0), "8");
}

TEST(Safetensors, MissingTensorNamesTheNearest) {
  const TempDir dir;
  const auto files = real_files();
  const std::vector<float> x{1.0F};
  write_safetensors(*files, dir.file("x"), {{"h.0.weight", DType::kF32, {1}, bytes_of(x)}});
  const Safetensors file(dir.file("x"));
  EXPECT_EQ(file.find("h.1.weight"), nullptr);
  EXPECT_EQ(message_of([&] { (void)file.at("h.1.weight"); }),
            dir.file("x") + ": there is no tensor \"h.1.weight\". Did you mean \"h.0.weight\"?");
  EXPECT_EQ(code_of([&] { (void)file.at("h.1.weight"); }), "not_found");
}

TEST(Safetensors, AFailedWriteLeavesTheOldFile) {
  const TempDir dir;
  const auto files = real_files();
  const std::vector<float> x{1.0F}, y{2.0F};
  write_safetensors(*files, dir.file("x"), {{"w", DType::kF32, {1}, bytes_of(x)}});
  const std::string before = read_file(dir.file("x"));
  const auto write = [&](FileSystem& to) {
    write_safetensors(to, dir.file("x"), {{"w", DType::kF32, {1}, bytes_of(y)}});
  };
  for (const FileOp op : {FileOp::kOpen, FileOp::kWrite, FileOp::kSync, FileOp::kRename}) {
    for (int64_t nth = 1; nth <= (op == FileOp::kWrite ? 3 : 1); ++nth) {
      FaultyFiles faulty(*files, {{.op = op, .nth = nth, .tear = true}});
      const std::string message = message_of([&] { write(faulty); });
      EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
      EXPECT_NE(message.find("is unchanged"), std::string::npos) << message;
      EXPECT_EQ(read_file(dir.file("x")), before);
    }
  }
  write(*files);
  EXPECT_NE(read_file(dir.file("x")), before);
}

}  // namespace
}  // namespace ingot::io::safetensors_test
