// SPDX-License-Identifier: Apache-2.0
// What went wrong while a request was read, as its client is told. Internal to connection_read.cpp.
#pragma once

#include <optional>
#include <string>

#include <boost/system/error_code.hpp>

#include "serve/api_error.h"
#include "serve/config.h"

namespace ingot::serve {

/// For an error of Beast's reader; nothing when the client has gone and nobody is left to be told.
[[nodiscard]] std::optional<ApiError> reading_error(boost::system::error_code problem,
                                                    bool timed_out, const ServeConfig& config);

}  // namespace ingot::serve
