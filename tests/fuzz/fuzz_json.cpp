// SPDX-License-Identifier: Apache-2.0
// base/json.h: what is accepted is written and read back to the same text. The limits are small, so
// that the fuzzer meets them.
#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  const JsonLimits limits{.max_bytes = 1 << 15, .max_depth = 16};
  fuzz::accepts([&] {
    const Json value = parse_json(fuzz::as_text(data, size), "fuzz", limits);
    const std::string text = dump_json(value);
    fuzz::demand(dump_json(parse_json(text, "again")) == text);
  });
  return 0;
}
