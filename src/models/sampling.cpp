// SPDX-License-Identifier: Apache-2.0
// Sampling on plain loops in id order, so that a draw is the same wherever it is computed. One
// uniform number per token decides by inversion; candidates under top-k or top-p stand in the order
// (larger logit, then lower id). See sampling.h.
#include "models/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"

namespace ingot::models {
namespace {

constexpr float kGreedyBelow = 1e-5F;  // a quotient by less would overflow for ordinary logits
constexpr int64_t kFirstRanked = 128;  // nucleus: ranked in growing steps, most end in the first

void check_finite(std::span<const float> logits) {
  float largest = -std::numeric_limits<float>::infinity();
  bool bad = false;
  for (const float x : logits) {
    bad |= std::isnan(x);
    largest = std::max(largest, x);
  }
  require(!bad && std::isfinite(largest), Code::kNumeric,
          "sample: a logit is {}; the weights or the cache are damaged",
          bad ? "NaN" : "infinite, or all are");
}

int32_t largest_id(std::span<const float> values) {
  return static_cast<int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// The `wanted` largest, best first, lower id first among equals, by insertion.
std::vector<TokenLogprob> best(std::span<const float> logits, int32_t wanted, double log_sum) {
  std::vector<TokenLogprob> top;
  if (wanted <= 0) return top;
  top.reserve(static_cast<size_t>(wanted) + 1);
  for (size_t i = 0; i < logits.size(); ++i) {
    const bool full = top.size() == static_cast<size_t>(wanted);
    if (full && logits[i] <= top.back().logprob) continue;
    const auto after = std::upper_bound(
        top.begin(), top.end(), logits[i],
        [](float value, const TokenLogprob& other) { return value > other.logprob; });
    top.insert(after, TokenLogprob{static_cast<int32_t>(i), logits[i]});
    if (full) top.pop_back();
  }
  for (TokenLogprob& t : top) t.logprob = static_cast<float>(t.logprob - log_sum);
  return top;
}

}  // namespace

void check_sampling(const SamplingOptions& options, int64_t vocab) {
  const auto holds = [](const char* name, float value, bool is_within, const char* range) {
    require(is_within && std::isfinite(value), Code::kInvalidArgument,
            "sample: {} is {} but must be {}", name, value, range);
  };
  holds("temperature", options.temperature, options.temperature >= 0.0F, "at least 0 and finite");
  holds("top_p", options.top_p, options.top_p > 0.0F && options.top_p <= 1.0F,
        "above 0, at most 1");
  holds("repetition_penalty", options.repetition_penalty,
        options.repetition_penalty >= std::numeric_limits<float>::min(), "above 0 and finite");
  holds("presence_penalty", options.presence_penalty, true, "finite");
  holds("frequency_penalty", options.frequency_penalty, true, "finite");
  require(options.top_k >= 0, Code::kInvalidArgument, "sample: top_k is {} but must be >= 0",
          options.top_k);
  require(options.logprobs >= -1 && options.logprobs <= vocab, Code::kInvalidArgument,
          "sample: logprobs is {} but must be between -1 and the vocabulary {}", options.logprobs,
          vocab);
  for (const auto& [id, value] : options.logit_bias) {
    require(id >= 0 && id < vocab, Code::kInvalidArgument,
            "sample: logit_bias names token {} but the vocabulary has {}", id, vocab);
    holds("a logit_bias", value, true, "finite");
  }
}

double sampling_uniform(uint64_t seed, uint32_t stream, uint64_t index) {
  constexpr uint32_t kSamplingTag = 0x53414D50U;  // keeps these counters apart from other users'
  const PhiloxCounter words = philox4x32(
      {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), stream, kSamplingTag},
      philox_key(seed));
  const uint64_t bits = words[0] | uint64_t{words[1]} << 32;
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

Sampler::Sampler(int64_t vocab)
    : vocab_(vocab),
      adjusted_(static_cast<size_t>(vocab)),
      weight_(static_cast<size_t>(vocab)),
      order_(static_cast<size_t>(vocab)),
      count_(static_cast<size_t>(vocab)),
      seen_(static_cast<size_t>(vocab)) {
  INGOT_ASSERT(vocab > 0);
}

Draw Sampler::draw(std::span<const float> logits, const SamplingOptions& options,
                   std::span<const int32_t> history, int64_t prompt_tokens, uint64_t index) {
  INGOT_ASSERT(static_cast<int64_t>(logits.size()) == vocab_);
  check_finite(logits);
  adjusted_.assign(logits.begin(), logits.end());
  if (options.penalised()) penalise(options, history, prompt_tokens);
  bias(options);
  const int32_t token = options.temperature < kGreedyBelow
                            ? largest_id(adjusted_)
                            : pick(options, sampling_uniform(options.seed, options.stream, index));
  if (options.logprobs < 0) return Draw{token, 0.0F, {}};
  return score(logits, token, options.logprobs);
}

Draw Sampler::score(std::span<const float> logits, int32_t token, int32_t logprobs) const {
  check_finite(logits);
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float x : logits) sum += std::exp(x - largest);
  const double log_sum = largest + std::log(sum);
  return Draw{token, static_cast<float>(logits[static_cast<size_t>(token)] - log_sum),
              best(logits, logprobs, log_sum)};
}

void Sampler::penalise(const SamplingOptions& options, std::span<const int32_t> history,
                       int64_t prompt_tokens) {
  for (size_t i = 0; i < history.size(); ++i) {
    const auto id = static_cast<size_t>(history[i]);
    seen_[id] = true;
    if (static_cast<int64_t>(i) >= prompt_tokens) ++count_[id];
  }
  for (const int32_t token : history) {
    const auto id = static_cast<size_t>(token);
    if (!seen_[id]) continue;  // done at its first occurrence
    float& x = adjusted_[id];
    x = x > 0.0F ? x / options.repetition_penalty : x * options.repetition_penalty;
    if (count_[id] > 0) {
      x -= options.presence_penalty + options.frequency_penalty * static_cast<float>(count_[id]);
    }
    seen_[id] = false;
    count_[id] = 0;
  }
}

void Sampler::bias(const SamplingOptions& options) {
  for (const auto& [id, value] : options.logit_bias) adjusted_[static_cast<size_t>(id)] += value;
  // Huge penalties and biases may leave the range of float: the order stays, arithmetic stays
  // sound.
  constexpr float kLargest = std::numeric_limits<float>::max() / 4;
  if (options.logit_bias.empty() && !options.penalised()) return;
  for (float& x : adjusted_) {
    if (std::isnan(x)) x = -kLargest;
    x = std::min(x, kLargest);
  }
}

/// weight_ = exp((logit - largest) / temperature); returns the sum in id order.
double Sampler::weigh(float temperature) {
  const float largest = *std::max_element(adjusted_.begin(), adjusted_.end());
  double sum = 0.0;
  for (size_t i = 0; i < adjusted_.size(); ++i) {
    weight_[i] = std::exp((adjusted_[i] - largest) / temperature);
    sum += weight_[i];
  }
  return sum;
}

int32_t Sampler::pick(const SamplingOptions& options, double uniform) {
  const bool some = options.top_k > 0 && options.top_k < vocab_;
  if (some || options.top_p < 1.0F) return pick_filtered(options, uniform);
  const double target = uniform * weigh(options.temperature);
  double mass = 0.0;
  size_t last = 0;
  for (size_t i = 0; i < weight_.size(); ++i) {
    if (weight_[i] <= 0.0F) continue;
    mass += weight_[i];
    last = i;
    if (mass > target) break;
  }
  return static_cast<int32_t>(last);
}

/// Puts the ids of ranks first .. first + count into order_, given that earlier ranks are there.
void Sampler::rank_first(int64_t first, int64_t count) {
  const auto before = [this](int32_t a, int32_t b) {
    const float x = adjusted_[static_cast<size_t>(a)];
    const float y = adjusted_[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const auto begin = order_.begin() + first;
  const auto end = begin + count;
  if (end != order_.end()) std::nth_element(begin, end, order_.end(), before);
  std::sort(begin, end, before);
}

int32_t Sampler::pick_filtered(const SamplingOptions& options, double uniform) {
  const double everything = weigh(options.temperature);
  std::iota(order_.begin(), order_.end(), 0);
  const int64_t allowed = options.top_k > 0 ? std::min(options.top_k, vocab_) : vocab_;
  double total = everything;  // of the candidates that top-k leaves
  int64_t ranked = 0;
  if (allowed < vocab_) {
    rank_first(0, allowed);
    ranked = allowed;
    total = 0.0;
    for (int64_t i = 0; i < allowed; ++i) total += weight_[static_cast<size_t>(order_[i])];
  }
  const double wanted = options.top_p < 1.0F ? options.top_p * total : total;
  double mass = 0.0;
  int64_t kept = 0;
  while (kept < allowed && (kept == 0 || mass < wanted)) {
    if (kept == ranked) {
      const int64_t more = std::min(std::max(kFirstRanked, ranked * 3), allowed - ranked);
      rank_first(ranked, more);
      ranked += more;
    }
    mass += weight_[static_cast<size_t>(order_[kept++])];
  }
  const double target = uniform * mass;
  double running = 0.0;
  int64_t i = 0;
  for (; i + 1 < kept; ++i) {
    running += weight_[static_cast<size_t>(order_[i])];
    if (running > target) break;
  }
  return order_[i];
}

}  // namespace ingot::models
