// SPDX-License-Identifier: Apache-2.0
#include "tensor/plan.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "tensor/tensor.h"

namespace ingot {
namespace {

bool alive_together(const Block& a, const Block& b) {
  const int64_t a_end = a.died < 0 ? INT64_MAX : a.died;
  const int64_t b_end = b.died < 0 ? INT64_MAX : b.died;
  return a.born < b_end && b.born < a_end;
}

Trace record(Engine& engine, const std::function<void()>& step) {
  Trace trace;
  engine.begin_trace(trace);
  try {
    step();
  } catch (...) {
    engine.end_trace();
    for (const Block& b : trace.blocks) {  // what survives never gets memory
      if (b.storage != nullptr) b.storage->block = Storage::kPlanned;
    }
    throw;
  }
  engine.end_trace();
  return trace;
}

int64_t total_flops(const Trace& trace) {
  int64_t sum = 0;
  for (const Call& c : trace.calls) sum += c.flops;
  return sum;
}

}  // namespace

int64_t pack_blocks(std::vector<Block>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<size_t> placed;  // by offset
  int64_t total = 0;
  for (const size_t i : order) {
    Block& block = blocks[i];
    int64_t offset = 0;
    for (const size_t j : placed) {
      const Block& other = blocks[j];
      const auto other_offset = static_cast<int64_t>(other.address);
      if (!alive_together(block, other)) continue;
      if (offset + block.bytes <= other_offset) break;
      offset = std::max(offset, other_offset + other.bytes);
    }
    block.address = static_cast<uintptr_t>(offset);
    total = std::max(total, offset + block.bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), i,
                         [&](size_t a, size_t b) { return blocks[a].address < blocks[b].address; }),
        i);
  }
  return total;
}

Plan::Plan(Engine& engine, const std::function<void()>& step) : engine_(engine) {
  trace_ = record(engine, step);
  flops_ = total_flops(trace_);
  std::vector<uintptr_t> starts;
  starts.reserve(trace_.blocks.size());
  for (const Block& b : trace_.blocks) starts.push_back(b.address);
  slab_bytes_ = pack_blocks(trace_.blocks);
  std::byte* slab = engine.slab(slab_bytes_);

  const auto resolve = [&](uintptr_t address) {
    const auto it = std::upper_bound(starts.begin(), starts.end(), address) - 1;
    const Block& b = trace_.blocks[static_cast<size_t>(it - starts.begin())];
    INGOT_ASSERT(static_cast<int64_t>(address - *it) <= b.bytes);
    return slab + b.address + (address - *it);
  };
  for (const Call& call : trace_.calls) {
    auto** pointers = reinterpret_cast<std::byte**>(trace_.arena.data() + call.args_offset);
    for (int32_t i = 0; i < call.pointers; ++i) {
      if (Trace::is_virtual(pointers[i])) {
        pointers[i] = resolve(reinterpret_cast<uintptr_t>(pointers[i]));
      }
    }
  }
  for (Block& b : trace_.blocks) {
    if (b.storage != nullptr) {
      b.storage->data = slab + b.address;
      b.storage->block = Storage::kPlanned;
      b.storage = nullptr;
    }
  }
}

void Plan::run_calls(int64_t begin, int64_t end) {
  Team& team = engine_.team();
  const std::byte* arena = trace_.arena.data();
  for (int64_t i = begin; i < end; ++i) {
    const Call& call = trace_.calls[static_cast<size_t>(i)];
    engine_.look_at_stop();
    call.invoke(call.kernel, arena + call.args_offset, team);
  }
}

void Plan::run() { run_calls(0, calls()); }

void Plan::run(int part) {
  const auto parts = static_cast<int>(trace_.marks.size()) + 1;
  INGOT_ASSERT(part >= 0 && part < parts);
  const int64_t begin = part == 0 ? 0 : trace_.marks[static_cast<size_t>(part) - 1];
  run_calls(begin, part + 1 == parts ? calls() : trace_.marks[static_cast<size_t>(part)]);
}

std::map<std::string, int64_t> Plan::flops_by_name() const {
  std::map<std::string, int64_t> sums;
  for (const Call& c : trace_.calls) sums[c.name] += c.flops;
  return sums;
}

std::map<std::string, double> Plan::profile() {
  std::map<std::string, double> seconds;
  const std::byte* arena = trace_.arena.data();
  for (const Call& call : trace_.calls) {
    const auto start = std::chrono::steady_clock::now();
    call.invoke(call.kernel, arena + call.args_offset, engine_.team());
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    seconds[call.name] += spent.count();
  }
  return seconds;
}

Forecast forecast(Engine& engine, const std::function<void()>& step) {
  Trace trace = record(engine, step);
  Forecast f;
  f.flops = total_flops(trace);
  f.calls = static_cast<int64_t>(trace.calls.size());
  f.record_bytes =
      static_cast<int64_t>(trace.calls.capacity() * sizeof(Call) +
                           trace.blocks.capacity() * sizeof(Block) + trace.arena.capacity());
  for (Block& b : trace.blocks) {  // survivors lose their memory: their values never exist
    if (b.storage != nullptr) b.storage->block = Storage::kPlanned;
    b.storage = nullptr;
  }
  f.slab_bytes = pack_blocks(trace.blocks);
  return f;
}

}  // namespace ingot
