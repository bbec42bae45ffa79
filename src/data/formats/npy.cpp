// SPDX-License-Identifier: Apache-2.0
// The header is parsed as the Python literal it is, as far as numpy writes it: one dict with three
// keys, strings in either quote, True and False, a tuple of whole numbers.
#include "data/formats/npy.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/checked.h"
#include "base/half.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr int64_t kMaxHeader = int64_t{1} << 16;
constexpr size_t kAlign = 64;

template <class From, class To>
void widen_number(const std::byte* from, std::byte* to) {
  From value{};
  std::memcpy(&value, from, sizeof(value));
  const auto wide = static_cast<To>(value);
  std::memcpy(to, &wide, sizeof(wide));
}

/// Every float16 (IEEE 754 binary16) is a float32.
void widen_half(const std::byte* from, std::byte* to) {
  uint16_t bits = 0;
  std::memcpy(&bits, from, sizeof(bits));
  const float value = half_to_float(bits);
  std::memcpy(to, &value, sizeof(value));
}

struct NpyType {
  std::string_view descr, name;
  DType dtype;   // of the array that is given
  int64_t size;  // in the file
  NpyHead::Widen widen;
};
constexpr NpyType kNpyTypes[] = {
    {"<f4", "float32", DType::kF32, 4, nullptr},
    {"<f8", "float64", DType::kF64, 8, nullptr},
    {"<i4", "int32", DType::kI32, 4, nullptr},
    {"<i8", "int64", DType::kI64, 8, nullptr},
    {"|u1", "uint8", DType::kU8, 1, nullptr},
    {"<u1", "uint8", DType::kU8, 1, nullptr},
    {"<f2", "float16", DType::kF32, 2, &widen_half},
    {"|b1", "bool", DType::kI32, 1, &widen_number<uint8_t, int32_t>},
    {"|i1", "int8", DType::kI32, 1, &widen_number<int8_t, int32_t>},
    {"<i2", "int16", DType::kI32, 2, &widen_number<int16_t, int32_t>},
    {"<u2", "uint16", DType::kI32, 2, &widen_number<uint16_t, int32_t>},
    {"<u4", "uint32", DType::kI64, 4, &widen_number<uint32_t, int64_t>}};

/// A cursor over the header; every fault is the same error with the place.
class Literal {
 public:
  Literal(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  [[noreturn]] void refuse(std::string_view expected) const {
    fail(Code::kCorruptFile, "{}: expected {} at byte {} of the header {}", where_, expected, at_,
         excerpt(text_, 120));
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse(fmt::format("'{}'", c));
  }
  std::string_view string() {
    const char quote = take('\'') ? '\'' : take('"') ? '"' : '\0';
    if (quote == '\0') refuse("a text in quotes");
    const size_t end = text_.find(quote, at_);
    if (end == text_.npos) refuse("a closing quote");
    const size_t begin = std::exchange(at_, end + 1);
    return text_.substr(begin, end - begin);
  }
  bool boolean() {
    skip_spaces();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    refuse("True or False");
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      int64_t size = 0;
      skip_spaces();
      const char* const begin = text_.data() + at_;
      const auto [stop, error] = std::from_chars(begin, text_.data() + text_.size(), size);
      if (error != std::errc{} || size < 0) refuse("an axis size");
      at_ += static_cast<size_t>(stop - begin);
      require(shape.rank() < kMaxRank, Code::kUnsupported, "{}: more than {} axes", where_,
              kMaxRank);
      shape.push(size);
      if (take(',')) continue;
      expect(')');
      break;
    }
    return shape;
  }

 private:
  std::string_view text_;
  std::string_view where_;
  size_t at_ = 0;
};

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran;
  std::optional<Shape> shape;
};

Header parse_header(std::string_view text, const std::string& where) {
  Literal in(text, where);
  Header header;
  in.expect('{');
  while (!in.take('}')) {
    const std::string_view key = in.string();
    in.expect(':');
    if (key == "descr") {
      if (in.take('[')) {
        fail(Code::kUnsupported, "{}: a structured array; save each field alone, arr['field']",
             where);
      }
      header.descr = in.string();
    } else if (key == "fortran_order") {
      header.fortran = in.boolean();
    } else if (key == "shape") {
      header.shape = in.tuple();
    } else {
      in.refuse("descr, fortran_order or shape");
    }
    if (in.take(',')) continue;
    in.expect('}');
    break;
  }
  require(header.descr && header.fortran && header.shape, Code::kCorruptFile,
          "{}: the header {} lacks descr, fortran_order or shape", where, excerpt(text, 120));
  return header;
}

const NpyType& npy_type_of(const std::string& descr, const std::string& where) {
  for (const NpyType& known : kNpyTypes) {
    if (known.descr == descr) return known;
  }
  require(descr.find('O') == descr.npos, Code::kUnsupported,
          "{}: holds Python objects (descr {}), which are never loaded: they may run code; save "
          "numbers, arr.astype('<f4'), of texts numpy.unique(arr, return_inverse=True)[1]",
          where, excerpt(descr));
  require(descr.find_first_of("US") == descr.npos, Code::kUnsupported,
          "{}: holds texts (descr {}); save a number for each of them, "
          "numpy.unique(arr, return_inverse=True)[1]",
          where, excerpt(descr));
  fail(Code::kUnsupported,
       "{}: descr {} is none of <f2, <f4, <f8, |i1, <i2, <i4, <i8, |u1, <u2, <u4, |b1; save "
       "arr.astype('<f4')",
       where, excerpt(descr));
}

std::string descr_of(DType dtype) {
  for (const NpyType& known : kNpyTypes) {
    if (known.dtype == dtype && known.widen == nullptr) return std::string(known.descr);
  }
  fail(Code::kUnsupported,
       "npy: {} has no place in .npy; use float32, float64, int32, int64 or uint8",
       dtype_name(dtype));
}

/// The numbers of a file in Fortran order, where the first axis is the fastest, with the last one
/// the fastest.
std::vector<std::byte> row_major(const std::vector<std::byte>& bytes, const NpyHead& head) {
  const Shape& shape = head.shape;
  const auto size = static_cast<size_t>(head.stored_size);
  std::array<int64_t, kMaxRank> index{};
  std::vector<std::byte> out(bytes.size());
  int64_t from = 0;
  for (size_t to = 0; to < out.size(); to += size) {
    std::memcpy(out.data() + to, bytes.data() + static_cast<size_t>(from) * size, size);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const int64_t step = shape.size(0, axis);
      int64_t& at = index[static_cast<size_t>(axis)];
      from += step;
      if (++at < shape[axis]) break;
      from -= step * at;
      at = 0;
    }
  }
  return out;
}

/// The numbers of a file as those of head.dtype.
std::vector<std::byte> all_widened(const std::vector<std::byte>& bytes, const NpyHead& head) {
  const auto size = static_cast<size_t>(head.stored_size);
  const auto wide = static_cast<size_t>(dtype_size(head.dtype));
  std::vector<std::byte> out(bytes.size() / size * wide);
  for (size_t i = 0; i < bytes.size() / size; ++i) {
    head.widen(bytes.data() + i * size, out.data() + i * wide);
  }
  return out;
}

int64_t little_endian(std::span<const std::byte> bytes) {
  int64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<int64_t>(bytes[i]);
  return value;
}

}  // namespace

NpyHead read_npy_head(io::ByteSource& source) {
  const std::string where = fmt::format("npy: \"{}\"", source.name());
  const auto start = read_exactly(source, static_cast<int64_t>(kNpyMagic.size()) + 2, "npy");
  require(std::memcmp(start.data(), kNpyMagic.data(), kNpyMagic.size()) == 0, Code::kCorruptFile,
          "{}: does not begin as an .npy file", where);
  const auto version = static_cast<int>(start[kNpyMagic.size()]);
  require(version >= 1 && version <= 3, Code::kUnsupported,
          "{}: version {} of the format; 1, 2 and 3 are known", where, version);
  const int64_t size = little_endian(read_exactly(source, version == 1 ? 2 : 4, "npy"));
  require(size <= kMaxHeader, Code::kCorruptFile,
          "{}: a header of {} bytes, at most {} are allowed", where, size, kMaxHeader);
  const auto text = read_exactly(source, size, "npy");
  const Header header =
      parse_header({reinterpret_cast<const char*>(text.data()), text.size()}, where);
  const NpyType& type = npy_type_of(*header.descr, where);
  const bool is_fortran = *header.fortran && header.shape->rank() > 1;
  return {{type.dtype, *header.shape}, type.name, type.size, type.widen, is_fortran};
}

Array read_npy(io::ByteSource& source) {
  const NpyHead head = read_npy_head(source);
  const int64_t wide = dtype_size(head.dtype);
  int64_t bytes = wide;
  for (int i = 0; i < head.shape.rank(); ++i) {
    bytes = checked_mul(bytes, head.shape[i], fmt::format("npy: \"{}\": size", source.name()));
  }
  Array array{{head.dtype, head.shape},
              read_exactly(source, bytes / wide * head.stored_size, "npy")};
  require_end(source, "npy");
  if (head.is_fortran) array.bytes = row_major(array.bytes, head);
  if (head.widen != nullptr) array.bytes = all_widened(array.bytes, head);
  return array;
}

Array read_npy(const std::string& path) { return read_npy(*io::open_source(path)); }

std::string npy_bytes(const Array& array) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (", descr_of(array.dtype));
  const auto expected = static_cast<size_t>(array.shape.size() * dtype_size(array.dtype));
  require(array.bytes.size() == expected, Code::kInvalidArgument,
          "npy: shape {} of {} needs {} bytes, there are {}", array.shape.text(),
          dtype_name(array.dtype), expected, array.bytes.size());
  const int rank = array.shape.rank();
  for (int i = 0; i < rank; ++i) {
    header += fmt::format("{}{}", i > 0 ? " " : "", array.shape[i]);
    if (i + 1 < rank || rank == 1) header += ',';
  }
  header += "), }";
  const size_t prefix = kNpyMagic.size() + 4;
  const size_t used = prefix + header.size() + 1;
  header.append((kAlign - used % kAlign) % kAlign, ' ');
  header += '\n';
  std::string file(kNpyMagic);
  file += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF),
           static_cast<char>(header.size() >> 8)};
  file += header;
  file.append(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
  return file;
}

void write_npy(FileSystem& files, const std::string& path, const Array& array) {
  write_atomically(files, path, npy_bytes(array));
}

}  // namespace ingot::data
