// SPDX-License-Identifier: Apache-2.0
// The folder of a run and its stages: a stage that is done for the same settings is not run again;
// what it found is in stages/NAME.json. docs/formats/run_directory.md. Pipelines (language models:
// pipeline.h, tables: table_pipeline.h) are made of stages.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/pipeline/made_folder.h"
#include "cli/recipe.h"
#include "cli/runtime.h"
#include "train/loop.h"

namespace ingot::cli {

/// What a verb wants of a run directory. A run that holds a model loses it, by --fresh, and its
/// recipe.yaml and run.json, to the verbs that make one.
enum class FolderUse : uint8_t {
  kLook,    ///< plan, tune, preview, in a LookFolder: recipe.yaml and run.json are written where
            ///< there are none
  kData,    ///< the data stages are what the run holds; they are written, unless there is a model
  kTrain,   ///< makes the model: run, train
  kImport,  ///< makes it of weights that were trained elsewhere
};

/// Training has begun in the run directory.
[[nodiscard]] bool holds_checkpoints(FileSystem& files, const std::string& run);
/// Training has begun, or weights were imported.
[[nodiscard]] bool holds_model(FileSystem& files, const std::string& run);

class RunFolder {
 public:
  [[nodiscard]] const std::string& out() const { return recipe_.out; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return join_path(recipe_.out, name);
  }
  /// {stage: numbers} of what is done, for --json.
  [[nodiscard]] const Json& results() const { return *results_; }
  [[nodiscard]] Runtime& runtime() { return *runtime_; }
  void report();
  void report_stop();  ///< the report of a run that was stopped; a failure is a note
  void finish();       ///< the run is over: its time goes into run.json

 protected:
  /// Creates the run directory, locks it for as long as this object lives, and writes recipe.yaml
  /// and run.json as `use` says. With --fresh what a run made there goes, and nothing else; refused
  /// when the current folder, the recipe or the data lie in it, and, where the run holds a model,
  /// when the data are not there or cannot be learned from. Throws, before anything is written,
  /// kInvalidArgument for a folder of other files, for a model of another recipe, for training
  /// where a model was imported and the other way round; kIo when another process works in it, or
  /// it cannot be written. A folder that was made here goes again when the command is refused
  /// before a stage has done anything (made_folder.h).
  RunFolder(Invocation& invocation, const Recipe& recipe, FolderUse use);
  ~RunFolder() = default;

  /// Runs `work` unless stages/NAME.json says "done" for this key and the files of its `outputs`
  /// (files and folders of the run) are there in the sizes that it names; keeps its numbers. Throws
  /// kCancelled when a signal asked for a stop; the next call continues it.
  const Json& stage(const std::string& name, const std::string& key,
                    const std::function<Json()>& work,
                    const std::vector<std::string>& outputs = {});
  /// Whether a stage has come to its end for this key.
  [[nodiscard]] bool is_done(const std::string& name, const std::string& key) const;
  /// The record of a stage, empty when there is none or it is damaged: the stage runs again.
  [[nodiscard]] Json read_stage(const std::string& name) const;
  /// Training has begun.
  [[nodiscard]] bool has_checkpoints() const {
    return holds_checkpoints(*invocation_.files, recipe_.out);
  }
  /// Training has begun, or weights were imported.
  [[nodiscard]] bool has_model() const { return holds_model(*invocation_.files, recipe_.out); }
  void write_stage(const std::string& name, const std::string& key, const char* state,
                   double seconds, const Json& numbers, const Json& files = nullptr);
  /// The training loop on a task; `save` writes the model when it is over. Gives the numbers of the
  /// stage "train". Throws kCancelled when it was stopped.
  Json run_training(train::Task& task, const std::function<void()>& save);

  Invocation& invocation_;
  Recipe recipe_;
  FolderUse use_;
  std::unique_ptr<WritableFile> lock_;
  std::optional<MadeFolder> made_;  // after lock_: it removes what it made while the lock is held
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Json> results_;
  double recorded_s_ = 0.0;  // of the stage at work, kept in records of other names

 private:
  /// {path: bytes} of the files that `outputs` are now.
  [[nodiscard]] Json sizes_of(const std::vector<std::string>& outputs) const;
  /// What is wrong with the files of a stage that is done: "model/config.json is not there"; empty
  /// when nothing is.
  [[nodiscard]] std::string what_is_missing(const Json& record,
                                            const std::vector<std::string>& outputs) const;
  /// run.json; the first start and the last end stay when a run is continued.
  void write_run(bool is_finished);
  [[nodiscard]] bool makes_model() const {
    return use_ == FolderUse::kTrain || use_ == FolderUse::kImport;
  }
  [[nodiscard]] bool writes_record() const;
  void require_movable() const;
  void require_input() const;
  void require_own_place() const;
  void lock();
  void set_aside();
  void write_recipe(const Recipe& recipe) const;
  void require_same_run() const;
  void require_same_maker() const;
  void note_how_to_train_on() const;
  [[nodiscard]] static Json train_numbers(const train::TrainSummary& summary, int64_t per_step,
                                          const std::string& item);
};

}  // namespace ingot::cli
