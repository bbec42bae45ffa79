// SPDX-License-Identifier: Apache-2.0
#include "train/example_runner.h"

#include <algorithm>

#include "autograd/tape.h"

namespace ingot::train {

std::vector<const data::ExampleField*> input_fields(const data::ExampleLayout& layout,
                                                    const models::Network& network,
                                                    const std::string& what) {
  std::vector<const data::ExampleField*> fields;
  for (const models::Value& in : network.inputs()) {
    const data::ExampleField* field = layout.find(in.name);
    require(field != nullptr, Code::kInvalidArgument, "{}: the examples hold no \"{}\"", what,
            in.name);
    const bool is_dtype =
        field->dtype == in.dtype || (field->dtype == DType::kU8 && in.dtype == DType::kF32);
    require(is_dtype && field->shape == in.shape, Code::kShapeMismatch,
            "{}: \"{}\" is {} {}, the network takes {} {}", what, in.name, dtype_name(field->dtype),
            field->shape.text(), dtype_name(in.dtype), in.shape.text());
    fields.push_back(field);
  }
  return fields;
}

std::vector<ExampleRunner::WeightedView> ExampleRunner::views_of(Tta tta) {
  std::vector<WeightedView> views;
  const auto add_pair = [&](float weight, int64_t shift) {
    for (const bool is_mirrored : {false, true}) {
      WeightedView& v = views.emplace_back();
      v.weight = weight / 2;
      v.view.is_mirrored = is_mirrored;
      v.view.shift_y = v.view.shift_x = shift;
    }
  };
  if (tta == Tta::kNone) return {WeightedView{}};
  if (tta == Tta::kFlip) {
    add_pair(1.0F, 0);
    return views;
  }
  add_pair(0.5F, 0);
  add_pair(0.25F, -1);
  add_pair(0.25F, 1);
  return views;
}

ExampleRunner::ExampleRunner(Engine& engine, models::Network& network,
                             const data::ExampleLayout& layout, const data::RowFiller& filler,
                             const ExampleRunnerOptions& options, const std::string& what)
    : engine_(engine),
      runner_(engine, network, options.batch,
              options.tta == Tta::kNone ? options.link : models::Link::kNone, options.replay),
      filler_(engine.team(), input_fields(layout, network, what), filler),
      link_(options.link),
      views_(views_of(options.tta)) {
  if (options.tta == Tta::kNone) return;
  const auto& fields = layout.fields();
  const bool has_picture = std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.dtype == DType::kU8 && field.shape[0] > 1 && field.shape[1] > 1;
  });
  require(has_picture, Code::kInvalidArgument,
          "{}: predict.tta={} is for pictures, and the network takes none; set predict.tta=none",
          what, enum_name(options.tta));
  sum_ = Tensor::zeros(engine, {batch(), width()});
}

std::span<const float> ExampleRunner::run(
    int64_t count, const std::function<std::span<const std::byte>(int64_t i)>& record) {
  const auto fill = [&](const data::RowView& view) {
    filler_.fill(count, runner_.inputs(), [&](int64_t i) {
      return data::BatchRow{record(i), view};
    });
  };
  if (views_.size() == 1) {
    fill(views_[0].view);
    return runner_.run(count);
  }
  std::fill_n(sum_.data<float>(), sum_.size(), 0.0F);
  for (const WeightedView& v : views_) {
    fill(v.view);
    add(runner_.run(count), v.weight);
  }
  const Recording off(engine_, nullptr);
  answers_ = models::linked(sum_, link_);
  return {answers_.data<float>(), static_cast<size_t>(count * width())};
}

void ExampleRunner::add(std::span<const float> numbers, float weight) {
  float* sum = sum_.data<float>();
  for (size_t i = 0; i < numbers.size(); ++i) sum[i] += weight * numbers[i];
}

}  // namespace ingot::train
