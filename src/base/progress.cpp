// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/text.h"

namespace ingot {
namespace {

constexpr double kLeastPlainGap_s = 1;  // plain lines by percent: not more than one a second

bool present(double value) { return !std::isnan(value); }

double percent(const ProgressState& state) {
  return 100.0 * static_cast<double>(state.step) / static_cast<double>(state.total);
}

// The pieces of a line, the most important first: a narrow terminal shows the first ones.
std::vector<std::string> pieces(std::string_view label, const ProgressState& state) {
  std::vector<std::string> out;
  if (!label.empty()) out.emplace_back(label);
  if (state.total > 0) {
    out.push_back(fmt::format("{}/{} {:.1f}%", state.step, state.total, percent(state)));
  } else {
    out.push_back(fmt::format("{}", state.step));
  }
  if (present(state.loss)) out.push_back(fmt::format("loss {:.4f}", state.loss));
  if (present(state.val)) out.push_back(fmt::format("val {:.4f}", state.val));
  if (!state.note.empty()) out.push_back(excerpt(state.note));
  if (present(state.eta_s)) out.push_back(fmt::format("ETA {}", human_duration(state.eta_s)));
  if (present(state.items_per_s)) {
    out.push_back(fmt::format("{} {}/s", human_count(state.items_per_s), state.item));
  }
  if (present(state.lr)) out.push_back(fmt::format("lr {:.2e}", state.lr));
  if (state.memory_bytes > 0) out.push_back(human_bytes(state.memory_bytes));
  if (present(state.money)) out.push_back(fmt::format("{:.4f} {}", state.money, state.currency));
  return out;
}

// Columns of a text: its characters, wide ones counted as one.
size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string format_progress(std::string_view label, const ProgressState& state, int width) {
  constexpr std::string_view kGap = "  ";
  const size_t limit = width > 0 ? static_cast<size_t>(width) : std::string::npos;
  std::string line;
  for (const std::string& piece : pieces(label, state)) {
    const size_t gap = line.empty() ? 0 : kGap.size();
    if (columns(line) + gap + columns(piece) > limit) break;
    line += kGap.substr(0, gap);
    line += piece;
  }
  return line;
}

Progress::Progress(const Clock& clock, ProgressOptions options, Sink sink)
    : clock_(clock), options_(std::move(options)), sink_(std::move(sink)) {}

ProgressState Progress::with_eta(const ProgressState& state) {
  const double now = clock_.now_s();
  if (!started_) {
    started_ = true;
    start_s_ = now;
    start_step_ = state.step;
    shown_s_ = -std::numeric_limits<double>::infinity();
  }
  ProgressState result = state;
  const int64_t done = state.step - start_step_;
  const int64_t left = state.total - state.step;
  if (!present(state.eta_s) && state.total > 0 && done > 0 && left > 0) {
    result.eta_s = (now - start_s_) / static_cast<double>(done) * static_cast<double>(left);
  }
  return result;
}

bool Progress::due(const ProgressState& state) const {
  const double since = clock_.now_s() - shown_s_;
  if (options_.terminal) return since >= options_.refresh_s;
  if (since >= options_.plain_s) return true;
  if (state.total <= 0 || since < kLeastPlainGap_s) return false;
  const double moved =
      100.0 * static_cast<double>(state.step - shown_step_) / static_cast<double>(state.total);
  return moved >= options_.plain_percent;
}

void Progress::show(const ProgressState& state) {
  shown_s_ = clock_.now_s();
  shown_step_ = state.step;
  if (!options_.terminal) {
    sink_(fmt::format("{}\n", format_progress(options_.label, state, 0)));
    return;
  }
  // One column less than the terminal has: a full last column would start a new line.
  std::string line = format_progress(options_.label, state, std::max(options_.width - 1, 1));
  const size_t before = columns(line_);
  const size_t now = columns(line);
  const std::string blanks(before > now ? before - now : 0, ' ');  // over the end of a longer line
  sink_(fmt::format("\r{}{}", line, blanks));
  line_ = std::move(line);
}

void Progress::update(const ProgressState& state) {
  const ProgressState shown = with_eta(state);
  if (due(shown)) show(shown);
}

void Progress::finish(const ProgressState& state) {
  show(with_eta(state));
  if (options_.terminal) sink_("\n");
  line_.clear();
}

void Progress::message(std::string_view line) {
  if (!options_.terminal || line_.empty()) {
    sink_(fmt::format("{}\n", line));
    return;
  }
  const size_t before = columns(line_);
  const size_t now = columns(line);
  const std::string blanks(before > now ? before - now : 0, ' ');
  sink_(fmt::format("\r{}{}\n{}", line, blanks, line_));
}

}  // namespace ingot
