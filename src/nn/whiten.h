// SPDX-License-Identifier: Apache-2.0
// Filters of a first convolution that whiten: the eigenvectors of the second moments of the
// training images' patches, each divided by the root of its eigenvalue, and their negatives (Coates
// and Ng 2012; frozen and with both signs by Page 2019). Frozen, they spare the first epochs the
// work of finding them. Called by models/network.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace ingot::nn {

/// weight [filters, kernel_h, kernel_w, channels] from images [batch, height, width, channels]:
/// filter 2i and 2i + 1 are ± the eigenvector of the i-th largest eigenvalue v over sqrt(v + eps),
/// times scale. Images are taken as they are, so they should have mean 0. Throws kInvalidArgument
/// unless filters is even and at most twice the numbers in a patch (at most 512).
[[nodiscard]] std::vector<float> whitening_filters(const Tensor& images, const Shape& weight,
                                                   float scale = 1.0F, double eps = 5e-4);

/// Eigenvalues of a symmetric matrix [n, n] (row-major), largest first, and its eigenvectors as
/// rows (Jacobi's cyclic rotations; Golub and Van Loan 2013, section 8.5). Cost some 10 n^3.
struct Eigen {
  std::vector<double> values;   // [n]
  std::vector<double> vectors;  // [n, n]
};
[[nodiscard]] Eigen symmetric_eigen(std::vector<double> matrix, int64_t n);

}  // namespace ingot::nn
