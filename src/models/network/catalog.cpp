// SPDX-License-Identifier: Apache-2.0
// Every layer a recipe can name: how many inputs, which keys, who makes it.
#include "models/network/node.h"

namespace ingot::models {
namespace {

constexpr size_t kMany = 64;

constexpr LayerRow kRows[] = {
    {LayerType::kDense, 1, 1, "units activation bias init init_scale", "units", &make_dense},
    {LayerType::kEmbedding, 1, 1, "size vocab init init_scale", "size", &make_embedding},
    {LayerType::kActivation, 1, 1, "activation", "activation", &make_activation},
    {LayerType::kDropout, 1, 1, "rate", "rate", &make_dropout},
    {LayerType::kFlatten, 1, 1, "", "", &make_reshape},
    {LayerType::kReshape, 1, 1, "shape", "shape", &make_reshape},
    {LayerType::kLayerNorm, 1, 1, "eps bias", "", &make_norm},
    {LayerType::kRmsNorm, 1, 1, "eps", "", &make_norm},
    {LayerType::kGlobalAveragePool, 1, 1, "mask", "", &make_global_pool},
    {LayerType::kGlobalMaxPool, 1, 1, "", "", &make_global_pool},
    {LayerType::kAdd, 2, kMany, "activation", "", &make_merge},
    {LayerType::kMultiply, 2, kMany, "activation", "", &make_merge},
    {LayerType::kConcatenate, 2, kMany, "", "", &make_merge},
};

}  // namespace

const LayerRow& layer_row(LayerType type) {
  for (const LayerRow& row : kRows) {
    if (row.type == type) return row;
  }
  fail(Code::kInternal, "layers: \"{}\" has no row in the catalog", enum_name(type));
}

}  // namespace ingot::models
