// SPDX-License-Identifier: Apache-2.0
#include "data/inspect_pictures.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "data/schema.h"
#include "data/transforms/image_feature.h"
#include "data/transforms/image_resize.h"
#include "io/image.h"

namespace ingot::data {
namespace {

constexpr size_t kNamed = 20;
constexpr size_t kShownSizes = 8;
constexpr size_t kKnownSizes = 4096;
constexpr int64_t kSampled = 100;  // pictures that tell a size of all

using Sizes = std::map<std::pair<int64_t, int64_t>, int64_t>;

std::string size_text(const SizeCount& size) {
  return fmt::format("{} x {}", size.height, size.width);
}

void add_size(const io::Image& image, Sizes& sizes, PictureReport& report) {
  const SizeCount size{image.height, image.width, 1};
  const int64_t pixels = size.height * size.width;
  if (report.pictures == 1 || pixels < report.smallest.height * report.smallest.width) {
    report.smallest = size;
  }
  if (pixels > report.largest.height * report.largest.width) report.largest = size;
  const std::pair key(size.height, size.width);
  if (sizes.size() < kKnownSizes || sizes.count(key) > 0) sizes[key] += 1;
}

void finish(const Sizes& sizes, PictureReport& report) {
  report.different_sizes = static_cast<int64_t>(sizes.size());
  for (const auto& [size, count] : sizes) report.sizes.push_back({size.first, size.second, count});
  std::stable_sort(report.sizes.begin(), report.sizes.end(),
                   [](const SizeCount& a, const SizeCount& b) { return a.count > b.count; });
  if (report.sizes.size() > kShownSizes) report.sizes.resize(kShownSizes);
}

}  // namespace

size_t place_of_column(const TableReader& table, const std::string& column) {
  const std::vector<std::string>& columns = table.columns();
  const auto at = std::find(columns.begin(), columns.end(), column);
  require(at != columns.end(), Code::kNotFound, "inspect: \"{}\" has no column \"{}\".{}",
          table.name(), column, did_you_mean(column, columns));
  return static_cast<size_t>(at - columns.begin());
}

PictureReport inspect_pictures(TableReader& table, const std::string& column, int64_t max_pixels,
                               std::span<const std::string> missing, const StopFlag* stop) {
  const size_t place = place_of_column(table, column);
  RowFolder folder(table);
  PictureReport report;
  report.column = column;
  Sizes sizes;
  std::vector<std::string_view> cells;
  table.rewind();
  while (table.next(cells)) {
    throw_if_stopped(stop);
    const bool is_none = trim(cells[place]).empty() || is_missing(cells[place], missing);
    const Cell cell{cells[place], is_none, table.line(), folder.get()};
    if (cell.missing) {
      ++report.missing;
      continue;
    }
    try {
      const std::string bytes = picture_bytes(cell);
      const io::Image image =
          io::decode_image(std::as_bytes(std::span(bytes)), picture_name(cell), {0, max_pixels});
      ++report.pictures;
      report.gray += image.channels == 1 ? 1 : 0;
      add_size(image, sizes, report);
    } catch (const Error& error) {
      if (report.bad++ < static_cast<int64_t>(kNamed)) {
        report.first_bad.push_back({table.line(), error.what()});
      }
    }
  }
  table.rewind();
  finish(sizes, report);
  return report;
}

std::optional<SizeCount> shared_size(TableReader& table, const std::string& column, int64_t rows,
                                     std::span<const std::string> missing) {
  const size_t place = place_of_column(table, column);
  const int64_t every = std::max<int64_t>(1, (rows + kSampled - 1) / kSampled);
  RowFolder folder(table);
  std::optional<SizeCount> size;
  bool is_shared = true;
  std::vector<std::string_view> cells;
  table.rewind();
  for (int64_t row = 0; is_shared && table.next(cells); ++row) {
    if (row % every != 0 || is_missing(cells[place], missing)) continue;
    const Cell cell{cells[place], false, table.line(), folder.get()};
    try {
      const std::string bytes = picture_bytes(cell);
      const io::ImageInfo info =
          io::probe_image(std::as_bytes(std::span(bytes)), picture_name(cell), {});
      if (!size) size = SizeCount{info.height, info.width, 0};
      is_shared = size->height == info.height && size->width == info.width;
      ++size->count;
    } catch (const Error&) {  // inspect_pictures names it
    }
  }
  table.rewind();
  return is_shared ? size : std::nullopt;
}

std::optional<std::string> picture_digest(const Cell& cell, const ImageOptions& options) {
  const int64_t channels = options.channels == 0 ? 3 : options.channels;
  try {
    const std::string bytes = picture_bytes(cell);
    const io::Image image = io::decode_image(std::as_bytes(std::span(bytes)), picture_name(cell),
                                             {channels, options.max_pixels});
    if (options.size.empty()) {
      return pixel_digest(image.pixels) + " " + size_text({image.height, image.width, 1});
    }
    const int64_t height = options.size[0], width = options.size[1];
    std::vector<uint8_t> pixels(static_cast<size_t>(height * width * channels));
    fit_image(image, options.fit, height, width, pixels);
    return pixel_digest(pixels);
  } catch (const Error&) {
    return std::nullopt;  // inspect_pictures names what is wrong
  }
}

Json PictureReport::to_json() const {
  Json shown = Json::array(), unread = Json::array();
  for (const SizeCount& size : sizes) {
    shown.push_back({{"height", size.height}, {"width", size.width}, {"count", size.count}});
  }
  for (const BadPicture& picture : first_bad) {
    unread.push_back({{"line", picture.line}, {"reason", picture.reason}});
  }
  return Json{{"column", column},
              {"pictures", pictures},
              {"gray", gray},
              {"colour", pictures - gray},
              {"missing", missing},
              {"bad", bad},
              {"first_bad", std::move(unread)},
              {"different_sizes", different_sizes},
              {"sizes", std::move(shown)}};
}

std::string PictureReport::text() const {
  std::string text =
      fmt::format("{}: {} pictures, {} gray, {} in colours", column, with_thousands(pictures),
                  with_thousands(gray), with_thousands(pictures - gray));
  if (missing > 0) text += fmt::format("; {} cells are empty", with_thousands(missing));
  text += "\n";
  if (different_sizes == 1) {
    text += fmt::format("  all are {} (height x width)\n", size_text(sizes[0]));
  } else if (different_sizes > 1) {
    text += fmt::format("  {} sizes (height x width), from {} to {}:", different_sizes,
                        size_text(smallest), size_text(largest));
    for (const SizeCount& size : sizes) {
      text += fmt::format("{} {} ({})", &size == sizes.data() ? "" : ",", size_text(size),
                          with_thousands(size.count));
    }
    text += "\n";
  }
  if (bad > 0) text += fmt::format("  {} cannot be read:\n", with_thousands(bad));
  for (const BadPicture& picture : first_bad) {
    text += fmt::format("    line {}: {}\n", picture.line, picture.reason);
  }
  return text;
}

}  // namespace ingot::data
