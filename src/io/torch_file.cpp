// SPDX-License-Identifier: Apache-2.0
#include "io/torch_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "io/pickle.h"
#include "io/zip.h"

namespace ingot::io {
namespace {

constexpr std::string_view kMagic = "1950a86a20f9469cfc6c";  // of the stream form
constexpr int64_t kProtocol = 1001;
constexpr size_t kMaxDepth = 32;

struct StorageType {
  std::string_view name;
  DType dtype;
};
constexpr StorageType kStorageTypes[] = {
    {"torch FloatStorage", DType::kF32}, {"torch DoubleStorage", DType::kF64},
    {"torch HalfStorage", DType::kF16},  {"torch BFloat16Storage", DType::kBF16},
    {"torch LongStorage", DType::kI64},  {"torch IntStorage", DType::kI32},
    {"torch ByteStorage", DType::kU8},   {"torch BoolStorage", DType::kU8},
};
constexpr std::string_view kRebuild = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kRebuildOld = "torch._utils _rebuild_tensor";  // before version 0.4
constexpr std::string_view kRebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::string_view kSize = "torch Size";

std::vector<std::string_view> allowed_globals() {
  std::vector<std::string_view> list = {kRebuild, kRebuildOld, kRebuildParameter, kSize};
  for (const StorageType& type : kStorageTypes) list.push_back(type.name);
  return list;
}

/// What a pickle says of a storage.
struct StorageId {
  std::string key;
  DType dtype;
  int64_t elements;
};

/// Turns the pickled object into a list of tensors.
class Collector {
 public:
  Collector(const Pickle& pickle, const std::string& what)
      : pickle_(pickle), what_(what), is_seen_(pickle.values.size()) {}

  struct Found {
    TorchTensor tensor;
    std::string key;  // of its storage
    int64_t offset;   // in elements
    int64_t end;      // behind its last element, from the storage's beginning
  };

  std::vector<Found> run() {
    walk(pickle_.root, "", 0);
    return std::move(found_);
  }
  [[nodiscard]] const std::map<std::string, StorageId>& storages() const { return storages_; }

 private:
  [[noreturn]] void corrupt(const std::string& name, std::string_view text) const {
    fail(Code::kCorruptFile, "{}: \"{}\": {}", what_, excerpt(name), text);
  }
  const PickleValue& at(int32_t index) const { return pickle_.at(index); }

  /// Dicts, lists and tuples inside each other; one that was seen is not walked again, so a ring
  /// ends.
  void walk(int32_t index, const std::string& name, size_t depth) {
    const PickleValue& value = at(index);
    if (value.kind == PickleKind::kCall) return tensor(index, name);
    const bool is_dict = value.kind == PickleKind::kDict;
    const bool is_list = value.kind == PickleKind::kList || value.kind == PickleKind::kTuple;
    if ((!is_dict && !is_list) || is_seen_[static_cast<size_t>(index)]) return;
    require(depth < kMaxDepth, Code::kUnsupported, "{}: \"{}\": is nested over {} deep", what_,
            excerpt(name), kMaxDepth);
    is_seen_[static_cast<size_t>(index)] = true;
    const std::string prefix = name.empty() ? "" : name + ".";
    for (size_t i = 0; i < value.items.size(); i += is_dict ? 2 : 1) {
      if (is_list) {
        walk(value.items[i], fmt::format("{}{}", prefix, i), depth + 1);
      } else {
        const PickleValue& key = at(value.items[i]);
        const bool is_number = key.kind == PickleKind::kInt;
        walk(value.items[i + 1], prefix + (is_number ? std::to_string(key.integer) : key.text),
             depth + 1);
      }
    }
  }

  const std::vector<int32_t>& arguments(const PickleValue& call) const {
    return at(call.items[0]).items;
  }
  int64_t integer(int32_t index, const std::string& name) const {
    const PickleValue& value = at(index);
    if (value.kind != PickleKind::kInt || value.integer < 0) {
      corrupt(name, "a size is no whole number of at least 0");
    }
    return value.integer;
  }

  void tensor(int32_t index, const std::string& name) {
    const PickleValue* call = &at(index);
    if (call->text == kRebuildParameter && !arguments(*call).empty()) {
      call = &at(arguments(*call)[0]);
    }
    const bool is_tensor = call->text == kRebuild || call->text == kRebuildOld;
    if (call->kind != PickleKind::kCall || !is_tensor) return;
    const std::vector<int32_t>& a = arguments(*call);
    if (a.size() < 4) corrupt(name, "a tensor needs storage, offset, size and stride");
    const StorageId& storage = storage_of(a[0], name);
    Found f;
    f.key = storage.key;
    f.tensor.name = name;
    f.tensor.dtype = storage.dtype;
    f.offset = integer(a[1], name);
    const PickleValue &sizes = at(a[2]), &strides = at(a[3]);
    if (sizes.kind != PickleKind::kTuple || strides.kind != PickleKind::kTuple ||
        sizes.items.size() != strides.items.size()) {
      corrupt(name, "size and stride are no tuples of one length");
    }
    require(sizes.items.size() <= kMaxRank, Code::kUnsupported, "{}: \"{}\": {} axes, at most {}",
            what_, excerpt(name), sizes.items.size(), kMaxRank);
    f.end = f.offset;
    int64_t elements = 1;
    for (size_t i = 0; i < sizes.items.size(); ++i) {
      const int64_t size = integer(sizes.items[i], name), stride = integer(strides.items[i], name);
      f.tensor.shape.push(size);
      f.tensor.strides[i] = stride;
      elements = checked_mul(elements, size, "torch file: elements");
      const int64_t last =
          checked_mul(std::max<int64_t>(size - 1, 0), stride, "torch file: stride");
      f.end = checked_add(f.end, last, "torch file: stride");
    }
    f.end = elements == 0 ? f.offset : checked_add<int64_t>(f.end, 1, "torch file: end");
    require(f.end <= storage.elements && elements <= storage.elements, Code::kCorruptFile,
            "{}: \"{}\": its shape {} does not fit into its storage of {} elements", what_,
            excerpt(name), f.tensor.shape.text(), storage.elements);
    found_.push_back(std::move(f));
  }

  /// ('storage', type, key, location, elements[, view]).
  const StorageId& storage_of(int32_t index, const std::string& name) {
    const PickleValue& reference = at(index);
    if (reference.kind != PickleKind::kPersistent) corrupt(name, "its storage is missing");
    const PickleValue& id = at(reference.items[0]);
    if (id.kind != PickleKind::kTuple || id.items.size() < 5 || at(id.items[0]).text != "storage") {
      corrupt(name, "its storage is not described as torch.save does");
    }
    const bool is_view = id.items.size() > 5 && at(id.items[5]).kind != PickleKind::kNone;
    require(!is_view, Code::kUnsupported, "{}: \"{}\": its storage is a view of another", what_,
            excerpt(name));
    StorageId storage{at(id.items[2]).text, DType::kF32, integer(id.items[4], name)};
    const std::string& type = at(id.items[1]).text;
    bool is_known = false;
    for (const StorageType& t : kStorageTypes) {
      if (t.name != type) continue;
      storage.dtype = t.dtype;
      is_known = true;
    }
    require(is_known, Code::kUnsupported, "{}: \"{}\": storages of \"{}\" are not read", what_,
            excerpt(name), excerpt(type));
    const auto [place, is_new] = storages_.emplace(storage.key, storage);
    if (!is_new &&
        (place->second.dtype != storage.dtype || place->second.elements != storage.elements)) {
      corrupt(name, "its storage is described in two ways");
    }
    return place->second;
  }

  const Pickle& pickle_;
  const std::string& what_;
  std::vector<bool> is_seen_;
  std::vector<Found> found_;
  std::map<std::string, StorageId> storages_;
};

using Bytes = std::span<const std::byte>;

/// Each tensor's storage from its first element on.
std::vector<TorchTensor> placed(std::vector<Collector::Found> found,
                                const std::map<std::string, Bytes>& storages,
                                const std::string& what) {
  std::vector<TorchTensor> tensors;
  for (Collector::Found& f : found) {
    const auto bytes = storages.find(f.key);
    const int64_t size = dtype_size(f.tensor.dtype);
    require(bytes != storages.end(), Code::kCorruptFile,
            "{}: \"{}\": the file lacks storage \"{}\"", what, excerpt(f.tensor.name),
            excerpt(f.key));
    require(f.end <= static_cast<int64_t>(bytes->second.size()) / size, Code::kCorruptFile,
            "{}: \"{}\": storage \"{}\" has {} bytes, too few", what, excerpt(f.tensor.name),
            excerpt(f.key), bytes->second.size());
    f.tensor.storage = bytes->second.subspan(static_cast<size_t>(f.offset * size),
                                             static_cast<size_t>((f.end - f.offset) * size));
    tensors.push_back(std::move(f.tensor));
  }
  return tensors;
}

/// FOLDER/data.pkl, FOLDER/data/KEY, and "little" in FOLDER/byteorder when there is one.
std::vector<TorchTensor> parse_zip_form(Bytes file, const std::string& what) {
  const std::vector<ZipMember> members = read_zip(file, what);
  constexpr std::string_view kPickle = "data.pkl";
  const ZipMember* pickle = nullptr;
  for (const ZipMember& m : members) {
    const bool is_it = m.name == kPickle || m.name.ends_with("/data.pkl");
    if (is_it && pickle == nullptr) pickle = &m;
  }
  require(pickle != nullptr, Code::kCorruptFile,
          "{}: a zip file without data.pkl; torch.save writes one", what);
  const std::string folder = pickle->name.substr(0, pickle->name.size() - kPickle.size());
  std::map<std::string, Bytes> storages;
  for (const ZipMember& m : members) {
    const std::string prefix = folder + "data/";
    if (m.name.starts_with(prefix)) storages[m.name.substr(prefix.size())] = m.bytes;
    const bool is_big = m.name == folder + "byteorder" && !m.bytes.empty() &&
                        std::to_integer<char>(m.bytes[0]) == 'b';
    require(!is_big, Code::kUnsupported, "{}: was written by a big-endian machine", what);
  }
  const auto globals = allowed_globals();
  const Pickle object = read_pickle(pickle->bytes, globals, what);
  return placed(Collector(object, what).run(), storages, what);
}

/// Five pickles (magic, protocol, system, object, list of storage keys), then for each key its
/// number of elements (u64) and the numbers.
std::vector<TorchTensor> parse_stream_form(Bytes file, const std::string& what) {
  const auto globals = allowed_globals();
  Bytes rest = file;
  const auto next = [&] {
    Pickle p = read_pickle(rest, globals, what);
    rest = rest.subspan(p.bytes);
    return p;
  };
  const Pickle magic = next();
  require(magic.at(magic.root).text == kMagic, Code::kCorruptFile,
          "{}: neither form of torch.save's files", what);
  const Pickle protocol = next();
  require(protocol.at(protocol.root).integer == kProtocol, Code::kUnsupported,
          "{}: protocol {} of torch.save, {} is read", what, protocol.at(protocol.root).integer,
          kProtocol);
  (void)next();
  const Pickle object = next();
  const Pickle keys = next();
  Collector collector(object, what);
  std::vector<Collector::Found> found = collector.run();
  std::map<std::string, Bytes> storages;
  for (const int32_t index : keys.at(keys.root).items) {
    const std::string& key = keys.at(index).text;
    const auto storage = collector.storages().find(key);
    require(storage != collector.storages().end(), Code::kUnsupported,
            "{}: storage \"{}\" belongs to no tensor of a dict", what, excerpt(key));
    uint64_t elements = 0;
    require(rest.size() >= sizeof(elements), Code::kCorruptFile,
            "{}: ends before storage \"{}\"; is it whole?", what, excerpt(key));
    std::memcpy(&elements, rest.data(), sizeof(elements));
    rest = rest.subspan(sizeof(elements));
    const auto size = static_cast<uint64_t>(dtype_size(storage->second.dtype));
    require(elements == static_cast<uint64_t>(storage->second.elements) &&
                elements <= rest.size() / size,
            Code::kCorruptFile,
            "{}: storage \"{}\" says {} elements and should have {}; {} bytes are left", what,
            excerpt(key), elements, storage->second.elements, rest.size());
    storages[key] = rest.first(static_cast<size_t>(elements * size));
    rest = rest.subspan(static_cast<size_t>(elements * size));
  }
  return placed(std::move(found), storages, what);
}

float half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return mantissa == 0 ? sign * HUGE_VALF : NAN;
  const auto m = static_cast<float>(exponent == 0 ? mantissa : mantissa + 1024);
  return sign * std::ldexp(m, std::max(exponent, 1) - 25);
}

template <class T>
T element(Bytes storage, int64_t index) {
  T value{};
  std::memcpy(&value, storage.data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

float number(const TorchTensor& t, int64_t index) {
  switch (t.dtype) {
    case DType::kF64:
      return static_cast<float>(element<double>(t.storage, index));
    case DType::kF16:
      return half(element<uint16_t>(t.storage, index));
    case DType::kBF16:
      return std::bit_cast<float>(uint32_t{element<uint16_t>(t.storage, index)} << 16);
    default:
      return element<float>(t.storage, index);
  }
}

}  // namespace

std::vector<TorchTensor> parse_torch_file(Bytes bytes, const std::string& what) {
  return is_zip(bytes) ? parse_zip_form(bytes, what) : parse_stream_form(bytes, what);
}

TorchFile::TorchFile(const std::string& path)
    : file_(path), tensors_(parse_torch_file(file_.bytes(), path)) {}

std::vector<float> torch_numbers(const TorchTensor& t) {
  const bool is_float = t.dtype == DType::kF32 || t.dtype == DType::kF64 ||
                        t.dtype == DType::kF16 || t.dtype == DType::kBF16;
  require(is_float, Code::kDtypeMismatch,
          "torch file: \"{}\" holds {}, not numbers with a fraction", excerpt(t.name),
          dtype_name(t.dtype));
  std::vector<float> values(static_cast<size_t>(t.shape.size()));
  std::array<int64_t, kMaxRank> place{};
  int64_t at = 0;
  for (float& value : values) {
    value = number(t, at);
    for (int axis = t.shape.rank() - 1; axis >= 0; --axis) {
      const auto a = static_cast<size_t>(axis);
      at += t.strides[a];
      if (++place[a] < t.shape[axis]) break;
      at -= place[a] * t.strides[a];
      place[a] = 0;
    }
  }
  return values;
}

}  // namespace ingot::io
