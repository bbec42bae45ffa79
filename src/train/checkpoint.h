// SPDX-License-Identifier: Apache-2.0
// Everything a run needs to go on as if it had never stopped: parameters, optimiser state, step,
// best and early-stop state, schedule state, metrics position. Data order and random numbers are
// functions of (seed, step), so their state is the step itself. docs/formats/run_directory.md.
//   checkpoints/step-00000200/state.safetensors   tensors: "param.NAME", "<state>.NAME"
//   checkpoints/step-00000200/state.json          the rest, with the size and SHA-256 of the above;
//                                                 written last: a folder without it does not count
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"
#include "nn/parameter_store.h"
#include "optim/optimizer.h"
#include "train/keeper.h"

namespace ingot::train {

class Checkpoints {
 public:
  /// `directory` is the run's checkpoints/ folder. Made when needed.
  Checkpoints(FileSystem& files, std::string directory, int64_t keep);

  /// Writes a checkpoint, then removes the oldest beyond `keep`; never a later one. When this
  /// throws, the checkpoints that were there still are, and the folder of an unfinished one is not.
  void save(const RunState& state, const nn::ParameterStore& store,
            const optim::Optimizer& optimizer);

  /// Loads the newest whole checkpoint into `store` and `optimizer`; damaged ones after it are
  /// named in `warning` and renamed to step-NNNNNNNN.damaged. nullopt when there is none. Throws
  /// kCorruptFile when all are damaged, kInvalidArgument when it belongs to another recipe (hash
  /// differs), kShapeMismatch when the parameters do, kUnsupported for a later format and for one
  /// whose average lacks running statistics, kIo.
  std::optional<RunState> load(const std::string& recipe_hash, nn::ParameterStore& store,
                               optim::Optimizer& optimizer, std::string* warning);

  /// The folder of the newest whole checkpoint, its bytes compared with their digest; nullopt when
  /// there is none.
  [[nodiscard]] std::optional<std::string> newest_whole() const;

  /// Parameters alone, as "best.safetensors", whose SHA-256 comes back.
  [[nodiscard]] std::string save_best(const nn::ParameterStore& store);
  /// The weights of best.safetensors. Throws kNotFound when it is not there, kCorruptFile when its
  /// bytes are others than best.sha256 says (one that says nothing is of an older program and fits
  /// all): both name the checkpoint from which training finds them again, where there is one.
  void load_best(const BestState& best, nn::ParameterStore& store) const;

 private:
  [[nodiscard]] std::vector<std::string> names() const;  // step folders, oldest first
  [[nodiscard]] std::string how_to_find_again(const BestState& best) const;
  void remove_old(const std::string& saved);
  void remove_unfinished(const std::string& folder);
  void set_aside(const std::string& name);

  FileSystem& files_;
  std::string directory_;
  int64_t keep_;
};

}  // namespace ingot::train
