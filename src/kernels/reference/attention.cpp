// SPDX-License-Identifier: Apache-2.0
// Attention row by row in double: scores, softmax, mix; and the textbook gradient of the three.
// The truth that tests compare the tiled kernels with; not for use in a model.
#include "kernels/reference/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace ingot::kernels::reference {
namespace {

/// Where things of one (batch, head, row) lie.
struct Row {
  int64_t b, h, i;
};

const double* query_cell(const Attention& g, const double* base, Row r) {
  return base + ((r.b * g.seq + r.i) * g.heads + r.h) * g.head_dim;
}

int64_t key_offset(const Attention& g, Row r, int64_t j) {
  const int64_t kv_head = r.h / (g.heads / g.kv_heads);
  return ((r.b * g.seq + j) * g.kv_heads + kv_head) * g.head_dim;
}

double dot(const double* x, const double* y, int64_t n) {
  double sum = 0.0;
  for (int64_t c = 0; c < n; ++c) sum += x[c] * y[c];
  return sum;
}

bool sees(const Attention& g, Row r, int64_t j) {
  if (g.causal && j > r.i) return false;
  if (g.doc_end != nullptr && j >= g.doc_end[r.b * g.seq + r.i]) return false;
  return g.doc_start == nullptr || j >= g.doc_start[r.b * g.seq + r.i];
}

/// Weights of one row; returns the log of the softmax sum.
double weights(const Attention& g, Row r, std::vector<double>& p) {
  double max = -std::numeric_limits<double>::infinity();
  for (int64_t j = 0; j < g.seq; ++j) {
    if (!sees(g, r, j)) continue;
    p[static_cast<size_t>(j)] =
        g.scale * dot(query_cell(g, g.q, r), g.k + key_offset(g, r, j), g.head_dim);
    max = std::max(max, p[static_cast<size_t>(j)]);
  }
  double sum = 0.0;
  for (int64_t j = 0; j < g.seq; ++j) {
    double& w = p[static_cast<size_t>(j)];
    w = sees(g, r, j) ? std::exp(w - max) : 0.0;
    sum += w;
  }
  for (double& w : p) w = sum == 0.0 ? 0.0 : w / sum;
  return sum == 0.0 ? -std::numeric_limits<double>::infinity() : max + std::log(sum);
}

void forward_row(const Attention& g, Row r, std::vector<double>& p) {
  const double lse = weights(g, r, p);
  if (g.lse != nullptr) g.lse[(r.b * g.heads + r.h) * g.seq + r.i] = lse;
  double* out = g.out + ((r.b * g.seq + r.i) * g.heads + r.h) * g.head_dim;
  for (int64_t c = 0; c < g.head_dim; ++c) {
    double sum = 0.0;
    for (int64_t j = 0; j < g.seq; ++j) {
      if (sees(g, r, j)) sum += p[static_cast<size_t>(j)] * g.v[key_offset(g, r, j) + c];
    }
    out[c] = sum;
  }
}

void backward_row(const Attention& g, Row r, std::vector<double>& p) {
  weights(g, r, p);
  const double* dout = query_cell(g, g.dout, r);
  const double* q = query_cell(g, g.q, r);
  double* dq = g.dq + (q - g.q);
  double mean = 0.0;
  for (int64_t j = 0; j < g.seq; ++j) {
    if (sees(g, r, j)) {
      mean += p[static_cast<size_t>(j)] * dot(dout, g.v + key_offset(g, r, j), g.head_dim);
    }
  }
  for (int64_t j = 0; j < g.seq; ++j) {
    if (!sees(g, r, j)) continue;
    const int64_t key = key_offset(g, r, j);
    const double w = p[static_cast<size_t>(j)];
    const double ds = w * (dot(dout, g.v + key, g.head_dim) - mean) * g.scale;
    for (int64_t c = 0; c < g.head_dim; ++c) {
      g.dv[key + c] += w * dout[c];
      g.dk[key + c] += ds * q[c];
      dq[c] += ds * g.k[key + c];
    }
  }
}

template <class Body>
void for_rows(const Attention& g, const Body& body) {
  std::vector<double> p(static_cast<size_t>(g.seq));
  for (int64_t b = 0; b < g.batch; ++b) {
    for (int64_t h = 0; h < g.heads; ++h) {
      for (int64_t i = 0; i < g.seq; ++i) body(Row{b, h, i}, p);
    }
  }
}

}  // namespace

void attention(const Attention& g) {
  for_rows(g, [&](Row r, std::vector<double>& p) { forward_row(g, r, p); });
}

void attention_backward(const Attention& g) {
  for_rows(g, [&](Row r, std::vector<double>& p) { backward_row(g, r, p); });
}

}  // namespace ingot::kernels::reference
