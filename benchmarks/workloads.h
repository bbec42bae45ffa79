// SPDX-License-Identifier: Apache-2.0
// The training workloads that are compared with another library: models and losses as tasks of
// train::Step, and their initial weights and data as that library wrote them (DUMP/NAME.safetensors
// under PyTorch's names, DUMP/NAME.json with hyper-parameters and the first losses in float32).
// Workloads whose roundings grow within the first steps have a float64 run of that library beside
// them, which agreement.h judges by: "losses_float64", "losses_disturbed" and "gradient_distances"
// in NAME.json and the gradients of the first step in NAME.gradients.safetensors
// (benchmarks/peers/torch_reference.py writes both).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/safetensors.h"
#include "train/step.h"

namespace ingot::bench {

/// What the other side said about a workload.
struct Workload {
  std::string name;
  std::string optimiser;
  double lr = 0.0;
  double weight_decay = 0.0;
  int64_t items_per_step = 0;
  std::vector<double> losses;          ///< of the first steps, float32
  std::vector<double> losses_float64;  ///< of the same steps; empty: there is no float64 run
  /// Of the same steps in float32, each run with its gradients moved at random by as much as
  /// rounding moves them.
  std::vector<std::vector<double>> losses_disturbed;
  /// By the dump's names: how far the other side's own float32 gradients of the first step are from
  /// float64, the mean distance relative to the mean size.
  std::map<std::string, double> gradient_distances;
};

/// Reads DUMP/NAME.json. Throws kNotFound, kCorruptFile.
[[nodiscard]] Workload read_workload(const std::string& dump, const std::string& name);

/// Tensors of a dump, read by offset: a mapped file would count as memory of this process.
class Dump {
 public:
  explicit Dump(const std::string& path);
  [[nodiscard]] const io::TensorInfo& at(const std::string& name) const;
  [[nodiscard]] const std::vector<io::TensorInfo>& list() const { return header_.tensors; }
  /// Copies into `target` of the same shape; int64 may go into int32. Throws kShapeMismatch.
  void read(const std::string& name, const Tensor& target) const;
  /// A new tensor; int64 becomes int32.
  [[nodiscard]] Tensor read(Engine& engine, const std::string& name) const;

 private:
  ReadableFile file_;
  io::SafetensorsHeader header_;
};

/// A task that always trains on one batch.
class FixedTask : public train::Task {
 public:
  train::Evaluation evaluate() override { return {}; }
  int64_t items_per_epoch() const override { return items(); }
  /// Fills the weights with the dump's.
  void read_weights(const Dump& dump, const nn::ParameterStore& store) {
    for (const nn::StoredParameter& p : store.list()) read_weight(dump, p);
  }
  /// Fills one weight with the dump's, in our layout.
  virtual void read_weight(const Dump& dump, const nn::StoredParameter& p) {
    dump.read(dump_name(p.name), p.parameter->value);
  }
  /// The name under which the dump holds a parameter of ours.
  [[nodiscard]] virtual std::string dump_name(const std::string& name) const { return name; }
  /// FLOPs of a step by the model's formula: 6·(matrix weights) per item and causal attention,
  /// three times the forward multiply-adds of a network of layers; 0 where no count applies.
  [[nodiscard]] virtual int64_t model_flops() { return 0; }
};

/// The task of a workload with x and y from the dump. Throws kInvalidArgument for an unknown name.
[[nodiscard]] std::unique_ptr<FixedTask> make_task(Engine& engine, const Workload& workload,
                                                   const Dump& dump);

/// Names that make_task knows.
[[nodiscard]] std::vector<std::string> workload_names();

}  // namespace ingot::bench
