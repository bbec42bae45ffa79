// SPDX-License-Identifier: Apache-2.0
// text/tokenizer_json.h: an accepted tokenizer.json makes a tokenizer that gives every text back,
// and is written and read back to the same text.
#include <string>
#include <utility>

#include "fuzz/fuzz.h"
#include "text/bpe.h"
#include "text/tokenizer_json.h"

namespace {

constexpr std::string_view kSample = "ab abc\tdeé\n  42 \xFF\xFE end";

void check_round_trip(const ingot::text::ByteBpe& tokenizer) {
  using namespace ingot;
  std::string back;
  for (const int32_t id : tokenizer.encode(kSample, text::Added::kPlain)) {
    back += tokenizer.token_bytes(id);
  }
  fuzz::demand(back == (tokenizer.model().add_prefix_space ? " " : "") + std::string(kSample));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  fuzz::accepts([&] {
    text::BpeModel model = text::parse_tokenizer(fuzz::as_text(data, size), "fuzz");
    const std::string written = text::tokenizer_json(model);
    fuzz::demand(text::tokenizer_json(text::parse_tokenizer(written, "again")) == written);
    check_round_trip(text::ByteBpe(std::move(model)));
  });
  return 0;
}
