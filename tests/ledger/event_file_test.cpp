// SPDX-License-Identifier: Apache-2.0
// Event files against golden bytes (scripts/golden/tensorboard_check.py reads the same files with
// the original reader), and file names that sort in the order of their starts.
#include "ledger/event_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"

namespace ingot::ledger::event_file_test {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(fs::temp_directory_path() / ("ingot_" + std::to_string(::getpid()) + "_" + name)) {
    fs::remove_all(path_);
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The payloads of a file, with every length and both checksums verified.
std::vector<std::string> payloads(const std::string& bytes) {
  const auto masked = [](std::string_view part) {
    const uint32_t crc = crc32c(part);
    return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
  };
  std::vector<std::string> all;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length = 0;
    uint32_t crc = 0;
    std::memcpy(&length, bytes.data() + at, sizeof(length));
    std::memcpy(&crc, bytes.data() + at + 8, sizeof(crc));
    EXPECT_EQ(crc, masked(std::string_view(bytes).substr(at, 8)));
    all.push_back(bytes.substr(at + 12, length));
    std::memcpy(&crc, bytes.data() + at + 12 + length, sizeof(crc));
    EXPECT_EQ(crc, masked(all.back()));
    at += 16 + length;
  }
  return all;
}

TEST(EventRecord, VersionEventMatchesGoldenBytes) {
  EXPECT_EQ(hex(event_record(version_event(1.0))),
            "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a");
}

TEST(EventRecord, ScalarEventMatchesGoldenBytes) {
  EXPECT_EQ(hex(event_record(scalar_event("loss", 3, 0.5F, 2.0))),
            "1a00000000000000129bd82d09000000000000004010032a0d0a0b0a046c6f7373150000003fbac36b94");
}

TEST(EventRecord, SessionStartCarriesTheFirstStepThatIsWrittenAgain) {
  // wall_time 2.0, step 300 as a two-byte varint, session_log {status: START}
  EXPECT_EQ(hex(session_start_event(300, 2.0)), "09000000000000004010ac023a020801");
}

TEST(EventRecord, LeavesOutAZeroStepAndKeepsAZeroValue) {
  EXPECT_EQ(hex(scalar_event("a", 0, 0.0F, 2.0)), "0900000000000000402a0a0a080a01611500000000");
}

TEST(EventWriter, StartsEveryFileWithTheVersionAndAResumedOneWithASessionStart) {
  const TemporaryFolder folder("events");
  const EventSource source{.start_time = 1700000000.5, .host = "box", .process = 42};
  std::vector<fs::path> paths;
  {
    EventWriter first(folder.path(), source);
    first.scalar("loss", 1, 0.5F, 1700000001.0);
    paths.push_back(first.path());
  }
  EventWriter second(folder.path(), source, 10);
  paths.push_back(second.path());
  EXPECT_EQ(paths[0].filename(), "events.out.tfevents.1700000000.box.42.0");
  EXPECT_EQ(paths[1].filename(), "events.out.tfevents.1700000001.box.42.1");
  const auto old = payloads(read(paths[0]));
  ASSERT_EQ(old.size(), 2U);
  EXPECT_EQ(old[0], version_event(1700000000.5));
  EXPECT_EQ(old[1], scalar_event("loss", 1, 0.5F, 1700000001.0));
  const auto resumed = payloads(read(paths[1]));
  ASSERT_EQ(resumed.size(), 2U);
  EXPECT_EQ(resumed[1], session_start_event(11, 1700000000.5));
}

TEST(EventWriter, NamesSortInTheOrderOfStartsWhenTheClockIsSetBack) {
  const TemporaryFolder folder("sorted");
  std::string last;
  for (const double start : {1700000000.0, 1700000000.0, 1600000000.0, 1700000900.0}) {
    const EventWriter writer(folder.path(), {.start_time = start, .host = "h", .process = 9}, 5);
    const std::string name = writer.path().filename().string();
    EXPECT_LT(last, name);
    last = name;
  }
}

TEST(EventWriter, PadsTheStartTimeToTenDigits) {
  const TemporaryFolder folder("padded");
  const EventWriter writer(folder.path(), {.start_time = 12, .host = "", .process = 1});
  EXPECT_EQ(writer.path().filename(), "events.out.tfevents.0000000012.localhost.1.0");
}

TEST(EventWriter, TextIsAStringTensorOfTheTextPlugin) {
  const TemporaryFolder folder("text");
  EventWriter writer(folder.path(), {.start_time = 1});
  writer.text("t", 1, "hi", 2.0);
  const auto all = payloads(read(writer.path()));
  ASSERT_EQ(all.size(), 2U);
  // value {tag "t", tensor {dtype 7, shape {dim {size 1}}, string "hi"},
  //        metadata {plugin_data {"text"}, data_class 2}}
  EXPECT_EQ(hex(all[1]),
            "0900000000000000401001"
            "2a1f0a1d"
            "0a0174"
            "420c0807120412020801"
            "42026869"
            "4a0a0a060a0474657874"
            "2002");
}

TEST(EventWriter, HistogramCountsFiniteValuesInTheirBuckets) {
  const TemporaryFolder folder("histogram");
  EventWriter writer(folder.path(), {.start_time = 1});
  const std::array<float, 6> values{-2.0F,
                                    0.0F,
                                    0.0F,
                                    1.0F,
                                    std::numeric_limits<float>::quiet_NaN(),
                                    std::numeric_limits<float>::infinity()};
  EXPECT_EQ(writer.histogram("h", 1, values, 2.0), 2);
  const std::string event = payloads(read(writer.path())).at(1);
  // min -2, max 1, num 4, sum -1, sum of squares 5, then the packed limits
  const std::string head = hex(event).substr(0, 240);
  EXPECT_NE(head.find("0900000000000000c0"
                      "11000000000000f03f"
                      "190000000000001040"
                      "21000000000000f0bf"
                      "290000000000001440"),
            std::string::npos);
  const size_t limits_at = event.find(std::string("\x29\0\0\0\0\0\0\x14\x40\x32", 10)) + 10;
  const auto bytes = static_cast<size_t>(static_cast<unsigned char>(event[limits_at]));
  std::vector<double> limits(bytes / 8);
  std::vector<double> counts(bytes / 8);
  std::memcpy(limits.data(), event.data() + limits_at + 1, bytes);
  std::memcpy(counts.data(), event.data() + limits_at + 1 + bytes + 2, bytes);
  double total = 0;
  for (size_t i = 0; i < limits.size(); ++i) {
    EXPECT_TRUE(i == 0 || limits[i - 1] < limits[i]);
    total += counts[i];
    if (counts[i] == 2) {  // the two zeros: [0, 1e-12)
      EXPECT_EQ(limits[i], 1e-12);
      EXPECT_EQ(limits[i - 1], 0.0);
    }
  }
  EXPECT_EQ(total, 4);
  EXPECT_GT(limits[0], -2.0);  // -2 lies below its upper limit
  EXPECT_LT(limits[0], -2.0 / 1.1 / 1.1);
}

TEST(EventWriter, AnEmptyHistogramIsWritten) {
  const TemporaryFolder folder("empty");
  EventWriter writer(folder.path(), {.start_time = 1});
  EXPECT_EQ(writer.histogram("h", 1, {}, 2.0), 0);
  EXPECT_EQ(payloads(read(writer.path())).size(), 2U);
}

TEST(EventWriter, RefusesAHostNameWithASlash) {
  const TemporaryFolder folder("slash");
  try {
    const EventWriter writer(folder.path(), {.start_time = 1, .host = "a/b"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "event file: host name \"a/b\" has a slash");
  }
}

/// What scripts/golden/tensorboard_check.py reads: three starts of one run, the second one killed
/// within a record.
TEST(EventWriter, DISABLED_WritesFilesForTensorBoard) {
  const fs::path folder = fs::temp_directory_path() / "ingot_tensorboard_check";
  fs::remove_all(folder);
  const auto write = [&](int start, int64_t resume, int64_t last) {
    EventWriter writer(folder, {.start_time = 1700000000.0, .host = "box", .process = 7}, resume);
    for (int64_t step = std::max<int64_t>(resume, 0) + 1; step <= last; ++step) {
      const auto value = static_cast<float>(100 * start + step);
      writer.scalar("loss", step, value, 1700000000.0 + static_cast<double>(step));
    }
    return writer.path();
  };
  const fs::path first = write(1, -1, 10);
  {
    EventWriter writer(folder, {.start_time = 1700000000.0, .host = "box", .process = 7}, 10);
    writer.text("sample", 1, "zw\xC3\xB6lf <b>", 1700000100.0);
    std::vector<float> weights;
    for (int i = 0; i < 1000; ++i) weights.push_back(static_cast<float>(i * 2 - 1024) / 1024.0F);
    weights[0] = -1.0F;
    weights[999] = 0.998046875F;
    writer.histogram("weights", 1, weights, 1700000100.0);
  }
  const fs::path torn = write(2, 6, 8);
  fs::resize_file(torn, fs::file_size(torn) + 5);
  write(3, 8, 12);
  std::printf("%s\n", folder.c_str());
}

}  // namespace
}  // namespace ingot::ledger::event_file_test
