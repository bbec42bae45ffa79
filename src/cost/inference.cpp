// SPDX-License-Identifier: Apache-2.0
#include "cost/inference.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cost/memory.h"
#include "io/safetensors.h"
#include "kernels/paged_attention.h"
#include "models/hugging_face.h"
#include "nn/module.h"
#include "tensor/plan.h"

namespace ingot::cost {
namespace {

constexpr int64_t kFloat = sizeof(float);
constexpr int64_t kMaxConfigFile = int64_t{1} << 24;

int64_t float_block(int64_t elements) { return Allocator::block_bytes(elements * kFloat); }

/// Bytes of all parameters as they are declared, in blocks of the allocator and without their
/// rounding.
struct DeclaredBytes {
  int64_t blocks = 0;
  int64_t exact = 0;
};
DeclaredBytes declared_bytes(models::Transformer& model) {
  DeclaredBytes bytes;
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    bytes.blocks += float_block(p.parameter->shape.size());
    bytes.exact += p.parameter->shape.size() * kFloat;
  }
  return bytes;
}

using Work = std::function<void(Engine&, models::Transformer&)>;

/// Tensors of a model and of the work with it, `kept` bytes in `kept_blocks` of allocator blocks
/// among them that stay as long as the weights do.
int64_t tensor_bytes(Team& team, const StoredModel& stored, bool is_packed, int64_t kept_blocks,
                     const Work& work) {
  Engine engine(team);
  models::Transformer model(engine, stored.config);
  const DeclaredBytes declared = declared_bytes(model);
  const Forecast recorded = forecast(engine, [&] {
    for (const nn::NamedParameter& p : nn::parameters(model)) {
      p.parameter->value = Tensor::empty(engine, p.parameter->shape);
    }
    if (is_packed && !stored.is_quantized) model.prepare_inference();
    work(engine, model);
  });
  // Blocks of temporaries are up to a quarter larger than asked for; packed copies beside the
  // weights are rounded as those are.
  const int64_t others = recorded.slab_bytes - declared.exact;
  const int64_t weights = stored.is_quantized ? stored.loaded_bytes : declared.blocks;
  const int64_t loading = weights + 2 * stored.largest_bytes;  // read, and turned to our layout
  return engine.allocator().held_bytes() + kept_blocks +
         std::max(loading, weights + others + others / 4);
}

}  // namespace

StoredModel look_at_model(const std::string& folder) {
  const std::string config = join_path(folder, "config.json");
  StoredModel stored;
  stored.config = models::parse_config_json(read_file(config, kMaxConfigFile), config);
  const io::Safetensors file(join_path(folder, "model.safetensors"));
  for (const io::TensorInfo& t : file.header().tensors) {
    if (t.dtype == DType::kU8) {  // blocks, or a buffer of GPT-2's original files
      stored.is_quantized = stored.is_quantized || t.name.ends_with(".weight");
      continue;
    }
    stored.loaded_bytes += float_block(t.shape.size());
    stored.largest_bytes = std::max(stored.largest_bytes, t.shape.size() * kFloat);
  }
  return stored;
}

int64_t decoding_bytes(Team& team, const StoredModel& stored, const DecodeSizes& sizes) {
  const models::TransformerConfig& c = stored.config;
  const int64_t pool = sizes.pages * kernels::paged_page_elements(c.kv(), c.head_dim());
  const int64_t pools = 2 * c.layers * float_block(pool);
  const int64_t rows = std::min(sizes.rows, c.context);
  const int64_t tensors =
      tensor_bytes(team, stored, true, pools, [&](Engine& engine, models::Transformer& model) {
        const Tensor hidden = model.forward(Tensor::empty(engine, {1, rows}, DType::kI32));
        (void)model.logits(Tensor::empty(engine, {sizes.logits_rows, c.dim}));
      });
  return program_bytes() + tensors + sizes.logits_rows * c.vocab * kFloat;
}

int64_t evaluation_bytes(Team& team, const StoredModel& stored, const train::TrainConfig& config) {
  constexpr int64_t kIntsPerToken = 4;  // id, target, document, position
  const Shape shape{config.micro_batch, config.seq};
  const int64_t batches =
      (config.accumulate + 1) * kIntsPerToken * Allocator::block_bytes(shape.size() * kFloat);
  const int64_t tensors =
      tensor_bytes(team, stored, false, batches, [&](Engine& engine, models::Transformer& model) {
        const auto ints = [&] { return Tensor::empty(engine, shape, DType::kI32); };
        nn::SequenceContext context;
        context.doc_start = ints();
        context.positions = ints();
        (void)model.loss(ints(), ints(), Tensor::empty(engine, {}, DType::kI64), context);
      });
  return program_bytes() + tensors;
}

int64_t quantizing_bytes(const std::string& folder, kernels::QuantFormat format) {
  const io::Safetensors file(join_path(folder, "model.safetensors"));
  int64_t written = 0, largest = 0;
  for (const io::TensorInfo& t : file.header().tensors) {
    const int64_t floats = float_block(t.shape.size());
    largest = std::max(largest, floats);
    const bool is_matrix = t.shape.rank() == 2 && !t.name.ends_with("wpe.weight");
    // GPT-2 stores its matrices the other way round.
    written += is_matrix ? Allocator::block_bytes(std::max(
                               kernels::quant_matrix_bytes(format, t.shape[0], t.shape[1]),
                               kernels::quant_matrix_bytes(format, t.shape[1], t.shape[0])))
                         : floats;
  }
  return program_bytes() + written + 3 * largest;  // as a tensor, read, and in our layout
}

void require_cap(std::string_view verb, int64_t need, int64_t cap) {
  require(cap == 0 || need <= cap, Code::kOutOfMemory, "{}: needs {}, the cap is {}. {} is enough",
          verb, human_bytes(need), human_bytes(cap), roomy_cap(need));
}

}  // namespace ingot::cost
