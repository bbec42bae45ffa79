// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include <cerrno>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/display.h"
#include "base/error.h"

namespace ingot::cli {
namespace {

/// A result that did not arrive is an error; a remark that did not must not end the work.
void write_line(std::FILE* file, std::string_view text, std::string_view end) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size() &&
                          std::fwrite(end.data(), 1, end.size(), file) == end.size() &&
                          std::fflush(file) == 0;
  require(is_written || file != stdout, Code::kIo, "print: standard output: {}",
          std::strerror(errno));
}

}  // namespace

void Console::line(std::string_view text) const {
  write_line(is_json_ ? stderr : stdout, without_control(text), "\n");
}

void Console::note(std::string_view text) const { write_line(stderr, without_control(text), "\n"); }

void Console::stream(std::string_view text) const {
  write_line(is_json_ ? stderr : stdout, text, "");
}

void Console::result(const Json& json) const {
  if (is_json_) write_line(stdout, dump_json(json), "\n");
}

std::unique_ptr<Progress> Console::progress(const Clock& clock, std::string label) const {
  ProgressOptions options;
  options.label = std::move(label);
  options.terminal = isatty(STDERR_FILENO) != 0;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) options.width = size.ws_col;
  return std::make_unique<Progress>(clock, options,
                                    [](std::string_view text) { write_line(stderr, text, ""); });
}

}  // namespace ingot::cli
