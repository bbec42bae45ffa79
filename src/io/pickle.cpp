// SPDX-License-Identifier: Apache-2.0
#include "io/pickle.h"

#include <bit>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ingot::io {
namespace {

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr size_t kMaxValues = size_t{1} << 21;

/// The opcodes that are read; pickletools.py has all.
enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyTuple = ')',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::span<const std::string_view> globals,
          const std::string& what)
      : bytes_(bytes), globals_(globals), what_(what) {}

  Pickle run() {
    while (true) {
      op_at_ = at_;
      const auto op = static_cast<uint8_t>(unsigned_int(1));
      if (op == kStop) break;
      if (!scalar(op) && !container(op) && !memory(op) && !reference(op)) {
        fail(Code::kUnsupported,
             "{}: offset {}: the pickle opcode 0x{:02x} is not read. Save plain tensors, as "
             "torch.save(model.state_dict(), …) does",
             what_, op_at_, op);
      }
    }
    result_.root = pop();
    result_.bytes = at_;
    return std::move(result_);
  }

 private:
  [[noreturn]] void corrupt(std::string_view text) const {
    fail(Code::kCorruptFile, "{}: offset {}: {}", what_, op_at_, text);
  }

  // ---- Bytes ----
  std::span<const std::byte> take(uint64_t n) {
    if (n > bytes_.size() - at_) corrupt("the stream ends early");
    const auto part = bytes_.subspan(at_, static_cast<size_t>(n));
    at_ += static_cast<size_t>(n);
    return part;
  }
  uint64_t unsigned_int(size_t size) {
    uint64_t value = 0;
    const auto part = take(size);
    for (size_t i = 0; i < size; ++i) value |= std::to_integer<uint64_t>(part[i]) << (8 * i);
    return value;
  }
  std::string text(uint64_t size) {
    const auto part = take(size);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string line() {
    const size_t from = at_;
    while (unsigned_int(1) != '\n') {
    }
    return {reinterpret_cast<const char*>(bytes_.data() + from), at_ - from - 1};
  }

  // ---- Stack ----
  void push(int32_t index) { stack_.push_back(index); }
  PickleValue& push_new(PickleKind kind) {
    if (result_.values.size() >= kMaxValues) corrupt("the stream holds too many values");
    push(static_cast<int32_t>(result_.values.size()));
    result_.values.emplace_back().kind = kind;
    return result_.values.back();
  }
  int32_t pop() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
      corrupt("a value is missing");
    }
    const int32_t index = stack_.back();
    stack_.pop_back();
    return index;
  }
  std::vector<int32_t> pop_to_mark() {
    if (marks_.empty()) corrupt("a mark is missing");
    const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<int32_t> items(from, stack_.end());
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return items;
  }
  PickleValue& top(PickleKind kind, const char* name) {
    const int32_t index = pop();
    push(index);
    PickleValue& value = result_.values[static_cast<size_t>(index)];
    if (value.kind != kind) corrupt(fmt::format("a {} is needed", name));
    return value;
  }

  // ---- Opcodes ----
  void integer(int64_t value) { push_new(PickleKind::kInt).integer = value; }
  void boolean(bool value) { push_new(PickleKind::kBool).integer = value ? 1 : 0; }

  bool scalar(uint8_t op) {
    switch (op) {
      case kNone:
        push_new(PickleKind::kNone);
        return true;
      case kNewTrue:
      case kNewFalse:
        boolean(op == kNewTrue);
        return true;
      case kBinInt:
        integer(static_cast<int32_t>(static_cast<uint32_t>(unsigned_int(4))));
        return true;
      case kBinInt1:
      case kBinInt2:
        integer(static_cast<int64_t>(unsigned_int(op == kBinInt1 ? 1 : 2)));
        return true;
      case kLong1:
        long_integer();
        return true;
      case kBinFloat: {
        uint64_t bits = 0;
        for (const std::byte b : take(8)) bits = bits << 8 | std::to_integer<uint64_t>(b);
        push_new(PickleKind::kFloat).number = std::bit_cast<double>(bits);
        return true;
      }
      default:
        return string(op);
    }
  }
  /// Little-endian two's complement of any length. PyTorch's magic number has ten bytes: what does
  /// not fit into 64 bits is its text in hexadecimal.
  void long_integer() {
    const auto part = take(unsigned_int(1));
    if (part.size() > 8) {
      std::string hex;
      for (auto b = part.rbegin(); b != part.rend(); ++b) {
        hex += fmt::format("{:02x}", std::to_integer<int>(*b));
      }
      push_new(PickleKind::kText).text = hex;
      return;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < part.size(); ++i) {
      value |= std::to_integer<uint64_t>(part[i]) << (8 * i);
    }
    const size_t unused = 64 - 8 * part.size();
    integer(part.empty() ? 0 : static_cast<int64_t>(value << unused) >> unused);
  }
  bool string(uint8_t op) {
    size_t width = 0;
    if (op == kShortBinString || op == kShortBinUnicode) width = 1;
    if (op == kBinString || op == kBinUnicode) width = 4;
    if (op == kBinUnicode8) width = 8;
    if (width == 0) return false;
    std::string value = text(unsigned_int(width));
    push_new(PickleKind::kText).text = std::move(value);
    return true;
  }

  bool container(uint8_t op) {
    switch (op) {
      case kEmptyList:
        push_new(PickleKind::kList);
        return true;
      case kEmptyDict:
        push_new(PickleKind::kDict);
        return true;
      case kEmptyTuple:
        push_new(PickleKind::kTuple);
        return true;
      case kTuple:
        tuple(pop_to_mark());
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3: {
        std::vector<int32_t> items(static_cast<size_t>(op - kTuple1) + 1);
        for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
        tuple(std::move(items));
        return true;
      }
      case kAppend:
      case kAppends:
        extend(PickleKind::kList, "list", op == kAppend ? std::vector{pop()} : pop_to_mark());
        return true;
      case kSetItem: {
        const int32_t value = pop(), key = pop();
        extend(PickleKind::kDict, "dict", {key, value});
        return true;
      }
      case kSetItems: {
        std::vector<int32_t> items = pop_to_mark();
        if (items.size() % 2 != 0) corrupt("a dict has a key without a value");
        extend(PickleKind::kDict, "dict", items);
        return true;
      }
      default:
        return false;
    }
  }
  void tuple(std::vector<int32_t> items) { push_new(PickleKind::kTuple).items = std::move(items); }
  void extend(PickleKind kind, const char* name, const std::vector<int32_t>& items) {
    PickleValue& value = top(kind, name);
    value.items.insert(value.items.end(), items.begin(), items.end());
  }

  bool memory(uint8_t op) {
    switch (op) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kPop:
        (void)pop();
        return true;
      case kBinPut:
      case kLongBinPut:
        put(unsigned_int(op == kBinPut ? 1 : 4));
        return true;
      case kMemoize:
        put(memo_.size());
        return true;
      case kBinGet:
      case kLongBinGet: {
        const auto found = memo_.find(unsigned_int(op == kBinGet ? 1 : 4));
        if (found == memo_.end()) corrupt("a value is asked for that was not kept");
        push(found->second);
        return true;
      }
      case kProto: {
        const uint64_t protocol = unsigned_int(1);
        if (protocol < 2 || protocol > 5) corrupt("this is no pickle of protocol 2 to 5");
        return true;
      }
      case kFrame:
        (void)unsigned_int(8);
        return true;
      default:
        return false;
    }
  }
  void put(uint64_t key) {
    const int32_t index = pop();
    push(index);
    memo_[key] = index;
  }

  bool reference(uint8_t op) {
    switch (op) {
      case kGlobal: {
        const std::string module = line();
        global(module + " " + line());
        return true;
      }
      case kStackGlobal: {
        const std::string name = result_.at(pop()).text, module = result_.at(pop()).text;
        global(module + " " + name);
        return true;
      }
      case kReduce:
        reduce();
        return true;
      case kBuild:  // attributes of an object: of a dict with a "_metadata", say
        (void)pop();
        return true;
      case kBinPersId: {
        const int32_t id = pop();
        push_new(PickleKind::kPersistent).items = {id};
        return true;
      }
      default:
        return false;
    }
  }
  void global(const std::string& name) {
    bool is_known = name == kOrderedDict;
    for (const std::string_view known : globals_) is_known = is_known || name == known;
    require(is_known, Code::kUnsupported,
            "{}: offset {}: asks for \"{}\", which is no tensor, number, text, list or dict. Save "
            "the weights alone: torch.save(model.state_dict(), …)",
            what_, op_at_, excerpt(name));
    push_new(PickleKind::kGlobal).text = name;
  }
  void reduce() {
    const int32_t arguments = pop(), function = pop();
    const std::string name = result_.at(function).text;
    if (result_.at(function).kind != PickleKind::kGlobal ||
        result_.at(arguments).kind != PickleKind::kTuple) {
      corrupt("a call needs a function and a tuple of arguments");
    }
    if (name == kOrderedDict) {
      if (!result_.at(arguments).items.empty()) corrupt("an OrderedDict is made from arguments");
      push_new(PickleKind::kDict);
      return;
    }
    PickleValue& call = push_new(PickleKind::kCall);
    call.text = name;
    call.items = {arguments};
  }

  std::span<const std::byte> bytes_;
  std::span<const std::string_view> globals_;
  const std::string& what_;
  size_t at_ = 0, op_at_ = 0;
  std::vector<int32_t> stack_;
  std::vector<size_t> marks_;
  std::map<uint64_t, int32_t> memo_;
  Pickle result_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, std::span<const std::string_view> globals,
                   const std::string& what) {
  return Machine(bytes, globals, what).run();
}

}  // namespace ingot::io
