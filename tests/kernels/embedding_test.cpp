// SPDX-License-Identifier: Apache-2.0
// embedding.h against loops over positions: gather, dense and row-sparse gradients, repeated ids,
// padding, both id types, the bridge from sparse to dense.
#include "kernels/embedding.h"

#include "kernels/kernel_testing.h"
#include "kernels/reference/embedding.h"

namespace ingot::kernels::embedding_test {
namespace {

using namespace testing;  // NOLINT: test file

constexpr double kTolerance = 3e-5;  // float32 sums of hundreds of rows, partial sums up to 50

struct Problem {
  int64_t count, cols, vocab;
  std::vector<int64_t> ids;
  std::vector<int32_t> ids32;
  Floats table, dy;
  Problem(int64_t count_in, int64_t cols_in, int64_t vocab_in)
      : count(count_in),
        cols(cols_in),
        vocab(vocab_in),
        table(uniform(vocab * cols, 1)),
        dy(uniform(count * cols, 2)) {
    std::mt19937 engine(3);
    for (int64_t i = 0; i < count; ++i) {
      // Half of the ids come from the first three, as in text.
      const uint32_t draw = engine();
      const auto range = static_cast<uint32_t>(draw % 2 == 0 ? vocab : std::min<int64_t>(vocab, 3));
      ids.push_back(engine() % range);
    }
    ids32.assign(ids.begin(), ids.end());
  }
  [[nodiscard]] const void* id_data(IdType type) const {
    if (type == IdType::kInt32) return ids32.data();
    return ids.data();
  }
};

const Problem& problem(size_t i) {
  static const Problem all[] = {{0, 3, 5},         {1, 1, 1},        {17, 17, 5},
                                {1000, 33, 70000}, {2100, 130, 900}, {64, 1000, 5000}};
  return all[i];
}
constexpr size_t kProblems = 6;
constexpr IdType kTypes[] = {IdType::kInt32, IdType::kInt64};

TEST(Embedding, GathersRows) {
  for (size_t k = 0; k < kProblems; ++k) {
    const Problem& p = problem(k);
    const Doubles table = wide(p.table);
    Doubles want(static_cast<size_t>(p.count * p.cols));
    reference::embedding(p.count, p.cols, p.ids.data(), table.data(), want.data());
    for (const IdType type : kTypes) {
      const auto compute = [&](Team& t) {
        Floats out(want.size());
        embedding({p.table.data(), p.id_data(type), out.data(), p.count, p.cols, type}, t);
        return out;
      };
      expect_kernel(compute, want, 0.0);
    }
  }
}

TEST(EmbeddingGrad, DenseMatchesReference) {
  for (size_t k = 0; k < kProblems; ++k) {
    const Problem& p = problem(k);
    const Doubles dy = wide(p.dy);
    for (const IdType type : kTypes) {
      for (const bool accumulate : {false, true}) {
        for (const int64_t padding : {int64_t{-1}, int64_t{1}}) {
          Doubles want(p.table.size());
          reference::embedding_grad(p.count, p.cols, p.vocab, padding, p.ids.data(), dy.data(),
                                    want.data());
          for (size_t i = 0; accumulate && i < want.size(); ++i) want[i] += p.table[i];
          const auto compute = [&](Team& t) {
            Floats dtable = p.table;
            auto scratch = scratch_of(embedding_grad_scratch_bytes(p.count));
            embedding_grad({p.dy.data(), p.id_data(type), dtable.data(), scratch.data(), p.count,
                            p.cols, p.vocab, padding, type, accumulate},
                           t);
            return dtable;
          };
          expect_kernel(compute, want, kTolerance);
        }
      }
    }
  }
}

TEST(EmbeddingGrad, SparseRowsAreTheDenseOnes) {
  for (size_t k = 0; k < kProblems; ++k) {
    const Problem& p = problem(k);
    for (const int64_t padding : {int64_t{-1}, int64_t{0}}) {
      for_each_target([&] {
        Team& t = team_of(2);
        Floats dense(p.table.size());
        auto scratch = scratch_of(embedding_grad_scratch_bytes(p.count));
        embedding_grad({p.dy.data(), p.ids.data(), dense.data(), scratch.data(), p.count, p.cols,
                        p.vocab, padding, IdType::kInt64, false},
                       t);
        std::vector<int64_t> unique(static_cast<size_t>(p.count));
        Floats rows(static_cast<size_t>(p.count * p.cols));
        int64_t count = -1;
        embedding_sparse_grad({p.dy.data(), p.ids.data(), unique.data(), rows.data(), &count,
                               scratch.data(), p.count, p.cols, padding, IdType::kInt64},
                              t);
        ASSERT_LE(count, p.count);
        for (int64_t u = 1; u < count; ++u) {
          ASSERT_LT(unique[static_cast<size_t>(u - 1)], unique[static_cast<size_t>(u)]);
        }
        Floats spread(p.table.size(), 0.0F);
        add_rows({rows.data(), unique.data(), &count, spread.data(), p.cols}, t);
        EXPECT_EQ(spread, dense);
      });
    }
  }
}

}  // namespace
}  // namespace ingot::kernels::embedding_test
