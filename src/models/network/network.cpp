// SPDX-License-Identifier: Apache-2.0
#include "models/network/network.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/display.h"
#include "base/text.h"

namespace ingot::models {
namespace {

constexpr int64_t kMaxProduct = int64_t{1} << 48;
constexpr int64_t kMaxListed = 1 << 12;  // sums of products over layers stay below 2^62

/// True when `word` is one of the words of `list`.
bool holds(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::vector<int64_t> axes_of(const Shape& shape) {
  std::vector<int64_t> axes;
  for (int i = 0; i < shape.rank(); ++i) axes.push_back(shape[i]);
  return axes;
}

void require_product(const std::string& where, const std::vector<int64_t>& factors) {
  int64_t product = 1;
  std::string text;
  bool fits = true;
  for (const int64_t factor : factors) {
    fits = fits && !__builtin_mul_overflow(product, factor, &product) && product <= kMaxProduct;
    text += (text.empty() ? "" : " x ") + std::to_string(factor);
  }
  require(fits, Code::kInvalidArgument, "{}: {} is beyond 2^48; make it smaller", where, text);
}

/// Whether `x` is [batch, …] of such examples.
bool is_batch_of(const Shape& example, const Tensor& x) {
  if (x.rank() != example.rank() + 1) return false;
  for (int i = 0; i < example.rank(); ++i) {
    if (x.dim(i + 1) != example[i]) return false;
  }
  return true;
}

/// The batch is an axis of its own in front.
void require_input(const Value& in, const std::string& where) {
  const std::string name = fmt::format("{}layers: the input \"{}\"", where, in.name);
  const std::vector<int64_t> axes = axes_of(in.shape);
  const bool has_elements = std::none_of(axes.begin(), axes.end(), [](int64_t n) { return n < 1; });
  require(axes.size() < kMaxRank && has_elements, Code::kShapeMismatch,
          "{} has the shape {}; at most {} axes of 1 or more can be", name, in.shape.text(),
          kMaxRank - 1);
  require_product(name, axes);
}

/// Keys of the entry that were given are keys that the layer takes, and none is missing.
void require_keys(const LayerConfig& config, const LayerRow& row, const std::string& where) {
  FieldLister lister;
  LayerConfig copy = config;
  copy.visit(lister);
  for (const Field& field : lister.fields) {
    if (field.ops->kind != FieldKind::kOptional) continue;
    const bool is_given = field.ops->size(field.value) > 0;
    require(!is_given || holds(row.keys, field.name) || holds(kWeightKeys, field.name),
            Code::kInvalidArgument, "{}: takes no key \"{}\"{}{}", where, field.name,
            *row.keys == '\0' ? "" : ". Its keys: ", row.keys);
    require(is_given || !holds(row.required, field.name), Code::kInvalidArgument,
            "{}: needs the key \"{}\" ({})", where, field.name, field.help);
  }
}

/// What kWeightKeys say, for the weights of a layer and those of the layers inside it.
void apply_weight_keys(const LayerConfig& config, Node& node, const std::string& where) {
  if (!config.trainable && !config.lr_scale) return;
  const float factor = config.lr_scale.value_or(1.0F);
  require(factor > 0.0F, Code::kInvalidArgument,
          "{}: lr_scale is {}, must be > 0; trainable: false keeps weights as they are", where,
          factor);
  const std::vector<nn::NamedParameter> weights = nn::parameters(node);
  require(!weights.empty(), Code::kInvalidArgument, "{}: has no weights for {}", where,
          config.trainable ? "trainable" : "lr_scale");
  for (const nn::NamedParameter& p : weights) {
    p.parameter->lr_scale *= factor;
    if (!config.trainable.value_or(true)) p.parameter->freeze();
  }
}

}  // namespace

std::string LayerSite::input_text(size_t i) const {
  return fmt::format("\"{}\" {}", inputs[i].name, inputs[i].shape.text());
}

void LayerSite::require_rank(int low, int high, const char* what, const char* cure) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int rank = inputs[i].shape.rank();
    require(rank >= low && rank <= high, Code::kShapeMismatch,
            "{}: needs {}, its input {} does not fit. {}", where, what, input_text(i), cure);
  }
}

void LayerSite::require_numbers() const {
  for (const Value& in : inputs) {
    require(in.dtype == DType::kF32, Code::kDtypeMismatch,
            "{}: needs numbers, its input \"{}\" holds token ids. Put an embedding between them",
            where, in.name);
  }
}

void LayerSite::require_sequence() const {
  require_numbers();
  require_rank(2, 2, "a sequence [length, size]",
               "A recurrent layer before it keeps its steps with return_sequences: true; of other "
               "layers, a reshape layer makes a sequence");
}

int LayerSite::padding_ids() const {
  if (!config.mask.value_or(false)) return -1;
  require(inputs[0].ids >= 0 && inputs[0].shape.rank() == 2, Code::kInvalidArgument,
          "{}: mask=true needs a sequence that comes from token ids, its input is {}", where,
          input_text());
  return inputs[0].ids;
}

float LayerSite::rate(const char* key, const std::optional<float>& given) const {
  const float rate = given.value_or(0.0F);
  require(rate >= 0.0F && rate < 1.0F, Code::kInvalidArgument, "{}: {} is {}, must be in [0, 1)",
          where, key, rate);
  return rate;
}

nn::Init LayerSite::init(nn::Init otherwise) const {
  nn::Init init = otherwise;
  if (config.init) {
    const bool is_conv = config.type == LayerType::kConv2d;
    require(
        is_conv || (*config.init != nn::InitKind::kDirac && *config.init != nn::InitKind::kWhiten),
        Code::kInvalidArgument, "{}: init: {} is for conv2d", where, enum_name(*config.init));
    init = {*config.init, 1.0F};
  }
  if (config.init_scale) init.scale = *config.init_scale;
  return init;
}

std::string free_name(LayerType type, const std::function<bool(const std::string&)>& is_taken) {
  std::string name(enum_name(type));
  for (int i = 1; is_taken(name); ++i) name = fmt::format("{}_{}", enum_name(type), i);
  return name;
}

int64_t LayerSite::size(const char* key, int64_t value) const {
  require(value >= 1 && value <= std::numeric_limits<int32_t>::max(), Code::kInvalidArgument,
          "{}: {} is {}, must be 1 to {}", where, key, value, std::numeric_limits<int32_t>::max());
  return value;
}

void LayerSite::require_size(const std::vector<int64_t>& factors) const {
  require_product(where, factors);
}

void LayerSite::require_layers(int64_t count) const {
  require(count <= kMaxListed, Code::kInvalidArgument,
          "{}: {} layers are too many, those inside blocks counted; {} can be", where, count,
          kMaxListed);
}

Network::Network(const std::vector<LayerConfig>& layers, const std::vector<Value>& inputs,
                 const std::string& where)
    : where_(where.empty() ? "" : where + ": ") {
  require(!layers.empty(), Code::kInvalidArgument,
          "{}layers: the list is empty. Give at least one, such as {{type: dense, units: 1}}",
          where_);
  read(inputs);
  for (size_t i = 0; i < layers.size(); ++i) add(layers, i);
  require_all_used();
}

void Network::read(const std::vector<Value>& inputs) {
  inputs_ = inputs;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Value& in = inputs_[i];
    require_input(in, where_);
    numbers_.emplace(in.name, static_cast<int>(i));
    if (where_.empty()) inputs_[i].ids = in.dtype == DType::kI32 ? static_cast<int>(i) : -1;
  }
}

void Network::add(const std::vector<LayerConfig>& layers, size_t index) {
  const LayerConfig& config = layers[index];
  Place place;
  place.type = enum_name(config.type);
  const auto is_taken = [&](const std::string& name) { return find(name) >= 0; };
  place.name = config.name.empty() ? free_name(config.type, is_taken) : config.name;
  const std::string where =
      fmt::format("{}layers.{} ({} \"{}\")", where_, index, place.type, place.name);
  require_name(place.name, where);
  const LayerRow& row = layer_row(config.type);
  require_keys(config, row, where);
  place.from = sources(layers, index, where);
  require(place.from.size() >= row.min_inputs && place.from.size() <= row.max_inputs,
          Code::kInvalidArgument, "{}: takes {} input{}, {} were given", where,
          row.min_inputs == row.max_inputs ? std::to_string(row.min_inputs)
                                           : fmt::format("{} or more", row.min_inputs),
          row.max_inputs == 1 ? "" : "s", place.from.size());
  std::vector<Value> in;
  for (const int number : place.from) in.push_back(value(number));
  const LayerSite site{config, in, where};
  place.node = row.make(site);
  place.node->output.name = place.name;
  site.require_size(axes_of(place.node->output.shape));
  ++layer_count_;
  place.node->each_inner([&](const std::string& /*prefix*/, const Network& inner) {
    layer_count_ += inner.layer_count();
  });
  site.require_layers(layer_count_);
  apply_weight_keys(config, *place.node, where);
  if (config.init == nn::InitKind::kWhiten) {
    require(where_.empty() && static_cast<size_t>(place.from[0]) < inputs_.size(),
            Code::kInvalidArgument,
            "{}: init: whiten is for a layer that reads an input of the network", where);
    starts_from_examples_ = true;
  }
  numbers_.emplace(place.name, static_cast<int>(inputs_.size() + places_.size()));
  places_.push_back(std::move(place));
}

void Network::require_name(const std::string& name, const std::string& where) const {
  const int number = find(name);
  const auto inputs = static_cast<int>(inputs_.size());
  require(number < 0, Code::kInvalidArgument, "{}: the name is taken by {}. Give it another", where,
          number < inputs ? "an input" : fmt::format("layers.{}", number - inputs));
  require(name.find('.') == std::string::npos, Code::kInvalidArgument, "{}: a name holds no dot",
          where);
}

std::vector<int> Network::sources(const std::vector<LayerConfig>& layers, size_t index,
                                  const std::string& where) const {
  const LayerConfig& config = layers[index];
  if (config.inputs.empty()) {
    if (!places_.empty()) return {static_cast<int>(inputs_.size() + places_.size()) - 1};
    require(inputs_.size() == 1, Code::kInvalidArgument,
            "{}: the data has {} inputs; say which with inputs: [{}]", where, inputs_.size(),
            inputs_.empty() ? "" : inputs_[0].name);
    return {0};
  }
  std::vector<int> from;
  for (const std::string& name : config.inputs) {
    from.push_back(find(name));
    if (from.back() >= 0) continue;
    for (size_t i = index; i < layers.size(); ++i) {
      require(name.empty() || layers[i].name != name, Code::kInvalidArgument,
              "{}: \"{}\" is layers.{}, which does not stand before it. A layer reads what stands "
              "before it in the list: there are no loops",
              where, name, i);
    }
    std::vector<std::string> known;
    for (const Value& in : inputs_) known.push_back(in.name);
    for (const Place& place : places_) known.push_back(place.name);
    const std::string near = nearest_name(name, known);
    fail(Code::kInvalidArgument, "{}: \"{}\" is no input and no earlier layer.{} Known: {}", where,
         name, near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near), join(known, ", "));
  }
  return from;
}

const Value& Network::value(int number) const {
  const auto n = static_cast<size_t>(number);
  return n < inputs_.size() ? inputs_[n] : places_[n - inputs_.size()].node->output;
}

int Network::find(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? -1 : found->second;
}

/// An input or layer whose output nobody reads is a mistake: the recipe's author meant it to count.
void Network::require_all_used() const {
  std::vector<bool> is_used(inputs_.size() + places_.size());
  is_used.back() = true;  // the output
  for (const Place& place : places_) {
    for (const int number : place.from) is_used[static_cast<size_t>(number)] = true;
  }
  for (size_t i = 0; i < is_used.size(); ++i) {
    const Value& unread = value(static_cast<int>(i));
    require(is_used[i], Code::kInvalidArgument,
            "{}layers: no layer reads the {} \"{}\" {}. Name it in a layer's inputs, or leave it "
            "out",
            where_, i < inputs_.size() ? "input" : "layer", unread.name, unread.shape.text());
  }
}

Tensor Network::forward(std::span<const Tensor> inputs, const NodeContext& context) {
  INGOT_ASSERT(inputs.size() == inputs_.size());
  std::vector<Tensor> values(inputs.begin(), inputs.end());
  std::vector<Tensor> in;
  for (const Place& place : places_) {
    in.clear();
    for (const int number : place.from) in.push_back(values[static_cast<size_t>(number)]);
    values.push_back(place.node->forward(in, context));
    INGOT_ASSERT(is_batch_of(place.node->output.shape, values.back()));  // what plans count on
  }
  return values.back();
}

void Network::visit(nn::Visitor& visitor) {
  for (const Place& place : places_) visitor.child(place.name, *place.node);
}

void Network::start_from(std::span<const Tensor> inputs) {
  INGOT_ASSERT(inputs.size() == inputs_.size());
  for (const Place& place : places_) {
    const auto first = static_cast<size_t>(place.from[0]);
    if (first < inputs.size()) place.node->start_from(inputs[first]);
  }
}

void Network::each_layer(const std::string& prefix,
                         const std::function<void(const std::string& name, const Value& in,
                                                  const Value& out)>& take) const {
  for (const Place& place : places_) {
    take(prefix + place.name, value(place.from[0]), place.node->output);
    place.node->each_inner([&](const std::string& inner, Network& network) {
      network.each_layer(prefix + place.name + "." + inner, take);
    });
  }
}

std::vector<LayerLine> Network::lines() {
  std::vector<LayerLine> lines;
  for (const Value& in : inputs_) {
    lines.push_back(
        {in.name, in.dtype == DType::kI32 ? "input of ids" : "input", {}, in.shape.text(), 0, 0});
  }
  list("", lines);
  return lines;
}

std::vector<LayerLine> Network::lines_before_error(const std::vector<LayerConfig>& layers,
                                                   const std::vector<Value>& inputs) {
  Network network;
  try {
    network.read(inputs);
    for (size_t i = 0; i < layers.size(); ++i) network.add(layers, i);
  } catch (const Error&) {  // whoever asks has it from the constructor
  }
  return network.lines();
}

void Network::list(const std::string& prefix, std::vector<LayerLine>& lines) {
  for (const Place& place : places_) {
    std::vector<std::string> from;
    for (const int number : place.from) from.push_back(value(number).name);
    const size_t at = lines.size();
    lines.push_back({prefix + place.name, place.type, from, place.node->output.shape.text(),
                     nn::parameter_count(*place.node), place.node->flops()});
    place.node->each_inner([&](const std::string& inner, Network& network) {
      network.list(prefix + place.name + "." + inner, lines);
    });
    for (size_t i = at + 1; i < lines.size(); ++i) {  // each number stands once
      lines[at].parameters -= lines[i].parameters;
      lines[at].flops -= lines[i].flops;
    }
  }
}

int64_t Network::flops() const {
  int64_t sum = 0;
  for (const Place& place : places_) sum += place.node->flops();
  return sum;
}

std::string Network::mermaid() const {
  std::string text = "graph TD\n";
  for (size_t i = 0; i < inputs_.size(); ++i) {
    text += fmt::format("  n{}([\"{} {}\"])\n", i, mermaid_label(inputs_[i].name),
                        inputs_[i].shape.text());
  }
  for (size_t i = 0; i < places_.size(); ++i) {
    const size_t number = inputs_.size() + i;
    const Place& place = places_[i];
    text += fmt::format("  n{}[\"{}<br/>{} {}\"]\n", number, mermaid_label(place.name), place.type,
                        place.node->output.shape.text());
    for (const int from : place.from) text += fmt::format("  n{} --> n{}\n", from, number);
  }
  return text;
}

}  // namespace ingot::models
