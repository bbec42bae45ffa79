// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for: on x86 AVX-512 (AVX3), AVX2 and the
// baseline; elsewhere what the compiler offers. Every further one costs compile time and serves few
// machines. Include before hwy/foreach_target.h. A build that sets HWY_DISABLED_TARGETS itself
// wins.
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#endif
