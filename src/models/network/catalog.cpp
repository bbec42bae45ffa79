// SPDX-License-Identifier: Apache-2.0
// Every layer a recipe can name: how many inputs, which keys, who makes it. Layers with weights
// take kWeightKeys (node.h) as well.
#include "models/network/node.h"

namespace ingot::models {
namespace {

constexpr size_t kMany = 64;

constexpr LayerRow kRows[] = {
    {LayerType::kDense, 1, 1, "units activation bias init init_scale", "units", &make_dense},
    {LayerType::kEmbedding, 1, 1, "size vocab init init_scale", "size", &make_embedding},
    {LayerType::kActivation, 1, 1, "activation", "activation", &make_activation},
    {LayerType::kScale, 1, 1, "factor", "factor", &make_scale},
    {LayerType::kDropout, 1, 1, "rate variational", "rate", &make_dropout},
    {LayerType::kFlatten, 1, 1, "", "", &make_reshape},
    {LayerType::kReshape, 1, 1, "shape", "shape", &make_reshape},
    {LayerType::kLayerNorm, 1, 1, "eps bias", "", &make_norm},
    {LayerType::kRmsNorm, 1, 1, "eps", "", &make_norm},
    {LayerType::kBatchNorm, 1, 1, "eps momentum biased_variance scale bias activation", "",
     &make_batch_norm},
    {LayerType::kConv2d, 1, 1,
     "filters kernel stride padding dilation groups activation bias init init_scale",
     "filters kernel", &make_conv},
    {LayerType::kConv2dTranspose, 1, 1,
     "filters kernel stride padding dilation output_padding groups activation bias init init_scale",
     "filters kernel", &make_conv_transpose},
    {LayerType::kMaxPool2d, 1, 1, "kernel stride padding ceil", "", &make_pool},
    {LayerType::kAveragePool2d, 1, 1, "kernel stride padding ceil", "", &make_pool},
    {LayerType::kAdaptiveMaxPool2d, 1, 1, "output", "output", &make_adaptive_pool},
    {LayerType::kAdaptiveAveragePool2d, 1, 1, "output", "output", &make_adaptive_pool},
    {LayerType::kPad2d, 1, 1, "padding mode", "padding", &make_pad},
    {LayerType::kUpsample2d, 1, 1, "factor output mode", "", &make_upsample},
    {LayerType::kGlobalAveragePool, 1, 1, "mask", "", &make_global_pool},
    {LayerType::kGlobalMaxPool, 1, 1, "", "", &make_global_pool},
    {LayerType::kBlock, 1, 1, "layers repeat", "layers", &make_block},
    {LayerType::kResidual, 1, 1, "layers repeat shortcut activation", "layers", &make_block},
    {LayerType::kLstm, 1, 1,
     "units return_sequences reverse bidirectional mask dropout recurrent_dropout forget_bias bias "
     "init init_scale",
     "units", &make_recurrent},
    {LayerType::kGru, 1, 1,
     "units return_sequences reverse bidirectional mask dropout recurrent_dropout bias init "
     "init_scale",
     "units", &make_recurrent},
    {LayerType::kAttention, 1, 1, "heads causal mlp_ratio dropout mask", "heads", &make_attention},
    {LayerType::kPositionEmbedding, 1, 1, "init init_scale", "", &make_position},
    {LayerType::kAdd, 2, kMany, "activation", "", &make_merge},
    {LayerType::kMultiply, 2, kMany, "activation", "", &make_merge},
    {LayerType::kConcatenate, 2, kMany, "", "", &make_merge},
};

}  // namespace

std::span<const LayerRow> layer_rows() { return kRows; }

const LayerRow& layer_row(LayerType type) {
  for (const LayerRow& row : kRows) {
    if (row.type == type) return row;
  }
  fail(Code::kInternal, "layers: \"{}\" has no row in the catalog", enum_name(type));
}

}  // namespace ingot::models
