// SPDX-License-Identifier: Apache-2.0
// Writes the exposition text line by line; one model per process, so its name is a label only of
// the info gauge. See metrics.h.
#include "serve/metrics.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>

#include "base/json.h"
#include "base/machine.h"

namespace ingot::serve {
namespace {

void write_one(std::string& out, const char* type, const char* name, const char* help,
               int64_t value) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help,
                 type, value);
}

int64_t open_files() {
  std::error_code problem;
  const std::filesystem::directory_iterator files("/proc/self/fd", problem);
  if (problem) return 0;
  return std::distance(begin(files), end(files)) - 1;  // the listing itself holds one
}

}  // namespace

void Histogram::observe(double value) {
  const auto* bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto bucket = static_cast<size_t>(bound - bounds_.begin());
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_millionths_.fetch_add(static_cast<int64_t>(value * 1e6), std::memory_order_relaxed);
}

void Histogram::write(const char* name, const char* help, std::string& out) const {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  int64_t below = 0;
  for (size_t i = 0; i < bounds_.size(); ++i) {
    below += buckets_[i].load(std::memory_order_relaxed);
    fmt::format_to(to, "{}_bucket{{le=\"{}\"}} {}\n", name, bounds_[i], below);
  }
  below += buckets_.back().load(std::memory_order_relaxed);
  fmt::format_to(to, "{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, below,
                 sum());
}

int Metrics::retry_after_s(int64_t batch) const {
  constexpr double kLongest = 60.0;
  const int64_t ended = end_to_end.count();
  const double mean = ended == 0 ? 1.0 : end_to_end.sum() / static_cast<double>(ended);
  const double rounds = static_cast<double>(waiting.load()) / static_cast<double>(batch);
  return static_cast<int>(std::ceil(std::clamp(mean * rounds, 1.0, kLongest)));
}

std::string Metrics::text(const std::string& model) const {
  std::string out;
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "# HELP ingot_model_info The served model\n# TYPE ingot_model_info gauge\n"
                 "ingot_model_info{{model_name={}}} 1\n",
                 quote_json(model));
  const auto gauge = [&](const char* name, const char* help, int64_t value) {
    write_one(out, "gauge", name, help, value);
  };
  const auto counter = [&](const char* name, const char* help, int64_t value) {
    write_one(out, "counter", name, help, value);
  };
  gauge("ingot_requests_running", "Completions or examples in the batch", running);
  gauge("ingot_requests_waiting", "Completions or examples in the queue", waiting);
  gauge("ingot_kv_pages_used", "Pages of the KV cache in use", pages_used);
  gauge("ingot_kv_pages", "Pages of the KV cache", pages_total);
  gauge("ingot_connections", "Open connections", connections);
  gauge("ingot_resident_memory_bytes", "Resident memory of the process", resident_bytes());
  gauge("ingot_open_fds", "Open file descriptors of the process", open_files());
  counter("ingot_prompt_tokens_total", "Prompt tokens taken in", prompt_tokens);
  counter("ingot_generation_tokens_total", "Tokens written", generation_tokens);
  counter("ingot_recomputed_tokens_total", "Tokens whose cache was given up", recomputed_tokens);
  counter("ingot_examples_total", "Examples answered by a network", examples);
  counter("ingot_left_out_total", "Examples without an answer, left out by policy", left_out);
  counter("ingot_unseen_categories_total", "Categories sent that no training row had",
          unseen_categories);
  counter("ingot_engine_steps_total", "Forward passes", steps);
  counter("ingot_preemptions_total", "Completions that gave up their cache", preemptions);
  counter("ingot_slow_clients_total", "Completions cancelled because nobody read", slow_clients);
  counter("ingot_disconnects_total", "Requests whose client went away", disconnects);
  counter("ingot_engine_errors_total", "Steps or draws that failed", engine_errors);
  counter("ingot_connections_total", "Connections accepted", connections_total);
  counter("ingot_connections_refused_total", "Connections over a limit", refused_connections);
  fmt::format_to(to,
                 "# HELP ingot_request_success_total Completions by why they ended\n"
                 "# TYPE ingot_request_success_total counter\n");
  const auto finished = [&](const char* reason, int64_t value) {
    fmt::format_to(to, "ingot_request_success_total{{finished_reason=\"{}\"}} {}\n", reason, value);
  };
  finished("stop", finished_stop);
  finished("length", finished_length);
  finished("abort", finished_cancelled);
  finished("error", finished_error);
  fmt::format_to(to,
                 "# HELP ingot_http_responses_total Responses by status\n"
                 "# TYPE ingot_http_responses_total counter\n");
  for (size_t status = 0; status < responses.size(); ++status) {
    const int64_t count = responses[status];
    if (count == 0) continue;
    fmt::format_to(to, "ingot_http_responses_total{{code=\"{}\"}} {}\n", status, count);
  }
  queue_time.write("ingot_request_queue_time_seconds", "From submission to the first step", out);
  time_to_first_token.write("ingot_time_to_first_token_seconds", "From submission", out);
  inter_token.write("ingot_inter_token_latency_seconds", "Between tokens of a text", out);
  end_to_end.write("ingot_e2e_request_latency_seconds", "From submission to the end", out);
  batch_size.write("ingot_batch_size", "Examples of a network run at once", out);
  return out;
}

}  // namespace ingot::serve
