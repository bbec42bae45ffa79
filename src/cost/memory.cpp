// SPDX-License-Identifier: Apache-2.0
#include "cost/memory.h"

#include <algorithm>
#include <limits>
#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/text.h"

namespace ingot::cost {
namespace {

/// Code that a run touches and a plan does not (checkpoints, metrics, evaluation), and the small
/// things on their way. A run of 90 MiB was 1 % above its plan without it.
constexpr int64_t kLaterBytes = int64_t{4} << 20;

constexpr int64_t kMebibyte = int64_t{1} << 20;

/// By so much a process may be larger than planned: what stages leave in one that did them itself
/// (3 to 4 MiB under caps of 128 and 166), and pages that the system maps around those asked for.
constexpr int64_t kSpareBytes = 4 * kMebibyte;

/// A refusal does not plan more than that to find a cap: it is about a cap of some megabytes.
constexpr int64_t kMostToTry = int64_t{1} << 30;

/// What earlier work freed goes back to the system, so that it is not counted as the program's.
void return_free_memory() {
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
}

constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();

/// What `look` finds; `otherwise` where the system has not the memory to look.
template <class Look>
auto with_memory(const Look& look, decltype(look()) otherwise) {
  try {
    return look();
  } catch (const std::bad_alloc&) {
    return otherwise;
  } catch (const Error& error) {
    if (error.code() != Code::kOutOfMemory) throw;
    return otherwise;
  }
}

std::optional<Change> smallest_under(const Refusal& r, int64_t most) {
  if (!r.smallest) return std::nullopt;
  const auto smallest = with_memory([&] { return r.smallest(most); }, std::nullopt);
  return smallest && smallest->peak_bytes <= most ? smallest : std::nullopt;
}

/// What helps where no change fits under the cap; `whole`: what the recipe as it is needs.
std::string other_cap_text(const Refusal& r, int64_t whole, int64_t most) {
  constexpr int64_t kSaves = 4;  // beside that a smaller setting is named when it saves a quarter
  const auto smallest = smallest_under(r, most);
  if (r.program <= r.cap / 2) {
    if (!smallest) return std::string(r.advice);
    return fmt::format("{}, or {}, under which {} fits with {}", r.advice,
                       roomy_cap(smallest->peak_bytes), smallest->text,
                       human_bytes(smallest->peak_bytes));
  }
  std::string text = fmt::format("The program itself needs {}; ", human_bytes(r.program));
  if (whole <= most) {
    text += roomy_cap(whole) + " is enough for this recipe";
    if (smallest && smallest->peak_bytes <= whole - whole / kSaves) {
      text += fmt::format(", {} for {}", roomy_cap(smallest->peak_bytes), smallest->text);
    }
    return text;
  }
  return text + (smallest ? roomy_cap(smallest->peak_bytes) + " is enough for " + smallest->text
                          : "`ingot plan` without memory= says what this recipe needs beside it");
}

/// The largest divisor of n that is at most `most`.
int64_t largest_divisor(int64_t n, int64_t most) {
  while (n % most != 0) --most;
  return most;
}

}  // namespace

int64_t program_bytes() {
  return_free_memory();
  return resident_bytes() + kLaterBytes;
}

int64_t declared_state_bytes(const train::TrainConfig& config, nn::Module& module) {
  const int64_t moments = optim::state_slabs(config.optimizer);
  int64_t floats = 0;
  for (const nn::NamedParameter& p : nn::parameters(module)) {
    const bool is_trained = p.parameter->trainable;
    const int64_t copies = is_trained ? 1 + moments + (p.parameter->row_sparse ? 0 : 1) : 1;
    floats = checked_add(floats, copies * p.parameter->shape.size(), "plan: weights",
                         Code::kInvalidArgument);
  }
  return checked_mul<int64_t>(floats, sizeof(float), "plan: weights", Code::kInvalidArgument);
}

int64_t evaluations(const train::TrainConfig& config, const train::Passes& passes, int64_t steps) {
  if (config.eval_epochs > 0) {
    int64_t count = 0;
    for (int64_t step = 1; step <= steps; ++step) {
      if (step == steps || train::is_evaluation_due(config, passes, step)) ++count;
    }
    return count;
  }
  const int64_t every = config.eval_every > 0 ? config.eval_every : steps;
  return every > 0 ? (steps + every - 1) / every : 0;
}

bool make_batch_smaller(train::TrainConfig& config) {
  if (config.micro_batch <= 1) return false;
  const int64_t batch = config.micro_batch * config.accumulate;
  const int64_t smaller = largest_divisor(batch, config.micro_batch / 2);
  if (batch / smaller > train::kMaxAccumulate) return false;
  config.micro_batch = smaller;
  config.accumulate = batch / smaller;
  return true;
}

std::string batch_text(const train::TrainConfig& config) {
  return fmt::format("train.micro_batch={} train.accumulate={}", config.micro_batch,
                     config.accumulate);
}

std::optional<Change> smaller_batch(train::TrainConfig& config, int64_t cap,
                                    const std::function<int64_t(const train::TrainConfig&)>& need) {
  while (make_batch_smaller(config)) {
    const int64_t bytes = need(config);
    if (fits(bytes, cap)) return Change{batch_text(config), bytes};
  }
  return std::nullopt;
}

std::string roomy_cap(int64_t need) {
  return fmt::format("memory={}MiB", (need + kSpareBytes + kMebibyte - 1) / kMebibyte);
}

bool fits(int64_t bytes, int64_t cap) { return bytes <= cap - kSpareBytes; }

void refuse(const Refusal& r) {
  const int64_t most = std::min(kMostToTry, available_memory());
  // Only a bound says too little: looking again may take up to `most`, whatever the cap.
  const int64_t whole =
      r.is_bound ? with_memory([&] { return r.need_under(most); }, kUnknown) : r.need;
  // Two looks at one plan differ by the code that was touched between them; a bound by more.
  const bool is_more = whole != kUnknown && whole > r.need + kLaterBytes;
  const int64_t need = is_more ? whole : r.need;
  const std::string text =
      r.change ? fmt::format("{} needs {}", r.change->text, human_bytes(r.change->peak_bytes))
               : other_cap_text(r, std::max(need, whole), most);
  fail(Code::kOutOfMemory, "plan: needs {}{}, the cap is {}. {}",
       r.is_bound && whole > most ? "at least " : "", human_bytes(need), human_bytes(r.cap), text);
}

}  // namespace ingot::cost
