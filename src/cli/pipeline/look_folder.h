// SPDX-License-Identifier: Apache-2.0
// Where a verb that only looks (plan, tune, preview) works. A run that holds a model, of this
// recipe or another, is not touched: beside it the verb works in a scratch folder in which the
// run's data and stages are links. What is the same in both is found done, what is not is made
// there; a write replaces a link and does not follow it. Where there is no model the folder is the
// run's own, and `run` then finds the stages done.
#pragma once

#include <optional>

#include "base/scratch_folder.h"
#include "cli/recipe.h"

namespace ingot::cli {

/// What the stages of the run `from` made of its data, and their records, for a run in the folder
/// `to`, which finds done what is the same. The files are the same on the disk where it can be
/// (hard links, else copies), the records are its own: what becomes of `from` is nothing to it.
void share_stages(FileSystem& files, const std::string& from, const std::string& to);

class LookFolder {
 public:
  /// With --fresh the run's own: RunFolder refuses to empty it.
  LookFolder(const Invocation& invocation, const Recipe& recipe);

  /// The recipe, its `out` the folder to work in as long as this object lives.
  [[nodiscard]] const Recipe& recipe() const { return recipe_; }

 private:
  Recipe recipe_;
  std::optional<ScratchFolder> scratch_;
};

}  // namespace ingot::cli
