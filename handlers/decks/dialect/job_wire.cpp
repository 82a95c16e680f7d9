#include "handlers/decks/dialect/job_wire.h"

#include <string>

#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"

namespace syncline::decks {

NewJob JobOfDeck(std::string_view kind, DeckId deck) {
  const auto number = static_cast<std::int64_t>(deck);
  return {.kind = kind,
          .args = JsonWriter().Object().Add("deck", number).Finish(),
          .unique_key = std::to_string(number)};
}

DeckId DeckOf(const Job& job) {
  return DeckId{ReadJson(job.args, [](const JsonObject& args) { return args.Int("deck", 1); })};
}

}  // namespace syncline::decks
