// SPDX-License-Identifier: Apache-2.0
// The type-erased field list behind base/config.h: a Field is a name, a text and a pointer to the
// value, with a table of operations made once per type at compile time. Everything that depends on
// the type ends here, so config.cpp is compiled once. Enums opt in with a table beside the enum:
//   inline constexpr EnumName kScheduleNames[] = {{"cosine", Schedule::kCosine}, ...};
//   constexpr std::span<const EnumName> enum_names(Schedule) { return kScheduleNames; }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace ingot {

/// A number of bytes; text "512MiB", "8GB", "1.5GiB" or plain bytes.
struct Size {
  int64_t bytes = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// A span of time; text "5m", "90s", "250ms", "1h30m" or plain seconds.
struct Duration {
  double seconds = 0;
  friend bool operator==(const Duration&, const Duration&) = default;
};

struct EnumName {
  template <class E>
  requires std::is_enum_v<E>
  constexpr EnumName(std::string_view n, E e) : name(n), value(static_cast<int64_t>(e)) {}
  std::string_view name;
  int64_t value;
};

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  { enum_names(e) } -> std::convertible_to<std::span<const EnumName>>;
};

/// The name of an enum's value ("?" when the table lacks it), and back; the error of parse_enum
/// lists the names: `<what>: expected one of cosine, linear, got "cosin"`.
[[nodiscard]] std::string_view enum_name_of(std::span<const EnumName> names, int64_t value);
[[nodiscard]] int64_t enum_value_of(std::span<const EnumName> names, std::string_view text,
                                    std::string_view what);
template <NamedEnum E>
[[nodiscard]] std::string_view enum_name(E value) {
  return enum_name_of(enum_names(value), static_cast<int64_t>(value));
}
template <NamedEnum E>
[[nodiscard]] E parse_enum(std::string_view text, std::string_view what) {
  return static_cast<E>(enum_value_of(enum_names(E{}), text, what));
}

enum class FieldKind {
  kBool,
  kInt32,
  kInt64,
  kUint64,
  kFloat,
  kDouble,
  kString,
  kSize,
  kDuration,
  kEnum,
  kObject,
  kList,
  kOptional,
};

struct FieldOps;

struct Field {
  std::string_view name;
  std::string_view help;
  void* value = nullptr;
  const FieldOps* ops = nullptr;
};

/// What config.cpp needs to know of a type beyond its kind; unused entries are null.
struct FieldOps {
  FieldKind kind;
  const FieldOps* element = nullptr;               // list, optional: of what
  std::vector<Field> (*fields)(void*) = nullptr;   // object
  size_t (*size)(const void*) = nullptr;           // list, optional (0 or 1)
  void (*resize)(void*, size_t) = nullptr;         // list, optional; new elements are default
  void* (*at)(void*, size_t) = nullptr;            // list, optional
  std::span<const EnumName> (*names)() = nullptr;  // enum
  int64_t (*get)(const void*) = nullptr;           // enum
  void (*set)(void*, int64_t) = nullptr;           // enum
};

template <class T>
struct OpsOf;

/// The visitor handed to visit().
struct FieldLister {
  std::vector<Field> fields;
  template <class T>
  void operator()(std::string_view name, T& value, std::string_view help) {
    fields.push_back({name, help, &value, &OpsOf<T>::kOps});
  }
};

template <FieldKind kKind>
struct ScalarOps {
  static constexpr FieldOps kOps{.kind = kKind};
};
template <>
struct OpsOf<bool> : ScalarOps<FieldKind::kBool> {};
template <>
struct OpsOf<int32_t> : ScalarOps<FieldKind::kInt32> {};
template <>
struct OpsOf<int64_t> : ScalarOps<FieldKind::kInt64> {};
template <>
struct OpsOf<uint64_t> : ScalarOps<FieldKind::kUint64> {};
template <>
struct OpsOf<float> : ScalarOps<FieldKind::kFloat> {};
template <>
struct OpsOf<double> : ScalarOps<FieldKind::kDouble> {};
template <>
struct OpsOf<std::string> : ScalarOps<FieldKind::kString> {};
template <>
struct OpsOf<Size> : ScalarOps<FieldKind::kSize> {};
template <>
struct OpsOf<Duration> : ScalarOps<FieldKind::kDuration> {};

template <NamedEnum E>
struct OpsOf<E> {
  static constexpr FieldOps kOps{
      .kind = FieldKind::kEnum,
      .names = [] { return std::span<const EnumName>(enum_names(E{})); },
      .get = [](const void* p) { return static_cast<int64_t>(*static_cast<const E*>(p)); },
      .set = [](void* p, int64_t v) { *static_cast<E*>(p) = static_cast<E>(v); }};
};

template <class T>
concept Visitable = std::is_class_v<T> && requires(T& t, FieldLister& lister) {
  t.visit(lister);
};

template <Visitable T>
struct OpsOf<T> {
  static constexpr FieldOps kOps{.kind = FieldKind::kObject, .fields = [](void* p) {
                                   FieldLister lister;
                                   static_cast<T*>(p)->visit(lister);
                                   return std::move(lister.fields);
                                 }};
};

template <class T>
struct OpsOf<std::vector<T>> {
  using List = std::vector<T>;
  static_assert(!std::is_same_v<T, bool>, "a vector<bool> has no addressable elements");
  static constexpr FieldOps kOps{
      .kind = FieldKind::kList,
      .element = &OpsOf<T>::kOps,
      .size = [](const void* p) { return static_cast<const List*>(p)->size(); },
      .resize = [](void* p, size_t n) { static_cast<List*>(p)->resize(n); },
      .at = [](void* p, size_t i) -> void* { return &(*static_cast<List*>(p))[i]; }};
};

template <class T>
struct OpsOf<std::optional<T>> {
  using Maybe = std::optional<T>;
  static constexpr FieldOps kOps{
      .kind = FieldKind::kOptional,
      .element = &OpsOf<T>::kOps,
      .size = [](const void* p) -> size_t { return static_cast<const Maybe*>(p)->has_value(); },
      .resize =
          [](void* p, size_t n) {
            n == 0 ? static_cast<Maybe*>(p)->reset() : void(static_cast<Maybe*>(p)->emplace());
          },
      .at = [](void* p, size_t) -> void* { return &**static_cast<Maybe*>(p); }};
};

/// The whole config as one field. visit() takes a mutable object but listing changes nothing, so a
/// const config may be listed; only bind and override, which take it mutable, write through it.
template <Visitable Config>
[[nodiscard]] Field root_field(const Config& config) {
  return {"", "", const_cast<Config*>(&config), &OpsOf<Config>::kOps};
}

}  // namespace ingot
