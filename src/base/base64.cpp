// SPDX-License-Identifier: Apache-2.0
// OpenSSL's block coder in steps, because it counts in int. It skips white space at both ends and
// takes padding anywhere, which is refused here first.
#include "base/base64.h"

#include <algorithm>

#include <openssl/evp.h>

namespace ingot {
namespace {

bool is_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  constexpr size_t kStep = size_t{3} << 20;
  std::string out;
  std::string part;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    const std::string_view from = bytes.substr(at, kStep);
    part.resize(from.size() / 3 * 4 + 5);
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(part.data()),
                                     reinterpret_cast<const unsigned char*>(from.data()),
                                     static_cast<int>(from.size()));
    out.append(part, 0, static_cast<size_t>(size));
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr size_t kStep = size_t{4} << 20;
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::string out;
  std::string part;
  for (size_t at = 0; at < text.size(); at += kStep) {
    const std::string_view from = text.substr(at, kStep);
    part.resize(from.size() / 4 * 3 + 1);
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(part.data()),
                                     reinterpret_cast<const unsigned char*>(from.data()),
                                     static_cast<int>(from.size()));
    if (size < 0) return std::nullopt;
    out.append(part, 0, static_cast<size_t>(size));
  }
  out.resize(out.size() - padding);
  return out;
}

}  // namespace ingot
