// SPDX-License-Identifier: Apache-2.0
// data/corpus_file.h: an accepted line gives a document that is written and read back the same.
#include "data/corpus_file.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  fuzz::accepts([&] {
    const data::Document document = data::parse_corpus_line(fuzz::as_text(data, size), "fuzz:1");
    std::string line = data::corpus_line(document.path, document.text);
    fuzz::demand(!line.empty() && line.back() == '\n');
    line.pop_back();
    fuzz::demand(line.find('\n') == std::string::npos);
    const data::Document again = data::parse_corpus_line(line, "again:1");
    fuzz::demand(again.path == document.path && again.text == document.text);
  });
  return 0;
}
