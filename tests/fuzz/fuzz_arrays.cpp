// SPDX-License-Identifier: Apache-2.0
// data/formats/npy.h, idx.h and cifar.h on the same bytes, which may also be gzip or xz. An
// accepted array has the bytes that its shape asks for; an .npy file is written and read back the
// same.
#include <string>

#include "data/formats/cifar.h"
#include "data/formats/idx.h"
#include "data/formats/npy.h"
#include "fuzz/fuzz.h"

namespace {

using namespace ingot;

void check_size(const data::Array& array) {
  fuzz::demand(static_cast<int64_t>(array.bytes.size()) ==
               array.shape.size() * dtype_size(array.dtype));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string file(fuzz::as_text(data, size));
  fuzz::accepts([&] {
    const data::Array array = data::read_npy(*io::memory_source(file, "f"));
    check_size(array);
    const data::Array again = data::read_npy(*io::memory_source(data::npy_bytes(array), "g"));
    fuzz::demand(again.shape == array.shape && again.dtype == array.dtype &&
                 again.bytes == array.bytes);
  });
  fuzz::accepts([&] { check_size(data::read_idx(*io::memory_source(file, "f"))); });
  fuzz::accepts([&] {
    data::ImageSet set;
    data::append_cifar(*io::memory_source(file, "f"), data::CifarKind::kCifar10, set);
    fuzz::demand(set.count > 0 && static_cast<int64_t>(set.labels.size()) == set.count);
    fuzz::demand(static_cast<int64_t>(set.pixels.size()) == set.count * 3072);
  });
  return 0;
}
