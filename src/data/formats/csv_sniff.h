// SPDX-License-Identifier: Apache-2.0
// Looks at the first block of a CSV or TSV file and decides what the format leaves to "auto": the
// delimiter and whether the first record holds names. The rules stand in csv.h. Reads the source
// from its start and leaves it rewound. Called by csv.cpp.
#pragma once

#include "data/formats/records.h"
#include "data/formats/table.h"

namespace ingot::data {

struct CsvLayout {
  RecordFormat records;
  bool has_header = false;
};

/// `is_tsv`: tab and no quotes unless the format says otherwise.
[[nodiscard]] CsvLayout sniff_csv(io::ByteSource& source, bool is_tsv, const TableFormat& format);

}  // namespace ingot::data
