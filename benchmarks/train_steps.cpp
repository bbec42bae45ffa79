// SPDX-License-Identifier: Apache-2.0
// Our side of the training benchmarks: one workload per process, from the weights and data that the
// other library dumped. The first steps must agree with its steps (agreement.h); then repeated
// windows of about half a second are timed, the loss read every step, and the median window counts.
// One JSON line on standard output, in the form of the other side's.
//   bench_train_steps WORKLOAD DUMP [--threads 2] [--seconds 8] [--profile]
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agreement.h"
#include "base/json.h"
#include "base/machine.h"
#include "cli/bench/kernel_speed.h"
#include "workloads.h"

namespace ingot::bench {
namespace {

constexpr double kWindowSeconds = 0.5;
constexpr int64_t kLeastWindows = 3;
constexpr size_t kMostWindows = 4096;

struct Options {
  std::string workload, dump;
  int threads = 2;
  double seconds = 8.0;
  bool profile = false;
};

Options parse(int argc, char** argv) {
  Options o;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] {
      require(i + 1 < argc, Code::kInvalidArgument, "bench: {} needs a value", word);
      return std::string(argv[++i]);
    };
    if (word == "--threads") {
      o.threads = std::stoi(value());
    } else if (word == "--seconds") {
      o.seconds = std::stod(value());
    } else if (word == "--profile") {
      o.profile = true;
    } else {
      words.push_back(word);
    }
  }
  require(words.size() == 2, Code::kInvalidArgument,
          "usage: bench_train_steps WORKLOAD DUMP [--threads 2] [--seconds 8] [--profile]");
  o.workload = words[0];
  o.dump = words[1];
  return o;
}

train::TrainConfig train_config(const Workload& w) {
  train::TrainConfig c;
  c.lr = w.lr;
  c.clip_norm = 0.0F;
  c.optimizer.name = w.optimiser == "sgd"    ? optim::OptimizerKind::kSgd
                     : w.optimiser == "adam" ? optim::OptimizerKind::kAdam
                                             : optim::OptimizerKind::kAdamW;
  c.optimizer.weight_decay = static_cast<float>(w.weight_decay);
  c.optimizer.decay_all = true;  // PyTorch decays every parameter of a group
  return c;
}

class Bench {
 public:
  Bench(const Options& options, const Workload& workload)
      : options_(options), workload_(workload), team_(options.threads), engine_(team_) {
    const Dump dump(join_path(options.dump, workload.name + ".safetensors"));
    task_ = make_task(engine_, workload, dump);
    step_.emplace(engine_, train_config(workload), *task_);
    task_->read_weights(dump, step_->store());
  }

  /// Runs the first steps and throws when they are not the other side's.
  void require_agreement();
  void time_windows();
  [[nodiscard]] Json result();
  void print_profile();

 private:
  float one() { return step_->run(steps_++, workload_.lr).loss; }

  const Options& options_;
  const Workload& workload_;
  RealClock clock_;
  Team team_;
  Engine engine_;
  std::unique_ptr<FixedTask> task_;
  std::optional<train::Step> step_;
  int64_t steps_ = 0;
  double first_loss_ = 0.0, gradients_ = 0.0;
  Agreement agreement_;
  double seconds_ = 0.0, spread_ = 0.0;
  int64_t faults_ = 0, allocations_ = 0, records_ = 0;
};

void Bench::require_agreement() {
  std::vector<double> losses;
  for (size_t i = 0; i < workload_.losses.size(); ++i) {
    losses.push_back(static_cast<double>(one()));
    if (i > 0 || workload_.losses_float64.empty()) continue;
    const Dump truth(join_path(options_.dump, workload_.name + ".gradients.safetensors"));
    gradients_ = require_same_gradients(workload_, truth, *task_, step_->store());
  }
  if (!losses.empty()) first_loss_ = losses[0];
  agreement_ = require_same_losses(workload_, losses);
}

void Bench::time_windows() {
  double start = clock_.now_s();
  one();
  const double once = std::max(clock_.now_s() - start, 1e-6);
  const auto per_window = std::max<int64_t>(1, static_cast<int64_t>(kWindowSeconds / once));
  std::vector<double> windows(kMostWindows);  // touched here: its pages must not fault while timing
  windows.clear();
  faults_ = -team_.page_faults();
  allocations_ = -engine_.allocator().calls();
  records_ = -engine_.counters.tape_records;
  const double end = clock_.now_s() + options_.seconds;
  while (clock_.now_s() < end || std::ssize(windows) < kLeastWindows) {
    start = clock_.now_s();
    for (int64_t i = 0; i < per_window; ++i) one();
    windows.push_back((clock_.now_s() - start) / static_cast<double>(per_window));
  }
  faults_ += team_.page_faults();
  allocations_ += engine_.allocator().calls();
  records_ += engine_.counters.tape_records;
  std::sort(windows.begin(), windows.end());
  const size_t half = windows.size() / 2;
  seconds_ = windows.size() % 2 == 1 ? windows[half] : 0.5 * (windows[half - 1] + windows[half]);
  spread_ = windows.back() / windows.front();
}

Json Bench::result() {
  const int64_t rss = peak_resident_bytes() >> 20;
  Json json = {{"peer", "ingot " INGOT_VERSION},
               {"workload", workload_.name},
               {"variant", "default"},
               {"threads", team_.size()},
               {"items_per_s", static_cast<double>(workload_.items_per_step) / seconds_},
               {"ms_per_step", 1e3 * seconds_},
               {"spread", spread_},
               {"peak_rss_mib", rss},
               {"loss0", first_loss_},
               {"max_loss_difference", agreement_.losses},
               {"slab_bytes", engine_.slab_bytes()},
               {"replay_calls", step_->plan()->calls()},
               {"page_faults", faults_},
               {"allocator_calls", allocations_},
               {"tape_records", records_},
               {"conversions", engine_.counters.conversions}};
  if (!workload_.losses_float64.empty()) {
    json["gradient_difference_float64"] = gradients_;
    json["max_loss_difference_float64"] = agreement_.truth;
    json["peer_loss_difference_float64"] = agreement_.peer_truth;
  }
  const int64_t flops = task_->model_flops();
  if (flops > 0) {  // after the peak memory was read: this takes memory too
    const double peak = cli::gemm_peak(team_, clock_);
    const double rate = static_cast<double>(flops) / seconds_;
    json["gflops_per_s"] = rate * 1e-9;
    json["gemm_peak_gflops_per_s"] = peak * 1e-9;
    json["percent_of_gemm_peak"] = 100.0 * rate / peak;
  }
  return json;
}

/// Seconds by kernel over some steps, largest first, on standard error.
void Bench::print_profile() {
  constexpr int kSteps = 10;
  std::map<std::string, double> sums;
  for (int i = 0; i < kSteps; ++i) {
    for (const auto& [name, seconds] : step_->plan()->profile()) sums[name] += seconds;
  }
  const auto flops = step_->plan()->flops_by_name();
  std::vector<std::pair<double, std::string>> rows;
  double total = 0.0;
  for (const auto& [name, seconds] : sums) {
    rows.emplace_back(seconds / kSteps, name);
    total += seconds / kSteps;
  }
  std::sort(rows.rbegin(), rows.rend());
  for (const auto& [seconds, name] : rows) {
    std::fprintf(stderr, "%-28s %10.4f ms %5.1f %% %9.1f GFLOP/s\n", name.c_str(), 1e3 * seconds,
                 100.0 * seconds / total,
                 static_cast<double>(flops.at(name)) / std::max(seconds, 1e-12) * 1e-9);
  }
}

int run(const Options& options) {
  const Workload workload = read_workload(options.dump, options.workload);
  Bench bench(options, workload);
  bench.require_agreement();
  bench.time_windows();
  std::printf("%s\n", dump_json(bench.result()).c_str());
  if (options.profile) bench.print_profile();
  return 0;
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  try {
    return ingot::bench::run(ingot::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
