#include "handlers/decks/publishing/content_handlers.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/reader_flow.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/publishing/push_flow.h"
#include "handlers/decks/publishing/suggestion_flow.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 50 << 20;
constexpr std::size_t kMaxTagged = 20'000;
constexpr std::int64_t kTagPage = 5000;
constexpr std::size_t kMaxTime = 200;
// Whether the action is a push.
constexpr Word<bool> kTagActions[] = {{"pull", false}, {"push", true}};
constexpr Word<bool> kTypeActions[] = {{"get", false}, {"push", true}};

struct TaggedCard {
  std::string guid{}, tags{};
};

struct TagsInput {
  std::string deck_id{};
  bool is_push = false;
  std::vector<TaggedCard> cards{};
  std::optional<std::string> since{};
};

TagsInput ReadTagsInput(const JsonObject& in) {
  TagsInput input{.deck_id = ReadDeckId(in)};
  const auto changes = in.Find("changes"), tags = in.Find("tags");
  const auto& list = changes && !changes->IsNull() ? changes : tags;
  const bool has_list = list && !list->IsNull();
  input.is_push = ReadWord(in, "action", kTagActions, has_list);
  input.since = in.Maybe("since").Text(kMaxTime);
  if (!input.is_push || !has_list) return input;
  for (const JsonValue& value : list->List(kMaxTagged)) {
    const JsonObject card = value.Object();
    input.cards.push_back({ReadGuid(card), ReadTags(card["tags"])});
  }
  DropRepeats(input.cards);
  return input;
}

// The place in the log after which a pull of tags begins.
std::int64_t TagStart(CardStore& cards, const Deck& deck, const std::optional<std::string>& since) {
  const Cursor cursor = ReadCursor(std::nullopt, since);
  if (const auto* change = std::get_if<SeenChange>(&cursor)) {
    const auto id = ParseId(IdKind::kChange, change->id);
    return id && id->deck == deck.id ? id->number : 0;
  }
  if (const auto* time = std::get_if<SeenTime>(&cursor))
    return cards.SeqAt(deck.id, time->has_zone ? time->time : time->time - kEasternmost);
  return deck.baseline_seq.value_or(0);
}

struct PulledTags {
  Deck deck{};
  TagPage tags{};
};

Response PullTags(Context& context, const TagsInput& in) {
  const sql::Time time = QuietTime(context);
  const auto pulled = context.Read<DeckStore, CardStore>([&](DeckStore& decks, CardStore& cards) {
    PulledTags found{.deck = OpenDeck(decks, context, in.deck_id, Need::kRead)};
    found.tags = cards.TagsSince(found.deck.id, TagStart(cards, found.deck, in.since), kTagPage);
    return found;
  });
  const auto& changes = pulled.tags.changes;
  TagDifference sum;
  for (const TagChange& change : changes) {
    const TagDifference difference = CompareTags(change.old_tags, change.tags);
    sum.added += difference.added;
    sum.removed += difference.removed;
  }
  JsonWriter json;
  Success(json);
  for (const char* const name : {"changes", "tags"}) {
    json.Array(name);
    for (const TagChange& change : changes) {
      json.Object()
          .Add("card_guid", change.guid)
          .Add("guid", change.guid)
          .Add("tags", SplitTags(change.tags))
          .Add("updated_at", PrintTimestamp(change.updated_at))
          .End();
    }
    json.End();
  }
  const std::int64_t end = pulled.tags.has_more ? changes.back().seq : pulled.deck.head_seq;
  json.Add("tags_added", sum.added)
      .Add("tags_removed", sum.removed)
      .Add("cards_updated", changes.size())
      .Add("has_more", pulled.tags.has_more)
      .Add("latest_change_id", ChangeId(pulled.deck.id, end))
      .Add("server_time", PrintTimestamp(time))
      .Add("message", "Done.");
  return Answer(json);
}

// What a push of tags changes.
struct TagWork {
  std::vector<PushedCard> cards{};           ///< for an editor
  std::vector<NewSuggestion> suggestions{};  ///< the same for a reader
  std::vector<std::string> skipped{};
  TagDifference sum{};
};

TagWork CompareAll(CardStore& store, const Deck& deck, const std::vector<TaggedCard>& pushed) {
  std::vector<std::string> guids;
  for (const TaggedCard& card : pushed) guids.push_back(card.guid);
  std::unordered_map<std::string, Card> stored;
  for (Card& card : store.Find(deck.id, guids)) stored.emplace(card.guid, std::move(card));
  TagWork work;
  for (const TaggedCard& card : pushed) {
    const auto found = stored.find(card.guid);
    if (found == stored.end() || found->second.removed_seq) {
      work.skipped.push_back(card.guid);
      continue;
    }
    const CardContent& content = found->second.content;
    const TagDifference difference = CompareTags(content.tags, card.tags);
    if (difference.added + difference.removed == 0) continue;
    work.sum.added += difference.added;
    work.sum.removed += difference.removed;
    work.cards.push_back(
        {card.guid, content.note_type, ParseFields(content.fields), card.tags, std::nullopt});
    work.suggestions.push_back({.guid = card.guid,
                                .kind = "tags",
                                .field = "",
                                .base_value = content.tags,
                                .value = card.tags,
                                .reason = "",
                                .base_version = std::nullopt});
  }
  return work;
}

Response ShowPushedTags(const Context& context, const TagWork& work, std::string_view status) {
  JsonWriter json;
  Success(json)
      .Add("status", status)
      .Add("tags_added", work.sum.added)
      .Add("tags_removed", work.sum.removed)
      .Add("cards_updated", work.suggestions.size())
      .Add("skipped", work.skipped)
      .Add("server_time", PrintTimestamp(context.Now()))
      .Add("message", "Done.");
  return Answer(json);
}

// Editors change the tags at once.
Response ApplyTags(Context& context, const TagsInput& in) {
  return WriteDeck(context, [&](const DeckWriter& to) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kEdit);
    TagWork work = CompareAll(to.cards, deck, in.cards);
    if (!work.cards.empty()) {
      Push push;
      push.who = context.user();
      push.device = context.device();
      push.cards = std::move(work.cards);
      ApplyPush(to, deck, std::move(push));
    }
    return ShowPushedTags(context, work, "applied");
  });
}

// Tags of others become suggestions. They are compared before the deck is locked: thousands take seconds, and its editors would wait.
Response PushTags(Context& context, const TagsInput& in) {
  const auto work =
      context.Read<DeckStore, CardStore>([&](DeckStore& decks, CardStore& cards) -> std::optional<TagWork> {
        const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kRead);
        if (MayEdit(deck, context)) return std::nullopt;
        return CompareAll(cards, deck, in.cards);
      });
  if (!work) return ApplyTags(context, in);
  if (!work->suggestions.empty()) {
    WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
      Suggest(to, people, LockDeck(to.decks, context, in.deck_id, Need::kRead), work->suggestions);
    });
  }
  return ShowPushedTags(context, *work, "pending_review");
}

// --- note types

struct TypesInput {
  std::string deck_id{};
  bool is_push = false;
  std::vector<NoteType> types{};
};

TypesInput ReadTypes(const JsonObject& in) {
  TypesInput input{.deck_id = ReadDeckId(in)};
  const auto list = in.Find("note_types");
  const bool has_list = list && !list->IsNull();
  input.is_push = ReadWord(in, "action", kTypeActions, has_list);
  if (input.is_push && has_list)
    input.types =
        list->List(kMaxNoteTypes, [](const JsonValue& type) { return ReadNoteType(type.Object()); });
  return input;
}

// The pushed note types that differ from the stored ones, with the deck's spelling of their names.
std::vector<NoteType> ChangedTypes(CardStore& cards, const Deck& deck, std::vector<NoteType> pushed) {
  std::vector<std::string> names;
  for (const NoteType& type : pushed) names.push_back(type.name);
  std::map<std::string, NoteType> known;
  for (NoteType& type : cards.FindNoteTypes(deck.id, names))
    known.emplace(Folded(type.name), std::move(type));
  std::map<std::string, NoteType> changed;
  for (NoteType& type : pushed) {
    const std::string key = Folded(type.name);
    if (const auto old = known.find(key); old != known.end()) type.name = old->second.name;
    changed.insert_or_assign(key, std::move(type));
  }
  std::vector<NoteType> types;
  for (auto& [key, type] : changed) {
    const auto old = known.find(key);
    const bool is_same =
        old != known.end() && old->second.fields == type.fields && old->second.definition == type.definition;
    if (!is_same) types.push_back(std::move(type));
  }
  return types;
}

// Throws Refusal "field_in_use" if a card has text in a field that its note type would lose. Reads the cards of the changed
// note types once.
void RequireFields(CardStore& cards, const Deck& deck, const std::vector<NoteType>& changed) {
  std::map<std::string, std::set<std::string>> has;
  std::vector<std::string> names;
  for (const NoteType& type : changed) {
    has[type.name] = {type.fields.begin(), type.fields.end()};
    names.push_back(type.name);
  }
  std::string loser;
  cards.EachOfTypes(deck.id, names, [&](const std::string& type, const Fields& fields) {
    for (const FieldValue& field : fields) {
      if (!has.at(type).contains(field.name)) loser = type;
    }
  });
  if (!loser.empty())
    throw Refused("field_in_use", "Cards have text in a field that this note type would lose.",
                  JsonWriter().Object().Add("note_type", loser).Finish());
}

Response PushTypes(Context& context, const TypesInput& in) {
  return WriteDeck(context, [&](const DeckWriter& to) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kEdit);
    const auto changed = ChangedTypes(to.cards, deck, in.types);
    RequireFields(to.cards, deck, changed);
    // Makes a version without cards, so that clients fetch the note types.
    Push push;
    push.who = context.user();
    push.note_types = changed;
    if (!changed.empty()) ApplyPush(to, deck, std::move(push));
    JsonWriter json;
    Success(json).Add("types_updated", changed.size()).Add("message", "Done.");
    return Answer(json);
  });
}

}  // namespace

// POST addon-sync-tags -- pulls or pushes the tags of cards. {"deck_id", "action"?: pull or push, "changes" or "tags":
// [{"card_guid", "tags"}], "since"?}
//
// A pushed list replaces all tags of its card; of a reader, it becomes a suggestion. Unknown and removed cards are in
// `skipped`.
//
// Answers 200; 400 "too_many_suggestions"; 403 "no_access"; 404 "deck_not_found"; 413 "over_quota".
Response PostTags(Request& request, Context& context) {
  const TagsInput in = ReadBody(request, context, kBody, ReadTagsInput);
  return in.is_push ? PushTags(context, in) : PullTags(context, in);
}

// POST addon-sync-note-types -- gets or pushes the note types of a deck. {"deck_id", "action"?: get or push, "note_types"?}
//
// The add-on never pushes note types. A deck has one with a simple template for each name that its cards use, until a push
// replaces it.
//
// Answers 200; 400 "field_in_use"; 403 "no_access", "not_your_deck"; 404 "deck_not_found"; 413 "over_quota".
Response PostNoteTypes(Request& request, Context& context) {
  const TypesInput in = ReadBody(request, context, kBody, ReadTypes);
  if (in.is_push) return PushTypes(context, in);
  const auto types = context.Read<DeckStore, CardStore>([&](DeckStore& decks, CardStore& cards) {
    return cards.NoteTypes(OpenDeck(decks, context, in.deck_id, Need::kRead).id);
  });
  JsonWriter json;
  Success(json).Array("note_types");
  for (const NoteType& type : types) WriteNoteType(json, type);
  json.End().Add("types_updated", types.size()).Add("message", "Done.");
  return Answer(json);
}

}  // namespace syncline::decks
