// Any bytes as bodies of the decks service: refused, or cards, note types, decks, tags and cursors within their bounds, which come
// out as they went in.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "handlers/base/utf8.h"
#include "handlers/decks/cards/card_rules.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/catalogue/deck_wire.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/dialect/version_rules.h"
#include "handlers/decks/files/media_rules.h"

using namespace syncline;
using namespace syncline::decks;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// What `read` makes of the bytes; nothing if it refuses them, with a text that misleads nobody.
template <typename Read, typename Check>
void Try(std::string_view bytes, Read read, Check check) {
  try {
    check(ReadJson(bytes, read, {.takes_last_key = true}));
  } catch (const Error& error) {
    Require(std::get<std::string>(RenderError(error, {}).body).find("\"success\":false") !=
            std::string::npos);
  }
}

void CheckCard(const PushedCard& card) {
  Require(!card.guid.empty() && IsStorableText(card.guid) && card.guid.find('\\') == card.guid.npos);
  Require(!card.fields.empty() && card.fields.size() <= kMaxFields && !IsBlank(card.fields));
  const std::string json = PrintFields(card.fields);
  Require(IsStorableText(json) && ParseFields(json) == card.fields);
  Require(Compare(ContentOf(card), card).IsEmpty());
  if (card.tags) Require(JoinedTags(SplitTags(*card.tags)) == *card.tags);
}

void CheckType(const NoteType& type) {
  Require(!type.name.empty() && !type.fields.empty() && type.definition.has_value());
  JsonWriter json;
  WriteNoteType(json, type);
  const std::string text = json.Finish();
  Require(!HasDuplicateKeys(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The body's reader refuses other bytes.
  if (!IsUtf8(bytes)) return 0;
  Try(bytes, ReadPushedCard, CheckCard);
  Try(bytes, ReadNoteType, CheckType);
  Try(bytes, ReadNewDeck,
      [](const NewDeck& deck) { Require(IsStorableText(deck.title) && IsStorableText(deck.description)); });
  Try(bytes, ReadDeckEdit, [](const DeckEdit&) {});
  if (const auto version = ParseVersion(bytes)) Require(ParseVersion(PrintVersion(*version)) == version);
  if (const auto id = ParseId(IdKind::kChange, bytes))
    Require(PrintId(IdKind::kChange, *id).size() == bytes.size());
  ParseTime(bytes);
  const std::string text(bytes);
  ReadCursor(std::nullopt, text);
  if (const auto name = ProposedName(bytes)) Require(IsMediaName(*name));
  ShowsField(bytes, {"Front"});
  return 0;
}
