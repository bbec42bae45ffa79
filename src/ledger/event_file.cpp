// SPDX-License-Identifier: Apache-2.0
// The wire format, bottom up: varints and tagged fields, messages, the record frame, the file name.
// Field numbers: Event wall_time 1, step 2, file_version 3, summary 5, session_log 7; Summary value
// 1; Value tag 1, simple_value 2, histo 5, tensor 8, metadata 9. A field that has its default value
// (0) is left out, as proto3 does.
#include "ledger/event_file.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace ingot::ledger {
namespace {

constexpr uint32_t kMaskDelta = 0xa282ead8U;
constexpr uint64_t kDataTypeString = 7;    // tensorflow.DataType.DT_STRING
constexpr uint64_t kDataClassTensor = 2;   // SummaryMetadata.data_class
constexpr uint64_t kSessionStart = 1;      // SessionLog.START
constexpr double kSmallestBucket = 1e-12;  // the limits TensorFlow uses: 1e-12 * 1.1^k up to 1e20
constexpr double kLargestBucket = 1e20;
constexpr double kBucketGrowth = 1.1;
constexpr std::string_view kPrefix = "events.out.tfevents.";

template <class T>
void put_little_endian(std::string& out, T value) {
  for (size_t byte = 0; byte < sizeof(T); ++byte) {
    out += static_cast<char>((value >> (8 * byte)) & 0xffU);
  }
}

class Message {
 public:
  Message& varint(uint64_t field, uint64_t value) {
    if (value == 0) return *this;
    put_varint(field << 3U);
    put_varint(value);
    return *this;
  }
  Message& fixed64(uint64_t field, double value) {
    put_varint(field << 3U | 1U);
    put_little_endian(bytes_, std::bit_cast<uint64_t>(value));
    return *this;
  }
  Message& fixed32(uint64_t field, float value) {
    put_varint(field << 3U | 5U);
    put_little_endian(bytes_, std::bit_cast<uint32_t>(value));
    return *this;
  }
  Message& bytes(uint64_t field, std::string_view value) {
    put_varint(field << 3U | 2U);
    put_varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(uint64_t field, const Message& value) { return bytes(field, value.bytes_); }
  Message& packed(uint64_t field, const std::vector<double>& values) {
    std::string body;
    for (const double value : values) put_little_endian(body, std::bit_cast<uint64_t>(value));
    return bytes(field, body);
  }
  [[nodiscard]] const std::string& text() const { return bytes_; }

 private:
  void put_varint(uint64_t value) {
    for (; value >= 0x80U; value >>= 7U) bytes_ += static_cast<char>((value & 0x7fU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

std::string event(double wall_time, int64_t step, uint64_t field, const Message& content) {
  return Message()
      .fixed64(1, wall_time)
      .varint(2, static_cast<uint64_t>(step))
      .message(field, content)
      .text();
}

std::string summary_event(double wall_time, int64_t step, const Message& value) {
  return event(wall_time, step, 5, Message().message(1, value));
}

uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return std::rotr(crc, 15) + kMaskDelta;
}

/// The metadata that makes TensorBoard show a string tensor in its text tab.
Message text_metadata() {
  return Message().message(1, Message().bytes(1, "text")).varint(4, kDataClassTensor);
}

/// Rising; bucket i holds limits[i - 1] <= x < limits[i].
const std::vector<double>& bucket_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> made{-std::numeric_limits<double>::max(), 0.0,
                             std::numeric_limits<double>::max()};
    for (double limit = kSmallestBucket; limit < kLargestBucket; limit *= kBucketGrowth) {
      made.push_back(limit);
      made.push_back(-limit);
    }
    std::sort(made.begin(), made.end());
    return made;
  }();
  return limits;
}

struct Histogram {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double sum = 0;
  double squares = 0;
  int64_t finite = 0;
  std::vector<int64_t> counts;  // per bucket of bucket_limits()
};

Histogram count(std::span<const float> values) {
  const auto& limits = bucket_limits();
  Histogram histogram;
  histogram.counts.resize(limits.size());
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double x = value;
    const auto above = std::upper_bound(limits.begin(), limits.end(), x);
    ++histogram.counts[static_cast<size_t>(above - limits.begin())];
    ++histogram.finite;
    histogram.low = std::min(histogram.low, x);
    histogram.high = std::max(histogram.high, x);
    histogram.sum += x;
    histogram.squares += x * x;
  }
  return histogram;
}

/// Filled buckets only. The reader takes the limit before as a bucket's lower border (and the
/// minimum for the first), so an empty bucket stands where filled ones are not neighbours.
Message histogram_message(const Histogram& histogram) {
  const auto& limits = bucket_limits();
  std::vector<double> borders;
  std::vector<double> counts;
  for (size_t i = 1; i < limits.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    if (!borders.empty() && borders.back() < limits[i - 1]) {
      borders.push_back(limits[i - 1]);
      counts.push_back(0);
    }
    borders.push_back(limits[i]);
    counts.push_back(static_cast<double>(histogram.counts[i]));
  }
  const bool any = histogram.finite > 0;
  return Message()
      .fixed64(1, any ? histogram.low : 0)
      .fixed64(2, any ? histogram.high : 0)
      .fixed64(3, static_cast<double>(histogram.finite))
      .fixed64(4, histogram.sum)
      .fixed64(5, histogram.squares)
      .packed(6, borders)
      .packed(7, counts);
}

/// The start time in the name of an event file, or -1.
int64_t start_in_name(const std::string& name) {
  if (!name.starts_with(kPrefix)) return -1;
  int64_t start = -1;
  const char* begin = name.data() + kPrefix.size();
  const auto result = std::from_chars(begin, name.data() + name.size(), start);
  return result.ec == std::errc() ? start : -1;
}

/// TensorBoard reads the files of a directory in the order of their names: a start within the same
/// second, or on a clock that was set back, still has to sort last.
std::filesystem::path next_path(const std::filesystem::path& directory, const EventSource& source) {
  auto start = static_cast<int64_t>(source.start_time);
  int64_t index = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const int64_t other = start_in_name(entry.path().filename().string());
    if (other < 0) continue;
    ++index;
    start = std::max(start, other + 1);
  }
  return directory / fmt::format("{}{:010}.{}.{}.{}", kPrefix, start,
                                 source.host.empty() ? "localhost" : source.host, source.process,
                                 index);
}

std::filesystem::path prepared_path(const std::filesystem::path& directory,
                                    const EventSource& source) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  require(!error, Code::kIo, "create {}: {}", directory.string(), error.message());
  require(source.host.find('/') == std::string::npos, Code::kInvalidArgument,
          "event file: host name \"{}\" has a slash", source.host);
  return next_path(directory, source);
}

}  // namespace

std::string event_record(std::string_view payload) {
  std::string length;
  put_little_endian(length, static_cast<uint64_t>(payload.size()));
  std::string record = length;
  put_little_endian(record, masked_crc(length));
  record += payload;
  put_little_endian(record, masked_crc(payload));
  return record;
}

std::string version_event(double wall_time) {
  return Message().fixed64(1, wall_time).bytes(3, "brain.Event:2").text();
}

std::string session_start_event(int64_t first_step, double wall_time) {
  return event(wall_time, first_step, 7, Message().varint(1, kSessionStart));
}

std::string scalar_event(std::string_view tag, int64_t step, float value, double wall_time) {
  return summary_event(wall_time, step, Message().bytes(1, tag).fixed32(2, value));
}

EventWriter::EventWriter(const std::filesystem::path& directory, const EventSource& source,
                         int64_t resume_step)
    : file_(prepared_path(directory, source), AppendFile::Open::kNew) {
  std::string head = event_record(version_event(source.start_time));
  // The reader drops what it has from this step on; the resumed step itself stays.
  if (resume_step >= 0) {
    head += event_record(session_start_event(resume_step + 1, source.start_time));
  }
  file_.append(head);
}

void EventWriter::scalar(std::string_view tag, int64_t step, float value, double wall_time) {
  file_.append(event_record(scalar_event(tag, step, value, wall_time)));
}

void EventWriter::text(std::string_view tag, int64_t step, std::string_view value,
                       double wall_time) {
  const Message shape = Message().message(2, Message().varint(1, 1));
  const Message tensor = Message().varint(1, kDataTypeString).message(2, shape).bytes(8, value);
  const Message entry = Message().bytes(1, tag).message(8, tensor).message(9, text_metadata());
  file_.append(event_record(summary_event(wall_time, step, entry)));
}

int64_t EventWriter::histogram(std::string_view tag, int64_t step, std::span<const float> values,
                               double wall_time) {
  const Histogram histogram = count(values);
  const Message entry = Message().bytes(1, tag).message(5, histogram_message(histogram));
  file_.append(event_record(summary_event(wall_time, step, entry)));
  return static_cast<int64_t>(values.size()) - histogram.finite;
}

}  // namespace ingot::ledger
