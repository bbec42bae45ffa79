// SPDX-License-Identifier: Apache-2.0
// io/torch_file.h, and pickle.h and zip.h below it: the tensors of an accepted file lie inside the
// input, and all their numbers can be read.
#include <span>

#include "fuzz/fuzz.h"
#include "io/torch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ingot;
  const auto bytes = std::as_bytes(std::span(data, size));
  fuzz::accepts([&] {
    for (const io::TorchTensor& tensor : io::parse_torch_file(bytes, "fuzz")) {
      const std::byte* begin = tensor.storage.data();
      fuzz::demand(
          tensor.storage.empty() ||
          (begin >= bytes.data() && begin + tensor.storage.size() <= bytes.data() + bytes.size()));
      fuzz::accepts(
          [&] { fuzz::demand(std::ssize(io::torch_numbers(tensor)) == tensor.shape.size()); });
    }
  });
  return 0;
}
