// SPDX-License-Identifier: Apache-2.0
#include "train/keeper.h"

#include <algorithm>

namespace ingot::train {

RunState RunMemory::begin(nn::ParameterStore& /*store*/, optim::Optimizer& /*optimizer*/,
                          const std::function<int64_t()>& steps) {
  RunState state;
  state.total_steps = steps();
  return state;
}

std::string RunMemory::save_best(const nn::ParameterStore& store) {
  best_ = store.values().to_vector<float>();
  return {};
}

void RunMemory::load_best(const BestState& /*best*/, nn::ParameterStore& store) {
  std::copy(best_.begin(), best_.end(), store.values().data<float>());
  ++store.values().storage().version;
}

}  // namespace ingot::train
