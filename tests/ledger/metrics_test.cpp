// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: the bytes of a line, exact resume after a kill at every byte, and the reader's
// tolerance. Expected lines are written out by hand.
#include "ledger/metrics.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

namespace ingot::ledger::metrics_test {
namespace {

namespace fs = std::filesystem;

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path_(fs::temp_directory_path() / ("ingot_" + std::to_string(::getpid()) + "_" + name)) {
    fs::remove(path_);
  }
  ~TemporaryFile() { fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] std::string read() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

 private:
  fs::path path_;
};

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// What a small training run writes at one step; `speed` stands for the wall clock.
void write_step(MetricsWriter& writer, int64_t step, double speed) {
  const float loss = 3.0F / static_cast<float>(step + 1);
  writer.write(step, Kind::kTrain, Fields().add("loss", loss), Fields().add("seconds", speed));
  if (step % 3 == 0) writer.write(step, Kind::kValidation, Fields().add("loss", loss + 0.5F));
}

std::string strip_clocks(const std::string& text) {
  std::string stripped;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin) + 1;
    stripped += without_clock(std::string_view(text).substr(begin, end - begin));
    begin = end;
  }
  return stripped;
}

TEST(MetricsWriter, WritesOneLinePerRecordInShortestDigits) {
  const TemporaryFile file("line.jsonl");
  MetricsWriter writer(file.path());
  writer.write(7, Kind::kTrain,
               Fields()
                   .add("loss", 0.1F)
                   .add("rate", 6e-4)
                   .add("third", 1.0 / 3.0)
                   .add("tokens", int64_t{9007199254740993})
                   .add("big", uint64_t{18446744073709551615U})
                   .add("best", true)
                   .add("note", "a \"b\"\n\xff"),
               Fields().add("seconds", 1.5));
  EXPECT_EQ(file.read(),
            "{\"step\":7,\"kind\":\"train\",\"loss\":0.1,\"rate\":6e-04,"
            "\"third\":0.3333333333333333,\"tokens\":9007199254740993,"
            "\"big\":18446744073709551615,\"best\":true,\"note\":\"a \\\"b\\\"\\n\xEF\xBF\xBD\","
            "\"clock\":{\"seconds\":1.5}}\n");
  EXPECT_EQ(writer.lines(), 1);
  EXPECT_EQ(writer.last_step(), 7);
}

TEST(MetricsWriter, WritesNanAndInfinityAsNullWithAFlag) {
  const TemporaryFile file("nan.jsonl");
  MetricsWriter writer(file.path());
  const double infinity = std::numeric_limits<double>::infinity();
  writer.write(1, Kind::kTrain,
               Fields()
                   .add("loss", std::numeric_limits<float>::quiet_NaN())
                   .add("norm", infinity)
                   .add("low", -infinity)
                   .add("ok", 2));
  EXPECT_EQ(file.read(),
            "{\"step\":1,\"kind\":\"train\",\"loss\":null,\"norm\":null,\"low\":null,\"ok\":2,"
            "\"nonfinite\":{\"loss\":\"nan\",\"norm\":\"inf\",\"low\":\"-inf\"}}\n");
  EXPECT_EQ(read_metrics(file.path()).records.size(), 1U);
}

TEST(MetricsWriter, NamesEveryKind) {
  const TemporaryFile file("kinds.jsonl");
  MetricsWriter writer(file.path());
  for (const Kind kind : {Kind::kTrain, Kind::kEpoch, Kind::kValidation, Kind::kTest, Kind::kSample,
                          Kind::kEvent, Kind::kStage}) {
    writer.write(0, kind, {});
  }
  EXPECT_EQ(file.read(),
            "{\"step\":0,\"kind\":\"train\"}\n{\"step\":0,\"kind\":\"epoch\"}\n"
            "{\"step\":0,\"kind\":\"validation\"}\n"
            "{\"step\":0,\"kind\":\"test\"}\n{\"step\":0,\"kind\":\"sample\"}\n"
            "{\"step\":0,\"kind\":\"event\"}\n{\"step\":0,\"kind\":\"stage\"}\n");
}

TEST(MetricsWriter, RefusesReservedAndRepeatedNamesAndStepsThatGoBack) {
  const TemporaryFile file("refuse.jsonl");
  MetricsWriter writer(file.path());
  writer.write(5, Kind::kTrain, Fields().add("loss", 1));
  const std::string before = file.read();
  EXPECT_EQ(message_of([&] { writer.write(4, Kind::kTrain, {}); }),
            "metrics: step 4 after step 5; records are written in the order of steps");
  EXPECT_EQ(message_of([] { (void)Fields().add("clock", 1); }),
            "metrics: field name \"clock\" is taken by the record itself, choose another");
  EXPECT_EQ(message_of([] { (void)Fields().add("a", 1).add("a", 2); }),
            "metrics: field \"a\" is given twice in one record");
  EXPECT_EQ(file.read(), before);
}

TEST(MetricsWriter, ResumeAfterAKillAtEveryByteEqualsTheRunNeverStopped) {
  const TemporaryFile whole("whole.jsonl");
  constexpr int64_t kSteps = 10;
  constexpr int64_t kCheckpoint = 6;
  std::string at_checkpoint;
  {
    MetricsWriter writer(whole.path());
    for (int64_t step = 1; step <= kSteps; ++step) {
      write_step(writer, step, 1.0);
      if (step == kCheckpoint) at_checkpoint = whole.read();
    }
  }
  const std::string expected = strip_clocks(whole.read());
  const std::string all = whole.read();
  const TemporaryFile killed("killed.jsonl");
  for (size_t bytes = at_checkpoint.size(); bytes <= all.size(); ++bytes) {
    killed.write(all.substr(0, bytes));
    MetricsWriter writer(killed.path(), kCheckpoint);
    ASSERT_EQ(killed.read(), at_checkpoint) << "killed after byte " << bytes;
    for (int64_t step = kCheckpoint + 1; step <= kSteps; ++step) write_step(writer, step, 22.75);
    ASSERT_EQ(strip_clocks(killed.read()), expected) << "killed after byte " << bytes;
  }
}

TEST(MetricsWriter, KeepsNoMoreLinesThanTheCheckpointCounted) {
  const TemporaryFile file("lines.jsonl");
  {
    MetricsWriter writer(file.path());
    for (int64_t step = 1; step <= 3; ++step) write_step(writer, step, 1.0);
    ASSERT_EQ(writer.lines(), 4);  // the fourth is the validation of step 3
  }
  const MetricsWriter writer(file.path(), 3, 3);
  EXPECT_EQ(writer.lines(), 3);
  EXPECT_EQ(writer.last_step(), 3);
  EXPECT_EQ(read_metrics(file.path()).records.back()["kind"], "train");
}

TEST(MetricsWriter, AFreshRunStartsAnEmptyFile) {
  const TemporaryFile file("fresh.jsonl");
  file.write("{\"step\":0,\"kind\":\"stage\"}\n");
  const MetricsWriter writer(file.path());
  EXPECT_EQ(file.read(), "");
}

TEST(MetricsWriter, ResumeCutsAtTheFirstLineThatIsNoRecord) {
  const TemporaryFile file("garbage.jsonl");
  file.write("{\"step\":1,\"kind\":\"train\"}\n\0\0\0\n{\"step\":2,\"kind\":\"train\"}\n");
  const MetricsWriter writer(file.path(), 2);
  EXPECT_EQ(file.read(), "{\"step\":1,\"kind\":\"train\"}\n");
}

TEST(MetricsWriter, SaysWhichFileCannotBeOpened) {
  EXPECT_EQ(message_of([] { const MetricsWriter writer("/nonexistent/metrics.jsonl"); }),
            "open /nonexistent/metrics.jsonl: No such file or directory");
}

TEST(MetricsWriter, AFullDiskLeavesWholeRecords) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  AppendFile file("/dev/full", AppendFile::Open::kKeep);
  EXPECT_EQ(message_of([&] { file.append("line\n"); }),
            "append 5 bytes to /dev/full: No space left on device; the file was left as before");
}

TEST(ReadMetrics, LeavesOutATornLastLineAndCountsBadOnes) {
  const TemporaryFile file("torn.jsonl");
  file.write(
      "{\"step\":1,\"kind\":\"train\",\"loss\":2.5}\n"
      "not json\n"
      "[1,2]\n"
      "{\"step\":\"x\",\"kind\":\"train\"}\n"
      "{\"step\":2,\"kind\":\"train\",\"loss\":null}\n"
      "{\"step\":3,\"kind\":\"tr");
  const Metrics metrics = read_metrics(file.path());
  ASSERT_EQ(metrics.records.size(), 2U);
  EXPECT_EQ(metrics.records[1]["step"], 2);
  EXPECT_TRUE(metrics.torn);
  EXPECT_EQ(metrics.bad_lines, 3);
  EXPECT_EQ(metrics.first_bad_line, 2);
}

TEST(ReadMetrics, MissingFileIsAnErrorThatNamesIt) {
  const std::string message = message_of([] { (void)read_metrics("/nonexistent/m.jsonl"); });
  EXPECT_NE(message.find("/nonexistent/m.jsonl"), std::string::npos) << message;
}

TEST(WithoutClock, RemovesTheMemberAndNothingThatLooksLikeIt) {
  EXPECT_EQ(without_clock("{\"step\":1,\"kind\":\"train\",\"clock\":{\"s\":1.5}}\n"),
            "{\"step\":1,\"kind\":\"train\"}\n");
  EXPECT_EQ(without_clock("{\"step\":1,\"kind\":\"train\"}"), "{\"step\":1,\"kind\":\"train\"}");
  const TemporaryFile file("tricky.jsonl");
  MetricsWriter writer(file.path());
  writer.write(1, Kind::kSample, Fields().add("text", ",\"clock\":{"));
  EXPECT_EQ(without_clock(file.read()), file.read());
}

}  // namespace
}  // namespace ingot::ledger::metrics_test
