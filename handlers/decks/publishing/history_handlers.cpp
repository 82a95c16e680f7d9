#include "handlers/decks/publishing/history_handlers.h"

#include <algorithm>
#include <utility>

#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/card_rules.h"
#include "handlers/decks/cards/file_history_store.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/catalogue/person_store.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/publishing/history_flow.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 64 << 10;
constexpr std::int64_t kShown = 50, kMaxShown = 200;
constexpr std::size_t kMaxVersion = 100;

Version ReadTarget(const JsonObject& in) {
  const auto version = ParseVersion(in.Text("target_version", kMaxVersion, 1));
  if (!version) throw BadInput("bad_version");
  return *version;
}

struct HistoryInput {
  std::string deck_id{}, guid{};
  std::int64_t limit = kShown;
};

HistoryInput ReadHistory(const JsonObject& in) {
  return {ReadDeckId(in), ReadGuid(in), ReadClamped(in, "limit", 1, kMaxShown, kShown)};
}

struct CardTarget {
  std::string deck_id{}, guid{};
  Version version{};
};

CardTarget ReadCardTarget(const JsonObject& in) {
  return {ReadDeckId(in), ReadGuid(in), ReadTarget(in)};
}

struct DeckTarget {
  std::string deck_id{};
  Version version{};
};

DeckTarget ReadDeckTarget(const JsonObject& in) {
  return {ReadDeckId(in), ReadTarget(in)};
}

// The fields that a version has changed: `changes` has their values before it, `new_values` those after it, null for a field
// that it removed. All fields, if the version added the card.
void WriteChanges(JsonWriter& json, const CardVersion& after, const CardVersion* before) {
  const bool is_new = before == nullptr || before->is_removed;
  const Fields is = ParseFields(after.content.fields);
  const auto changed = CompareFields(is_new ? Fields() : ParseFields(before->content.fields), is);
  json.Object("changes");
  for (const FieldChange& field : changed) json.Add(field.name, RawJson{field.old_json});
  json.End().Object("new_values");
  for (const FieldChange& field : changed) {
    const FieldValue* now = FindField(is, field.name);
    json.Add(field.name, RawJson{now == nullptr ? std::string_view("null") : std::string_view(now->json)});
  }
  json.End();
}

Response ShowRolledBack(const Deck& deck, const Pushed& pushed, std::string_view fields) {
  JsonWriter json;
  Success(json)
      .Add("version", PrintVersion(pushed.version))
      .Add("cards_added", pushed.added)
      .Add("cards_modified", pushed.modified)
      .Add("cards_deleted", pushed.removed)
      .Add("last_change_id", ChangeId(deck.id, pushed.last_seq))
      .Add("message", "Done.");
  if (!fields.empty()) json.Add("fields", RawJson{fields});
  return Answer(json);
}

// The add-on shows the button to subscribers, too, and a 403 would log them out.
std::optional<Response> RefusedSoftly(const Deck& deck, const Context& context) {
  if (MayEdit(deck, context)) return std::nullopt;
  return SoftRefusal(PrintError(
      "forbidden", "Only the owner of this deck and its maintainers may do this. You can suggest a change."));
}

}  // namespace

// POST addon-get-card-history -- lists the versions that changed a card, the newest first, with the values of the fields
// before and after each of them. {"deck_id", "card_guid", "limit"?}
//
// Removed cards have a history, too.
//
// Answers 200; 403 "no_access"; 404 "deck_not_found", "card_not_found".
Response PostCardHistory(Request& request, Context& context) {
  const HistoryInput in = ReadBody(request, context, kBody, ReadHistory);
  return context.Read<DeckStore, CardStore, PersonStore>(
      [&](DeckStore& decks, CardStore& cards, PersonStore& people) {
        const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kRead);
        const auto [versions, has_more] = cards.History(deck.id, in.guid, in.limit);
        if (versions.empty()) throw NotFound("card_not_found");
        std::vector<UserId> who;
        for (const CardVersion& version : versions) who.push_back(version.who);
        const auto names = people.Names(who);
        const std::size_t shown = versions.size() - (has_more ? 1 : 0);
        JsonWriter json;
        Success(json).Add("card_guid", in.guid).Array("history");
        for (std::size_t i = 0; i < shown; ++i) {
          const CardVersion& version = versions[i];
          json.Object()
              .Add("version", PrintVersion(version.version))
              .Add("changed_at", PrintTimestamp(version.created_at))
              .Add("changed_by", names.at(version.who))
              .Add("origin", version.origin)
              .Add("is_deleted", version.is_removed);
          WriteChanges(json, version, i + 1 < versions.size() ? &versions[i + 1] : nullptr);
          json.End();
        }
        json.End().Add("has_more", has_more);
        return Answer(json);
      });
}

// POST addon-rollback-card -- makes a version in which the card is as it was at the end of an earlier one. {"deck_id",
// "card_guid", "target_version"}
//
// A reader who may not edit gets 200 with "success": false, because a 403 would log the add-on out.
//
// Answers 200; 400 "bad_version"; 403 "no_access"; 404 "deck_not_found", "card_not_found", "version_not_found"; 413
// "over_quota".
Response PostRollbackCard(Request& request, Context& context) {
  const CardTarget in = ReadBody(request, context, kBody, ReadCardTarget);
  return WriteDeck(context, [&](const DeckWriter& to) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kRead);
    if (auto refusal = RefusedSoftly(deck, context)) return *std::move(refusal);
    const Pushed pushed = RollBackCard(to, deck, in.guid, in.version, context.user());
    const auto now = to.cards.Find(deck.id, {in.guid});
    return ShowRolledBack(deck, pushed,
                          now.empty() ? std::string_view() : std::string_view(now.front().content.fields));
  });
}

// POST addon-rollback-deck -- makes a version in which the whole deck is as it was at the end of an earlier one, with its
// note types and files. All or nothing. {"deck_id", "target_version"}
//
// Answers 200; 400 "bad_version"; 403 "no_access", "not_your_deck"; 404 "deck_not_found", "version_not_found"; 413
// "over_quota".
Response PostRollbackDeck(Request& request, Context& context) {
  const DeckTarget in = ReadBody(request, context, kBody, ReadDeckTarget);
  return WriteDeck<FileHistory>(context, [&](const DeckWriter& to, FileHistory& files) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kEdit);
    if (!to.cards.FindRelease(deck.id, in.version)) throw NotFound("version_not_found");
    const bool changes_files = files.Restore(deck.id, deck.owner, in.version) > 0;
    return ShowRolledBack(deck, RollBackDeck(to, deck, in.version, context.user(), changes_files), "");
  });
}

// POST addon-verify-version -- rebuilds a version from the deck's history and compares it with the hash that was recorded
// for it. {"deck_id", "target_version"}
//
// Answers 200 with `matches`; 400 "bad_version"; 403 "no_access"; 404 "deck_not_found", "version_not_found".
Response PostDeckAt(Request& request, Context& context) {
  const DeckTarget in = ReadBody(request, context, kBody, ReadDeckTarget);
  return context.Read<DeckStore, CardStore>([&](DeckStore& decks, CardStore& cards) {
    const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kRead);
    const auto release = cards.FindRelease(deck.id, in.version);
    if (!release) throw NotFound("version_not_found");
    const RebuiltDeck rebuilt = Rebuild(cards, deck, in.version);
    JsonWriter json;
    Success(json)
        .Add("version", PrintVersion(in.version))
        .Add("card_count", rebuilt.card_count)
        .Add("content_hash", HexText(rebuilt.content_hash))
        .Add("recorded_hash", HexText(release->content_hash))
        .Add("matches",
             rebuilt.content_hash == release->content_hash && rebuilt.card_count == release->card_count);
    return Answer(json);
  });
}

}  // namespace syncline::decks
