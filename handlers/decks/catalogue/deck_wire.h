#pragma once
// Decks as they are made, changed and shown. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/value.h"

namespace syncline::decks {

struct NewDeck {
  std::string title{}, description{};
  std::optional<std::string> bar_subject{};
  bool is_public = true;
  std::vector<std::string> tags{};
};

/// None: as it is. An inner none: cleared.
struct DeckEdit {
  std::optional<std::string> title{}, description{};
  std::optional<std::optional<std::string>> bar_subject{};
  std::optional<bool> is_public{};
  std::optional<std::vector<std::string>> tags{};
  bool clears_image = false;
  bool IsEmpty() const {
    return !title && !description && !bar_subject && !is_public && !tags && !clears_image;
  }
};

struct ShownDeck {
  std::string id{}, title{}, description{};
  std::optional<std::string> bar_subject{}, image_url{};
  std::vector<std::string> tags{};
  bool is_public = true, is_verified = false, is_featured = false, is_subscribed = false;
  Version version = kFirstVersion;
  std::int64_t card_count = 0, subscriber_count = 0;
  std::string creator_id{}, creator_name{};
  sql::Time created_at{}, updated_at{};
};

/// A title has 3 to 100 characters, no control characters and no "::", which would make several decks of it.
std::string ReadTitle(const JsonValue& value);
NewDeck ReadNewDeck(const JsonObject& in);
DeckEdit ReadDeckEdit(const JsonObject& in);

/// The members of an open object: under the names of all builds.
void WriteDeck(JsonWriter& json, const ShownDeck& deck);

}  // namespace syncline::decks
