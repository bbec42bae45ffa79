// SPDX-License-Identifier: Apache-2.0
// TensorBoard event files: length-prefixed records with masked CRC32C around hand-encoded
// protocol-buffer messages (Event, Summary, HistogramProto, TensorProto, SessionLog; field numbers
// from tensorboard/compat/proto). Each start of a run opens a new file, because a reader stops at
// the torn record a kill leaves behind; a resumed file begins with SessionLog START, which makes
// TensorBoard drop the steps that will be written again.
// Not a reader and not a protobuf library. Written by train/; metrics.jsonl is the record of truth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "ledger/append_file.h"

namespace ingot::ledger {

/// What the name of an event file says about its writer:
/// events.out.tfevents.<start>.<host>.<pid>.<n>
struct EventSource {
  double start_time = 0;  ///< seconds since 1970
  std::string host = "localhost";
  int64_t process = 0;
};

class EventWriter {
 public:
  /// Creates `directory` where needed and a new file in it whose name sorts after those already
  /// there. resume_step >= 0 says that steps after it are written again; < 0 is a fresh run.
  EventWriter(const std::filesystem::path& directory, const EventSource& source,
              int64_t resume_step = -1);

  void scalar(std::string_view tag, int64_t step, float value, double wall_time);
  void text(std::string_view tag, int64_t step, std::string_view value, double wall_time);
  /// Returns how many values were NaN or infinite; they are left out of the buckets.
  int64_t histogram(std::string_view tag, int64_t step, std::span<const float> values,
                    double wall_time);
  void sync() { file_.sync(); }

  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

/// u64 length, masked CRC32C of it, payload, masked CRC32C of the payload; little-endian.
[[nodiscard]] std::string event_record(std::string_view payload);
/// Event messages without their frame.
[[nodiscard]] std::string version_event(double wall_time);
[[nodiscard]] std::string session_start_event(int64_t first_step, double wall_time);
[[nodiscard]] std::string scalar_event(std::string_view tag, int64_t step, float value,
                                       double wall_time);

}  // namespace ingot::ledger
