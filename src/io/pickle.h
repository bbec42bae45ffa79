// SPDX-License-Identifier: Apache-2.0
// Python's pickle (protocols 2 to 5) as data: numbers, texts, lists, tuples, dicts, references to
// things outside the stream, and calls of the few functions that the caller allows. Nothing is ever
// executed: a call is a node that says which function and which arguments. Whatever else a stream
// asks for is refused by name. The opcodes: Python's pickletools.py. Called by torch_file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::io {

enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kList,
  kTuple,
  kDict,
  kGlobal,      ///< a name, "module name"
  kCall,        ///< text: the function; items[0]: the tuple of its arguments
  kPersistent,  ///< something outside the stream; items[0]: what the stream says of it
};

/// A node; items are numbers of other nodes, so that a stream that refers to itself costs nothing.
struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;         ///< kInt, kBool
  double number = 0.0;         ///< kFloat
  std::string text;            ///< kText, kGlobal, kCall
  std::vector<int32_t> items;  ///< kList, kTuple; kDict: key, value, key, value …
};

struct Pickle {
  std::vector<PickleValue> values;
  int32_t root = 0;
  size_t bytes = 0;  ///< of the input that the stream took

  [[nodiscard]] const PickleValue& at(int32_t index) const {
    return values[static_cast<size_t>(index)];
  }
};

/// Reads one stream from the beginning of `bytes`. `globals`: the names ("module name") that may
/// occur; "collections OrderedDict" always may, and calling it gives a dict. Throws kCorruptFile
/// naming `what` and the offset for a stream that is damaged, kUnsupported naming the opcode or the
/// global. Time and memory are linear in the bytes.
[[nodiscard]] Pickle read_pickle(std::span<const std::byte> bytes,
                                 std::span<const std::string_view> globals,
                                 const std::string& what);

}  // namespace ingot::io
