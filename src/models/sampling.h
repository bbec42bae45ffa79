// SPDX-License-Identifier: Apache-2.0
// From one row of logits to one token: penalties, bias, temperature, top-k, nucleus (Holtzman
// 2019), then the inverse of the cumulative distribution at a counter-based random number. The
// number is keyed by (seed, stream, index), so a draw never depends on what else runs in the batch.
// Not a text generator: see models/generate.h. Called by models/generate and serve/engine.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ingot::models {

/// How the next token is chosen. Order of work: repetition penalty (Keskar 2019: positive logits of
/// seen tokens divided, negative ones multiplied), presence and frequency penalty (subtracted once
/// and once per occurrence in the completion), bias, temperature, top-k, top-p.
struct SamplingOptions {
  float temperature = 1.0F;         ///< >= 0; under 1e-5 the largest logit, lower id first if equal
  int64_t top_k = 0;                ///< keep the k largest; 0 keeps all
  float top_p = 1.0F;               ///< keep the smallest set with at least this mass, (0, 1]
  float repetition_penalty = 1.0F;  ///< > 0; counts prompt and completion; 1 is off
  float presence_penalty = 0.0F;    ///< counts the completion only
  float frequency_penalty = 0.0F;   ///< counts the completion only
  std::vector<std::pair<int32_t, float>> logit_bias;  ///< added to the logit of each id
  uint64_t seed = 0;
  uint32_t stream = 0;    ///< choice number: several completions of one seed differ by it
  int32_t logprobs = -1;  ///< -1: a Draw has no log probability; n: its own and the n best

  [[nodiscard]] bool penalised() const {
    return repetition_penalty != 1.0F || presence_penalty != 0.0F || frequency_penalty != 0.0F;
  }
};

/// Throws kInvalidArgument naming the first option outside its range, or a bias id >= vocab.
void check_sampling(const SamplingOptions& options, int64_t vocab);

struct TokenLogprob {
  int32_t id = 0;
  float logprob = 0.0F;
};

/// Log probabilities are those of the model itself: before penalties, bias and temperature.
struct Draw {
  int32_t token = 0;
  float logprob = 0.0F;
  std::vector<TokenLogprob> top;  ///< the `logprobs` best, best first, lower id first among equals
};

/// Scratch for one vocabulary; one per thread that samples. Holds no state between calls.
class Sampler {
 public:
  explicit Sampler(int64_t vocab);

  /// logits [vocab]; history = prompt then completion, `prompt_tokens` of it prompt; `index` counts
  /// the completion's tokens from 0. Cost O(vocab), plus a partial sort under top-k or top-p.
  /// Throws kNumeric when a logit is NaN or +infinity or none is finite.
  [[nodiscard]] Draw draw(std::span<const float> logits, const SamplingOptions& options,
                          std::span<const int32_t> history, int64_t prompt_tokens, uint64_t index);

  /// Log probability of a given token and its alternatives, for scoring a prompt.
  [[nodiscard]] Draw score(std::span<const float> logits, int32_t token, int32_t logprobs) const;

 private:
  void penalise(const SamplingOptions& options, std::span<const int32_t> history,
                int64_t prompt_tokens);
  void bias(const SamplingOptions& options);
  [[nodiscard]] int32_t pick(const SamplingOptions& options, double uniform);
  [[nodiscard]] int32_t pick_filtered(const SamplingOptions& options, double uniform);
  [[nodiscard]] double weigh(float temperature);
  void rank_first(int64_t first, int64_t count);

  int64_t vocab_;
  std::vector<float> adjusted_;  // [vocab] logits after penalties and bias
  std::vector<float> weight_;    // [vocab] unnormalised probabilities
  std::vector<int32_t> order_;   // [vocab] candidate ids
  std::vector<int32_t> count_;   // [vocab] occurrences in the completion, zero between calls
  std::vector<bool> seen_;       // [vocab] in prompt or completion, false between calls
};

/// Uniform in [0, 1) with 53 bits, a pure function of its arguments.
[[nodiscard]] double sampling_uniform(uint64_t seed, uint32_t stream, uint64_t index);

}  // namespace ingot::models
