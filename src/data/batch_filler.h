// SPDX-License-Identifier: Apache-2.0
// From stored examples to the rows of a batch, on all cores: what training, evaluation, prediction
// and serving do between reading an example and running a network. Most fields are copied; bytes
// become numbers here, and training rows get their noise and their augmentation. What is done is a
// RowFiller's business (transforms/feature_rows.h is the one of tables), so that who runs networks
// knows no data set. A row of a batch depends on its example and its view alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/team.h"
#include "data/examples.h"
#include "tensor/tensor.h"

namespace ingot::data {

/// Which version of a stored example is wanted.
struct RowView {
  bool is_training = false;  ///< with noise and augmentation, a function of epoch and row
  uint64_t epoch = 0;
  int64_t row = 0;  ///< of the training examples
  // Of pictures at evaluation: as they are, or mirrored and moved by some pixels.
  bool is_mirrored = false;
  int64_t shift_y = 0, shift_x = 0;
};

class RowFiller {
 public:
  virtual ~RowFiller() = default;
  /// Writes one field of an example as the network takes it: as it is, bytes as numbers. `out`
  /// holds as many elements as the field. `scratch` holds scratch_bytes(). Must not throw; any
  /// thread.
  virtual void fill(const ExampleField& field, std::span<const std::byte> stored,
                    const RowView& view, std::span<std::byte> scratch,
                    std::span<std::byte> out) const;
  [[nodiscard]] virtual int64_t scratch_bytes() const { return 0; }
};

/// An example and the version of it that is wanted.
struct BatchRow {
  std::span<const std::byte> record;
  RowView view;
};

class BatchFiller {
 public:
  /// `fields` in the order of the network's inputs; they and `filler` must outlive it.
  BatchFiller(Team& team, std::vector<const ExampleField*> fields, const RowFiller& filler);

  /// Rows 0 .. count - 1 of `inputs`, tensors [batch, …], from the BatchRows row_of(i), which is
  /// called once for each, by any thread. Allocates nothing.
  template <class RowOf>
  void fill(int64_t count, std::span<const Tensor> inputs, const RowOf& row_of) {
    INGOT_ASSERT(inputs.size() == fields_.size());
    const auto share = [&](int64_t begin, int64_t end, int worker) {
      for (int64_t i = begin; i < end; ++i) fill_row(i, row_of(i), inputs, worker);
    };
    if (count * row_bytes_ < kSerialBytes) return share(0, count, 0);
    const int64_t workers = team_.size();
    team_.run([&](int worker) {
      share(count * worker / workers, count * (worker + 1) / workers, worker);
    });
  }

 private:
  static constexpr int64_t kSerialBytes = int64_t{64} << 10;  // a few microseconds of copying

  void fill_row(int64_t i, const BatchRow& row, std::span<const Tensor> inputs, int worker);

  Team& team_;
  std::vector<const ExampleField*> fields_;
  const RowFiller& filler_;
  std::vector<std::vector<std::byte>> scratch_;  // per worker
  int64_t row_bytes_ = 0;                        // of a record's fields
};

}  // namespace ingot::data
