// SPDX-License-Identifier: Apache-2.0
// copy.h against one element at a time: contiguous, transposed, sliced, reversed, broadcast, up to
// six axes, every element size, accumulation into strided destinations.
#include "kernels/copy.h"

#include <numeric>
#include <string>

#include "base/error.h"
#include "kernels/kernel_testing.h"
#include "kernels/reference/copy.h"
#include "kernels/reference/elementwise.h"

namespace ingot::kernels::copy_test {
namespace {

using namespace testing;  // NOLINT: test file

struct Layout {
  std::vector<int64_t> shape, src, dst;
  int64_t src_room, dst_room, src_start = 0;
};

const Layout kLayouts[] = {
    {{}, {}, {}, 1, 1},
    {{17}, {1}, {1}, 17, 17},
    {{17}, {-1}, {1}, 17, 17, 16},
    {{17}, {0}, {3}, 1, 60},
    {{5, 0}, {1, 1}, {1, 1}, 1, 1},
    {{33, 17}, {1, 33}, {17, 1}, 600, 600},                            // transpose
    {{130, 70}, {1, 130}, {71, 1}, 9200, 9300},                        // blocks with ragged edges
    {{3, 5, 64, 9}, {2880, 9, 45, 1}, {2880, 576, 9, 1}, 9000, 9000},  // heads: swap two axes
    {{4, 33, 66}, {2178, 1, 33}, {2178, 66, 1}, 9000, 9000},           // batch of transposes
    {{66, 4, 33}, {1, 66, 264}, {132, 33, 1}, 9000, 9000},
    {{20, 30}, {40, 1}, {30, 1}, 900, 900},   // slice
    {{20, 30}, {30, 1}, {50, 1}, 900, 1100},  // into a slice
    {{2, 3, 2, 5, 2, 3}, {1, 2, 6, 12, 60, 120}, {180, 60, 30, 6, 3, 1}, 400, 400},
    {{700, 600}, {1, 700}, {600, 1}, 420000, 420000},
    {{700, 600}, {600, 1}, {601, 1}, 420000, 421000},
};

template <class Args>
void fill_in(Args& a, const Layout& l) {
  a.dims = static_cast<int64_t>(l.shape.size());
  std::copy(l.shape.begin(), l.shape.end(), a.shape);
  std::copy(l.src.begin(), l.src.end(), a.src_stride);
  std::copy(l.dst.begin(), l.dst.end(), a.dst_stride);
}

TEST(StridedCopy, MatchesReferenceForFloat) {
  for (const Layout& l : kLayouts) {
    for (const bool accumulate : {false, true}) {
      SCOPED_TRACE(::testing::Message() << "layout " << &l - kLayouts);
      const Floats src = uniform(l.src_room, 1);
      const Floats before = uniform(l.dst_room, 2);
      const Doubles wide_src = wide(src);
      Doubles want = wide(before);
      reference::strided_copy(static_cast<int64_t>(l.shape.size()), l.shape.data(),
                              wide_src.data() + l.src_start, l.src.data(), want.data(),
                              l.dst.data(), accumulate);
      const auto compute = [&](Team& t) {
        Floats dst = before;
        CopyArgs a;
        fill_in(a, l);
        a.src = src.data() + l.src_start;
        a.dst = dst.data();
        a.accumulate = accumulate;
        strided_copy(a, t);
        return dst;
      };
      expect_kernel(compute, want, 1e-7);
    }
  }
}

template <class T>
void check_elements() {
  for (const Layout& l : kLayouts) {
    std::vector<T> src(static_cast<size_t>(l.src_room));
    std::iota(src.begin(), src.end(), T{1});
    std::vector<T> dst(static_cast<size_t>(l.dst_room), T{0});
    std::vector<T> want = dst;
    const auto dims = static_cast<int64_t>(l.shape.size());
    for (int64_t i = 0; i < reference::count_of(dims, l.shape.data()); ++i) {
      const int64_t from = reference::offset_of(i, dims, l.shape.data(), l.src.data());
      const int64_t to = reference::offset_of(i, dims, l.shape.data(), l.dst.data());
      want[static_cast<size_t>(to)] = src[static_cast<size_t>(from + l.src_start)];
    }
    CopyArgs a;
    fill_in(a, l);
    a.src = src.data() + l.src_start;
    a.dst = dst.data();
    a.element_bytes = sizeof(T);
    strided_copy(a, team_of(2));
    EXPECT_EQ(dst, want) << "layout " << &l - kLayouts;
  }
}

TEST(StridedCopy, EveryElementSize) {
  check_elements<uint8_t>();
  check_elements<uint16_t>();
  check_elements<uint32_t>();
  check_elements<int64_t>();
}

TEST(StridedCopy, RefusesOtherElementSizes) {
  CopyArgs a;
  a.element_bytes = 3;
  try {
    strided_copy(a, team_of(0));
    FAIL() << "accepted 3-byte elements";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInternal);
    EXPECT_NE(std::string(error.what()).find("bytes == 4"), std::string::npos);
  }
}

}  // namespace
}  // namespace ingot::kernels::copy_test
