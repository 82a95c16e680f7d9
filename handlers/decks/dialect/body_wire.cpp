#include "handlers/decks/dialect/body_wire.h"

#include <algorithm>

#include "handlers/base/header_values.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/large_turn.h"
#include "handlers/base/utf8.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {

std::string BodyText(Request& request, Context& context, std::size_t limit) {
  if (request.content_length.value_or(0) > kLargeBytes) context.TakeLargeTurn();
  std::string text = request.ReadBody(limit);
  if (!IsUtf8(text)) throw BadInput("body_not_utf8");
  if (text.find_first_not_of(" \t\r\n") != text.npos) return text;
  JsonWriter json;
  json.Object();
  if (const auto deck = request.Query("deck_id"); request.method == "GET" && deck) json.Add("deck_id", *deck);
  return json.Finish();
}

std::string ReadDeckId(const JsonObject& in) {
  const auto value = in.Find("deck_id");
  const std::string_view raw = value ? value->Raw() : std::string_view();
  if (raw.size() < 2 || raw.front() != '"' || !IsUuid(raw.substr(1, raw.size() - 2)))
    throw BadInput("bad_deck_id");
  return LoweredAscii(raw.substr(1, raw.size() - 2));
}

std::int64_t ReadClamped(const JsonObject& in, std::string_view name, std::int64_t min, std::int64_t max,
                         std::int64_t fallback) {
  const auto value = in.Maybe(name).Int();
  return value ? std::clamp(*value, min, max) : fallback;
}

}  // namespace syncline::decks
