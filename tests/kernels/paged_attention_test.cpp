// SPDX-License-Identifier: Apache-2.0
// paged_attention.h: the same bytes as the training forward of each sequence, for rows in any mix,
// any split into calls and any team; unused slots may hold anything.
#include "kernels/paged_attention.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/attention.h"
#include "kernels/each_target.h"

namespace ingot::kernels::paged_attention_test {
namespace {

// Keys and values rounded to 11 bits: scores move by 2^-11 * sqrt(head_dim), outputs alike.
constexpr float kHalfError = 4e-3F;

struct Shape {
  int64_t heads, kv_heads, head_dim;
};

std::vector<float> random_floats(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = uniform(engine);
  return v;
}

float* align(std::vector<float>& v) {
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(v.data()) + 63) / 64 * 64);
}

/// Two sequences of 150 and 70 tokens; their pages lie interleaved in pools full of NaN.
struct Cache {
  static constexpr int64_t kLengths[2] = {150, 70};
  static constexpr int64_t kMaxPages = 3;
  Shape s;
  PageType type;
  std::vector<float> q[2], k[2], v[2], want[2];
  std::vector<int32_t> table{5, 0, 3, 1, 4, 2};
  std::vector<float> k_pool, v_pool;

  Cache(const Shape& shape, PageType page_type) : s(shape), type(page_type) {
    const int64_t pool = 6 * paged_page_elements(s.kv_heads, s.head_dim);
    k_pool.assign(static_cast<size_t>(pool), NAN);
    v_pool.assign(static_cast<size_t>(pool), NAN);
    for (int i = 0; i < 2; ++i) {
      const auto seed = static_cast<uint32_t>(10 * i);
      q[i] = random_floats(kLengths[i] * s.heads * s.head_dim, seed + 1);
      k[i] = random_floats(kLengths[i] * s.kv_heads * s.head_dim, seed + 2);
      v[i] = random_floats(kLengths[i] * s.kv_heads * s.head_dim, seed + 3);
      want[i] = training_forward(i);
    }
  }

  [[nodiscard]] float scale() const { return 1.0F / std::sqrt(static_cast<float>(s.head_dim)); }

  std::vector<float> training_forward(int i) {
    Team team(2);
    AttentionArgs g;
    std::vector<float> out(q[i].size());
    g.q = q[i].data();
    g.k = k[i].data();
    g.v = v[i].data();
    g.out = out.data();
    g.batch = 1;
    g.seq = kLengths[i];
    g.heads = s.heads;
    g.kv_heads = s.kv_heads;
    g.head_dim = s.head_dim;
    g.q_stride = g.out_stride = {0, s.heads * s.head_dim, s.head_dim};
    g.k_stride = g.v_stride = {0, s.kv_heads * s.head_dim, s.head_dim};
    g.scale = scale();
    std::vector<float> scratch(static_cast<size_t>(attention_scratch_bytes(g, 2)) / sizeof(float) +
                               16);
    g.scratch = align(scratch);
    attention(g, team);
    return out;
  }

  /// Appends and attends the rows (sequence, position), then compares each with the forward.
  void step(const std::vector<std::pair<int32_t, int32_t>>& rows, int workers) {
    Team team(workers);
    const int64_t kv = s.kv_heads * s.head_dim;
    const int64_t width = s.heads * s.head_dim;
    std::vector<int32_t> sequence, position;
    std::vector<float> new_q, new_k, new_v;
    for (const auto& [i, t] : rows) {
      sequence.push_back(i);
      position.push_back(t);
      new_q.insert(new_q.end(), q[i].begin() + t * width, q[i].begin() + (t + 1) * width);
      new_k.insert(new_k.end(), k[i].begin() + t * kv, k[i].begin() + (t + 1) * kv);
      new_v.insert(new_v.end(), v[i].begin() + t * kv, v[i].begin() + (t + 1) * kv);
    }
    const auto count = static_cast<int64_t>(rows.size());
    paged_append(
        {new_k.data(), new_v.data(), sequence.data(), position.data(), table.data(), k_pool.data(),
         v_pool.data(), count, s.kv_heads, s.head_dim, kMaxPages, kv, kv, type},
        team);
    std::vector<float> out(new_q.size(), NAN);
    PagedAttentionArgs g;
    g.q = new_q.data();
    g.row_sequence = sequence.data();
    g.row_position = position.data();
    g.page_table = table.data();
    g.k_pool = k_pool.data();
    g.v_pool = v_pool.data();
    g.out = out.data();
    g.rows = count;
    g.heads = s.heads;
    g.kv_heads = s.kv_heads;
    g.head_dim = s.head_dim;
    g.max_pages = kMaxPages;
    g.q_row_stride = g.out_row_stride = width;
    g.type = type;
    g.scale = scale();
    std::vector<float> scratch(
        static_cast<size_t>(paged_attention_scratch_bytes(g, workers)) / sizeof(float) + 16, NAN);
    g.scratch = align(scratch);
    paged_attention(g, team);
    for (int64_t r = 0; r < count; ++r)
      compare(rows[static_cast<size_t>(r)], &out[static_cast<size_t>(r * width)]);
  }

  void compare(std::pair<int32_t, int32_t> row, const float* got) {
    const int64_t width = s.heads * s.head_dim;
    const float* expected = want[row.first].data() + row.second * width;
    if (type == PageType::kFloat32) {
      EXPECT_EQ(0, std::memcmp(got, expected, static_cast<size_t>(width) * sizeof(float)))
          << "sequence " << row.first << " position " << row.second << " head_dim " << s.head_dim;
      return;
    }
    for (int64_t c = 0; c < width; ++c) ASSERT_NEAR(got[c], expected[c], kHalfError);
  }
};

std::vector<std::pair<int32_t, int32_t>> rows_of(int32_t sequence, int32_t begin, int32_t end) {
  std::vector<std::pair<int32_t, int32_t>> rows;
  for (int32_t t = begin; t < end; ++t) rows.emplace_back(sequence, t);
  return rows;
}

const Shape kShapes[] = {{1, 1, 1},  {2, 2, 5},   {4, 2, 16}, {6, 3, 64},
                         {3, 1, 80}, {2, 1, 128}, {70, 1, 8}};

void prefill_then_decode(const Shape& shape, PageType type, int workers) {
  Cache cache(shape, type);
  cache.step(rows_of(0, 0, 90), workers);
  std::vector<std::pair<int32_t, int32_t>> mixed = rows_of(1, 0, 50);
  mixed.emplace_back(0, 90);  // one sequence decodes while the other is read in
  cache.step(mixed, workers);
  for (int32_t t = 91; t < 111; ++t) cache.step({{1, t - 41}, {0, t}}, workers);
  cache.step(rows_of(0, 111, 150), workers);
}

TEST(PagedAttention, EqualsTheTrainingForwardToTheBit) {
  for_each_target([] {
    for (const Shape& shape : kShapes) prefill_then_decode(shape, PageType::kFloat32, 2);
  });
}

TEST(PagedAttention, TeamSizeDoesNotChangeBytes) {
  for_each_target([] {
    for (const int workers : {1, 3, 8})
      prefill_then_decode({6, 3, 64}, PageType::kFloat32, workers);
  });
}

TEST(PagedAttention, HalfPagesStayNearTheFloatForward) {
  for_each_target([] {
    for (const Shape& shape : kShapes) prefill_then_decode(shape, PageType::kFloat16, 2);
  });
}

TEST(PagedAttention, AppendPutsKeysInColumnsAndValuesInRows) {
  for_each_target([] {
    Cache cache({2, 2, 5}, PageType::kFloat32);
    cache.step(rows_of(0, 0, 70), 1);
    const int64_t page = paged_page_elements(2, 5);
    EXPECT_EQ(page, 2 * 5 * kAttentionTile);
    // Position 66 of sequence 0 is slot 2 of its second page, number 0 in the pool.
    for (int64_t h = 0; h < 2; ++h) {
      for (int64_t c = 0; c < 5; ++c) {
        EXPECT_EQ(cache.k_pool[static_cast<size_t>((h * 5 + c) * 64 + 2)],
                  cache.k[0][static_cast<size_t>(66 * 10 + h * 5 + c)]);
        EXPECT_EQ(cache.v_pool[static_cast<size_t>((h * 64 + 2) * 5 + c)],
                  cache.v[0][static_cast<size_t>(66 * 10 + h * 5 + c)]);
      }
    }
    EXPECT_TRUE(std::isnan(cache.k_pool[6]));  // position 70 was never written
  });
}

}  // namespace
}  // namespace ingot::kernels::paged_attention_test
