#pragma once
// Writes JSON value by value, without a tree. The output is always valid JSON in UTF-8, provided that raw
// values are.
//
//   JsonWriter json;
//   json.Object().Add("id", 3).Array("tags").Add("a").Add("b").End();
//   return Response::Json(200, json.Finish());
//
// With a sink it writes in pieces, so that a list of any length is sent in constant memory:
//
//   Response::Stream([=](BodySink& sink) { JsonWriter json(sink); json.Array(); ... json.Finish(); })
//
// Left out on purpose: indentation.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "handlers/base/response.h"

namespace syncline {

/// Text that is already one JSON value (JsonSpans::Raw, a column with JSON); written unchanged.
struct RawJson {
  std::string_view text;
};

class JsonWriter {
 public:
  /// A writer with a sink writes after this many bytes. A single value may be longer.
  static constexpr std::size_t kPieceBytes = 32 << 10;

  JsonWriter() = default;
  explicit JsonWriter(BodySink& sink) : sink_(&sink) {}

  /// Begin an object or an array: as the root or the next element; or as a member of an object.
  JsonWriter& Object() { return Open('{', '}'); }
  JsonWriter& Array() { return Open('[', ']'); }
  JsonWriter& Object(std::string_view key) { return Key(key).Open('{', '}'); }
  JsonWriter& Array(std::string_view key) { return Key(key).Open('[', ']'); }
  /// Ends the innermost open object or array.
  JsonWriter& End();

  /// The next element of an array, or the root.
  ///   integers        all 64 bits, exactly; clients that read doubles lose some above 2^53
  ///   double          the shortest text that reads back as the same; null unless finite
  ///   text            bytes that are not UTF-8 become U+FFFD
  ///   std::optional   null when there is none
  ///   std::vector     an array
  template <typename T>
  JsonWriter& Add(const T& value) {
    BeginValue();
    Print(value);
    return EndValue();
  }
  /// A member of an object. The caller must not repeat a key.
  template <typename T>
  JsonWriter& Add(std::string_view key, const T& value) {
    Key(key);
    return Add(value);
  }

  /// Ends everything that is open. With a sink, writes the rest and returns ""; otherwise returns the whole
  /// text. Nothing can be added afterwards. Throws Error Internal if there is no value at all.
  std::string Finish();

 private:
  JsonWriter& Open(char begin, char end);
  JsonWriter& Key(std::string_view key);
  void BeginValue();
  JsonWriter& EndValue();

  void Print(std::nullptr_t) { out_ += "null"; }
  void Print(bool value) { out_ += value ? "true" : "false"; }
  template <std::integral T>
  void Print(T value) {
    out_ += std::to_string(value);
  }
  void Print(double value);
  void Print(std::string_view text);
  void Print(const char* text) { Print(std::string_view(text)); }
  void Print(const std::string& text) { Print(std::string_view(text)); }
  void Print(RawJson raw);
  template <typename T>
  void Print(const std::optional<T>& value) {
    value ? Print(*value) : Print(nullptr);
  }
  template <typename T>
  void Print(const std::vector<T>& values) {
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_ += ',';
      Print(static_cast<const T&>(values[i]));
    }
    out_ += ']';
  }

  BodySink* sink_ = nullptr;
  std::string out_;
  std::string open_;          // the closing character of each open object or array
  bool needs_comma_ = false;  // something precedes the next value or key in the same container
  bool has_key_ = false;      // a key was written, its value comes next
  bool is_complete_ = false;  // the whole value has been written
};

}  // namespace syncline
