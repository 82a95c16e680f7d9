#include "handlers/decks/catalogue/deck_wire.h"

#include <algorithm>

#include "handlers/base/header_values.h"
#include "handlers/base/timestamp.h"
#include "handlers/base/utf8.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kMinTitle = 3, kMaxTitle = 100, kMaxDescription = 2000, kMaxSubject = 50;
constexpr std::size_t kMaxDeckTags = 20, kMaxDeckTag = 50;

std::string ReadSubject(const JsonValue& value) {
  std::string subject = value.Text(kMaxSubject, 1);
  const bool is_word = std::all_of(subject.begin(), subject.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!is_word) value.Refuse("value_error", "A subject has small letters, digits and underscores only");
  return subject;
}

std::vector<std::string> ReadDeckTags(const JsonValue& value) {
  return value.List(kMaxDeckTags, [](const JsonValue& tag) { return tag.Text(kMaxDeckTag, 1); });
}

}  // namespace

std::string ReadTitle(const JsonValue& value) {
  const std::string text = value.Text(2 * kMaxTitle);
  std::string title(TrimmedBlanks(text));
  const auto count = CountCharacters(title);
  const bool has_controls =
      std::any_of(title.begin(), title.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (count < kMinTitle || count > kMaxTitle) {
    value.Refuse("value_error", "A title has 3 to 100 characters");
  } else if (has_controls || title.find("::") != title.npos) {
    value.Refuse("value_error", "A title has no control characters and no ::");
  }
  return title;
}

NewDeck ReadNewDeck(const JsonObject& in) {
  NewDeck deck;
  deck.title = ReadTitle(in["title"]);
  deck.description = in.Maybe("description").Text(kMaxDescription).value_or("");
  if (const auto subject = in.Find("bar_subject"); subject && !subject->IsNull() && subject->Raw() != "\"\"")
    deck.bar_subject = ReadSubject(*subject);
  if (const auto is_public = in.Find("is_public")) deck.is_public = is_public->Bool();
  if (const auto tags = in.Find("tags"); tags && !tags->IsNull()) deck.tags = ReadDeckTags(*tags);
  return deck;
}

DeckEdit ReadDeckEdit(const JsonObject& in) {
  DeckEdit edit;
  if (const auto title = in.Find("title")) edit.title = ReadTitle(*title);
  if (const auto text = in.Find("description"))
    edit.description = text->IsNull() ? std::string() : text->Text(kMaxDescription);
  if (const auto subject = in.Find("bar_subject")) {
    const bool is_cleared = subject->IsNull() || subject->Raw() == "\"\"";
    edit.bar_subject = is_cleared ? std::optional<std::string>() : ReadSubject(*subject);
  }
  if (const auto is_public = in.Find("is_public")) edit.is_public = is_public->Bool();
  if (const auto tags = in.Find("tags")) edit.tags = ReadDeckTags(*tags);
  if (const auto image = in.Find("image_url")) edit.clears_image = image->IsNull();
  return edit;
}

void WriteDeck(JsonWriter& json, const ShownDeck& deck) {
  const std::string version = PrintVersion(deck.version);
  json.Add("id", deck.id)
      .Add("deck_id", deck.id)
      .Add("title", deck.title)
      .Add("name", deck.title)
      .Add("description", deck.description)
      .Add("bar_subject", deck.bar_subject)
      .Add("subject", deck.bar_subject.value_or(""))
      .Add("is_public", deck.is_public)
      .Add("tags", deck.tags)
      .Add("version", version)
      .Add("current_version", version)
      .Add("card_count", deck.card_count)
      .Add("subscriber_count", deck.subscriber_count)
      .Add("is_verified", deck.is_verified)
      .Add("is_featured", deck.is_featured)
      .Add("image_url", deck.image_url)
      .Add("creator_id", deck.creator_id)
      .Object("creator")
      .Add("id", deck.creator_id)
      .Add("full_name", deck.creator_name)
      .Add("is_verified", deck.is_verified)
      .End()
      .Add("is_subscribed", deck.is_subscribed)
      .Add("created_at", PrintTimestamp(deck.created_at))
      .Add("updated_at", PrintTimestamp(deck.updated_at));
}

}  // namespace syncline::decks
