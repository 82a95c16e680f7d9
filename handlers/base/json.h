#pragma once
// JSON of clients: parsed with bounds, and kept as it came.
//
// ParseJson gives a RapidJSON document for reading. Where a protocol wants JSON kept (unknown keys, the order
// of keys, the spelling of numbers), the Raw functions find the text of a value inside the message, and
// SetMembers changes some members of such a text without touching another byte. All of them work iteratively:
// nesting cannot exhaust the stack.
#include <rapidjson/document.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline {

struct JsonLimits {
  std::size_t bytes = 64 << 20;
  std::size_t depth = 64;          ///< nested arrays and objects
  std::size_t values = 8'000'000;  ///< of any kind; each costs 16 to 32 bytes of memory
};

/// Error BadInput "bad_json" when it is not one JSON value in valid UTF-8, or nests deeper than allowed;
/// TooLarge "json_too_large" when it has more bytes or values. Numbers beyond 64 bits become doubles. Of a
/// key that an object has twice both are there; RapidJSON finds the first.
rapidjson::Document ParseJson(std::string_view text, const JsonLimits& limits = {});

// Text of values inside a text that ParseJson has accepted. A view points into the text it was given. On a
// text that is not JSON: Error BadInput "bad_json", or a meaningless view, but never outside of the text.

/// The member of an object, or nothing. Error BadInput "bad_json" when it is there twice or `object` is none.
std::optional<std::string_view> RawMember(std::string_view object, std::string_view key);
/// RawMember, repeatedly: RawAt(message, {"changes", "models"}).
std::optional<std::string_view> RawAt(std::string_view object, std::initializer_list<std::string_view> keys);
/// The elements of an array, in order. Error BadInput "bad_json" when `array` is none.
std::vector<std::string_view> RawElements(std::string_view array);
/// The members of an object, in order, keys decoded. Error BadInput "bad_json" on a key twice or when
/// `object` is none.
std::vector<std::pair<std::string, std::string_view>> RawMembers(std::string_view object);

struct JsonMember {
  std::string_view key;   ///< plain ASCII without quotes or backslashes
  std::string_view json;  ///< the value as JSON text
};

/// `object` with these members replaced where they stand, or appended. Every other byte stays as it was.
/// Error BadInput "bad_json" when `object` is no object or has any key twice.
std::string SetMembers(std::string_view object, std::initializer_list<JsonMember> members);

/// `text` as a JSON string with its quotes. Control characters are escaped, everything else stays.
std::string JsonQuoted(std::string_view text);

}  // namespace syncline
