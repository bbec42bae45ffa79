// SPDX-License-Identifier: Apache-2.0
// Which keys an augmentation takes and needs, then the ranges of every key.
#include "data/transforms/image_config.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace ingot::data {
namespace {

struct AugmentRow {
  AugmentKind kind;
  std::string_view takes;
  std::string_view needs;
};
constexpr AugmentRow kRows[] = {
    {AugmentKind::kCrop, "padding border", "padding"},
    {AugmentKind::kFlip, "alternate vertical", ""},
    {AugmentKind::kRotate, "degrees", "degrees"},
    {AugmentKind::kScale, "low high", "low high"},
    {AugmentKind::kColorJitter, "brightness contrast saturation", ""},
    {AugmentKind::kCutout, "size", "size"},
    {AugmentKind::kNoise, "deviation", "deviation"},
};

bool holds(std::string_view list, std::string_view word) {
  const std::vector<std::string_view> words = split(list, ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

void check_keys(const AugmentConfig& config, const std::string& where) {
  const AugmentRow& row = *std::find_if(std::begin(kRows), std::end(kRows),
                                        [&](const AugmentRow& r) { return r.kind == config.kind; });
  FieldLister lister;
  AugmentConfig copy = config;
  copy.visit(lister);
  for (const Field& field : lister.fields) {
    if (field.ops->kind != FieldKind::kOptional) continue;
    const bool is_given = field.ops->size(field.value) > 0;
    require(!is_given || holds(row.takes, field.name), Code::kInvalidArgument,
            "{}: {} takes no key \"{}\". Its keys: {}", where, enum_name(config.kind), field.name,
            row.takes);
    require(is_given || !holds(row.needs, field.name), Code::kInvalidArgument,
            "{}: {} needs the key \"{}\" ({})", where, enum_name(config.kind), field.name,
            field.help);
  }
}

void check_augment(const AugmentConfig& a, const std::string& where) {
  check_keys(a, where);
  require(a.padding.value_or(0) >= 0 && a.padding.value_or(0) <= kMaxImageSide,
          Code::kInvalidArgument, "{}: padding is {}, it must be in 0 .. {}", where,
          a.padding.value_or(0), kMaxImageSide);
  require(a.size.value_or(1) >= 1, Code::kInvalidArgument, "{}: size is {}, it must be >= 1", where,
          a.size.value_or(1));
  const double degrees = a.degrees.value_or(1);
  require(degrees > 0 && degrees <= 180, Code::kInvalidArgument,
          "{}: degrees is {}, it must be in (0, 180]", where, degrees);
  require(a.low.value_or(1) > 0 && a.low.value_or(1) <= a.high.value_or(1) &&
              std::isfinite(a.high.value_or(1)),
          Code::kInvalidArgument, "{}: low is {} and high {}; 0 < low <= high", where,
          a.low.value_or(1), a.high.value_or(1));
  for (const auto& [key, x] :
       {std::pair{"brightness", a.brightness}, std::pair{"contrast", a.contrast},
        std::pair{"saturation", a.saturation}}) {
    require(x.value_or(0) >= 0 && x.value_or(0) <= 1, Code::kInvalidArgument,
            "{}: {} is {}, it must be in [0, 1]", where, key, x.value_or(0));
  }
  // Less is lost when bytes are rounded.
  const double deviation = a.deviation.value_or(1);
  require(deviation >= 0.001 && deviation <= 1, Code::kInvalidArgument,
          "{}: deviation is {}, it must be in [0.001, 1], where 1 is from black to white; 0.05 is "
          "a little noise",
          where, deviation);
}

}  // namespace

void check(const ImageOptions& options, const std::string& column) {
  const std::string where = fmt::format("table.features: column \"{}\": image", column);
  require(options.size.empty() || options.size.size() == 2, Code::kInvalidArgument,
          "{}.size has {} numbers; give [height, width]", where, options.size.size());
  for (const int64_t side : options.size) {
    require(side >= 1 && side <= kMaxImageSide, Code::kInvalidArgument,
            "{}.size is [{}, {}]; both must be in 1 .. {}", where, options.size[0], options.size[1],
            kMaxImageSide);
  }
  require(options.channels == 0 || options.channels == 1 || options.channels == 3,
          Code::kInvalidArgument, "{}.channels is {}; 1, 3 or 0 are possible", where,
          options.channels);
  require(options.max_pixels >= 1, Code::kInvalidArgument, "{}.max_pixels is {}, it must be >= 1",
          where, options.max_pixels);
  const bool is_given = options.scale == PixelScale::kGiven;
  require(is_given || (options.mean.empty() && options.deviation.empty()), Code::kInvalidArgument,
          "{}.mean and image.deviation need scale=given", where);
  require(
      !is_given || (!options.mean.empty() && options.mean.size() == options.deviation.size()),
      Code::kInvalidArgument,
      "{}.scale=given needs mean and deviation, one number per channel each; there are {} and {}",
      where, options.mean.size(), options.deviation.size());
  for (size_t i = 0; i < options.mean.size(); ++i) {
    require(std::isfinite(options.mean[i]) && options.deviation[i] > 0 &&
                std::isfinite(options.deviation[i]),
            Code::kInvalidArgument, "{}: mean {} and deviation {}; a deviation must be above 0",
            where, options.mean[i], options.deviation[i]);
  }
  for (size_t i = 0; i < options.augment.size(); ++i) {
    check_augment(options.augment[i], fmt::format("{}.augment.{}", where, i));
  }
}

}  // namespace ingot::data
