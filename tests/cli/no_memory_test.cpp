// SPDX-License-Identifier: Apache-2.0
// What is said where the system gives no more; a limit that is set: tests/flows/memory.test.
#include "cli/no_memory.h"

#include <new>
#include <string_view>
#include <system_error>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/message_of.h"

namespace ingot::cli::no_memory_test {
namespace {

using testing::code_of;
using testing::message_of;

TEST(NoMemory, SaysCauseAndCureWhole) {
  const NoMemoryText text = no_memory_text();
  const std::string_view said = text.data();
  EXPECT_TRUE(said.starts_with("out of memory: the system gives no more (ulimit -v")) << said;
  EXPECT_TRUE(said.ends_with("; or raise that limit")) << said;
}

TEST(NoMemory, NamesTheStageThatWasRefusedMemoryOrAThread) {
  const auto no_bytes = [] {
    (void)with_named_memory("serve", []() -> Json { throw std::bad_alloc(); });
  };
  EXPECT_TRUE(message_of(no_bytes).starts_with("serve: out of memory: ")) << message_of(no_bytes);
  EXPECT_EQ(code_of(no_bytes), "out_of_memory");
  const auto no_thread = [] {
    (void)with_named_memory("serve", []() -> Json {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    });
  };
  EXPECT_EQ(code_of(no_thread), "out_of_memory");
}

TEST(NoMemory, LeavesOtherFailuresAsTheyAre) {
  EXPECT_EQ(with_named_memory("serve", [] { return Json(5); }), Json(5));
  EXPECT_THROW(
      (void)with_named_memory(
          "serve",
          []() -> Json { throw std::system_error(std::make_error_code(std::errc::io_error)); }),
      std::system_error);
}

}  // namespace
}  // namespace ingot::cli::no_memory_test
