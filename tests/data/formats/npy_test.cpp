// SPDX-License-Identifier: Apache-2.0
// .npy files of NumPy itself (tests/golden/data, written by scripts/golden/data_golden.py), ours
// byte for byte against them, and every lie of a header.
#include "data/formats/npy.h"

#include <cmath>
#include <cstring>

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
  EXPECT_EQ(refusal("fortran"), "in Fortran order; save numpy.ascontiguousarray(arr)");
  EXPECT_EQ(refusal("object"),
            "holds Python objects (descr |O), which are never loaded: they may run code; save "
            "numbers, arr.astype('<f4')");
  EXPECT_EQ(refusal("big_endian"),
            "descr >f4 is none of <f4, <f8, <i4, <i8, |u1; save arr.astype('<f4')");
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
