// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/message_of.h"

namespace ingot::files_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;

void put(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(ReadFile, ReturnsEveryByte) {
  const TempDir dir;
  std::string text("a\0b\xff", 4);
  for (int i = 0; i < 18; ++i) text += text;  // one MiB
  put(dir.file("x"), text);
  EXPECT_EQ(read_file(dir.file("x")), text);
  put(dir.file("empty"), "");
  EXPECT_EQ(read_file(dir.file("empty")), "");
}

TEST(ReadFile, ReadsFilesWithoutSize) {
  EXPECT_NE(read_file("/proc/self/status").find("VmRSS"), std::string::npos);
}

TEST(ReadFile, ErrorsNameThePath) {
  const TempDir dir;
  put(dir.file("x"), "12345");
  const std::string x = dir.file("x");
  EXPECT_EQ(message_of([&] { (void)read_file(dir.file("no")); }),
            "read: \"" + dir.file("no") + "\": No such file or directory");
  EXPECT_EQ(code_of([&] { (void)read_file(dir.file("no")); }), "not_found");
  EXPECT_EQ(message_of([&] { (void)read_file(dir.path()); }),
            "read: \"" + dir.path() + "\" is a folder, a file is needed");
  EXPECT_EQ(message_of([&] { (void)read_file(x, 4); }),
            "read: \"" + x + "\" holds 5 B or more, the limit is 4 B");
  EXPECT_EQ(read_file(x, 5), "12345");
}

TEST(ReadFile, LimitsEndlessDevices) {
  EXPECT_EQ(code_of([] { (void)read_file("/dev/zero", 1 << 20); }), "invalid_argument");
}

TEST(Paths, InsideIsAPlaceBelowThroughLinks) {
  const TempDir dir;
  std::filesystem::create_directories(dir.file("in/deep"));
  std::filesystem::create_directory_symlink(dir.file("in/deep"), dir.file("link"));
  EXPECT_TRUE(is_inside(dir.file("in"), dir.file("in")));
  EXPECT_TRUE(is_inside(dir.file("in/deep/new.png"), dir.file("in")));
  EXPECT_TRUE(is_inside(dir.file("link/new.png"), dir.file("in")));
  EXPECT_TRUE(is_inside("new.png", "."));
  EXPECT_FALSE(is_inside(dir.file("in/../new.png"), dir.file("in")));
  EXPECT_FALSE(is_inside(dir.file("inner"), dir.file("in")));
}

TEST(Paths, JoinAndSplit) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(parent_path("a/b/c"), "a/b");
  EXPECT_EQ(parent_path("a/b/"), "a");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(base_name("a/b.txt"), "b.txt");
  EXPECT_EQ(base_name("b/"), "b");
}

TEST(Paths, KnowFilesFromFolders) {
  const TempDir dir;
  put(dir.file("x"), "123");
  EXPECT_TRUE(file_exists(dir.file("x")));
  EXPECT_FALSE(file_exists(dir.path()));
  EXPECT_TRUE(directory_exists(dir.path()));
  EXPECT_FALSE(directory_exists(dir.file("x")));
  EXPECT_EQ(file_size(dir.file("x")), 3);
  EXPECT_EQ(code_of([&] { (void)file_size(dir.file("y")); }), "not_found");
}

TEST(MappedFile, ShowsTheBytesAndMoves) {
  const TempDir dir;
  put(dir.file("x"), "hello");
  MappedFile a(dir.file("x"));
  a.advise(Advice::kSequential);
  EXPECT_EQ(a.text(), "hello");
  EXPECT_EQ(a.size(), 5);
  EXPECT_EQ(a.bytes().size(), 5U);
  MappedFile b = std::move(a);
  EXPECT_EQ(b.text(), "hello");
  MappedFile c;
  c.advise(Advice::kNormal);
  c = std::move(b);
  EXPECT_EQ(c.text(), "hello");
}

TEST(MappedFile, MapsAnEmptyFile) {
  const TempDir dir;
  put(dir.file("x"), "");
  const MappedFile file(dir.file("x"));
  EXPECT_EQ(file.size(), 0);
  EXPECT_EQ(file.text(), "");
}

TEST(MappedFile, RefusesFoldersAndDevices) {
  EXPECT_EQ(message_of([] { MappedFile file("/tmp"); }),
            "read: \"/tmp\" is a folder, a file is needed");
  EXPECT_EQ(message_of([] { MappedFile file("/dev/zero"); }),
            "read: \"/dev/zero\" is a pipe or device, a regular file is needed: copy it to one "
            "first");
}

TEST(ReadableFile, RefusesAPipeWithoutWaitingForItsWriter) {
  const TempDir dir;
  ASSERT_EQ(mkfifo(dir.file("pipe").c_str(), 0600), 0);
  const std::string reason =
      "read: \"" + dir.file("pipe") +
      "\" is a pipe or device, a regular file is needed: copy it to one first";
  EXPECT_EQ(message_of([&] { ReadableFile file(dir.file("pipe")); }), reason);
  EXPECT_EQ(message_of([&] { (void)read_regular_file(dir.file("pipe"), 10); }), reason);
}

TEST(ReadRegularFile, ReadsAWholeFileUpToALimitAndNoDevice) {
  const TempDir dir;
  put(dir.file("x"), "0123456789");
  EXPECT_EQ(read_regular_file(dir.file("x"), 10), "0123456789");
  EXPECT_NE(message_of([&] { (void)read_regular_file(dir.file("x"), 9); }).find("the limit is"),
            std::string::npos);
  EXPECT_NE(message_of([] { (void)read_regular_file("/dev/zero", 10); }).find("pipe or device"),
            std::string::npos);
}

TEST(ReadableFile, ReadsAtOffsets) {
  const TempDir dir;
  put(dir.file("x"), "0123456789");
  ReadableFile first(dir.file("x"));
  const ReadableFile file = std::move(first);
  EXPECT_EQ(file.size(), 10);
  std::string got(4, '\0');
  file.read_at(3, std::as_writable_bytes(std::span(got)));
  EXPECT_EQ(got, "3456");
  file.read_at(10, {});
}

TEST(ReadableFile, RefusesToReadBehindTheEnd) {
  const TempDir dir;
  put(dir.file("x"), "0123456789");
  const ReadableFile file(dir.file("x"));
  std::vector<std::byte> out(4);
  EXPECT_EQ(message_of([&] { file.read_at(8, out); }),
            "read: \"" + dir.file("x") + "\": 4 bytes at 8 are needed, the file has 10");
  EXPECT_EQ(code_of([&] { file.read_at(-1, out); }), "corrupt_file");
  EXPECT_EQ(code_of([&] { file.read_at(INT64_MAX, out); }), "corrupt_file");
}

TEST(ReadableFile, NoticesAFileThatBecameShorter) {
  const TempDir dir;
  put(dir.file("x"), "0123456789");
  const ReadableFile file(dir.file("x"));
  ASSERT_EQ(truncate(dir.file("x").c_str(), 5), 0);
  std::vector<std::byte> out(8);
  EXPECT_EQ(message_of([&] { file.read_at(0, out); }),
            "read: \"" + dir.file("x") + "\" became shorter while it was read");
}

TEST(RealFiles, TruncateAndAppend) {
  const TempDir dir;
  const auto files = real_files();
  files->open(dir.file("x"), OpenMode::kTruncate)->write_text("one");
  files->open(dir.file("x"), OpenMode::kTruncate)->write_text("two");
  files->open(dir.file("x"), OpenMode::kAppend)->write_text("three");
  EXPECT_EQ(read_file(dir.file("x")), "twothree");
}

TEST(RealFiles, FolderOperations) {
  const TempDir dir;
  const auto files = real_files();
  files->make_directory(dir.file("d"));
  files->make_directory(dir.file("d"));  // existing is fine
  files->open(dir.file("d/b"), OpenMode::kTruncate)->write_text("b");
  files->open(dir.file("d/a"), OpenMode::kTruncate)->write_text("a");
  EXPECT_EQ(files->list(dir.file("d")), (std::vector<std::string>{"a", "b"}));
  files->rename(dir.file("d/a"), dir.file("d/c"));
  files->remove(dir.file("d/b"));
  files->remove(dir.file("d/b"));  // missing is fine
  files->sync_directory(dir.file("d"));
  EXPECT_EQ(files->list(dir.file("d")), (std::vector<std::string>{"c"}));
}

TEST(RealFiles, ErrorsNameVerbPathAndReason) {
  const TempDir dir;
  const auto files = real_files();
  const std::string no = dir.file("no/x");
  EXPECT_EQ(message_of([&] { (void)files->open(no, OpenMode::kTruncate); }),
            "write: \"" + no + "\": No such file or directory");
  EXPECT_EQ(message_of([&] { (void)files->open(no, OpenMode::kAppend); }),
            "write: \"" + no + "\": No such file or directory");
  EXPECT_EQ(message_of([&] { files->rename(no, dir.file("y")); }),
            "rename to: \"" + dir.file("y") + "\": No such file or directory");
  EXPECT_EQ(message_of([&] { (void)files->list(dir.file("no")); }),
            "list: \"" + dir.file("no") + "\": No such file or directory");
  EXPECT_EQ(message_of([&] { files->make_directory(no); }),
            "make folder: \"" + no + "\": No such file or directory");
  EXPECT_EQ(message_of([&] { files->sync_directory(dir.file("no")); }),
            "sync: \"" + dir.file("no") + "\": No such file or directory");
  put(dir.file("f"), "");
  EXPECT_EQ(message_of([&] { files->make_directory(dir.file("f")); }),
            "make folder: \"" + dir.file("f") + "\": File exists");
}

TEST(RealFiles, FullDiskNamesTheFreeSpace) {
  const auto files = real_files();
  const auto file = files->open("/dev/full", OpenMode::kTruncate);
  const std::string message = message_of([&] { file->write_text("x"); });
  EXPECT_EQ(message.rfind("write: \"/dev/full\": No space left on device (", 0), 0U) << message;
  EXPECT_NE(message.find(" free there). Free some space or choose another folder."),
            std::string::npos)
      << message;
  EXPECT_EQ(code_of([&] { file->write_text("x"); }), "io");
}

TEST(RealFiles, FileSizeLimitIsAnError) {
  const TempDir dir;
  const auto files = real_files();
  const auto file = files->open(dir.file("x"), OpenMode::kTruncate);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 1000;
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = message_of([&] { file->write_text(std::string(2000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  EXPECT_EQ(message, "write: \"" + dir.file("x") +
                         "\": File too large. Raise the limit of this shell (ulimit -f unlimited), "
                         "or write to a file "
                         "system that takes larger files.");
}

TEST(RealFiles, MemoryThatTheSystemRefusesIsAnErrorOfMemory) {
  const auto refused = [] { fail_system("map", "model.safetensors", ENOMEM); };
  EXPECT_EQ(message_of(refused),
            "map: \"model.safetensors\": Cannot allocate memory. The system gives no more (" +
                scarcity() + "): raise that limit or end what takes it");
  EXPECT_EQ(code_of(refused), "out_of_memory");
}

TEST(RealFiles, TooManyOpenFilesNameTheLimit) {
  for (const int error : {EMFILE, ENFILE}) {
    const auto refused = [&] { fail_system("read", "x", error); };
    EXPECT_TRUE(message_of(refused).ends_with(". Raise the limit of open files (ulimit -n)"));
    EXPECT_EQ(code_of(refused), "io");
  }
}

TEST(RealFiles, OneWriterAtATime) {
  const TempDir dir;
  const auto files = real_files();
  const auto first = files->open(dir.file("x"), OpenMode::kTruncate);
  first->write_text("kept");
  EXPECT_EQ(message_of([&] { (void)files->open(dir.file("x"), OpenMode::kTruncate); }),
            "write: \"" + dir.file("x") +
                "\" is being written by another process. Wait for it or stop it.");
  EXPECT_EQ(read_file(dir.file("x")), "kept");
}

}  // namespace
}  // namespace ingot::files_test
