// SPDX-License-Identifier: Apache-2.0
// See signals.h. A signal handler gets no argument of ours, so the process-wide slot below is the
// one place in the library that cannot be passed in; it is only written by StopSignals.
#include "base/signals.h"

#include <csignal>

#include "base/error.h"

namespace ingot {
namespace {

std::atomic<StopFlag*> active_flag{nullptr};
std::atomic<int> first_signal{0};
static_assert(std::atomic<StopFlag*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// Async-signal-safe: lock-free atomics and signal() only.
void on_stop(int number) {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  if (StopFlag* flag = active_flag.load()) flag->request();
}

using Handler = void (*)(int);

void install(int number, Handler handler) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

void throw_if_stopped(const StopFlag* stop) {
  require(stop == nullptr || !stop->requested(), Code::kCancelled, "stopped by a signal");
}

void ignore_file_size_signal() { install(SIGXFSZ, SIG_IGN); }

StopSignals::StopSignals(StopFlag& flag) {
  StopFlag* none = nullptr;
  require(active_flag.compare_exchange_strong(none, &flag), Code::kInternal,
          "signals: the handlers are already installed; use the one StopSignals of the process");
  first_signal.store(0);
  install(SIGINT, on_stop);
  install(SIGTERM, on_stop);
}

StopSignals::~StopSignals() {
  install(SIGINT, SIG_DFL);
  install(SIGTERM, SIG_DFL);
  active_flag.store(nullptr);
}

int StopSignals::signal_number() const { return first_signal.load(); }

}  // namespace ingot
