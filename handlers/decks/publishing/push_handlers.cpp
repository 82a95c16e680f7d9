#include "handlers/decks/publishing/push_handlers.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "handlers/base/sha256.h"
#include "handlers/decks/cards/card_rules.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/catalogue/deck_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/publishing/push_flow.h"
#include "handlers/decks/publishing/suggestion_flow.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 50 << 20;
constexpr std::size_t kMaxCards = 500;        // the add-on's largest push
constexpr std::size_t kMaxAdminCards = 2000;  // the add-on's largest batch
constexpr std::size_t kMaxEdits = 2000;
constexpr std::size_t kAnyNumber = 1'000'000;
constexpr std::size_t kMaxNotes = 10'000, kMaxVersion = 100, kMaxReason = 1000;

std::optional<Version> ReadVersion(const JsonObject& in) {
  const auto text = in.Maybe("version").Text(kMaxVersion);
  if (!text) return std::nullopt;
  const auto version = ParseVersion(*text);
  if (!version) throw BadInput("bad_version");
  return version;
}

// Throws Refusal "too_many_cards" if the list is longer than `limit`.
std::vector<PushedCard> ReadCards(const JsonObject& in, std::string_view name, std::size_t limit) {
  const auto list = in[name].List(kAnyNumber);
  if (list.size() > limit)
    throw Refused("too_many_cards", "A request has at most " + std::to_string(limit) + " cards.");
  std::vector<PushedCard> cards;
  for (const JsonValue& card : list) cards.push_back(ReadPushedCard(card.Object()));
  return cards;
}

std::vector<std::string> ReadGuids(const JsonObject& in, std::string_view name) {
  auto guids =
      in.Maybe(name).List(kAnyNumber, [](const JsonValue& guid) { return guid.Text(kMaxGuidCharacters, 1); });
  return guids ? *std::move(guids) : std::vector<std::string>();
}

struct PushInput {
  std::string deck_id{};
  Push push{};
};

PushInput ReadPush(const JsonObject& in) {
  PushInput input{.deck_id = ReadDeckId(in), .push = {}};
  input.push.cards = ReadCards(in, "cards", kMaxCards);
  input.push.removed = ReadGuids(in, "deleted_guids");
  input.push.removes_others = in.Maybe("delete_missing").Bool().value_or(false);
  input.push.version = ReadVersion(in);
  input.push.notes = in.Maybe("version_notes").Text(kMaxNotes).value_or("");
  input.push.is_confirmed = in.Maybe("confirm").Bool().value_or(false);
  if (input.push.cards.empty() && input.push.removes_others) throw BadInput("empty_cards");
  return input;
}

Push By(Push push, const Context& context, std::string_view origin) {
  push.who = context.user();
  push.device = context.device();
  push.is_copy = true;
  push.origin = origin;
  return push;
}

void WriteCounts(JsonWriter& json, const Pushed& pushed) {
  json.Add("cards_processed", pushed.processed)
      .Add("cards_added", pushed.added)
      .Add("cards_modified", pushed.modified)
      .Add("cards_deleted", pushed.removed)
      .Add("total_cards", pushed.total);
}

void WritePushed(JsonWriter& json, const Deck& deck, const Pushed& pushed) {
  json.Add("deck_id", deck.shown.id)
      .Add("version", PrintVersion(pushed.version))
      .Add("new_version", PrintVersion(pushed.version))
      .Add("last_change_id", ChangeId(deck.id, pushed.last_seq))
      .Add("fields_kept", pushed.kept);
  WriteCounts(json, pushed);
  json.Object("stats");
  WriteCounts(json, pushed);
  json.End().Array("notes");
  if (pushed.kept > 0)
    json.Add(std::to_string(pushed.kept) +
             " fields were changed by others since your last pull. Their values were kept.");
  json.End();
}

Response ShowPushed(const Deck& deck, const Pushed& pushed) {
  JsonWriter json;
  WritePushed(Success(json), deck, pushed);
  return Answer(json);
}

// --- push-changes

struct EditInput {
  std::string guid{}, field{}, json{}, reason{};
  std::optional<std::string> base_json{};
};

struct EditsInput {
  std::string deck_id{};
  std::vector<EditInput> edits{};
  std::optional<Version> version{};
};

EditInput ReadEdit(const JsonObject& in) {
  EditInput edit;
  edit.guid = ReadGuid(in);
  edit.field = in.Maybe("field_name").Text(kMaxNameCharacters).value_or("");
  if (const auto value = in.Find("new_value")) edit.json = ReadFieldValue(*value);
  if (const auto base = in.Find("old_value"); base && !base->IsNull()) edit.base_json = ReadFieldValue(*base);
  edit.reason = in.Maybe("reason").Text(kMaxReason).value_or("");
  return edit;
}

EditsInput ReadEdits(const JsonObject& in) {
  EditsInput input{.deck_id = ReadDeckId(in), .edits = {}, .version = ReadVersion(in)};
  const auto list = in["changes"].List(kAnyNumber);
  if (list.size() > kMaxEdits) throw Refused("too_many_changes", "A request has at most 2000 changes.");
  for (const JsonValue& edit : list) input.edits.push_back(ReadEdit(edit.Object()));
  return input;
}

struct Skipped {
  std::size_t index{};
  std::string_view reason{};
};
struct MetConflict {
  std::string guid{}, field{}, local_json{}, server_json{};
};

// Edits of a request: those that can be applied, and the reason for each that cannot.
struct Sorted {
  std::vector<std::size_t> good{};     // indexes into the request
  std::vector<std::string> present{};  // the present value for each of `good`
  std::vector<Skipped> skipped{};
  std::vector<MetConflict> conflicts{};
};

Sorted SortEdits(CardStore& cards, const Deck& deck, const std::vector<EditInput>& edits) {
  std::set<std::string> asked;
  for (const EditInput& edit : edits) asked.insert(edit.guid);
  std::unordered_map<std::string, Fields> fields;
  for (const Card& card : cards.Find(deck.id, {asked.begin(), asked.end()})) {
    if (!card.removed_seq) fields.emplace(card.guid, ParseFields(card.content.fields));
  }
  Sorted sorted;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const EditInput& edit = edits[i];
    const auto card = fields.find(edit.guid);
    if (card == fields.end()) {
      sorted.skipped.push_back({i, "no such card"});
      continue;
    }
    FieldValue* present = FindField(card->second, edit.field);
    if (present == nullptr) {
      sorted.skipped.push_back({i, "no such field"});
    } else if (edit.json.empty()) {
      sorted.skipped.push_back({i, "no new value"});
    } else {
      switch (MergeField(edit.base_json, present->json, edit.json)) {
        case Merge::kSame:
          sorted.skipped.push_back({i, "no change"});
          break;
        case Merge::kConflict:
          sorted.conflicts.push_back({edit.guid, edit.field, edit.json, present->json});
          break;
        case Merge::kApply:
          sorted.good.push_back(i);
          sorted.present.push_back(present->json);
          // A later edit of this field in the same request builds on this one.
          present->json = edit.json;
      }
    }
  }
  return sorted;
}

void WriteSorted(JsonWriter& json, const Sorted& sorted) {
  json.Array("conflicts");
  for (const MetConflict& one : sorted.conflicts) {
    json.Object()
        .Add("card_guid", one.guid)
        .Add("guid", one.guid)
        .Add("field_name", one.field)
        .Add("local_value", RawJson{one.local_json})
        .Add("server_value", RawJson{one.server_json})
        .End();
  }
  json.End().Array("skipped");
  for (const Skipped& one : sorted.skipped)
    json.Object().Add("index", one.index).Add("reason", one.reason).End();
  json.End();
}

void WriteEditCounts(JsonWriter& json, std::string_view status, std::size_t count, const Deck& deck,
                     Version version, std::int64_t last_seq) {
  json.Add("status", status)
      .Add("changes_pushed", count)
      .Add("changes_saved", count)
      .Add("changes_accepted", count)
      .Add("version", PrintVersion(version))
      .Add("last_change_id", ChangeId(deck.id, last_seq));
}

// Applies the edits of an editor at once.
Response ApplyNow(const DeckWriter& to, const Deck& deck, const EditsInput& in, const Context& context) {
  const Sorted sorted = SortEdits(to.cards, deck, in.edits);
  std::vector<FieldEdit> edits;
  for (const std::size_t i : sorted.good)
    edits.push_back({in.edits[i].guid, in.edits[i].field, in.edits[i].json});
  Push push = By({}, context, "push");
  push.is_copy = false;
  // Clients also send the version that they have. Only a higher one names a new release.
  if (in.version && *in.version > deck.shown.version) push.version = in.version;
  const Pushed pushed = ApplyEdits(to, deck, edits, std::move(push));
  JsonWriter json;
  WriteEditCounts(Success(json), "applied", sorted.good.size(), deck, pushed.version, pushed.last_seq);
  WriteSorted(json, sorted);
  json.Array("suggestion_ids").End();
  return Answer(json);
}

// Keeps the edits of a reader as suggestions, also of fields that have changed since the reader saw them: the reviewer sees
// that.
Response KeepAsSuggestions(const DeckWriter& to, const Deck& deck, const EditsInput& in,
                           PersonStore& people) {
  std::vector<EditInput> edits = in.edits;
  std::vector<std::optional<std::string>> bases;
  for (EditInput& edit : edits) bases.push_back(std::exchange(edit.base_json, std::nullopt));
  Sorted sorted = SortEdits(to.cards, deck, edits);
  std::vector<NewSuggestion> suggestions;
  for (std::size_t i = 0; i < sorted.good.size(); ++i) {
    const std::size_t place = sorted.good[i];
    const EditInput& edit = edits[place];
    const auto& base = bases[place];
    if (IsProtected(deck, edit.field)) {
      sorted.skipped.push_back({place, "a protected field"});
      continue;
    }
    if (IsTooLongToSuggest(edit.json)) {
      sorted.skipped.push_back({place, "the value is too long"});
      continue;
    }
    suggestions.push_back({.guid = edit.guid,
                           .kind = "field",
                           .field = edit.field,
                           .base_value = base.value_or(sorted.present[i]),
                           .value = edit.json,
                           .reason = edit.reason,
                           .base_version = in.version});
  }
  const auto numbers = Suggest(to, people, deck, suggestions);
  JsonWriter json;
  WriteEditCounts(Success(json), "pending_review", numbers.size(), deck, deck.shown.version, deck.head_seq);
  WriteSorted(json, sorted);
  json.Array("suggestion_ids");
  for (const std::int64_t number : numbers) json.Add(PrintId(IdKind::kSuggestion, {deck.id, number}));
  json.End();
  return Answer(json);
}

// --- admin

// An item of the admin screens is a whole card or, in older documents of the protocol, one field of a card.
struct AdminItems {
  std::vector<PushedCard> cards{};
  std::vector<FieldEdit> edits{};
};

struct AdminInput {
  std::string deck_id{};
  AdminItems items{};
  Push push{};
};

AdminItems ReadAdminItems(const JsonObject& in) {
  AdminItems items;
  const auto list = in["changes"].List(kAnyNumber);
  if (list.size() > kMaxAdminCards) throw Refused("too_many_cards", "A request has at most 2000 cards.");
  for (const JsonValue& value : list) {
    const JsonObject item = value.Object();
    if (item.Find("fields") || !item.Find("field_name")) {
      items.cards.push_back(ReadPushedCard(item));
    } else {
      items.edits.push_back({ReadGuid(item), item.Text("field_name", kMaxNameCharacters, 1),
                             ReadFieldValue(item["new_value"])});
    }
  }
  return items;
}

AdminInput ReadAdmin(const JsonObject& in) {
  AdminInput input{.deck_id = ReadDeckId(in), .items = ReadAdminItems(in), .push = {}};
  input.push.version = ReadVersion(in);
  input.push.notes = in.Maybe("version_notes").Text(kMaxNotes).value_or("");
  input.push.is_confirmed = in.Maybe("confirm").Bool().value_or(false);
  return input;
}

struct ImportInput {
  std::optional<std::string> deck_id{};
  std::optional<std::string> title{};
  Push push{};
  std::string key{};  ///< a hash of the title, the version and the cards; recognises a repeated call
};

ImportInput ReadImport(const JsonObject& in) {
  ImportInput input;
  if (const auto id = in.Find("deck_id"); id && !id->IsNull()) input.deck_id = ReadDeckId(in);
  if (const auto title = in.Find("deck_title"); !input.deck_id && title && !title->IsNull())
    input.title = ReadTitle(*title);
  if (!input.deck_id && !input.title) throw Refused("deck_missing", "An import needs deck_id or deck_title.");
  input.push.cards = ReadCards(in, "cards", kMaxAdminCards);
  input.push.begins_anew = in.Maybe("clear_existing").Bool().value_or(false);
  input.push.version = ReadVersion(in);
  input.push.notes = in.Maybe("version_notes").Text(kMaxNotes).value_or("");
  input.push.is_confirmed = in.Maybe("confirm").Bool().value_or(false);
  input.key = Sha256(input.title.value_or("") + "\n" +
                     std::string(in.Maybe("version").Text(kMaxVersion).value_or("")) + "\n" +
                     std::string(in["cards"].Raw()));
  return input;
}

// The deck named by the import, or a new one. A repeated first batch finds the deck that it has made before.
Deck DeckToImport(DeckStore& decks, PersonStore& people, const Context& context, const ImportInput& in) {
  if (in.deck_id) return LockDeck(decks, context, *in.deck_id, Need::kEdit);
  people.Lock();
  if (const auto same = decks.FindImported(in.key)) return LockDeck(decks, context, *same, Need::kOwn);
  RequireRoomForDeck(people);
  NewDeck values;
  values.title = *in.title;
  return decks.Add(values, in.key);
}

}  // namespace

// POST addon-push-deck-cards -- adds, changes and removes cards of a deck, all or none. {"deck_id", "cards" (at most 500),
// "deleted_guids"?, "delete_missing"?, "version"?, "version_notes"?, "confirm"?}
//
// `delete_missing` removes every card that the request does not name. Without `version`, the deck gets the next patch
// version if anything changes. A computer whose copy is old does not undo what others have changed (`fields_kept`).
//
// Answers 200; 400 "bad_version", "version_not_newer", "too_many_cards", "too_many_fields", "empty_cards",
// "confirmation_required"; 403 "no_access", "not_your_deck"; 404 "deck_not_found"; 413 "over_quota".
Response PostPushCards(Request& request, Context& context) {
  const PushInput in = ReadBody(request, context, kBody, ReadPush);
  return WriteDeck(context, [&](const DeckWriter& to) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kEdit);
    return ShowPushed(deck, ApplyPush(to, deck, By(in.push, context, "push")));
  });
}

// POST addon-push-changes -- changes single fields. {"deck_id", "changes": [{"card_guid", "field_name", "new_value",
// "old_value"?, "reason"?}], "version"?}
//
// The edits of editors are applied at once, unless the field has changed since `old_value` was read; the edits of readers
// become suggestions. An edit that cannot be applied does not fail the others: it is listed in `skipped` or `conflicts`.
//
// Answers 200; 400 "bad_version", "too_many_changes", "card_too_large", "too_many_suggestions"; 403 "no_access"; 404
// "deck_not_found"; 413 "over_quota".
Response PostPushChanges(Request& request, Context& context) {
  const EditsInput in = ReadBody(request, context, kBody, ReadEdits);
  return WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kRead);
    return MayEdit(deck, context) ? ApplyNow(to, deck, in, context) : KeepAsSuggestions(to, deck, in, people);
  });
}

// POST addon-admin-push-changes -- pushes from the admin screens: whole cards, in batches of one version, or single fields.
// At most 2000 items.
//
// Answers as addon-push-deck-cards does.
Response PostAdminPush(Request& request, Context& context) {
  const AdminInput in = ReadBody(request, context, kBody, ReadAdmin);
  return WriteDeck(context, [&](const DeckWriter& to) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kEdit);
    Push push = By(in.push, context, "push");
    push.cards = in.items.cards;
    if (in.items.edits.empty()) return ShowPushed(deck, ApplyPush(to, deck, std::move(push)));
    return ShowPushed(deck, ApplyEdits(to, deck, in.items.edits, std::move(push)));
  });
}

// POST addon-admin-import-deck -- publishes a deck; the add-on has no other way. The first batch names a title and makes the
// deck, the others name the id that it got. `clear_existing` removes the cards that the import does not bring back.
//
// The add-on repeats a batch up to twelve times, so the same title, version and cards within 15 minutes find the first deck.
//
// Answers as addon-push-deck-cards does, and 400 "deck_missing"; 403 "subscription_required", "deck_limit_reached".
Response PostAdminImport(Request& request, Context& context) {
  const ImportInput in = ReadBody(request, context, kBody, ReadImport);
  return WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
    const Deck deck = DeckToImport(to.decks, people, context, in);
    const Pushed pushed = ApplyPush(to, deck, By(in.push, context, "import"));
    JsonWriter json;
    WritePushed(Success(json), deck, pushed);
    json.Add("cards_imported", pushed.processed).Add("title", deck.shown.title);
    return Answer(json);
  });
}

}  // namespace syncline::decks
