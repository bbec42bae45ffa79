// SPDX-License-Identifier: Apache-2.0
#include "cli/no_memory.h"

#include <cstdio>
#include <new>
#include <system_error>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/machine.h"

namespace ingot::cli {

NoMemoryText no_memory_text() noexcept {
  std::array<char, 80> cause{"ulimit -v, a container, other programs"};
  if (const int64_t limit = limit_of_addresses(); limit >= 0) {
    std::snprintf(cause.data(), cause.size(), "ulimit -v allows %lld KiB of addresses",
                  static_cast<long long>(limit / 1024));
  }
  NoMemoryText text{};
  std::snprintf(text.data(), text.size(),
                "out of memory: the system gives no more (%s). Take less: train.micro_batch=1, "
                "threads=1, data.max_file=1MiB, predict.batch=1, serve.max_batch=1, "
                "serve.kv_mib=1; or raise that limit",
                cause.data());
  return text;
}

Json with_named_memory(const std::string& stage, const std::function<Json()>& work) {
  const auto refuse = [&] {
    fail(Code::kOutOfMemory, "{}: {}. The stages before it are kept", stage,
         no_memory_text().data());
  };
  try {
    return work();
  } catch (const std::bad_alloc&) {
    refuse();
  } catch (const std::system_error& error) {  // of a thread that could not be started
    const bool is_memory = error.code() == std::errc::resource_unavailable_try_again ||
                           error.code() == std::errc::not_enough_memory;
    if (!is_memory) throw;
    refuse();
  }
  return {};
}

}  // namespace ingot::cli
