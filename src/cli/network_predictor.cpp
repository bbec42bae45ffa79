// SPDX-License-Identifier: Apache-2.0
#include "cli/network_predictor.h"

#include <algorithm>
#include <string>

#include "serve/route.h"

namespace ingot::cli {
namespace {

constexpr const char* kWhat = "serve";

serve::InputKind kind_of(const data::Feature& feature) {
  switch (feature.config().kind) {
    case data::FeatureKind::kNumber:
      return serve::InputKind::kNumber;
    case data::FeatureKind::kImage:
      return serve::InputKind::kImage;
    default:
      return serve::InputKind::kText;
  }
}

}  // namespace

NetworkPredictor::NetworkPredictor(Engine& engine, NetworkModel& model, int64_t max_batch,
                                   train::Tta tta, data::Decimal decimal) {
  std::vector<std::string> names;
  for (const auto& feature : model.features.features()) {
    names.push_back(feature->name());
    inputs_.push_back({feature->name(), kind_of(*feature)});
  }
  unused_.assign(model.features.ignored().begin(), model.features.ignored().end());
  if (model.features.target() != nullptr) {
    unused_.push_back(model.features.target()->config().column);
  }
  for (size_t lane = 0; lane < serve::kLanes; ++lane) {
    encoders_.emplace_back(model.features, names, kWhat, false);
  }
  if (decimal == data::Decimal::kComma) lanes_.resize(serve::kLanes);
  answers_.emplace(engine, model, encoders_[0].layout(), kWhat, max_batch, tta);
  const std::vector<std::byte> zeros(static_cast<size_t>(record_bytes()));
  std::vector<float> ignored(static_cast<size_t>(max_batch * form().width()));
  for (int64_t batch = 1;; batch = std::min(2 * batch, max_batch)) {
    const std::vector<const std::byte*> records(static_cast<size_t>(batch), zeros.data());
    run(records, ignored);
    if (batch == max_batch) break;
  }
}

bool NetworkPredictor::encode(std::span<const std::string_view> cells, size_t lane,
                              std::span<std::byte> record) {
  constexpr int64_t kNoLine = 0;
  if (!lanes_.empty()) {
    Lane& own = lanes_[lane];
    own.cells.assign(cells.begin(), cells.end());
    own.commas.rewrite(own.cells);
    cells = own.cells;
  }
  return encoders_[lane].encode(cells, kNoLine, record);
}

}  // namespace ingot::cli
