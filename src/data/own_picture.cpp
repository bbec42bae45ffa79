// SPDX-License-Identifier: Apache-2.0
// A PNG file is 8 bytes of signature and chunks: length, type, data, CRC-32 of the last two; the
// first, IHDR, has 13 bytes of data.
#include "data/own_picture.h"

#include <fstream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"

namespace ingot::data {
namespace {

constexpr size_t kPngHead = 8 + 12 + 13;
constexpr std::string_view kMark(
    "\0\0\0\x0e"
    "tEXtSoftware\0Ingot"
    "\xde\xdd\xbf\x62",
    4 + 4 + 14 + 4);

bool is_own(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(kPngHead + kMark.size(), '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return file.good() && std::string_view(head).substr(kPngHead) == kMark;
}

std::string free_name(const std::string& path) {
  const std::string stem = path.substr(0, path.rfind('.'));
  int number = 2;
  while (file_exists(fmt::format("{}-{}.png", stem, number))) ++number;
  return fmt::format("{}-{}.png", stem, number);
}

}  // namespace

std::string mark_own_picture(std::string_view png) {
  INGOT_ASSERT(png.size() > kPngHead);
  std::string marked(png.substr(0, kPngHead));
  marked += kMark;
  marked += png.substr(kPngHead);
  return marked;
}

void require_own_picture(const std::string& path) {
  if (!file_exists(path) || is_own(path)) return;
  fail(Code::kInvalidArgument,
       "data: \"{}\" is there already and was not drawn by `ingot data`; name another file, for "
       "example {}",
       path, free_name(path));
}

}  // namespace ingot::data
