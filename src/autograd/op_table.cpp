// SPDX-License-Identifier: Apache-2.0
#include "autograd/op_table.h"

namespace ingot {
namespace {

constexpr uint32_t kD = kDifferentiable;
constexpr uint32_t kR = kRowInvariant;

constexpr OpRow kRows[] = {
    // elementwise, broadcasting
    {"add", "a, b", "a + b", kD | kR},
    {"sub", "a, b", "a - b", kD | kR},
    {"mul", "a, b", "a b", kD | kR},
    {"div", "a, b", "a / b", kD | kR},
    {"where", "cond, a, b", "cond != 0 ? a : b", kD | kR},
    // elementwise, one operand
    {"scale", "x, alpha", "alpha x", kD | kR},
    {"neg", "x", "-x", kD | kR},
    {"exp", "x", "e^x", kD | kR},
    {"log", "x", "ln x", kD | kR},
    {"sqrt", "x", "x^(1/2)", kD | kR},
    {"abs", "x", "|x|", kD | kR},
    {"tanh", "x", "tanh x", kD | kR},
    {"sigmoid", "x", "1 / (1 + e^-x)", kD | kR},
    {"relu", "x", "max(x, 0)", kD | kR},
    {"leaky_relu", "x, slope", "x > 0 ? x : slope x", kD | kR},
    {"gelu", "x", "x Phi(x)", kD | kR},
    {"gelu_tanh", "x", "x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))", kD | kR},
    {"silu", "x", "x sigmoid(x)", kD | kR},
    {"pow", "x, exponent", "x^exponent", kD | kR},
    {"clamp", "x, lo, hi", "min(max(x, lo), hi)", kD | kR},
    {"gated", "gate, up, activation", "activation(gate) up", kD | kR},
    // rows
    {"softmax", "x", "e^(x - max) / sum e^(x - max), last axis", kD | kR},
    {"log_softmax", "x", "log softmax(x), last axis", kD | kR},
    {"layer_norm", "x, weight, bias, eps", "(x - mean) / sqrt(var + eps) weight + bias", kD | kR},
    {"rms_norm", "x, weight, eps", "x / sqrt(mean x^2 + eps) weight", kD | kR},
    {"dropout", "x, p", "x m / (1 - p), m ~ Bernoulli(1 - p)", kD | kRandom},
    {"rope", "x, cos, sin, positions", "pairs rotated by position theta^(-2i/d)", kD | kR},
    // reductions
    {"sum", "x, axes", "sum over axes", kD},
    {"mean", "x, axes", "mean over axes", kD},
    {"max", "x, axes", "largest over axes", kD},
    {"variance", "x, axes, correction", "sum (x - mean)^2 / (n - correction)", kD},
    {"argmax", "x, axis", "first index of the largest", 0},
    // products
    {"matmul", "a, b, trans_a, trans_b", "a b over the last two axes", kD | kR},
    {"linear", "x, weight, bias, activation", "activation(x weight^T + bias)", kD | kR},
    {"attention", "q, k, v, doc_start", "softmax(q k^T scale + mask) v", kD | kR},
    {"attention_qkv", "qkv, heads, kv_heads", "attention of a packed projection", kD | kR},
    // sequences [batch, seq, features]; gates i f g o and r z n, zero state first
    {"lstm", "x, weights, options", "c = f c' + i g, h = o tanh(c), gates of x W^T + h' R^T + b",
     kD | kR},
    {"gru", "x, weights, options", "h = n + z (h' - n), n = tanh(x W^T + b + r (h' R^T + d))",
     kD | kR},
    // images [batch, height, width, channels]
    {"conv2d", "x, weight, bias, options, activation",
     "activation(bias + sum over taps and channels of x weight)", kD | kR},
    {"conv_transpose2d", "x, weight, bias, options, activation",
     "activation(bias + gradient of conv2d applied to x)", kD | kR},
    {"max_pool2d", "x, options", "largest of each window", kD | kR},
    {"avg_pool2d", "x, options", "mean of each window", kD | kR},
    {"adaptive_max_pool2d", "x, out_h, out_w", "largest of each of out_h x out_w bins", kD | kR},
    {"adaptive_avg_pool2d", "x, out_h, out_w", "mean of each of out_h x out_w bins", kD | kR},
    {"batch_norm", "x, state, options", "(x - mean) / sqrt(var + eps) weight + bias, per channel",
     kD},
    {"pad2d", "x, padding, mode", "x with pixels around it, zero or mirrored", kD | kR},
    {"upsample2d", "x, out_h, out_w, mode", "x resampled, nearest or bilinear", kD | kR},
    {"one_hot", "ids, classes", "1 at the id, 0 elsewhere", kR},
    // moving elements
    {"reshape", "x, dims", "same elements, other shape", kD | kView},
    {"permute", "x, order", "axes reordered", kD | kView},
    {"slice", "x, axis, begin, end", "elements [begin, end) of an axis", kD | kView},
    {"concat", "parts, axis", "joined along an axis", kD},
    {"contiguous", "x", "dense rows in row-major order", kD},
    {"gather", "x, ids", "rows of x by id (embedding)", kD | kR},
    {"cast", "x, dtype", "other element type", 0},
    // losses
    {"cross_entropy", "logits, targets", "mean -log softmax(logits)[target]", kD},
    {"linear_cross_entropy", "x, weight, targets", "cross_entropy(x weight^T, targets)", kD},
    {"focal", "logits, targets", "mean -(1 - p_t)^gamma log p_t, p = softmax(logits)", kD},
    {"multi_margin", "logits, targets", "mean sum_j max(0, margin - x_t + x_j)^power / classes",
     kD},
    {"mse", "x, target", "mean (x - target)^2", kD},
    {"mae", "x, target", "mean |x - target|", kD},
    {"huber", "x, target, delta", "mean d^2 / 2, |d| > delta: delta (|d| - delta / 2)", kD},
    {"bce_with_logits", "x, target", "mean max(x, 0) - x t + log(1 + e^-|x|)", kD},
    {"binary_focal", "x, target", "mean -alpha (1 - p)^gamma log p, p = sigmoid(x), t = 1", kD},
    {"kl_divergence", "x, target", "mean over rows of sum t (log t - x)", kD},
    {"hinge", "x, target", "mean max(0, margin - t x)^power", kD},
};

}  // namespace

std::span<const OpRow> op_table() { return kRows; }

}  // namespace ingot
