// SPDX-License-Identifier: Apache-2.0
// io/safetensors.h: in an accepted header every tensor lies inside the file and behind the one
// before it. The file is as long as the input, or longer by one page that nobody reads.
#include <span>

#include "fuzz/fuzz.h"
#include "io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const int64_t unread : {0, 4096}) {
    const int64_t file_size = static_cast<int64_t>(size) + unread;
    fuzz::accepts([&] {
      const io::SafetensorsHeader header = io::parse_safetensors(bytes, file_size, "fuzz");
      int64_t end = 0;
      for (const io::TensorInfo& tensor : header.tensors) {
        fuzz::demand(tensor.begin == end && tensor.end >= tensor.begin);
        end = tensor.end;
      }
      fuzz::demand(header.data_begin >= 8 && header.data_begin <= file_size - end);
    });
  }
  return 0;
}
