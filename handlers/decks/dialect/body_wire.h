#pragma once
// The body of a call: a JSON object, whatever its type is said to be, or nothing, which counts as {}. Calls by GET have their
// members in the query.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "handlers/base/context.h"
#include "handlers/base/json_input.h"
#include "handlers/base/request.h"

namespace syncline::decks {

/// As Python's parser: the last of several members with one key.
inline constexpr JsonRules kBodyRules{.takes_last_key = true};

/// The body as text; of a GET, an object of the deck_id in its query. A large one waits for its turn.
std::string BodyText(Request& request, Context& context, std::size_t limit);

/// What `read` makes of it, a function of a JsonObject. Throws InputError.
template <typename Read>
auto ReadBody(Request& request, Context& context, std::size_t limit, Read read) {
  const std::string text = BodyText(request, context, limit);
  return ReadJson(text, std::move(read), kBodyRules);
}

/// The member `deck_id`, in lower case. Throws Error BadInput "bad_deck_id" unless it is a UUID.
std::string ReadDeckId(const JsonObject& in);

/// Clamped to the range; another type is a problem. `fallback`: for a missing member or null.
std::int64_t ReadClamped(const JsonObject& in, std::string_view name, std::int64_t min, std::int64_t max,
                         std::int64_t fallback);

/// A word of the protocol and its meaning.
template <typename Value>
using Word = std::pair<std::string_view, Value>;

/// The meaning of a member's text. `fallback` if the member is missing or null; a text that is not among `words` is a problem.
template <typename Value, std::size_t kCount>
Value ReadWord(const JsonObject& in, std::string_view name, const Word<Value> (&words)[kCount],
               Value fallback) {
  std::array<std::string_view, kCount> texts;
  for (std::size_t i = 0; i < kCount; ++i) texts[i] = words[i].first;
  const auto index = in.Maybe(name).Choice(texts);
  return index ? words[*index].second : fallback;
}

}  // namespace syncline::decks
