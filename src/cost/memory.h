// SPDX-License-Identifier: Apache-2.0
// What the planners of language models and of networks count in the same way: the process itself,
// weights and optimiser state by their shapes, and the search for a batch that fits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "nn/module.h"
#include "train/config.h"

namespace ingot::cost {

/// The process as it is now, without what earlier work freed, and what a run of it touches later.
[[nodiscard]] int64_t program_bytes();

/// Bytes of weights, gradients and optimiser state from the declared shapes alone, padding not
/// counted; row-sparse gradients take none. Throws kInvalidArgument beyond 64 bits.
[[nodiscard]] int64_t declared_state_bytes(const train::TrainConfig& config, nn::Module& module);

/// How often a run of so many steps is evaluated: every train.eval_every of them (0: never), every
/// train.eval_epochs passes (0: never) and behind the last. 0 for no steps.
[[nodiscard]] int64_t evaluations(const train::TrainConfig& config, const train::Passes& passes,
                                  int64_t steps);

/// A change of the recipe and what it then needs.
struct Change {
  std::string text;  ///< "train.micro_batch=2 train.accumulate=4"
  int64_t peak_bytes = 0;
};

/// The next smaller micro-batch, with as much more accumulation (their product stays); false, and
/// nothing is changed, where there is none.
bool make_batch_smaller(train::TrainConfig& config);

/// "train.micro_batch=2 train.accumulate=4"
[[nodiscard]] std::string batch_text(const train::TrainConfig& config);

/// The largest smaller micro-batch, with as much more accumulation (their product stays), that
/// fits(need(config), cap). nullopt when none does; `config` then has the smallest that is
/// possible.
[[nodiscard]] std::optional<Change> smaller_batch(
    train::TrainConfig& config, int64_t cap,
    const std::function<int64_t(const train::TrainConfig&)>& need);

/// True when a proposal of `bytes` keeps below the cap in another process too, whose pages are not
/// all the same.
[[nodiscard]] bool fits(int64_t bytes, int64_t cap);

/// A cap that is enough for what needs so many bytes, in another process too: "memory=84MiB".
[[nodiscard]] std::string roomy_cap(int64_t need);

/// A plan that is over its cap, and what can be said beside that.
struct Refusal {
  int64_t need = 0;
  bool is_bound = false;  ///< the plan was cut short under the cap: the recipe needs more
  int64_t cap = 0;
  int64_t program = 0;           ///< the part of it that no change of the recipe makes smaller
  std::optional<Change> change;  ///< that fits
  std::string_view advice;       ///< where none does
  /// What the recipe as it is needs, when it may take so many bytes; more than those where they are
  /// not enough. Asked where `need` is a bound.
  std::function<int64_t(int64_t)> need_under;
  /// The smallest setting that is tried and what it needs when it may take so many bytes; more than
  /// those, or nothing, where that is not found out. Asked where no change fits. May be empty.
  std::function<std::optional<Change>(int64_t)> smallest;
};

/// Throws kOutOfMemory naming need, cap and the change that fits, or the advice and a cap that is
/// enough for the smallest setting. The need is that of the recipe, whatever the cap; "at least"
/// stands before it where finding it out would take more than 1 GiB (of a language model 128 MiB of
/// weights and state) or than the machine has. Of a cap near the size of the program it names that
/// and a cap that is enough for the recipe: no smaller network would help.
[[noreturn]] void refuse(const Refusal& refusal);

}  // namespace ingot::cost
