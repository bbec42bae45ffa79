// SPDX-License-Identifier: Apache-2.0
// Rows of a matrix made orthonormal, for the first weights of recurrent layers (Saxe 2014): block
// Gram-Schmidt (Golub and Van Loan 2013, section 5.2), twice among sixteen rows and once across
// them: for random rows, docs/decisions/0015-orthogonal-starts.md. Called by nn/init.
#pragma once

#include <span>

#include "base/team.h"

namespace ingot::nn {

/// `rows` [count, length], row-major, count <= length and of full rank: each row less its part
/// along the rows before it, with norm 1. Products of rows of a random square matrix of 1,024 were
/// within 5e-13 of 0; rows that nearly depend on others lose more. The bytes do not depend on the
/// team. Cost: count^2 length multiply-adds, shared by the team.
void orthonormalise(std::span<double> rows, int64_t count, int64_t length, Team& team);

}  // namespace ingot::nn
