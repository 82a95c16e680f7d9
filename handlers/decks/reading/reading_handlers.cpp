#include "handlers/decks/reading/reading_handlers.h"

#include <algorithm>
#include <utility>

#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/card_flow.h"
#include "handlers/decks/cards/reader_flow.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/files/media_flow.h"
#include "handlers/decks/reading/pull_flow.h"
#include "handlers/decks/settings.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 64 << 10;
constexpr std::int64_t kMaxPage = 1000;
constexpr std::size_t kMaxCursor = 200;
constexpr std::int64_t kHourSeconds = 3600;

// Writes at most `limit` cards after an ordinal. Returns the last ordinal written.
std::int64_t WriteCards(JsonWriter& json, Context& context, const Deck& deck, std::int64_t after,
                        std::int64_t limit) {
  return EachCard(context, deck.id, after, limit, [&](const Card& card) {
    WriteCard(json, {card.guid, card.content, card.updated_at}, deck.shown.title);
  });
}

bool HasCardsAfter(Context& context, const Deck& deck, std::int64_t ord) {
  return context.ReadOnce<CardStore>([&](CardStore& store) {
    bool has = false;
    store.Each(deck.id, ord, {.cards = 1}, [&](const Card&) { has = true; });
    return has;
  });
}

void WriteNoteTypes(JsonWriter& json, const std::vector<NoteType>& types) {
  json.Array("note_types");
  for (const NoteType& type : types) WriteNoteType(json, type);
  json.End();
}

void WriteCursor(JsonWriter& json, const Deck& deck, std::optional<std::int64_t> seq) {
  const auto id = ChangeId(deck.id, seq.value_or(0));
  json.Add("latest_change_id", id).Add("last_change_id", id);
}

struct DownloadInput {
  std::string deck_id{};
  bool has_media = true;
};

DownloadInput ReadDownload(const JsonObject& in) {
  return {ReadDeckId(in), in.Maybe("include_media").Bool().value_or(true)};
}

struct PullInput {
  std::string deck_id{};
  bool is_full = false;
  std::optional<std::string> since{}, last_change_id{};
  std::optional<std::int64_t> offset{}, limit{};
};

PullInput ReadPullInput(const JsonObject& in) {
  PullInput input{.deck_id = ReadDeckId(in)};
  input.is_full = in.Maybe("full_sync").Bool().value_or(false);
  input.since = in.Maybe("since").Text(kMaxCursor);
  input.last_change_id = in.Maybe("last_change_id").Text(kMaxCursor);
  input.offset = in.Maybe("offset").Int();
  input.limit = in.Maybe("limit").Int();
  return input;
}

// Opens the deck and subscribes its reader.
Deck OpenForReader(DeckStore& decks, ReaderStore& readers, const Context& context, const std::string& id) {
  return Follow(decks, readers, context, OpenDeck(decks, context, id, Need::kRead));
}

struct Opened {
  Deck deck{};
  std::vector<NoteType> types{};
  std::vector<MediaFile> media{};
};

// Sends a page of cards, or the whole deck if the request has neither limit nor offset. Offsets are ordinals, so a card that
// is removed between two pages does not shift the others.
Response FullSync(Context& context, const PullInput& in) {
  const bool is_paged = in.offset || in.limit;
  const std::int64_t after = std::max<std::int64_t>(in.offset.value_or(0), 0);
  const std::int64_t limit =
      is_paged ? std::clamp<std::int64_t>(in.limit.value_or(kMaxPage), 1, kMaxPage) : kAllCards;
  const Opened opened = context.Write<DeckStore, ReaderStore, CardStore>(
      [&](DeckStore& decks, ReaderStore& readers, CardStore& cards) {
        Opened found{OpenForReader(decks, readers, context, in.deck_id), {}, {}};
        if (after > 0) return found;
        found.types = cards.NoteTypes(found.deck.id);
        // Becomes this computer's position when it has fetched the last page. Its next pull sends what changes until then.
        readers.OfferPosition(found.deck.id, context.device(), found.deck.head_seq);
        return found;
      });
  return StreamedAnswer([&context, opened, after, limit](BodySink& sink) {
    const Deck& deck = opened.deck;
    JsonWriter json(sink);
    Success(json)
        .Add("full_sync", true)
        .Add("deck_id", deck.shown.id)
        .Add("deck_version", PrintVersion(deck.shown.version))
        .Add("total_cards", deck.shown.card_count);
    WriteNoteTypes(json, opened.types);
    WriteCursor(json, deck, deck.head_seq);
    json.Array("cards");
    const std::int64_t last = WriteCards(json, context, deck, after, limit);
    const bool has_more = HasCardsAfter(context, deck, last);
    json.End().Add("has_more", has_more).Add("next_offset", last);
    if (!has_more) NoteLastPage(context, deck);
    json.Finish();
  });
}

void WriteEntry(JsonWriter& json, const Deck& deck, const PulledEntry& entry) {
  const auto& fields = deck.protected_fields;
  const std::string time = PrintTimestamp(entry.created_at);
  json.Object()
      .Add("change_id", PrintId(IdKind::kChange, {deck.id, entry.seq}))
      .Add("card_guid", entry.guid)
      .Add("guid", entry.guid)
      .Add("field_name", entry.field)
      .Add("change_type", entry.kind)
      .Add("old_value", RawJson{entry.old_json})
      .Add("new_value", RawJson{entry.json})
      .Add("is_protected",
           entry.field && std::find(fields.begin(), fields.end(), *entry.field) != fields.end())
      .Add("version", PrintVersion(entry.version))
      .Add("changed_at", time)
      .Add("created_at", time)
      .End();
}

void WriteConflict(JsonWriter& json, const Deck& deck, const PulledConflict& conflict) {
  const auto& fields = deck.protected_fields;
  json.Object()
      .Add("card_guid", conflict.guid)
      .Add("guid", conflict.guid)
      .Add("field_name", conflict.field)
      .Add("local_value", RawJson{conflict.local_json})
      .Add("server_value", RawJson{conflict.server_json})
      .Add("change_id", PrintId(IdKind::kChange, {deck.id, conflict.seq}))
      .Add("suggestion_id", PrintId(IdKind::kSuggestion, {deck.id, conflict.number}))
      .Add("is_protected", std::find(fields.begin(), fields.end(), conflict.field) != fields.end())
      .End();
}

Response ShowPulled(const Deck& deck, const Pulled& pulled, const Cursor& cursor, sql::Time time) {
  JsonWriter json;
  std::vector<std::string> removed;
  Success(json)
      .Add("full_sync", false)
      .Add("deck_id", deck.shown.id)
      .Add("deck_version", PrintVersion(deck.shown.version))
      .Array("changes");
  for (const PulledEntry& entry : pulled.entries) {
    WriteEntry(json, deck, entry);
    if (!entry.field) removed.push_back(entry.guid);
  }
  json.End().Array("conflicts");
  for (const PulledConflict& conflict : pulled.conflicts) WriteConflict(json, deck, conflict);
  json.End()
      .Add("cards_updated", pulled.entries.size() - removed.size())
      .Add("deleted_cards", removed)
      .Add("revived_cards", pulled.revived)
      .Add("protected_fields", deck.protected_fields)
      .Add("has_more", pulled.has_more);
  WriteCursor(json, deck, pulled.last_seq);
  if (pulled.is_reset) json.Add("cursor_reset", true);
  const auto* none = std::get_if<NoCursor>(&cursor);
  if (none != nullptr && none->is_unreadable)
    json.Add("warning", "since is neither a change nor a time, so this is a pull from the beginning.");
  json.Add("server_time", PrintTimestamp(time));
  return Answer(json);
}

}  // namespace

// POST addon-download-deck -- sends the whole deck and subscribes the account. {"deck_id", "include_media"? (true)}
//
// Builds of the add-on use different names for the same members, so the answer has all of them. It is streamed: memory does
// not grow with the deck.
//
// Answers 200; 403 "no_access"; 404 "deck_not_found".
Response PostDownload(Request& request, Context& context) {
  const DownloadInput in = ReadBody(request, context, kBody, ReadDownload);
  Opened opened = context.Write<DeckStore, ReaderStore, CardStore, MediaStore>(
      [&](DeckStore& decks, ReaderStore& readers, CardStore& cards, MediaStore& media) {
        Opened found{OpenForReader(decks, readers, context, in.deck_id), {}, {}};
        found.types = cards.NoteTypes(found.deck.id);
        if (in.has_media) found.media = media.List(found.deck.id);
        return found;
      });
  const MediaLinks links = LinksFor(request, context);
  return StreamedAnswer([&context, opened = std::move(opened), links](BodySink& sink) {
    const Deck& deck = opened.deck;
    const std::string version = PrintVersion(deck.shown.version);
    JsonWriter json(sink);
    Success(json)
        .Add("subscribed", true)
        .Add("version", version)
        .Add("title", deck.shown.title)
        .Add("deck_title", deck.shown.title)
        .Add("use_pull_changes", true)
        .Add("download_url", links.Package(deck))
        .Add("expires_in", context.config().Of<Settings>().link_hours * kHourSeconds)
        .Object("deck");
    WriteDeck(json, deck.shown);
    json.End().Add("total_cards", deck.shown.card_count);
    WriteCursor(json, deck, deck.head_seq);
    WriteNoteTypes(json, opened.types);
    WriteMediaFiles(json, links, deck, opened.media);
    json.Array("cards");
    WriteCards(json, context, deck, 0, kAllCards);
    json.End();
    NoteDownload(context, deck);
    json.Finish();
  });
}

// POST addon-pull-changes -- sends what has changed since a cursor, or cards in pages with "full_sync". {"deck_id",
// "last_change_id"?, "since"? (a change's id or a time), "limit"?, "full_sync"?, "offset"?}
//
// An unknown cursor is no error: the pull begins with the first change and says `cursor_reset`, because the add-on has no
// button that resets its cursor.
//
// Answers 200; 403 "no_access"; 404 "deck_not_found".
Response PostPull(Request& request, Context& context) {
  const PullInput in = ReadBody(request, context, kBody, ReadPullInput);
  if (in.is_full) return FullSync(context, in);
  const Cursor cursor = ReadCursor(in.last_change_id, in.since);
  const PullRequest pull{cursor, std::clamp<std::int64_t>(in.limit.value_or(kMaxPage), 1, kMaxPage),
                         context.device()};
  const sql::Time time = QuietTime(context);
  return context.Write<DeckStore, ReaderStore, CardStore, SuggestionStore>(
      [&](DeckStore& decks, ReaderStore& readers, CardStore& cards, SuggestionStore& suggestions) {
        const Deck deck = OpenForReader(decks, readers, context, in.deck_id);
        return ShowPulled(deck, PullChanges(cards, readers, suggestions, deck, pull), cursor, time);
      });
}

}  // namespace syncline::decks
