// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "io/safetensors.h"

namespace ingot::train {
namespace {

constexpr const char* kTensors = "state.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kBest = "best.safetensors";  // beside the step folders
constexpr int64_t kVersion = 1;  // of state.json; fields may be added without a new one
constexpr std::string_view kPrefix = "step-";
constexpr size_t kDigits = 8;
constexpr const char* kDamaged = ".damaged";

std::span<const std::byte> bytes_of(const Tensor& t) {
  return {t.raw(), static_cast<size_t>(t.size_bytes())};
}

/// The part of an optimiser's flat state that belongs to a parameter.
Tensor part(const Tensor& state, const nn::StoredParameter& p) {
  const Shape& shape = p.parameter->shape;
  return state.strided(shape, contiguous_strides(shape), p.offset);
}

/// Of the states an average alone may hold what does not train: running statistics.
bool has_part(const Tensor& state, const nn::StoredParameter& p) {
  return p.parameter->trainable || p.offset < state.size();
}

std::vector<io::TensorToWrite> tensors_of(const nn::ParameterStore& store,
                                          const optim::Optimizer* optimizer) {
  std::vector<io::TensorToWrite> out;
  for (const nn::StoredParameter& p : store.list()) {
    out.push_back(
        {"param." + p.name, DType::kF32, p.parameter->shape, bytes_of(p.parameter->value)});
  }
  if (optimizer == nullptr) return out;
  for (const optim::NamedState& s : optimizer->state()) {
    for (const nn::StoredParameter& p : store.list()) {
      if (!has_part(s.tensor, p)) continue;
      out.push_back(
          {s.name + "." + p.name, DType::kF32, p.parameter->shape, bytes_of(part(s.tensor, p))});
    }
  }
  return out;
}

void read_into(const io::Safetensors& file, const std::string& name, const Tensor& target) {
  const io::TensorInfo& info = file.at(name);
  require(info.dtype == target.dtype() && info.shape == target.shape(), Code::kShapeMismatch,
          "{}: \"{}\" is {} {}, this recipe's model needs {} {}", file.path(), name,
          dtype_name(info.dtype), info.shape.text(), dtype_name(target.dtype()),
          target.shape().text());
  const auto bytes = file.bytes(info);
  if (!bytes.empty()) std::memcpy(target.raw(), bytes.data(), bytes.size());
  file.forget();
}

Json to_json(const RunState& s) {
  return {{"step", s.step},
          {"total_steps", s.total_steps},
          {"metrics_lines", s.metrics_lines},
          {"last_loss", s.last_loss},
          {"last_validation", s.last_validation},
          {"seconds", s.seconds},
          {"recipe_hash", s.recipe_hash},
          {"epoch", {{"loss_sum", s.epoch.loss_sum}, {"steps", s.epoch.steps}}},
          {"best",
           {{"loss", s.best.loss},
            {"step", s.best.step},
            {"evaluations_since", s.best.evaluations_since},
            {"sha256", s.best.sha256}}},
          {"plateau",
           {{"factor", s.plateau.factor},
            {"best", s.plateau.best},
            {"bad", s.plateau.bad},
            {"has_best", s.plateau.has_best}}}};
}

/// JSON has no NaN: it was written as null.
double number(const Json& j) {
  return j.is_null() ? std::numeric_limits<double>::quiet_NaN() : j.get<double>();
}

/// A field that older checkpoints do not have.
double number_or(const Json& j, const char* key, double fallback) {
  return j.contains(key) ? number(j.at(key)) : fallback;
}

RunState from_json(const Json& j) {
  RunState s;
  s.step = j.at("step").get<int64_t>();
  s.total_steps = j.at("total_steps").get<int64_t>();
  s.metrics_lines = j.at("metrics_lines").get<int64_t>();
  s.last_loss = number_or(j, "last_loss", 0.0);
  s.last_validation = number(j.at("last_validation"));
  s.seconds = number_or(j, "seconds", 0.0);
  s.recipe_hash = j.at("recipe_hash").get<std::string>();
  if (j.contains("epoch")) {  // older checkpoints: the mean is that of the steps to come
    s.epoch = {number(j.at("epoch").at("loss_sum")), j.at("epoch").at("steps").get<int64_t>()};
  }
  const Json& best = j.at("best");
  s.best = {number(best.at("loss")), best.at("step").get<int64_t>(),
            best.at("evaluations_since").get<int64_t>(), best.value("sha256", "")};
  s.plateau = {j.at("plateau").at("factor").get<double>(), number(j.at("plateau").at("best")),
               j.at("plateau").at("bad").get<int64_t>(),
               j.at("plateau").at("has_best").get<bool>()};
  return s;
}

/// The state of a folder whose tensors are whole. Throws kCorruptFile or kNotFound when anything is
/// damaged or missing, kUnsupported when a later version of the program wrote it, kIo.
RunState read_state(const std::string& folder) {
  const std::string path = join_path(folder, kState);
  JsonLimits limits;
  limits.code = Code::kCorruptFile;
  const Json json = parse_json(read_file(path, 1 << 20), path, limits);
  const std::string tensors = join_path(folder, kTensors);
  try {
    const auto version = json.value("version", kVersion);
    require(version <= kVersion, Code::kUnsupported,
            "{}: format version {} is newer than the {} that this program reads. Continue the run "
            "with the program that wrote it",
            path, version, kVersion);
    const RunState state = from_json(json.at("run"));
    const auto size = json.at("tensors_bytes").get<int64_t>();
    require(file_size(tensors) == size, Code::kCorruptFile, "{}: {} bytes, {} were written",
            tensors, file_size(tensors), size);
    require(sha256_file(tensors) == json.at("tensors_sha256").get<std::string>(),
            Code::kCorruptFile, "{}: the SHA-256 differs from what was written", tensors);
    return state;
  } catch (const nlohmann::json::exception& error) {
    fail(Code::kCorruptFile, "{}: {}", path, error.what());
  }
}

}  // namespace

Checkpoints::Checkpoints(FileSystem& files, std::string directory, int64_t keep)
    : files_(files), directory_(std::move(directory)), keep_(keep) {
  make_directories(files_, directory_);
}

std::vector<std::string> Checkpoints::names() const {
  std::vector<std::string> out;
  for (const std::string& name : files_.list(directory_)) {
    const bool is_step = name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
                         name.find_first_not_of("0123456789", kPrefix.size()) == std::string::npos;
    if (is_step) out.push_back(name);
  }
  return out;
}

void Checkpoints::save(const RunState& state, const nn::ParameterStore& store,
                       const optim::Optimizer& optimizer) {
  const std::string folder = join_path(directory_, fmt::format("step-{:08d}", state.step));
  try {
    make_directories(files_, folder);
    const std::string tensors = join_path(folder, kTensors);
    io::write_safetensors(files_, tensors, tensors_of(store, &optimizer));
    const Json json = {{"version", kVersion},
                       {"run", to_json(state)},
                       {"tensors_bytes", file_size(tensors)},
                       {"tensors_sha256", sha256_file(tensors)}};
    write_atomically(files_, join_path(folder, kState), dump_json(json, 1) + "\n");
  } catch (...) {
    remove_unfinished(folder);
    throw;
  }
  files_.sync_directory(directory_);
  remove_old(base_name(folder));
}

/// A folder without its state does not count, and would only look like a checkpoint.
void Checkpoints::remove_unfinished(const std::string& folder) {
  if (file_exists(join_path(folder, kState))) return;
  try {
    remove_tree(files_, folder);
  } catch (const Error&) {
    // The first error is the one to report.
  }
}

std::optional<std::string> Checkpoints::newest_whole() const {
  const std::vector<std::string> all = names();
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    std::string folder = join_path(directory_, *name);
    try {
      (void)read_state(folder);
      return folder;
    } catch (const Error&) {
      // Damaged, or never finished: the one before it may be whole.
    }
  }
  return std::nullopt;
}

/// Keeps `saved` and the newest before it, `keep` in all; a folder before it without its state was
/// never finished and goes too. Later ones are not ours to remove: the run went back from them.
void Checkpoints::remove_old(const std::string& saved) {
  const std::vector<std::string> all = names();
  int64_t kept = 0;
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    if (*name > saved) continue;
    const std::string folder = join_path(directory_, *name);
    const std::string state = join_path(folder, kState);
    if (kept < keep_ && file_exists(state)) {
      ++kept;
      continue;
    }
    files_.remove(state);  // from here on it does not count
    remove_tree(files_, folder);
  }
}

/// Out of the way of the checkpoints that the run writes from now on, and there to be looked at.
void Checkpoints::set_aside(const std::string& name) {
  const std::string folder = join_path(directory_, name);
  remove_tree(files_, folder + kDamaged);
  files_.rename(folder, folder + kDamaged);
}

std::optional<RunState> Checkpoints::load(const std::string& recipe_hash, nn::ParameterStore& store,
                                          optim::Optimizer& optimizer, std::string* warning) {
  std::vector<std::string> all = names();
  std::vector<std::string> damaged;
  std::string reason;  // why the newest is damaged
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    const std::string folder = join_path(directory_, *name);
    if (!file_exists(join_path(folder, kState))) continue;  // never finished
    RunState state;
    try {
      state = read_state(folder);
    } catch (const Error& error) {
      if (error.code() != Code::kCorruptFile && error.code() != Code::kNotFound) throw;
      if (damaged.empty()) reason = error.what();
      damaged.push_back(*name);
      *warning += fmt::format("{}. It is kept as {}{}\n", error.what(), *name, kDamaged);
      continue;
    }
    require(state.recipe_hash == recipe_hash, Code::kInvalidArgument,
            "train: {} was written by another recipe (hash {}, this one is {}). Use the recipe in "
            "the run directory, another out=DIR, or --fresh",
            folder, state.recipe_hash, recipe_hash);
    const io::Safetensors file(join_path(folder, kTensors));
    for (const nn::StoredParameter& p : store.list()) {
      read_into(file, "param." + p.name, p.parameter->value);
      for (const optim::NamedState& s : optimizer.state()) {
        if (!has_part(s.tensor, p)) continue;
        const std::string tensor = s.name + "." + p.name;
        require(p.parameter->trainable || file.find(tensor) != nullptr, Code::kUnsupported,
                "{}: holds no \"{}\": it is of an earlier version of the program, whose averages "
                "left running statistics out. Continue the run with that version, or begin it anew "
                "with --fresh",
                file.path(), tensor);
        read_into(file, tensor, part(s.tensor, p));
      }
    }
    ++store.values().storage().version;
    for (const std::string& other : damaged) set_aside(other);
    return state;
  }
  require(damaged.empty(), Code::kCorruptFile,
          "train: no checkpoint in {} can be read: {}. Use --fresh to begin the run anew, or move "
          "that folder away",
          directory_, reason);
  return std::nullopt;
}

std::string Checkpoints::save_best(const nn::ParameterStore& store) {
  const std::string path = join_path(directory_, kBest);
  io::write_safetensors(files_, path, tensors_of(store, nullptr));
  return sha256_file(path);
}

/// A run that goes on from before its best step comes to the same weights there.
std::string Checkpoints::how_to_find_again(const BestState& best) const {
  const std::string at_best = fmt::format("{}{:08d}", kPrefix, best.step);
  std::vector<std::string> later;
  std::string before;
  for (const std::string& name : names()) {
    if (!file_exists(join_path(join_path(directory_, name), kState))) continue;
    if (name < at_best) {
      before = name;
    } else {
      later.push_back(name);
    }
  }
  if (before.empty()) {
    return fmt::format(
        "No checkpoint of before step {} is left: begin the run anew with --fresh, with "
        "train.keep_best=false to take the last weights",
        best.step);
  }
  return fmt::format(
      "Move {} out of {}: the same command then goes on from {} and finds the same weights again",
      join(later, ", "), directory_, before);
}

void Checkpoints::load_best(const BestState& best, nn::ParameterStore& store) const {
  const std::string path = join_path(directory_, kBest);
  if (!file_exists(path)) {
    fail(Code::kNotFound, "train: {} is not there, the weights of the best step, {}. {}", path,
         best.step, how_to_find_again(best));
  }
  if (!best.sha256.empty() && sha256_file(path) != best.sha256) {
    fail(Code::kCorruptFile,
         "train: {} is damaged: its SHA-256 differs from that of the weights of the best step, {}. "
         "{}",
         path, best.step, how_to_find_again(best));
  }
  const io::Safetensors file(path);
  for (const nn::StoredParameter& p : store.list()) {
    read_into(file, "param." + p.name, p.parameter->value);
  }
  ++store.values().storage().version;
}

}  // namespace ingot::train
