#include "handlers/decks/reading/personal_handlers.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "handlers/base/header_values.h"
#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/cards/reader_flow.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 4 << 20;
constexpr std::size_t kMaxProtected = 100, kMaxProtectedCharacters = 100;
constexpr std::size_t kMaxStates = 20'000, kMaxProgress = 1000, kMaxTime = 100;
constexpr std::int64_t kMaxCardOrd = 10'000;

std::vector<std::string> ReadNames(const JsonValue& value) {
  std::vector<std::string> names;
  for (const JsonValue& element : value.List(kMaxProtected)) {
    const std::string typed = element.Text(kMaxProtectedCharacters);
    std::string name(TrimmedBlanks(typed));
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

struct ProtectedInput {
  std::optional<std::string> deck_id{};
  std::optional<std::vector<std::string>> names{};  ///< empty: the call only reads
};

ProtectedInput ReadProtected(const JsonObject& in) {
  ProtectedInput input;
  if (in.Find("deck_id")) input.deck_id = ReadDeckId(in);
  for (const char* const name : {"protected_fields", "field_names", "fields"}) {
    if (const auto list = in.Find(name); list && !list->IsNull()) input.names = ReadNames(*list);
  }
  return input;
}

Response AllProtected(Context& context) {
  const auto all =
      context.Read<ReaderStore>([](ReaderStore& readers) { return readers.AllProtectedFields(); });
  JsonWriter json;
  Success(json).Array("protected_fields").End().Array("fields").End().Object("decks");
  for (const auto& [deck, names] : all) json.Add(deck, names);
  json.End();
  return Answer(json);
}

// --- suspend state

struct StatesInput {
  std::string deck_id{};
  bool is_push = false;
  std::vector<Suspension> states{};
  std::optional<sql::Time> since{};
};

Suspension ReadState(const JsonObject& in, sql::Time now) {
  Suspension state;
  state.guid = ReadGuid(in);
  state.card_ord = ReadClamped(in, "card_ord", 0, kMaxCardOrd, 0);
  state.is_suspended = in.Maybe("is_suspended").Bool();
  state.is_buried = in.Maybe("is_buried").Bool();
  const auto text = in.Maybe("updated_at").Text(kMaxTime);
  const auto time = text ? ParseTime(*text) : std::nullopt;
  // Otherwise a computer whose clock is ahead would win every later conflict.
  state.updated_at = time && time->has_zone ? std::min(time->time, now) : now;
  return state;
}

StatesInput ReadStates(const JsonObject& in, sql::Time now) {
  // Whether the action is a push.
  constexpr Word<bool> kActions[] = {{"pull", false}, {"push", true}};
  StatesInput input{.deck_id = ReadDeckId(in)};
  const auto changes = in.Find("changes"), states = in.Find("states");
  const auto& list = changes && !changes->IsNull() ? changes : states;
  const bool has_list = list && !list->IsNull();
  input.is_push = ReadWord(in, "action", kActions, has_list);
  if (input.is_push && has_list)
    input.states =
        list->List(kMaxStates, [&](const JsonValue& state) { return ReadState(state.Object(), now); });
  const auto since = in.Maybe("since").Text(kMaxTime);
  const auto time = since ? ParseTime(*since) : std::nullopt;
  if (time) input.since = time->has_zone ? time->time : time->time - kEasternmost;
  return input;
}

void WriteStates(JsonWriter& json, std::string_view name, const std::vector<Suspension>& states) {
  json.Array(name);
  for (const Suspension& state : states) {
    json.Object()
        .Add("card_guid", state.guid)
        .Add("guid", state.guid)
        .Add("card_ord", state.card_ord)
        .Add("is_suspended", state.is_suspended.value_or(false))
        .Add("is_buried", state.is_buried.value_or(false))
        .Add("updated_at", PrintTimestamp(state.updated_at))
        .End();
  }
  json.End();
}

Response PushStates(Context& context, const StatesInput& in) {
  return context.Write<DeckStore, CardStore, ReaderStore>(
      [&](DeckStore& decks, CardStore& cards, ReaderStore& readers) {
        const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kRead);
        std::vector<std::string> guids;
        for (const Suspension& state : in.states) guids.push_back(state.guid);
        const auto live = cards.LiveGuids(deck.id, guids);
        const std::set<std::string> known(live.begin(), live.end());
        std::vector<Suspension> states;
        std::vector<std::string> skipped;
        for (const Suspension& state : in.states) {
          known.contains(state.guid) ? states.push_back(state) : skipped.push_back(state.guid);
        }
        JsonWriter json;
        Success(json)
            .Add("cards_updated", readers.PushSuspensions(deck.id, states))
            .Add("skipped", skipped)
            .Add("server_time", PrintTimestamp(context.Now()))
            .Add("message", "Done.");
        return Answer(json);
      });
}

// --- progress

// The members that are numbers, from 0 to `max`. A number out of these bounds is clamped.
struct ProgressBound {
  std::string_view name{};
  double max{};
};
constexpr double kMany = 1e9;
constexpr ProgressBound kBounds[] = {
    {"total_cards_studied", kMany}, {"cards_due_today", kMany}, {"mature_cards", kMany},
    {"young_cards", kMany},         {"learning_cards", kMany},  {"total_cards", kMany},
    {"new_cards_studied", kMany},   {"cards_mastered", kMany},  {"current_streak_days", 100000},
    {"total_reviews_today", kMany}, {"retention_rate", 100},    {"study_time_minutes", kMany},
    {"avg_ease_factor", 100},       {"average_ease", 100000},
};
constexpr std::size_t kMaxSnapshot = 16'000, kMaxUnknown = 1000;

// Never fails, because builds of the add-on send unchecked results of their own arithmetic.
std::string Snapshot(const JsonObject& in) {
  JsonWriter json;
  json.Object();
  std::size_t size = 0;
  for (const auto& [name, value] : in.Members()) {
    if (name == "deck_id" || name == "progress" || size > kMaxSnapshot - 2 * kMaxUnknown) continue;
    const auto bound = std::find_if(std::begin(kBounds), std::end(kBounds),
                                    [&, n = name](const auto& b) { return b.name == n; });
    const std::string_view raw = value.Raw();
    // Measured as stored: escaping makes a name of control characters six times as long.
    const std::string printed = QuoteJson(name);
    if (bound != std::end(kBounds)) {
      const bool is_number =
          !raw.empty() && (raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9'));
      const double number = is_number ? value.Double(-1e300, 1e300) : 0;
      json.Add(name, std::clamp(std::round(number * 100) / 100, 0.0, bound->max));
    } else if (raw.size() <= kMaxUnknown && printed.size() <= kMaxUnknown) {
      json.Add(name, RawJson{raw});
    }
    size += printed.size() + std::min(raw.size(), kMaxUnknown);
  }
  return json.Finish();
}

struct ProgressItem {
  std::string deck_id{};  ///< as sent
  std::string snapshot{};
};

ProgressItem ReadItem(const JsonObject& in, const std::string& outer_id) {
  const auto id = in.Find("deck_id");
  const std::string_view raw = id ? id->Raw() : std::string_view();
  std::string deck =
      raw.size() >= 2 && raw.front() == '"' ? LoweredAscii(raw.substr(1, raw.size() - 2)) : outer_id;
  const auto inner = in.Find("progress");
  return {std::move(deck), Snapshot(inner && inner->Raw().starts_with('{') ? inner->Object() : in)};
}

std::vector<ProgressItem> ReadProgress(const JsonObject& in) {
  std::vector<ProgressItem> items;
  for (const char* const name : {"progress", "progress_data"}) {
    const auto value = in.Find(name);
    if (!value || value->IsNull()) continue;
    if (value->Raw().starts_with('[')) {
      for (const JsonValue& item : value->List(kMaxProgress)) {
        if (item.Raw().starts_with('{')) items.push_back(ReadItem(item.Object(), ""));
      }
    } else if (value->Raw().starts_with('{')) {
      items.push_back(ReadItem(in, ""));
    }
  }
  return items;
}

}  // namespace

// GET, POST addon-protected-fields and addon-get-protected-fields -- gets or replaces the account's list of protected field
// names for a deck. {"deck_id"?, "fields", "field_names" or "protected_fields"?}
//
// Without a deck, the lists of all decks. Entries must be texts, because the add-on looks for a name in the list.
//
// Answers 200; 400 "bad_deck_id"; 403 "no_access"; 404 "deck_not_found".
Response ProtectedFields(Request& request, Context& context) {
  const ProtectedInput in = ReadBody(request, context, kBody, ReadProtected);
  if (!in.deck_id && !in.names) return AllProtected(context);
  if (!in.deck_id) throw BadInput("bad_deck_id");
  return context.Write<DeckStore, ReaderStore>([&](DeckStore& decks, ReaderStore& readers) {
    const Deck deck = OpenDeck(decks, context, *in.deck_id, Need::kRead);
    if (in.names) readers.SetProtectedFields(deck.id, *in.names);
    const std::vector<std::string>& names = in.names ? *in.names : deck.protected_fields;
    JsonWriter json;
    Success(json).Add("deck_id", deck.shown.id).Add("protected_fields", names).Add("fields", names);
    return Answer(json);
  });
}

// POST addon-sync-suspend-state -- carries suspended and buried cards between the computers of one account. {"deck_id",
// "action"?: pull or push, "changes" or "states"?, "since"?}
//
// Nobody else sees the states, and publishers cannot change them. States of unknown and removed cards are in `skipped`.
//
// Answers 200; 403 "no_access"; 404 "deck_not_found".
Response PostSuspendState(Request& request, Context& context) {
  const sql::Time now = context.Now();
  const StatesInput in =
      ReadBody(request, context, kBody, [&](const JsonObject& body) { return ReadStates(body, now); });
  if (in.is_push) return PushStates(context, in);
  const sql::Time time = QuietTime(context);
  const auto states = context.Read<DeckStore, ReaderStore>([&](DeckStore& decks, ReaderStore& readers) {
    return readers.Suspensions(OpenDeck(decks, context, in.deck_id, Need::kRead).id, in.since);
  });
  JsonWriter json;
  Success(json)
      .Add("cards_updated", states.size())
      .Add("server_time", PrintTimestamp(time))
      .Add("message", "Done.");
  WriteStates(json, "changes", states);
  WriteStates(json, "states", states);
  return Answer(json);
}

// POST addon-sync-progress -- saves a snapshot of the account's progress in each deck, the last one of a day.
//
// A deck that the account cannot read is no error but in `skipped`: the add-on makes this call when its window closes, and a
// 403 would log it out.
//
// Answers 200.
Response PostProgress(Request& request, Context& context) {
  const auto items = ReadBody(request, context, kBody, ReadProgress);
  return context.Write<DeckStore, ReaderStore>([&](DeckStore& decks, ReaderStore& readers) {
    std::int64_t synced = 0;
    std::vector<std::string> skipped;
    for (const ProgressItem& item : items) {
      const auto deck = IsUuid(item.deck_id) ? decks.Find(item.deck_id) : std::nullopt;
      if (!deck || deck->is_deleted || !(deck->MayRead() || IsAdmin(context))) {
        skipped.push_back(item.deck_id);
        continue;
      }
      readers.SaveProgress(deck->id, item.snapshot);
      ++synced;
    }
    JsonWriter json;
    Success(json)
        .Add("synced_count", synced)
        .Add("synced_at", PrintTimestamp(context.Now()))
        .Add("leaderboard_updated", false)
        .Add("skipped", skipped);
    return Answer(json);
  });
}

}  // namespace syncline::decks
