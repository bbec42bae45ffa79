// SPDX-License-Identifier: Apache-2.0
// .npy files of NumPy itself (tests/golden/data, written by scripts/golden/data_golden.py), ours
// byte for byte against them, and every lie of a header.
#include "data/formats/npy.h"

#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "base/files.h"
#include "data/temp_folder.h"
#include "source_dir.h"

namespace ingot::data::npy_test {
namespace {

const std::string kFolder = INGOT_SOURCE_DIR "/tests/golden/data/";

Array golden(const std::string& name) { return read_npy(kFolder + name + ".npy"); }

TEST(Npy, ReadsWhatNumPyWrote) {
  const Array f4 = golden("f4");
  EXPECT_EQ(f4.shape, (Shape{3, 4}));
  // np.random.default_rng(1).normal(size=(3, 4)).astype('<f4')
  EXPECT_EQ(f4.values<float>()[0], 0.34558418F);
  EXPECT_EQ(f4.values<float>()[11], 0.546713F);
  const Array f8 = golden("f8");
  EXPECT_EQ(f8.shape, (Shape{4}));
  EXPECT_EQ(f8.values<double>()[1], -2.0);
  EXPECT_TRUE(std::isinf(f8.values<double>()[2]));
  EXPECT_EQ(f8.values<double>()[3], 1e300);
  const Array i4 = golden("i4");
  EXPECT_EQ(i4.shape, (Shape{1, 2, 3}));
  EXPECT_EQ(i4.values<int32_t>()[0], -3);
  EXPECT_EQ(i4.values<int32_t>()[5], 2);
  const Array i8 = golden("i8");
  EXPECT_EQ(i8.shape, Shape{});
  EXPECT_EQ(i8.values<int64_t>()[0], -9'000'000'000'000'000'000);
  EXPECT_EQ(golden("u1").shape, (Shape{0, 5}));
  EXPECT_EQ(golden("v2").values<float>()[3], 3.0F);
}

TEST(Npy, WritesTheBytesOfNumPy) {
  for (const char* name : {"f4", "f8", "i4", "i8", "u1"}) {
    EXPECT_EQ(npy_bytes(golden(name)), read_file(kFolder + name + ".npy")) << name;
  }
  const TempFolder folder;
  const auto files = real_files();
  write_npy(*files, folder.file("x.npy"), golden("f4"));
  EXPECT_EQ(read_npy(folder.file("x.npy")).bytes, golden("f4").bytes);
}

TEST(Npy, RefusesWhatItDoesNotTake) {
  const auto refusal = [](const std::string& name) {
    std::string message = message_of(Code::kUnsupported, [&] { (void)golden(name); });
    return message.substr(message.find("npy\": ") + 6);
  };
  EXPECT_EQ(refusal("object"),
            "holds Python objects (descr |O), which are never loaded: they may run code; save "
            "numbers, arr.astype('<f4'), of texts numpy.unique(arr, return_inverse=True)[1]");
  // numpy.save of numpy.array(["cat", "dog"]) and of the same as bytes begin so.
  for (const std::string descr : {"<U3", "|S3"}) {
    std::string head = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,), }\n";
    std::string file = "\x93NUMPY";
    file += {'\x01', '\x00', static_cast<char>(head.size()), '\x00'};
    EXPECT_EQ(message_of(Code::kUnsupported,
                         [&] { (void)read_npy(*io::memory_source(file + head, "y_train.npy")); }),
              "npy: \"y_train.npy\": holds texts (descr " + descr +
                  "); save a number for each of them, numpy.unique(arr, return_inverse=True)[1]");
  }
  EXPECT_EQ(refusal("big_endian"),
            "descr >f4 is none of <f2, <f4, <f8, |i1, <i2, <i4, <i8, |u1, <u2, <u4, |b1; save "
            "arr.astype('<f4')");
  EXPECT_EQ(refusal("record"), "a structured array; save each field alone, arr['field']");
  Array half;
  half.dtype = DType::kF16;
  half.shape = {1};
  EXPECT_EQ(message_of(Code::kUnsupported, [&] { (void)npy_bytes(half); }),
            "npy: float16 has no place in .npy; use float32, float64, int32, int64 or uint8");
  Array wrong;
  wrong.shape = {2};
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)npy_bytes(wrong); }),
            "npy: shape [2] of float32 needs 8 bytes, there are 0");
  EXPECT_EQ(message_of(Code::kDtypeMismatch, [] { (void)golden("f4").values<double>(); }),
            "array: holds float32, not float64");
}

std::string file_of(const std::string& header, const std::string& data = "", char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) file += std::string(2, '\0');
  return file + header + data;
}

std::string refusal(const std::string& file, Code code = Code::kCorruptFile) {
  return message_of(code, [&] { (void)read_npy(*io::memory_source(file, "f")); });
}

TEST(Npy, GivesNarrowNumbersAsWiderOnes) {
  const auto array_of = [](const std::string& descr, const std::string& data, int count) {
    return read_npy(
        *io::memory_source(file_of("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" +
                                       std::to_string(count) + ",)}",
                                   data),
                           "f"));
  };
  const auto values = [&](const std::string& descr, const std::string& data, int count) {
    const Array array = array_of(descr, data, count);
    const std::span<const int32_t> all = array.values<int32_t>();
    return std::vector<int32_t>(all.begin(), all.end());
  };
  using Whole = std::vector<int32_t>;
  EXPECT_EQ(values("|b1", std::string("\x01\x00", 2), 2), (Whole{1, 0}));
  EXPECT_EQ(values("|i1", "\x80\x7f", 2), (Whole{-128, 127}));
  EXPECT_EQ(values("<i2", std::string("\x00\x80\x01\x00", 4), 2), (Whole{-32768, 1}));
  EXPECT_EQ(values("<u2", std::string("\xff\xff\x00\x80", 4), 2), (Whole{65535, 32768}));
  EXPECT_EQ(array_of("<u4", "\xff\xff\xff\xff", 1).values<int64_t>()[0], 4'294'967'295);
  // np.array([1, -2.5, 0.1, 65504, 2.0**-24, np.inf, np.nan], '<f2').tobytes()
  const Array half = array_of("<f2",
                              std::string("\x00\x3c\x00\xc1\x66\x2e\xff\x7b\x01\x00\x00\x7c"
                                          "\x00\x7e",
                                          14),
                              7);
  const std::span<const float> f = half.values<float>();
  EXPECT_EQ(f[0], 1.0F);
  EXPECT_EQ(f[1], -2.5F);
  EXPECT_EQ(f[2], 0.0999755859375F);
  EXPECT_EQ(f[3], 65504.0F);
  EXPECT_EQ(f[4], 0x1p-24F);
  EXPECT_TRUE(std::isinf(f[5]) && f[5] > 0);
  EXPECT_TRUE(std::isnan(f[6]));
}

TEST(Npy, GivesFortranOrderRowByRow) {
  EXPECT_EQ(golden("fortran").shape, (Shape{2, 3}));
  EXPECT_EQ(golden("fortran").bytes, std::vector<std::byte>(24));
  // np.asfortranarray(np.arange(12, dtype='|u1').reshape(2, 3, 2)).tobytes('F')
  const std::string numbers("\x00\x06\x02\x08\x04\x0a\x01\x07\x03\x09\x05\x0b", 12);
  const auto file = [&](const std::string& shape) {
    return file_of("{'descr': '|u1', 'fortran_order': True, 'shape': " + shape + "}", numbers);
  };
  const Array array = read_npy(*io::memory_source(file("(2, 3, 2)"), "f"));
  EXPECT_EQ(array.shape, (Shape{2, 3, 2}));
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(array.values<uint8_t>()[i], i);
  // Of one axis both orders are the same.
  EXPECT_EQ(read_npy(*io::memory_source(file("(12,)"), "f")).values<uint8_t>()[1], 6);
}

TEST(Npy, HeadersAreParsedStrictly) {
  const auto header = [](const std::string& shape) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}";
  };
  EXPECT_EQ(read_npy(*io::memory_source(file_of(header("(1,)"), "abcd"), "f")).shape, (Shape{1}));
  EXPECT_EQ(refusal("no such file"), "npy: \"f\": does not begin as an .npy file");
  EXPECT_EQ(refusal("\x93NUM"), "npy: \"f\": ends after 4 of 8 bytes; fetch the file again");
  EXPECT_EQ(refusal(file_of(header("(1,)"), "abcd", 4), Code::kUnsupported),
            "npy: \"f\": version 4 of the format; 1, 2 and 3 are known");
  EXPECT_EQ(refusal(file_of(header("(2,)"), "abcd")),
            "npy: \"f\": ends after 4 of 8 bytes; fetch the file again");
  EXPECT_EQ(refusal(file_of(header("(1,)"), "abcde")),
            "npy: \"f\": more bytes follow than its head announces");
  EXPECT_EQ(refusal(file_of(header("(1, -1)"))),
            "npy: \"f\": expected an axis size at byte 54 of the header "
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}");
  EXPECT_TRUE(
      contains(refusal(file_of(header("(3000000000, 3000000000, 2)"))), "npy: \"f\": size: "));
  EXPECT_EQ(refusal(file_of(header("(1000000000000,)"), "abcd")),
            "npy: \"f\": ends after 4 of 4000000000000 bytes; fetch the file again");
  EXPECT_EQ(refusal(file_of(header("(1,1,1,1,1,1,1)")), Code::kUnsupported),
            "npy: \"f\": more than 6 axes");
  EXPECT_EQ(refusal(file_of("{'descr': '<f4'}")),
            "npy: \"f\": the header {'descr': '<f4'} lacks descr, fortran_order or shape");
  EXPECT_TRUE(contains(refusal(file_of("{'color': 1}")), "expected descr, fortran_order or shape"));
  EXPECT_TRUE(contains(refusal(file_of("{'descr: 1")), "expected a closing quote"));
  EXPECT_TRUE(contains(refusal(file_of("[]")), "expected '{'"));
  EXPECT_TRUE(contains(refusal(file_of("{'fortran_order': 1}")), "expected True or False"));
  EXPECT_TRUE(contains(refusal(file_of("{1}")), "expected a text in quotes"));
  std::string large = "\x93NUMPY\x02";
  large += std::string("\0\0\0\0\x7f", 5);
  EXPECT_EQ(refusal(large), "npy: \"f\": a header of 2130706432 bytes, at most 65536 are allowed");
}

}  // namespace
}  // namespace ingot::data::npy_test
