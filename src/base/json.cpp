// SPDX-License-Identifier: Apache-2.0
// See json.h. nlohmann's parser keeps its state in a vector, so depth costs no stack; its events
// go to a builder of ours that counts depth before it builds and appends members without the
// linear search of ordered_map. Its lexer checks UTF-8 and number ranges.
#include "base/json.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace ingot {
namespace {

constexpr int64_t kMaxReasonBytes = 240;

// A pointer that reports how far the lexer has read.
struct CountingIterator {
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** read_to = nullptr;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    *read_to = ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at == b.at;
  }
};

class Builder {
 public:
  Builder(std::string_view text, std::string_view what, const JsonLimits& limits)
      : text_(text), what_(what), limits_(limits), read_to_(text.data()) {}

  [[nodiscard]] CountingIterator begin() { return {text_.data(), &read_to_}; }
  [[nodiscard]] CountingIterator end() { return {text_.data() + text_.size(), &read_to_}; }
  [[nodiscard]] Json take() { return std::move(root_); }

  [[noreturn]] void error_at(int64_t offset, std::string_view reason) const {
    const TextPosition position = position_of(text_, offset);
    throw Error(limits_.code, fmt::format("{}:{}:{}: {} (byte {})", what_, position.line,
                                          position.column, reason, offset));
  }

  // The events of nlohmann's SAX interface.
  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(Json::number_integer_t value) { return put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return open(Json::object()); }
  bool start_array(size_t) { return open(Json::array()); }
  bool end_array() {
    frames_.pop_back();
    return seen();
  }

  bool key(std::string& name) {
    Frame& frame = frames_.back();
    auto& members = frame.node->get_ref<Json::object_t&>();
    // A key starts at the first quote after the token before it.
    frame.key_offsets.push_back(static_cast<int64_t>(text_.find('"', seen_to_)));
    members.emplace_back(std::move(name), nullptr);
    return seen();
  }

  bool end_object() {
    refuse_duplicates(frames_.back());
    frames_.pop_back();
    return seen();
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) {
    std::string_view reason = error.what();
    const size_t bracket = reason.find("] ");  // "[json.exception.parse_error.101] "
    if (bracket != reason.npos) reason.remove_prefix(bracket + 2);
    const size_t colon = reason.find(": ");  // "parse error at line 1, column 2: "
    if (reason.starts_with("parse error at") && colon != reason.npos) {
      reason.remove_prefix(colon + 2);
    }
    const auto offset = static_cast<int64_t>(position == 0 ? 0 : position - 1);
    error_at(std::min(offset, static_cast<int64_t>(text_.size())),
             excerpt(reason, kMaxReasonBytes));
  }

 private:
  // The vector that ordered_map is made of: its [] takes positions, not keys.
  using Members = std::vector<Json::object_t::value_type>;

  struct Frame {
    Json* node;
    std::vector<int64_t> key_offsets;  // of the members of an object
  };

  [[nodiscard]] int64_t offset() const { return read_to_ - text_.data(); }

  bool seen() {
    seen_to_ = static_cast<size_t>(offset());
    return true;
  }

  template <class Value>
  Json* place(Value&& value) {
    if (frames_.empty()) return &(root_ = Json(std::forward<Value>(value)));
    Json& node = *frames_.back().node;
    if (node.is_array()) {
      auto& items = node.get_ref<Json::array_t&>();
      items.emplace_back(std::forward<Value>(value));
      return &items.back();
    }
    Json& slot = node.get_ref<Json::object_t&>().back().second;
    slot = Json(std::forward<Value>(value));
    return &slot;
  }

  template <class Value>
  bool put(Value&& value) {
    place(std::forward<Value>(value));
    return seen();
  }

  bool open(Json&& empty) {
    if (static_cast<int>(frames_.size()) >= limits_.max_depth) {
      error_at(offset() - 1, fmt::format("nested deeper than {} levels", limits_.max_depth));
    }
    // A parent gets no new members while its child is open, so the pointer stays good.
    Json* node = place(std::move(empty));
    frames_.push_back({node, {}});
    return seen();
  }

  // Sorting finds equal keys in n log n whatever the keys are; a hash table could be attacked.
  void refuse_duplicates(const Frame& frame) const {
    const Members& members = frame.node->get_ref<const Json::object_t&>();
    std::vector<size_t> order(members.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const int compared = members[a].first.compare(members[b].first);
      return compared != 0 ? compared < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i) {
      const std::string& name = members[order[i]].first;
      if (members[order[i - 1]].first != name) continue;
      error_at(frame.key_offsets[order[i]],
               fmt::format("the key {} appears twice", quote_json(excerpt(name))));
    }
  }

  std::string_view text_;
  std::string_view what_;
  const JsonLimits& limits_;
  const char* read_to_;
  size_t seen_to_ = 0;  // end of the token before the present one
  Json root_;
  std::vector<Frame> frames_;
};

constexpr auto kReplace = Json::error_handler_t::replace;

[[noreturn]] void wrong_type(std::string_view what, std::string_view key, std::string_view wanted,
                             const Json& found) {
  fail(Code::kInvalidArgument, "{}: {} must be {}, is {}", what, quote_json(key), wanted,
       excerpt(dump_json(found)));
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what, const JsonLimits& limits) {
  const auto size = static_cast<int64_t>(text.size());
  require(size <= limits.max_bytes, limits.code, "{}: {} of JSON, the limit is {}", what,
          human_bytes(size), human_bytes(limits.max_bytes));
  if (text.data() == nullptr) text = "";
  Builder builder(text, what, limits);
  // The lexer takes a NUL for the end of the text and would not look behind it.
  const size_t nul = text.find('\0');
  if (nul != text.npos) builder.error_at(static_cast<int64_t>(nul), "a NUL byte");
  const bool good = Json::sax_parse(builder.begin(), builder.end(), &builder);
  INGOT_ASSERT(good);
  return builder.take();
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, kReplace);
}

std::string_view json_kind(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "a boolean";
  return value.is_number() ? "a number" : "null";
}

std::string quote_json(std::string_view text) { return dump_json(Json(std::string(text))); }

std::string json_cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string() : value.dump();
}

const Json* json_optional(const Json& object, std::string_view key, std::string_view what) {
  require(object.is_object(), Code::kInvalidArgument, "{}: an object with {} is needed, is {}",
          what, quote_json(key), excerpt(dump_json(object)));
  const auto found = object.find(std::string(key));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& json_member(const Json& object, std::string_view key, std::string_view what) {
  const Json* found = json_optional(object, key, what);
  require(found != nullptr, Code::kInvalidArgument, "{}: {} is missing", what, quote_json(key));
  return *found;
}

std::string json_string(const Json& object, std::string_view key, std::string_view what) {
  const Json& found = json_member(object, key, what);
  if (!found.is_string()) wrong_type(what, key, "a string", found);
  return found.get<std::string>();
}

int64_t json_int(const Json& object, std::string_view key, std::string_view what) {
  const Json& found = json_member(object, key, what);
  const bool fits =
      !found.is_number_unsigned() || found.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX);
  if (!found.is_number_integer() || !fits) wrong_type(what, key, "a whole number", found);
  return found.get<int64_t>();
}

double json_number(const Json& object, std::string_view key, std::string_view what) {
  const Json& found = json_member(object, key, what);
  if (!found.is_number()) wrong_type(what, key, "a number", found);
  return found.get<double>();
}

bool json_bool(const Json& object, std::string_view key, std::string_view what) {
  const Json& found = json_member(object, key, what);
  if (!found.is_boolean()) wrong_type(what, key, "true or false", found);
  return found.get<bool>();
}

}  // namespace ingot
