// SPDX-License-Identifier: Apache-2.0
// The header is parsed as the Python literal it is, as far as numpy writes it: one dict with three
// keys, strings in either quote, True and False, a tuple of whole numbers.
#include "data/formats/npy.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/checked.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr int64_t kMaxHeader = int64_t{1} << 16;
constexpr size_t kAlign = 64;

struct NpyDtype {
  std::string_view descr;
  DType dtype;
};
constexpr NpyDtype kDtypes[] = {{"<f4", DType::kF32}, {"<f8", DType::kF64}, {"<i4", DType::kI32},
                                {"<i8", DType::kI64}, {"|u1", DType::kU8},  {"<u1", DType::kU8}};

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

DType dtype_of(const std::string& descr, const std::string& where) {
  for (const NpyDtype& known : kDtypes) {
    if (known.descr == descr) return known.dtype;
  }
  require(descr.find('O') == descr.npos, Code::kUnsupported,
          "{}: holds Python objects (descr {}), which are never loaded: they may run code; save "
          "numbers, arr.astype('<f4')",
          where, excerpt(descr));
  fail(Code::kUnsupported,
       "{}: descr {} is none of <f4, <f8, <i4, <i8, |u1; save arr.astype('<f4')", where,
       excerpt(descr));
}

std::string descr_of(DType dtype) {
  for (const NpyDtype& known : kDtypes) {
    if (known.dtype == dtype) return std::string(known.descr);
  }
  fail(Code::kUnsupported,
       "npy: {} has no place in .npy; use float32, float64, int32, int64 or uint8",
       dtype_name(dtype));
}

int64_t little_endian(std::span<const std::byte> bytes) {
  int64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<int64_t>(bytes[i]);
  return value;
}

}  // namespace

ArrayHead read_npy_head(io::ByteSource& source) {
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
  ArrayHead array;
  array.dtype = dtype_of(*header.descr, where);
  require(!*header.fortran || header.shape->rank() < 2, Code::kUnsupported,
          "{}: in Fortran order; save numpy.ascontiguousarray(arr)", where);
  array.shape = *header.shape;
  return array;
}

Array read_npy(io::ByteSource& source) {
  Array array{read_npy_head(source), {}};
  int64_t bytes = dtype_size(array.dtype);
  for (int i = 0; i < array.shape.rank(); ++i) {
    bytes = checked_mul(bytes, array.shape[i], fmt::format("npy: \"{}\": size", source.name()));
  }
  array.bytes = read_exactly(source, bytes, "npy");
  require_end(source, "npy");
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
