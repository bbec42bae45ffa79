// SPDX-License-Identifier: Apache-2.0
#include "serve/identifiers.h"

#include <random>

#include <fmt/format.h>

#include "base/hash.h"

namespace ingot::serve {

Identifiers::Identifiers() {
  std::random_device random;
  salt_ = mix64((uint64_t{random()} << 32) | random());
}

std::string Identifiers::next(std::string_view prefix) {
  const uint64_t count = next_++;
  return fmt::format("{}{:016x}{:08x}", prefix, mix64(salt_ + count), count & 0xFFFFFFFFU);
}

uint64_t Identifiers::next_seed() { return mix64(salt_ ^ mix64(next_++)); }

}  // namespace ingot::serve
