// SPDX-License-Identifier: Apache-2.0
// `ingot bench`: the peaks of this machine, then kernels and a training step as a share of them.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/bench/kernel_speed.h"
#include "cli/help_text.h"
#include "cli/lm.h"
#include "cli/runtime.h"
#include "cli/verbs/verbs.h"
#include "cost/planner.h"
#include "kernels/peak.h"

namespace ingot::cli {
namespace {

const std::vector<std::string> kBenchSections = {"model.", "train."};
constexpr double kStepSeconds = 3.0;
constexpr int64_t kStepsOfRun = 100'000;  // of a run that is longer than what is measured

/// The parts that were asked for, taken out of the words; all of them when none was named.
struct Parts {
  bool machine = false, kernels = false, step = false;
  static Parts take(std::vector<std::string>& words) {
    Parts parts;
    const auto is_part = [&](const std::string& word) {
      if (word == "machine") return parts.machine = true;
      if (word == "kernels") return parts.kernels = true;
      if (word == "step") return parts.step = true;
      return false;
    };
    std::erase_if(words, is_part);
    if (!parts.machine && !parts.kernels && !parts.step) return {true, true, true};
    return parts;
  }
};

double giga(double rate) { return rate * 1e-9; }
double percent(double part, double whole) { return whole > 0.0 ? 100.0 * part / whole : 0.0; }

/// Reading it ends a measurement that was asked to stop: all read it between their repetitions.
class StoppableClock final : public Clock {
 public:
  StoppableClock(const Clock& clock, const StopFlag* stop) : clock_(clock), stop_(stop) {}
  [[nodiscard]] double now_s() const override {
    throw_if_stopped(stop_);
    return clock_.now_s();
  }
  [[nodiscard]] double wall_s() const override { return clock_.wall_s(); }

 private:
  const Clock& clock_;
  const StopFlag* stop_;
};

class Bench {
 public:
  Bench(const Invocation& invocation, const Recipe& recipe)
      : console_(invocation.console),
        clock_(*invocation.clock, invocation.stop),
        stop_(invocation.stop),
        recipe_(recipe),
        team_(thread_count(recipe)) {}

  /// Measured always: the other parts are shares of it.
  void machine();
  void kernels();
  void step();
  [[nodiscard]] const Json& json() const { return *json_; }

 private:
  const Console& console_;
  const StoppableClock clock_;
  const StopFlag* stop_;
  const Recipe& recipe_;
  Team team_;
  kernels::MachinePeak peak_;
  double gemm_peak_ = 0.0;
  std::unique_ptr<Json> json_ = std::make_unique<Json>(Json::object());
};

void Bench::machine() {
  kernels::PeakOptions options;
  options.stop = stop_;
  peak_ = kernels::measure_peak(team_, clock_, options);
  gemm_peak_ = gemm_peak(team_, clock_);
  console_.line(
      fmt::format("machine: {}, {} threads, {}", cpu_model(), team_.size(), instruction_set()));
  console_.line(fmt::format("  multiply-add     {:9.1f} GFLOP/s", giga(peak_.fma_flops_per_s)));
  console_.line(fmt::format("  matrix product   {:9.1f} GFLOP/s  {:3.0f} % of multiply-add",
                            giga(gemm_peak_), percent(gemm_peak_, peak_.fma_flops_per_s)));
  console_.line(fmt::format("  memory read      {:9.1f} GB/s", giga(peak_.read_bytes_per_s)));
  console_.line(fmt::format("  memory triad     {:9.1f} GB/s", giga(peak_.triad_bytes_per_s)));
  console_.line(fmt::format("  page fault       {:9.2f} us", 1e6 * peak_.page_fault_s));
  console_.line(fmt::format("  team dispatch    {:9.2f} us, barrier {:.2f} us",
                            1e6 * peak_.dispatch_s, 1e6 * peak_.barrier_s));
  (*json_)["machine"] = {{"cpu", cpu_model()},
                         {"threads", team_.size()},
                         {"instruction_set", instruction_set()},
                         {"fma_flops_per_s", peak_.fma_flops_per_s},
                         {"gemm_flops_per_s", gemm_peak_},
                         {"read_bytes_per_s", peak_.read_bytes_per_s},
                         {"triad_bytes_per_s", peak_.triad_bytes_per_s},
                         {"page_fault_s", peak_.page_fault_s},
                         {"dispatch_s", peak_.dispatch_s},
                         {"barrier_s", peak_.barrier_s}};
}

void Bench::kernels() {
  Json rows = Json::array();
  console_.line("kernels:");
  measure_kernels(team_, clock_, [&](const KernelSpeed& s) {
    const bool is_compute = s.bound == Bound::kCompute;
    const double whole = is_compute ? peak_.fma_flops_per_s : peak_.read_bytes_per_s;
    const double share = percent(s.rate(), whole);
    console_.line(fmt::format("  {:<20} {:<26} {:9.3f} ms {:9.1f} {:<7} {:3.0f} % of {}", s.name,
                              s.shape, 1e3 * s.seconds, giga(s.rate()),
                              is_compute ? "GFLOP/s" : "GB/s", share,
                              is_compute ? "multiply-add" : "read"));
    rows.push_back({{"name", s.name},
                    {"shape", s.shape},
                    {"seconds", s.seconds},
                    {is_compute ? "flops_per_s" : "bytes_per_s", s.rate()},
                    {"percent_of_peak", share}});
  });
  (*json_)["kernels"] = rows;
}

void Bench::step() {
  throw_if_stopped(stop_);
  cost::PlanRequest r = plan_request(recipe_);
  r.train.steps = kStepsOfRun;
  r.train.epochs = r.train.minutes = 0.0;
  r.train.tokens = 0;
  r.train.check();
  r.measure_s = kStepSeconds;
  r.watch.stop = stop_;
  const cost::TrainPlan plan = cost::plan_training(team_, r);
  cost::require_fits(team_, r, plan.peak_bytes);
  const int64_t tokens = plan.tokens / plan.steps;
  const double flops = static_cast<double>(plan.model_flops_per_step) / plan.seconds_per_step;
  const double share = percent(flops, gemm_peak_);
  console_.line(fmt::format(
      "step: {} parameters, {} tokens: {:.2f} ms, {:.0f} tokens/s, {:.1f} GFLOP/s (6N + "
      "attention), "
      "{:.0f} % of the matrix product; {} of tensors",
      human_count(static_cast<double>(plan.parameters)), tokens, 1e3 * plan.seconds_per_step,
      plan.tokens_per_second, giga(flops), share, human_bytes(plan.state_bytes + plan.slab_bytes)));
  (*json_)["step"] = {{"parameters", plan.parameters},
                      {"tokens", tokens},
                      {"seconds", plan.seconds_per_step},
                      {"tokens_per_second", plan.tokens_per_second},
                      {"model_flops", plan.model_flops_per_step},
                      {"percent_of_gemm_peak", share},
                      {"slab_bytes", plan.slab_bytes},
                      {"state_bytes", plan.state_bytes}};
}

class BenchVerb : public Verb {
 public:
  std::string_view name() const override { return "bench"; }
  std::string_view summary() const override {
    return "peaks of this machine, kernels and a training step as a share of them";
  }
  std::string help(HelpKeys keys) const override {
    return verb_help(
        "usage: ingot bench [machine] [kernels] [step] [recipe.yaml] [key=value ...]\n\n"
        "Without a part, all three. `step` measures the recipe's model on made-up tokens.\n"
        "Figures are honest only on an otherwise idle machine.",
        kBenchSections, keys);
  }
  VerbTakes takes() const override {
    return {verb_keys(kBenchSections),
            {"--print-config"},
            {{"machine", {}}, {"kernels", {}}, {"step", {}}}};
  }

  int run(Invocation& invocation) override {
    const Parts parts = Parts::take(invocation.words);
    const Recipe recipe = load_recipe(invocation);
    if (print_config(invocation, recipe)) return 0;
    Bench bench(invocation, recipe);
    bench.machine();
    if (parts.kernels) bench.kernels();
    if (parts.step) bench.step();
    invocation.console.result(bench.json());
    return 0;
  }
};

}  // namespace

Verb* bench_verb() {
  static BenchVerb verb;
  return &verb;
}

}  // namespace ingot::cli
