// SPDX-License-Identifier: Apache-2.0
// data/formats/npy.h, npy_table.h, idx.h, cifar.h and array_pictures.h on the same bytes, which may
// also be gzip or xz. An accepted array has the bytes that its shape asks for; an .npy file is
// written and read back the same; the rows of an accepted table of numbers have all columns, those
// of an accepted picture table are pictures.
#include <string>
#include <vector>

#include "data/formats/array_pictures.h"
#include "data/formats/cifar.h"
#include "data/formats/idx.h"
#include "data/formats/npy.h"
#include "data/formats/npy_table.h"
#include "fuzz/fuzz.h"
#include "io/image.h"

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
    const auto table = data::open_npy_table(io::memory_source(file, "f"));
    std::vector<std::string_view> cells;
    for (int64_t row = 1; table->next(cells); ++row) {
      fuzz::demand(table->line() == row && cells.size() == table->columns().size());
    }
  });
  for (const auto& open : {&data::open_cifar, &data::open_idx_pictures, &data::open_npy_pictures}) {
    fuzz::accepts([&] {
      const auto table = open(io::memory_source(file, "f"));
      std::vector<std::string_view> cells;
      for (int64_t row = 1; table->next(cells); ++row) {
        fuzz::demand(table->line() == row && cells.size() == table->columns().size());
        (void)io::decode_image(std::as_bytes(std::span(cells[0])), "f");
      }
    });
  }
  return 0;
}
