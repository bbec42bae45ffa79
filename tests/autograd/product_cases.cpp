// SPDX-License-Identifier: Apache-2.0
// Samples of the products: matmul, linear, attention and attention on a packed projection.
#include <algorithm>
#include <cmath>

#include "autograd/op_cases.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/linear.h"
#include "kernels/reference/attention.h"
#include "kernels/reference/elementwise.h"

namespace ingot::testing {
namespace {

using kernels::Activation;

// ---- matmul -------------------------------------------------------------------------------------

struct Product {
  const char* what;
  Shape a, b;
  bool trans_a = false, trans_b = false;
  View view_a = View::kDense, view_b = View::kDense;
};

const Product kProducts[] = {
    {"one element", {1, 1}, {1, 1}},
    {"odd", {3, 5}, {5, 7}},
    {"a stored transposed", {5, 3}, {5, 7}, true, false},
    {"b stored transposed", {3, 5}, {7, 5}, false, true},
    {"both stored transposed", {5, 3}, {7, 5}, true, true},
    {"a a transposed view", {3, 5}, {5, 7}, false, false, View::kTransposed},
    {"b a transposed view", {3, 5}, {5, 7}, false, false, View::kDense, View::kTransposed},
    {"views and flags", {5, 3}, {7, 5}, true, true, View::kTransposed, View::kTransposed},
    {"sliced rows", {3, 5}, {5, 7}, false, false, View::kSliced, View::kSliced},
    {"sliced and flags", {5, 3}, {7, 5}, true, true, View::kSliced, View::kSliced},
    {"batch", {4, 3, 2}, {4, 2, 5}},
    {"batch of transposed views",
     {4, 3, 2},
     {4, 2, 5},
     false,
     false,
     View::kTransposed,
     View::kTransposed},
    {"batch with flags", {3, 2, 5}, {3, 4, 2}, true, true},
    {"b repeated", {3, 2, 5}, {5, 4}},
    {"a repeated", {2, 5}, {3, 5, 4}},
    {"b repeated with flags", {3, 5, 2}, {4, 5}, true, true},
    {"two leading axes", {2, 3, 2, 4}, {2, 3, 4, 3}},
    {"two leading axes and a matrix", {2, 3, 2, 4}, {4, 3}},
    {"a sliced batch", {2, 3, 4}, {2, 4, 3}, false, false, View::kSliced},
    {"no rows", {0, 5}, {5, 7}},
    {"no inner", {3, 0}, {0, 4}},
    {"no batch", {0, 2, 5}, {5, 4}},
    {"row times column", {1, 17}, {17, 1}},
    {"column times row", {17, 1}, {1, 17}},
    {"large", {259, 190}, {190, 131}},
    {"large batch", {16, 61, 40}, {16, 40, 67}},
    {"large repeated", {9, 61, 40}, {40, 67}}};

Sample matmul_sample(const Product& p, uint32_t seed) {
  Sample s;
  s.op = "matmul";
  s.what = p.what;
  s.inputs = {input(p.a, seed, p.view_a, p.a.rank() - 1, -1.0, 1.0),
              input(p.b, seed + 1, p.view_b, p.b.rank() - 1, -1.0, 1.0)};
  s.run = [p](const std::vector<Tensor>& t) {
    return ops::matmul(t[0], t[1], p.trans_a, p.trans_b);
  };
  s.truth = [p](const std::vector<Doubles>& in) {
    const int64_t a1 = p.a[p.a.rank() - 1], a2 = p.a[p.a.rank() - 2];
    const int64_t b1 = p.b[p.b.rank() - 1], b2 = p.b[p.b.rank() - 2];
    const int64_t m = p.trans_a ? a1 : a2, k = p.trans_a ? a2 : a1, n = p.trans_b ? b2 : b1;
    const int64_t batch_a = p.a.size(0, p.a.rank() - 2), batch_b = p.b.size(0, p.b.rank() - 2);
    const int64_t batch = batch_a == 1 ? batch_b : batch_a;
    Doubles y(static_cast<size_t>(batch * m * n), 0.0);
    for (int64_t z = 0; z < batch; ++z) {
      const double* a = in[0].data() + (batch_a == 1 ? 0 : z) * m * k;
      const double* b = in[1].data() + (batch_b == 1 ? 0 : z) * k * n;
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          double sum = 0.0;
          for (int64_t x = 0; x < k; ++x) {
            sum += (p.trans_a ? a[x * m + i] : a[i * k + x]) *
                   (p.trans_b ? b[j * k + x] : b[x * n + j]);
          }
          y[static_cast<size_t>((z * m + i) * n + j)] = sum;
        }
      }
    }
    return y;
  };
  s.tolerance = 5e-6;  // up to 190 products in a row
  s.is_large = s.what.starts_with("large");
  return s;
}

// ---- linear -------------------------------------------------------------------------------------

struct LinearCase {
  const char* what;
  Shape x;
  int64_t out;
  bool has_bias;
  Activation activation;
  View view_x = View::kDense, view_w = View::kDense;
};

const LinearCase kLinears[] = {
    {"one element", {1}, 1, true, Activation::kNone},
    {"vector", {5}, 3, false, Activation::kNone},
    {"odd", {3, 5}, 7, true, Activation::kNone},
    {"rank 3 relu", {2, 3, 5}, 7, true, Activation::kRelu},
    {"gelu", {3, 5}, 7, true, Activation::kGelu},
    {"gelu_tanh no bias", {3, 5}, 17, false, Activation::kGeluTanh},
    {"silu", {4, 9}, 5, true, Activation::kSilu},
    {"x transposed", {4, 6}, 5, true, Activation::kSilu, View::kTransposed},
    {"weight transposed", {4, 6}, 5, true, Activation::kNone, View::kDense, View::kTransposed},
    {"both sliced", {4, 6}, 5, true, Activation::kRelu, View::kSliced, View::kSliced},
    {"no rows", {0, 6}, 5, true, Activation::kGelu},
    {"no inputs", {4, 0}, 5, true, Activation::kNone},
    {"large", {260, 131}, 189, true, Activation::kGeluTanh},
    {"large plain", {601, 70}, 97, true, Activation::kNone}};

Sample linear_sample(const LinearCase& c, uint32_t seed) {
  const int64_t in_features = c.x[c.x.rank() - 1];
  Sample s;
  s.op = "linear";
  s.what = c.what;
  s.inputs = {input(c.x, seed, c.view_x, c.x.rank() - 1, -1.0, 1.0),
              input({c.out, in_features}, seed + 1, c.view_w, 1, -1.0, 1.0)};
  if (c.has_bias)
    s.inputs.push_back(
        input({c.out}, seed + 2, c.view_w == View::kSliced ? View::kSliced : View::kDense));
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::linear(t[0], t[1], c.has_bias ? t[2] : Tensor(), c.activation);
  };
  s.truth = [c, in_features](const std::vector<Doubles>& in) {
    Doubles y;
    for (int64_t r = 0; r < c.x.size(0, c.x.rank() - 1); ++r) {
      for (int64_t o = 0; o < c.out; ++o) {
        double sum = c.has_bias ? in[2][static_cast<size_t>(o)] : 0.0;
        for (int64_t k = 0; k < in_features; ++k) {
          sum += in[0][static_cast<size_t>(r * in_features + k)] *
                 in[1][static_cast<size_t>(o * in_features + k)];
        }
        y.push_back(kernels::reference::activation_value(c.activation, sum));
      }
    }
    return y;
  };
  s.tolerance = 5e-6;
  s.is_large = s.what.starts_with("large");
  return s;
}

// ---- attention ----------------------------------------------------------------------------------

struct AttentionCase {
  const char* what;
  int64_t batch, seq, heads, kv_heads, head_dim;
  bool is_causal = true, has_documents = false;
  float scale = 0.0F;
  View view = View::kDense;  // kSliced: heads of a longer axis, as in a packed projection
  bool has_ends = false;     // with documents: padding behind the tokens
};

const AttentionCase kAttentions[] = {
    {"no sequences", 0, 3, 2, 2, 4},
    {"one element", 1, 1, 1, 1, 1},
    {"one token", 2, 1, 2, 2, 3},
    {"causal", 2, 5, 2, 2, 3},
    {"two-way", 1, 5, 2, 2, 4, false},
    {"grouped heads", 1, 4, 6, 2, 3},
    {"one key head", 2, 3, 3, 1, 4},
    {"documents", 2, 7, 2, 2, 3, true, true},
    {"two-way documents", 1, 6, 2, 1, 3, false, true},
    {"scale", 1, 4, 2, 2, 5, true, false, 0.7F},
    {"sliced heads", 2, 4, 4, 2, 5, true, true, 0.0F, View::kSliced},
    {"padding behind", 3, 7, 2, 1, 3, false, true, 0.0F, View::kDense, true},
    {"causal padding behind", 2, 6, 2, 2, 3, true, true, 0.0F, View::kDense, true},
    {"past one tile", 1, 70, 1, 1, 2},
    {"large", 3, 149, 4, 2, 24},
    {"large two-way", 2, 131, 3, 3, 17, false, true},
    {"large padded", 2, 151, 2, 2, 9, false, true, 0.0F, View::kDense, true}};

Doubles documents_of(const AttentionCase& c) {
  Doubles starts;
  for (int64_t b = 0; b < c.batch; ++b) {
    int64_t first = 0;
    for (int64_t t = 0; t < c.seq; ++t) {
      if (t > 0 && (t * 5 + b) % 3 == 0) first = t;
      starts.push_back(static_cast<double>(first));
    }
  }
  return starts;
}

/// The last one to three positions are padding; their own rows may see no key at all.
Doubles ends_of(const AttentionCase& c) {
  Doubles ends;
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t t = 0; t < c.seq; ++t) ends.push_back(static_cast<double>(c.seq - 1 - b % 3));
  }
  return ends;
}

double scale_of(const AttentionCase& c) {
  return c.scale != 0.0F ? static_cast<double>(c.scale)
                         : 1.0 / std::sqrt(static_cast<double>(c.head_dim));
}

Doubles attention_truth(const AttentionCase& c, const double* q, const double* k, const double* v) {
  Doubles out(static_cast<size_t>(c.batch * c.seq * c.heads * c.head_dim));
  Doubles lse(static_cast<size_t>(c.batch * c.seq * c.heads));
  const Doubles documents = documents_of(c), behind = ends_of(c);
  const std::vector<int32_t> starts(documents.begin(), documents.end());
  const std::vector<int32_t> ends(behind.begin(), behind.end());
  kernels::reference::Attention args;
  args.q = q, args.k = k, args.v = v;
  args.doc_start = c.has_documents ? starts.data() : nullptr;
  args.doc_end = c.has_ends ? ends.data() : nullptr;
  args.out = out.data();
  args.lse = lse.data();
  args.batch = c.batch, args.seq = c.seq, args.heads = c.heads, args.kv_heads = c.kv_heads;
  args.head_dim = c.head_dim;
  args.causal = c.is_causal;
  args.scale = scale_of(c);
  kernels::reference::attention(args);
  return out;
}

/// The borders of documents behind the `first` other inputs, as the ops take them.
Tensor starts_in(const AttentionCase& c, const std::vector<Tensor>& t, size_t first) {
  return c.has_documents ? t[first] : Tensor();
}
ops::AttentionOptions options_of(const AttentionCase& c, const std::vector<Tensor>& t,
                                 size_t first) {
  return {c.is_causal, c.scale, c.has_ends ? t[first + 1] : Tensor()};
}
void add_borders(const AttentionCase& c, std::vector<Input>& inputs) {
  if (c.has_documents) inputs.push_back({{c.batch, c.seq}, documents_of(c), DType::kI32});
  if (c.has_ends) inputs.push_back({{c.batch, c.seq}, ends_of(c), DType::kI32});
}

Sample attention_sample(const AttentionCase& c, uint32_t seed) {
  Sample s;
  s.op = "attention";
  s.what = c.what;
  const Shape kv{c.batch, c.seq, c.kv_heads, c.head_dim};
  s.inputs = {input({c.batch, c.seq, c.heads, c.head_dim}, seed, c.view, 2),
              input(kv, seed + 1, c.view, 2), input(kv, seed + 2, c.view, 2)};
  add_borders(c, s.inputs);
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::attention(t[0], t[1], t[2], starts_in(c, t, 3), options_of(c, t, 3));
  };
  s.truth = [c](const std::vector<Doubles>& in) {
    return attention_truth(c, in[0].data(), in[1].data(), in[2].data());
  };
  s.tolerance = 4e-6;
  s.is_large = s.what.starts_with("large");
  return s;
}

Sample packed_sample(const AttentionCase& c, uint32_t seed) {
  Sample s;
  s.op = "attention_qkv";
  s.what = c.what;
  const int64_t all = c.heads + 2 * c.kv_heads;
  s.inputs = {input({c.batch, c.seq, all * c.head_dim}, seed, c.view, 2)};
  add_borders(c, s.inputs);
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::attention_qkv(t[0], c.heads, c.kv_heads, starts_in(c, t, 1), options_of(c, t, 1));
  };
  s.truth = [c, all](const std::vector<Doubles>& in) {
    Doubles parts[3];
    const int64_t begin[] = {0, c.heads, c.heads + c.kv_heads, all};
    for (int64_t row = 0; row < c.batch * c.seq; ++row) {
      for (int p = 0; p < 3; ++p) {
        const auto first = in[0].begin() + (row * all + begin[p]) * c.head_dim;
        const auto last = in[0].begin() + (row * all + begin[p + 1]) * c.head_dim;
        parts[p].insert(parts[p].end(), first, last);
      }
    }
    return attention_truth(c, parts[0].data(), parts[1].data(), parts[2].data());
  };
  s.tolerance = 4e-6;
  s.is_large = s.what.starts_with("large");
  return s;
}

}  // namespace

void add_product_cases(std::vector<Sample>& samples) {
  uint32_t seed = 3000;
  for (const Product& p : kProducts) samples.push_back(matmul_sample(p, seed += 3));
  for (const LinearCase& c : kLinears) samples.push_back(linear_sample(c, seed += 3));
  for (const AttentionCase& c : kAttentions) {
    samples.push_back(attention_sample(c, seed += 3));
    samples.push_back(packed_sample(c, seed += 3));
  }
}

}  // namespace ingot::testing
