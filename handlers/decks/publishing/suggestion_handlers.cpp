#include "handlers/decks/publishing/suggestion_handlers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/catalogue/person_wire.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/publishing/suggestion_flow.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 1 << 20;
// The largest card, with every character escaped as \u and four digits.
constexpr std::size_t kSubmitBody = 8 << 20;
constexpr std::size_t kPartBytes = 4 << 20;
constexpr std::size_t kMaxReason = 1000, kMaxDecided = 500, kMaxRemoved = 500, kMaxId = 64;
constexpr std::int64_t kMaxListed = 100, kListed = 50, kMaxPage = 1'000'000;
// The first one is the default.
constexpr std::string_view kStates[] = {"pending", "accepted", "rejected", "withdrawn", "superseded"};

struct SubmitInput {
  std::string deck_id{}, field{};
  NewSuggestion suggestion{};
};

std::string ReadSuggested(const JsonValue& value) {
  std::string json = ReadFieldValue(value);
  if (IsTooLongToSuggest(json))
    value.Refuse("string_too_long", "The value is longer than 100,000 characters.");
  return json;
}

SubmitInput ReadSubmit(const JsonObject& in) {
  SubmitInput input{
      .deck_id = ReadDeckId(in), .field = in.Text("field_name", kMaxNameCharacters, 1), .suggestion = {}};
  input.suggestion.guid = ReadGuid(in);
  input.suggestion.field = input.field;
  input.suggestion.value = ReadSuggested(in["suggested_value"]);
  if (const auto base = in.Find("current_value"); base && !base->IsNull())
    input.suggestion.base_value = ReadFieldValue(*base);
  input.suggestion.reason = in.Maybe("reason").Text(kMaxReason).value_or("");
  return input;
}

// The suggestions that a call is about. Their ids name the deck, too, and all are for the same one.
struct Named {
  DeckId deck{};
  std::vector<std::int64_t> numbers{};
};

Named ReadIds(const JsonObject& in) {
  std::vector<std::string> ids;
  if (const auto one = in.Maybe("suggestion_id").Text(kMaxId)) ids.push_back(*one);
  if (auto list =
          in.Maybe("suggestion_ids").List(kMaxDecided, [](const JsonValue& id) { return id.Text(kMaxId); }))
    ids.insert(ids.end(), list->begin(), list->end());
  if (ids.empty()) throw Refused("suggestion_missing", "suggestion_id is missing.");
  Named named;
  for (const std::string& id : ids) {
    const auto parsed = ParseId(IdKind::kSuggestion, id);
    if (!parsed) throw NotFound("suggestion_not_found");
    if (!named.numbers.empty() && parsed->deck != named.deck)
      throw Refused("several_decks", "The suggestions of a request must all be for the same deck.");
    named.deck = parsed->deck;
    named.numbers.push_back(parsed->number);
  }
  return named;
}

// The value of a field is stored as JSON; tags are stored as one text.
void WriteValue(JsonWriter& json, std::string_view name, const Suggestion& one,
                const std::optional<std::string>& value) {
  if (!value) {
    json.Add(name, nullptr);
  } else if (one.kind == "tags") {
    json.Add(name, SplitTags(*value));
  } else if (one.kind == "field") {
    json.Add(name, RawJson{*value});
  } else {
    json.Add(name, "");
  }
}

void WriteSuggestion(JsonWriter& json, const Suggestion& one, std::string_view contributor) {
  const std::string id = PrintId(IdKind::kSuggestion, {one.deck, one.number});
  json.Object()
      .Add("suggestion_id", id)
      .Add("id", id)
      .Add("card_guid", one.guid)
      .Add("guid", one.guid)
      .Add("kind", one.kind)
      .Add("field_name", one.field)
      .Add("status", one.state)
      .Add("reason", one.reason)
      .Add("note", one.note)
      .Add("suggested_by", contributor)
      .Add("is_stale", one.state == "pending" && IsStale(one))
      .Add("card_exists", one.card_fields.has_value())
      .Add("created_at", PrintTimestamp(one.created_at))
      .Add("reviewed_at", one.reviewed_at ? std::optional(PrintTimestamp(*one.reviewed_at)) : std::nullopt)
      .Add("version", PrintVersion(one.applied_version));
  WriteValue(json, "base_value", one, one.base_value);
  WriteValue(json, "current_value", one, PresentOf(one));
  WriteValue(json, "suggested_value", one, one.value);
  json.Add("deck_id", one.deck_public_id).Add("deck_title", one.deck_title).End();
}

// Memory does not grow with the page: its texts are read in parts of about kPartBytes.
void WriteSuggestions(JsonWriter& json, Context& context, const SuggestionPage& page,
                      const std::map<UserId, std::string>& names) {
  json.Array("suggestions");
  for (auto next = page.suggestions.begin(); next != page.suggestions.end();) {
    std::vector<ListedSuggestion> part;
    for (std::size_t bytes = 0; next != page.suggestions.end() && bytes < kPartBytes; ++next) {
      bytes += next->bytes;
      part.push_back(*next);
    }
    const auto read =
        context.ReadOnce<SuggestionStore>([&](SuggestionStore& store) { return store.Read(part); });
    for (const Suggestion& one : read) {
      const auto name = names.find(one.contributor);
      WriteSuggestion(json, one, name == names.end() ? "" : name->second);
    }
  }
  json.End();
}

struct Listing {
  std::int64_t page = 1, limit = kListed;
};

Listing ReadListing(const JsonObject& in) {
  return {ReadClamped(in, "page", 1, kMaxPage, 1), ReadClamped(in, "limit", 1, kMaxListed, kListed)};
}

struct ListInput {
  std::string deck_id{}, state{};
  Listing listing{};
};

ListInput ReadList(const JsonObject& in) {
  return {ReadDeckId(in), std::string(kStates[in.Maybe("status").Choice(kStates).value_or(0)]),
          ReadListing(in)};
}

struct ReviewInput {
  Named named{};
  Decision decision{};
};

ReviewInput ReadReview(const JsonObject& in) {
  constexpr std::string_view kActions[] = {"accept", "reject"};
  ReviewInput input;
  input.decision.accepts = kActions[in.Choice("action", kActions)] == "accept";
  if (const auto value = in.Find("value"); value && !value->IsNull())
    input.decision.value = ReadSuggested(*value);
  input.decision.note = in.Maybe("note").Text(kMaxReason).value_or("");
  input.decision.is_forced = in.Maybe("force").Bool().value_or(false);
  input.named = ReadIds(in);
  if (input.decision.value && input.named.numbers.size() > 1)
    throw Refused("one_value", "value can only be sent with a single suggestion.");
  return input;
}

struct RemovalInput {
  std::string deck_id{};
  std::vector<std::string> guids{};
  std::string reason{};
};

RemovalInput ReadRemoval(const JsonObject& in) {
  return {
      ReadDeckId(in),
      in["card_guids"].List(kMaxRemoved, [](const JsonValue& g) { return g.Text(kMaxGuidCharacters, 1); }),
      in.Maybe("reason").Text(kMaxReason).value_or("")};
}

void WriteTotals(JsonWriter& json, const Listing& listing, std::int64_t total) {
  json.Add("total", total)
      .Add("page", listing.page)
      .Add("total_pages", (total + listing.limit - 1) / listing.limit);
}

}  // namespace

// POST addon-submit-suggestion -- suggests a new value for one field of a card. {"deck_id", "card_guid", "field_name",
// "suggested_value", "current_value"?, "reason"?}
//
// The field may be one that the account protects, because this call names it on purpose. A suggestion made on an old value
// is kept and marked as stale. Repeating the call gives the same suggestion.
//
// Answers 200; 400 "no_such_field", "no_change", "too_many_suggestions"; 403 "no_access"; 404 "deck_not_found",
// "card_not_found".
Response PostSubmitSuggestion(Request& request, Context& context) {
  const SubmitInput in = ReadBody(request, context, kSubmitBody, ReadSubmit);
  return WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kRead);
    const auto cards = to.cards.Find(deck.id, {in.suggestion.guid});
    if (cards.empty() || cards.front().removed_seq) throw NotFound("card_not_found");
    const Fields fields = ParseFields(cards.front().content.fields);
    const FieldValue* present = FindField(fields, in.field);
    if (present == nullptr) throw Refused("no_such_field", "The card has no such field.");
    if (present->json == in.suggestion.value) throw Refused("no_change", "The card already has this value.");
    NewSuggestion suggestion = in.suggestion;
    if (suggestion.base_value.empty()) suggestion.base_value = present->json;
    const auto numbers = Suggest(to, people, deck, {suggestion});
    JsonWriter json;
    Success(json)
        .Add("suggestion_id", PrintId(IdKind::kSuggestion, {deck.id, numbers.at(0)}))
        .Add("status", "pending")
        .Add("stale", suggestion.base_value != present->json)
        .Add("message", "Thank you. A maintainer of this deck will look at it.");
    return Answer(json);
  });
}

// POST addon-list-suggestions -- lists the suggestions for a deck in one state, with the present value of each field.
// {"deck_id", "status"? (pending), "page"?, "limit"?}
//
// Answers 200; 403 "no_access", "not_your_deck"; 404 "deck_not_found".
Response PostListSuggestions(Request& request, Context& context) {
  const ListInput in = ReadBody(request, context, kBody, ReadList);
  SuggestionPage page;
  std::map<UserId, std::string> names;
  context.Read<DeckStore, SuggestionStore, PersonStore>(
      [&](DeckStore& decks, SuggestionStore& store, PersonStore& people) {
        const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kEdit);
        page = store.List(deck.id, in.state, in.listing.limit, (in.listing.page - 1) * in.listing.limit);
        std::vector<UserId> who;
        for (const ListedSuggestion& one : page.suggestions) who.push_back(one.contributor);
        names = people.Names(who);
      });
  return StreamedAnswer([&context, in, page, names](BodySink& sink) {
    JsonWriter json(sink);
    WriteSuggestions(Success(json), context, page, names);
    WriteTotals(json, in.listing, page.total);
    json.Finish();
  });
}

// POST addon-review-suggestion -- accepts or rejects one or several suggestions for a deck. {"suggestion_id" or
// "suggestion_ids", "action": accept or reject, "value"?, "force"?, "note"?}
//
// `value` replaces the suggested value; `force` accepts a stale suggestion. With several suggestions, one that cannot be
// decided does not stop the others. With a single one, it is an error.
//
// Answers 200; 400 "suggestion_missing", "several_decks", "one_value", "card_too_large"; 403 "no_access", "not_your_deck";
// 404 "suggestion_not_found"; 409 "suggestion_stale", "suggestion_card_gone", "suggestion_decided_before"; 413 "over_quota".
Response PostReviewSuggestion(Request& request, Context& context) {
  const ReviewInput in = ReadBody(request, context, kBody, ReadReview);
  return WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
    const auto id = to.decks.PublicId(in.named.deck);
    if (!id) throw NotFound("suggestion_not_found");
    const Deck deck = LockDeck(to.decks, context, *id, Need::kEdit);
    const auto decided = Decide(to, people, deck, context.user(), in.named.numbers, in.decision);
    if (decided.empty()) throw NotFound("suggestion_not_found");
    std::int64_t done = 0;
    JsonWriter json;
    Success(json).Array("results");
    for (const Decided& one : decided) {
      done += one.outcome == "accepted" || one.outcome == "rejected" ? 1 : 0;
      json.Object()
          .Add("suggestion_id", PrintId(IdKind::kSuggestion, {deck.id, one.number}))
          .Add("status", one.outcome)
          .Add("version", PrintVersion(one.version))
          .End();
    }
    const Deck after = to.decks.Find(deck.shown.id).value();
    json.End().Add("decided", done).Add("version", PrintVersion(after.shown.version));
    if (decided.size() == 1 && done == 0)
      throw Refusal(ErrorKind::kConflict, "suggestion_" + std::string(decided.front().outcome),
                    "This suggestion cannot be decided: its card has changed or was removed, or somebody has "
                    "decided it before.");
    return Answer(json);
  });
}

// POST addon-my-suggestions -- lists the account's suggestions for all decks, the newest first. {"page"?, "limit"?}
Response PostMySuggestions(Request& request, Context& context) {
  const Listing listing = ReadBody(request, context, kBody, ReadListing);
  const auto page = context.ReadOnce<SuggestionStore>([&](SuggestionStore& store) {
    return store.ListOwn(listing.limit, (listing.page - 1) * listing.limit);
  });
  return StreamedAnswer([&context, listing, page](BodySink& sink) {
    JsonWriter json(sink);
    WriteSuggestions(Success(json), context, page, {});
    WriteTotals(json, listing, page.total);
    json.Finish();
  });
}

// POST addon-withdraw-suggestion -- takes back suggestions of the account. {"suggestion_id" or "suggestion_ids"}
//
// Repeating it gives the same answer. It needs no access to the deck, which may have been hidden in the meantime.
//
// Answers 200 with the number `withdrawn`; 400 "suggestion_missing", "several_decks"; 404 "suggestion_not_found"; 409
// "suggestion_decided_before" if all of them have been decided.
Response PostWithdrawSuggestion(Request& request, Context& context) {
  const Named named = ReadBody(request, context, kBody, ReadIds);
  return WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore&) {
    const auto id = to.decks.PublicId(named.deck);
    if (!id || !to.decks.Lock(*id)) throw NotFound("suggestion_not_found");
    std::int64_t withdrawn = 0;
    std::vector<std::int64_t> own;
    for (const Suggestion& one : to.suggestions.Lock(named.deck, named.numbers)) {
      if (one.contributor != context.user()) continue;
      own.push_back(one.number);
      withdrawn += one.state == "pending" || one.state == "withdrawn" ? 1 : 0;
    }
    to.suggestions.Decide(named.deck, own, "withdrawn", std::nullopt, "", std::nullopt);
    if (own.empty()) throw NotFound("suggestion_not_found");
    if (withdrawn == 0)
      throw Refusal(ErrorKind::kConflict, "suggestion_decided_before", "The suggestion was decided before.");
    JsonWriter json;
    Success(json).Add("withdrawn", withdrawn);
    return Answer(json);
  });
}

// POST addon-request-card-removal -- suggests the removal of cards. {"deck_id", "card_guids" (at most 500), "reason"?}
//
// Unknown and removed cards are ignored if there is at least one other.
//
// Answers 200; 400 "too_many_suggestions"; 403 "no_access"; 404 "deck_not_found", "card_not_found".
Response PostRequestRemoval(Request& request, Context& context) {
  const RemovalInput in = ReadBody(request, context, kBody, ReadRemoval);
  return WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
    const Deck deck = LockDeck(to.decks, context, in.deck_id, Need::kRead);
    std::vector<NewSuggestion> added;
    for (const std::string& guid : to.cards.LiveGuids(deck.id, in.guids))
      added.push_back({.guid = guid,
                       .kind = "delete",
                       .field = "",
                       .base_value = "",
                       .value = "",
                       .reason = in.reason,
                       .base_version = std::nullopt});
    if (added.empty()) throw NotFound("card_not_found");
    const auto numbers = Suggest(to, people, deck, added);
    JsonWriter json;
    Success(json).Add("status", "pending").Array("suggestion_ids");
    for (const std::int64_t number : numbers) json.Add(PrintId(IdKind::kSuggestion, {deck.id, number}));
    json.End();
    return Answer(json);
  });
}

}  // namespace syncline::decks
