// SPDX-License-Identifier: Apache-2.0
// Samples of lstm and gru: biases, directions, padding before and behind, dropout of the state.
#include "autograd/op_cases.h"
#include "autograd/ops/recurrent.h"
#include "kernels/reference/recurrent.h"

namespace ingot::testing {
namespace {

struct RecurrentCase {
  const char* what;
  int64_t batch, seq, in, hidden;
  bool has_bias = true, has_recurrent_bias = true;
  bool is_reverse = false, has_ids = false, has_dropout = false;
  View view_x = View::kDense, view_w = View::kDense;
};

const RecurrentCase kRecurrentCases[] = {
    {"no sequences", 0, 3, 2, 3},
    {"no steps", 2, 0, 2, 3},
    {"one element", 1, 1, 1, 1},
    {"one step", 3, 1, 4, 5},
    {"no inputs", 2, 3, 0, 2},
    {"odd", 3, 5, 4, 7},
    {"no biases", 2, 4, 3, 5, false, false},
    {"one bias", 2, 4, 3, 5, true, false},
    {"the other bias", 2, 4, 3, 5, false, true},
    {"reverse", 3, 5, 4, 7, true, true, true},
    {"padding", 5, 6, 3, 5, true, true, false, true},
    {"reverse padding", 5, 6, 3, 5, true, true, true, true},
    {"dropout", 3, 5, 3, 9, true, true, false, false, true},
    {"reverse dropout and padding", 5, 4, 3, 9, true, true, true, true, true},
    {"x transposed", 2, 4, 3, 5, true, true, false, false, false, View::kTransposed},
    {"all sliced", 3, 4, 3, 5, true, true, false, true, true, View::kSliced, View::kSliced},
    {"weights transposed", 2, 4, 3, 5, true, true, false, false, false, View::kDense,
     View::kTransposed},
    {"large", 37, 21, 19, 45, true, true, false, true, true},
    {"large reverse", 61, 11, 24, 50, true, false, true}};

/// Sequences with padding before, behind, in the middle, everywhere and nowhere.
Doubles ids_of(const RecurrentCase& c) {
  Doubles ids;
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t t = 0; t < c.seq; ++t) {
      const bool is_padding = (b % 5 == 0 && t < 2) || (b % 5 == 1 && t + 2 >= c.seq) ||
                              (b % 5 == 2 && t % 3 == 1) || b % 5 == 3;
      ids.push_back(is_padding ? 0.0 : static_cast<double>(1 + (b + t) % 9));
    }
  }
  return ids;
}

/// Factors 0 and 2: dropout of one half.
Doubles factors_of(const RecurrentCase& c) {
  Doubles factors = whole(c.batch * c.hidden, 90, 2);
  for (double& f : factors) f *= 2.0;
  return factors;
}

using Op = Tensor (*)(const Tensor&, const ops::RecurrentWeights&, const ops::RecurrentOptions&);
using Truth = void (*)(const kernels::reference::Recurrent&, double*);

/// x, both weights, then what the case has of biases, ids and dropout.
std::vector<Input> inputs_of(const RecurrentCase& c, int64_t gates, uint32_t seed) {
  const int64_t rows = gates * c.hidden;
  std::vector<Input> inputs = {input({c.batch, c.seq, c.in}, seed, c.view_x, 1),
                               input({rows, c.in}, seed + 1, c.view_w, 1, -0.7, 0.7),
                               input({rows, c.hidden}, seed + 2, c.view_w, 1, -0.4, 0.4)};
  const View flat = c.view_w == View::kSliced ? View::kSliced : View::kDense;
  if (c.has_bias) inputs.push_back(input({rows}, seed + 3, flat));
  if (c.has_recurrent_bias) inputs.push_back(input({rows}, seed + 4, flat));
  if (c.has_ids) inputs.push_back({{c.batch, c.seq}, ids_of(c), DType::kI32});
  if (c.has_dropout) {
    Input factors{{c.batch, c.hidden}, factors_of(c)};
    factors.has_grad = false;
    inputs.push_back(factors);
  }
  return inputs;
}

Tensor run_case(const RecurrentCase& c, Op op, const std::vector<Tensor>& t) {
  size_t next = 3;
  const auto take = [&](bool is_there) { return is_there ? t[next++] : Tensor(); };
  const Tensor bias = take(c.has_bias), recurrent_bias = take(c.has_recurrent_bias);
  ops::RecurrentOptions options;
  options.is_reverse = c.is_reverse;
  options.ids = take(c.has_ids);
  options.dropout = take(c.has_dropout);
  return op(t[0], {t[1], t[2], bias, recurrent_bias}, options);
}

Doubles truth_of(const RecurrentCase& c, Truth truth, const std::vector<Doubles>& in) {
  size_t next = 3;
  const auto take = [&](bool is_there) { return is_there ? in[next++].data() : nullptr; };
  kernels::reference::Recurrent r{};
  r.x = in[0].data(), r.input_weight = in[1].data(), r.recurrent_weight = in[2].data();
  r.input_bias = take(c.has_bias);
  r.recurrent_bias = take(c.has_recurrent_bias);
  const Doubles wide = ids_of(c);
  const std::vector<int32_t> ids(wide.begin(), wide.end());
  if (take(c.has_ids) != nullptr) r.ids = ids.data();
  r.dropout = take(c.has_dropout);
  r.batch = c.batch, r.seq = c.seq, r.in = c.in, r.hidden = c.hidden;
  r.is_reverse = c.is_reverse;
  Doubles y(static_cast<size_t>(c.batch * c.seq * c.hidden));
  truth(r, y.data());
  return y;
}

Sample sample_of(const char* name, const RecurrentCase& c, int64_t gates, Op op, Truth truth,
                 uint32_t seed) {
  Sample s;
  s.op = name;
  s.what = c.what;
  s.inputs = inputs_of(c, gates, seed);
  s.run = [c, op](const std::vector<Tensor>& t) { return run_case(c, op, t); };
  s.truth = [c, truth](const std::vector<Doubles>& in) { return truth_of(c, truth, in); };
  s.tolerance = 1e-5;  // carried through up to 21 steps
  s.is_large = s.what.starts_with("large");
  return s;
}

}  // namespace

void add_recurrent_cases(std::vector<Sample>& samples) {
  uint32_t seed = 7000;
  for (const RecurrentCase& c : kRecurrentCases) {
    samples.push_back(sample_of("lstm", c, 4, &ops::lstm, &kernels::reference::lstm, seed += 5));
    samples.push_back(sample_of("gru", c, 3, &ops::gru, &kernels::reference::gru, seed += 5));
  }
}

}  // namespace ingot::testing
