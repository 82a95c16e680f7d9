#pragma once
// Values to and from PostgreSQL, always in binary form: no quoting, no escaping, no hex.
//
// A Param does not own its value: the argument must outlive the call. Integers of any width are accepted for
// int2, int4 and int8 parameters and are range-checked. Times are std::chrono::system_clock, microseconds.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace syncline::sql {

using Time = std::chrono::system_clock::time_point;
using Bytes = std::span<const std::byte>;

inline Bytes AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Null {};

class Param {
 public:
  using Variant = std::variant<Null, std::int64_t, bool, double, std::string_view, Bytes, Time,
                               std::span<const std::int64_t>, std::span<const std::string>>;

  template <typename T>
  requires std::is_integral_v<T> Param(T value) : value_(Convert(value)) {}
  template <typename T>
  requires std::is_enum_v<T> Param(T value) : Param(static_cast<std::underlying_type_t<T>>(value)) {}
  Param(double value) : value_(value) {}
  Param(std::string_view value) : value_(value) {}
  Param(const std::string& value) : value_(std::string_view(value)) {}
  Param(const char* value) : value_(std::string_view(value)) {}
  Param(Bytes value) : value_(value) {}
  Param(Time value) : value_(value) {}
  Param(const std::vector<std::int64_t>& values) : value_(std::span<const std::int64_t>(values)) {}
  Param(const std::vector<std::string>& values) : value_(std::span<const std::string>(values)) {}
  Param(std::span<const std::int64_t> values) : value_(values) {}
  Param(std::span<const std::string> values) : value_(values) {}
  Param(std::nullopt_t) : value_(Null{}) {}
  template <typename T>
  Param(const std::optional<T>& value) : value_(value ? Param(*value).value_ : Variant(Null{})) {}

  const Variant& value() const { return value_; }

 private:
  template <typename T>
  static Variant Convert(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else {
      return static_cast<std::int64_t>(value);
    }
  }
  Variant value_;
};

/// Appends the binary form of `param` for a parameter of type `oid`. False means SQL null. Throws Failure
/// when the value does not fit the type.
bool Encode(const Param& param, unsigned oid, std::string& out);

// Decode one column of type `oid`. Throw Failure on another type (of arrays: of the elements), a value that
// is too short, or a null in an array.
std::int64_t DecodeInt(unsigned oid, std::string_view bytes);
double DecodeDouble(unsigned oid, std::string_view bytes);
Time DecodeTime(unsigned oid, std::string_view bytes);
std::vector<std::int64_t> DecodeInts(unsigned oid, std::string_view bytes);
std::vector<std::string> DecodeTexts(unsigned oid, std::string_view bytes);

}  // namespace syncline::sql
