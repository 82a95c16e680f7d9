// PostgreSQL's binary formats: big-endian integers, microseconds since 2000-01-01, arrays with a header of
// dimensions.
#include "sql/value.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "sql/errors.h"

namespace syncline::sql {
namespace {

// From pg_type.dat; they never change.
enum Oid : unsigned {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kJson = 114,
  kFloat8 = 701,
  kByteaArray = 1001,
  kInt2Array = 1005,
  kInt4Array = 1007,
  kTextArray = 1009,
  kInt8Array = 1016,
  kVarchar = 1043,
  kTimestamptz = 1184,
};

// 2000-01-01T00:00:00Z, PostgreSQL's epoch.
constexpr std::int64_t kEpochOffsetUs = 946'684'800'000'000;

template <typename T>
void Put(std::string& out, T value) {
  char bytes[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>(static_cast<std::make_unsigned_t<T>>(value) >> (8 * (sizeof(T) - 1 - i)));
  }
  out.append(bytes, sizeof(T));
}

template <typename T>
T Take(std::string_view bytes, std::size_t at = 0) {
  if (bytes.size() < at + sizeof(T)) throw Failure("short value from PostgreSQL");
  std::make_unsigned_t<T> value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<std::make_unsigned_t<T>>((static_cast<std::uint64_t>(value) << 8) |
                                                 static_cast<unsigned char>(bytes[at + i]));
  }
  return static_cast<T>(value);
}

template <typename T>
T Fit(std::int64_t value) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    throw Failure("integer out of the parameter's range");
  }
  return static_cast<T>(value);
}

void PutInt(std::string& out, std::int64_t value, unsigned oid) {
  switch (oid) {
    case kInt2:
      return Put(out, Fit<std::int16_t>(value));
    case kInt4:
      return Put(out, Fit<std::int32_t>(value));
    case kInt8:
      return Put(out, value);
    default:
      throw Failure("integer given for a parameter of type oid " + std::to_string(oid));
  }
}

unsigned ElementOf(unsigned array_oid) {
  switch (array_oid) {
    case kInt2Array:
      return kInt2;
    case kInt4Array:
      return kInt4;
    case kInt8Array:
      return kInt8;
    case kTextArray:
      return kText;
    case kByteaArray:
      return kBytea;
    default:
      throw Failure("array given for a parameter of type oid " + std::to_string(array_oid));
  }
}

constexpr std::size_t kArrayHeaderBytes = 20;

void PutArrayHeader(std::string& out, std::size_t count, unsigned element_oid) {
  Put<std::int32_t>(out, count == 0 ? 0 : 1);
  Put<std::int32_t>(out, 0);  // no nulls
  Put<std::uint32_t>(out, element_oid);
  if (count == 0) return;
  Put<std::int32_t>(out, Fit<std::int32_t>(static_cast<std::int64_t>(count)));
  Put<std::int32_t>(out, 1);  // lower bound
}

struct ArrayHeader {
  std::int32_t count;
  unsigned element_oid;
  std::size_t first;  // offset of the first element
};

ArrayHeader TakeArrayHeader(std::string_view bytes) {
  const auto dimensions = Take<std::int32_t>(bytes);
  const auto element = Take<std::uint32_t>(bytes, 8);
  if (dimensions == 0) return {0, element, 12};
  if (dimensions != 1) throw Failure("array of more than one dimension");
  return {Take<std::int32_t>(bytes, 12), element, 20};
}

bool IsTextual(unsigned oid) {
  return oid == kText || oid == kVarchar || oid == kJson || oid == kBytea;
}

// Calls `take(oid, bytes)` for each element; reserves space in `values`.
template <typename T, typename F>
void EachElement(std::string_view bytes, std::vector<T>& values, F take) {
  const ArrayHeader header = TakeArrayHeader(bytes);
  values.reserve(static_cast<std::size_t>(header.count));
  std::size_t at = header.first;
  for (std::int32_t i = 0; i < header.count; ++i) {
    const auto length = Take<std::int32_t>(bytes, at);
    if (length < 0) throw Failure("null in an array");
    take(header.element_oid, bytes.substr(at + 4, static_cast<std::size_t>(length)));
    at += 4 + static_cast<std::size_t>(length);
  }
}

}  // namespace

bool Encode(const Param& param, unsigned oid, std::string& out) {
  return std::visit(
      [&]<typename T>(const T& value) {
        if constexpr (std::is_same_v<T, Null>) {
          return false;
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          PutInt(out, value, oid);
        } else if constexpr (std::is_same_v<T, bool>) {
          if (oid != kBool) throw Failure("boolean given for a parameter of type oid " + std::to_string(oid));
          out.push_back(value ? 1 : 0);
        } else if constexpr (std::is_same_v<T, double>) {
          if (oid != kFloat8)
            throw Failure("double given for a parameter of type oid " + std::to_string(oid));
          Put(out, std::bit_cast<std::int64_t>(value));
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          if (!IsTextual(oid)) {
            throw Failure("text given for a parameter of type oid " + std::to_string(oid));
          }
          out.append(value);
        } else if constexpr (std::is_same_v<T, Bytes>) {
          if (oid != kBytea) throw Failure("bytes given for a parameter of type oid " + std::to_string(oid));
          out.append(AsText(value));
        } else if constexpr (std::is_same_v<T, Time>) {
          if (oid != kTimestamptz)
            throw Failure("time given for a parameter of type oid " + std::to_string(oid));
          const auto us =
              std::chrono::duration_cast<std::chrono::microseconds>(value.time_since_epoch()).count();
          Put<std::int64_t>(out, us - kEpochOffsetUs);
        } else if constexpr (std::is_same_v<T, std::span<const std::int64_t>>) {
          const unsigned element = ElementOf(oid);
          PutArrayHeader(out, value.size(), element);
          const std::int32_t width = element == kInt2 ? 2 : element == kInt4 ? 4 : 8;
          for (const std::int64_t item : value) {
            Put(out, width);
            PutInt(out, item, element);
          }
        } else {
          const unsigned element = ElementOf(oid);
          if (element != kText && element != kBytea) throw Failure("texts given for an array of integers");
          // Growing step by step would copy large values several times.
          std::size_t bytes = out.size() + kArrayHeaderBytes;
          for (const std::string& item : value) bytes += 4 + item.size();
          if (bytes > out.capacity()) out.reserve(std::max(bytes, 2 * out.capacity()));
          PutArrayHeader(out, value.size(), element);
          for (const std::string& item : value) {
            Put(out, Fit<std::int32_t>(static_cast<std::int64_t>(item.size())));
            out.append(item);
          }
        }
        return true;
      },
      param.value());
}

std::int64_t DecodeInt(unsigned oid, std::string_view bytes) {
  switch (oid) {
    case kBool:
      return Take<std::int8_t>(bytes);
    case kInt2:
      return Take<std::int16_t>(bytes);
    case kInt4:
      return Take<std::int32_t>(bytes);
    case kInt8:
      return Take<std::int64_t>(bytes);
    default:
      throw Failure("column of type oid " + std::to_string(oid) + " read as an integer");
  }
}

double DecodeDouble(unsigned oid, std::string_view bytes) {
  if (oid != kFloat8) throw Failure("column of type oid " + std::to_string(oid) + " read as a double");
  return std::bit_cast<double>(Take<std::int64_t>(bytes));
}

Time DecodeTime(unsigned oid, std::string_view bytes) {
  if (oid != kTimestamptz) throw Failure("column of type oid " + std::to_string(oid) + " read as a time");
  return Time(std::chrono::microseconds(Take<std::int64_t>(bytes) + kEpochOffsetUs));
}

std::vector<std::int64_t> DecodeInts(unsigned, std::string_view bytes) {
  std::vector<std::int64_t> values;
  EachElement(bytes, values,
              [&](unsigned oid, std::string_view element) { values.push_back(DecodeInt(oid, element)); });
  return values;
}

std::vector<std::string> DecodeTexts(unsigned, std::string_view bytes) {
  std::vector<std::string> values;
  EachElement(bytes, values, [&](unsigned oid, std::string_view element) {
    if (!IsTextual(oid)) throw Failure("array of type oid " + std::to_string(oid) + " read as texts");
    values.emplace_back(element);
  });
  return values;
}

}  // namespace syncline::sql
