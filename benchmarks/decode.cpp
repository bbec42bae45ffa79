// SPDX-License-Identifier: Apache-2.0
// Tokens per second of one decoding sequence: a random Llama of 110 million parameters (far larger
// than the caches) in float32, 8 bit and 4 bit. Decoding reads every weight once per token, so each
// line is also given as a share of the read bandwidth of this machine, measured just before.
// The random weights say nothing about quality; perplexity is measured by the recipes.
// Usage: decode [threads] [tokens]; writes about 0.7 GB below $TMPDIR and removes it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/machine.h"
#include "base/team.h"
#include "compress/load_quantized.h"
#include "compress/quantize.h"
#include "kernels/attention.h"
#include "models/hugging_face.h"
#include "models/paged_decoder.h"
#include "nn/parameter_store.h"
#include "tensor/allocator.h"

namespace ingot {
namespace {

constexpr int64_t kBufferBytes = int64_t{1} << 30;
constexpr int kPasses = 10;     // of the bandwidth loop; the fastest counts
constexpr int64_t kWarmUp = 4;  // tokens: first touch of the mapped file, caches, allocator

models::TransformerConfig llama_110m() {
  models::TransformerConfig c;
  c.vocab = 32000;
  c.context = 512;
  c.layers = 12;
  c.heads = 12;
  c.dim = 768;
  c.hidden = 2048;
  return c;
}

/// Bytes per second of summing 1 GiB (huge pages where the system gives them), each thread its
/// part.
double read_bandwidth(Team& team) {
  const RealClock clock;
  std::byte* memory = map_pages(kBufferBytes);
  auto* words = reinterpret_cast<uint64_t*>(memory);
  const int64_t n = kBufferBytes / static_cast<int64_t>(sizeof(uint64_t));
  std::fill_n(words, n, uint64_t{1});
  std::vector<uint64_t> sums(static_cast<size_t>(team.size()) * 8);  // a cache line per thread
  double best = 1e30;
  for (int pass = 0; pass < kPasses; ++pass) {
    const double start = clock.now_s();
    team.run([&](int worker) {
      const uint64_t* end = words + n * (worker + 1) / team.size();
      uint64_t sum = 0;
      for (const uint64_t* p = words + n * worker / team.size(); p < end; ++p) sum += *p;
      sums[static_cast<size_t>(worker) * 8] = sum;
    });
    best = std::min(best, clock.now_s() - start);
  }
  INGOT_ASSERT(std::accumulate(sums.begin(), sums.end(), uint64_t{0}) == static_cast<uint64_t>(n));
  unmap_pages(memory, kBufferBytes);
  return static_cast<double>(kBufferBytes) / best;
}

void write_model(Team& team, const std::string& directory) {
  Engine engine(team);
  models::Transformer model(engine, llama_110m());
  const nn::ParameterStore store(engine, model);
  models::save_model(*real_files(), model, directory, -1);
}

struct Speed {
  double best_s = 0;  // of a token
  double median_s = 0;
  int64_t resident = 0;
};

/// Greedy decoding of one sequence, a token per call.
Speed decode(Team& team, const std::string& directory, int64_t tokens) {
  Engine engine(team);
  const auto model = compress::load_model(engine, directory);
  const int64_t pages =
      (model->config().context + kernels::kAttentionTile - 1) / kernels::kAttentionTile;
  models::PagedDecoder decoder(engine, *model, {.pages = pages, .max_sequences = 1, .max_rows = 1});
  std::vector<int32_t> table(static_cast<size_t>(pages));
  std::iota(table.begin(), table.end(), 0);
  std::vector<float> logits(static_cast<size_t>(model->config().vocab));
  const RealClock clock;
  std::vector<double> seconds;
  models::DecodeRow row{1, 0, 0, true};
  for (int64_t i = 0; i < kWarmUp + tokens; ++i) {
    const double start = clock.now_s();
    decoder.forward({&row, 1}, table, logits);
    if (i >= kWarmUp) seconds.push_back(clock.now_s() - start);
    row.token =
        static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    ++row.position;
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2], resident_bytes()};
}

/// Both the fastest and the usual token: on a busy machine only the first is comparable with the
/// bandwidth, which is the fastest pass too.
void print_line(const char* name, double weight_bytes, const Speed& speed, double bandwidth) {
  const auto share = [&](double seconds) { return 100 * weight_bytes / seconds / bandwidth; };
  fmt::print("{:8} {:8.1f} MB {:9.1f} {:9.1f} % {:9.1f} {:9.1f} % {:9.1f} MB\n", name,
             weight_bytes / 1e6, 1 / speed.median_s, share(speed.median_s), 1 / speed.best_s,
             share(speed.best_s), static_cast<double>(speed.resident) / 1e6);
}

int run(int threads, int64_t tokens) {
  std::string dir = (std::filesystem::temp_directory_path() / "ingot_decode_XXXXXX").string();
  require(mkdtemp(dir.data()) != nullptr, Code::kIo, "decode: no folder could be made at {}", dir);
  const struct Remove {
    ~Remove() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::string path;
  } remove{dir};
  Team team(threads);
  const auto files = real_files();
  write_model(team, dir + "/float32");
  double bytes[3] = {};
  const char* names[] = {"float32", "q8", "q4"};
  for (int i = 1; i < 3; ++i) {
    Engine engine(team);
    compress::QuantizeConfig config;
    config.format = i == 1 ? compress::QuantFormat::kQ8 : compress::QuantFormat::kQ4;
    const auto report =
        compress::quantize_model(engine, dir + "/float32", dir + "/" + names[i], config, *files);
    bytes[0] = static_cast<double>(report.float_bytes);
    bytes[i] = static_cast<double>(report.quantized_bytes);
  }
  const double bandwidth = read_bandwidth(team);
  fmt::print("{}, {} threads, {} tokens, read bandwidth {:.2f} GB/s\n", cpu_model(), threads,
             tokens, bandwidth / 1e9);
  fmt::print("{:8} {:>11} {:>9} {:>11} {:>9} {:>11} {:>12}\n", "format", "weights", "tokens/s",
             "of peak", "fastest", "of peak", "resident");
  for (int i = 0; i < 3; ++i) {
    print_line(names[i], bytes[i], decode(team, dir + "/" + names[i], tokens), bandwidth);
  }
  return 0;
}

}  // namespace
}  // namespace ingot

int main(int argc, char** argv) {
  try {
    const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : ingot::allowed_cores();
    const int64_t tokens = argc > 2 ? std::max(1, std::atoi(argv[2])) : 64;
    return ingot::run(threads, std::min<int64_t>(tokens, 500));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
