// SPDX-License-Identifier: Apache-2.0
// A key of one update rule, average or schedule does nothing under another: it is refused, not
// ignored. One that has its default was hardly meant, and passes.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/config_fields.h"
#include "base/error.h"

namespace ingot::optim {

/// Throws kInvalidArgument naming `key`, the choices that take it and the cure, when it is set to
/// another value than its default and `chosen`, the value of the key `choice`, is none of `owners`.
template <class Kind>
void require_own_key(std::string_view key, bool is_set, std::string_view choice, Kind chosen,
                     std::initializer_list<Kind> owners) {
  if (!is_set || std::find(owners.begin(), owners.end(), chosen) != owners.end()) return;
  std::string names;
  for (const Kind& owner : owners) {
    if (!names.empty()) names += &owner + 1 == owners.end() ? " and " : ", ";
    names += enum_name(owner);
  }
  fail(Code::kInvalidArgument,
       "{}: it is of {} and does nothing here, where {} is {}; leave it out, or set {}={}", key,
       names, choice, enum_name(chosen), choice, enum_name(*owners.begin()));
}

}  // namespace ingot::optim
