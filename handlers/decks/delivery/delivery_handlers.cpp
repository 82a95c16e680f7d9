#include "handlers/decks/delivery/delivery_handlers.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/delivery/delivery_choice_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 64 << 10;
constexpr std::size_t kMaxGuids = 200, kMaxReason = 1000;

enum class Action { kGet, kStart, kStop, kSendEdits };
constexpr Word<Action> kActions[] = {{"get", Action::kGet},
                                     {"start", Action::kStart},
                                     {"stop", Action::kStop},
                                     {"send_edits", Action::kSendEdits}};

struct DeliveryInput {
  std::string deck_id{};
  Action action{};
  DeliveryChoice choice{};
  std::optional<NotesAfterwards> afterwards{};
  std::vector<std::string> guids{};
  std::string after{}, reason{};
};

DeliveryInput ReadDelivery(const JsonObject& in) {
  DeliveryInput input{.deck_id = ReadDeckId(in)};
  input.action = ReadWord(in, "action", kActions, Action::kGet);
  if (const auto deletes = in.Maybe("delete_removed").Bool())
    input.choice.removed = *deletes ? RemovedNotes::kDeleted : RemovedNotes::kSuspended;
  input.choice.restores_deleted = in.Maybe("restore_deleted").Bool().value_or(false);
  if (const auto keeps = in.Maybe("keep_notes").Bool())
    input.afterwards = *keeps ? NotesAfterwards::kStay : NotesAfterwards::kGo;
  input.guids = in.Maybe("guids")
                    .List(kMaxGuids, [](const JsonValue& guid) { return guid.Text(kMaxGuidCharacters, 1); })
                    .value_or(std::vector<std::string>());
  input.after = in.Maybe("after").Text(kMaxGuidCharacters).value_or("");
  input.reason = in.Maybe("reason").Text(kMaxReason).value_or("");
  return input;
}

// Of a deck that its caller may not read any more: the delivery ends by itself.
Response Shown(Context& context, const std::string& id) {
  return context.Read<DeckStore, DeliveryStore>([&](DeckStore& decks, DeliveryStore& deliveries) {
    const Deck deck = OpenDeck(decks, context, id, Need::kRead);
    const auto delivery = deliveries.Find(deck.id);
    JsonWriter json;
    Success(json)
        .Add("deck_id", deck.shown.id)
        .Add("delivered", delivery && delivery->state == DeliveryState::kOn);
    if (!delivery) return Answer(json.Add("delivery", nullptr));
    const auto at = delivery->delivered_at;
    json.Object("delivery")
        .Add("state", NameOf(delivery->state))
        .Add("delete_removed", delivery->removed == RemovedNotes::kDeleted)
        .Add("is_complete", delivery->seq == deck.head_seq && at.has_value())
        .Add("notes", delivery->notes)
        .Add("problem", delivery->problem)
        .Add("started_at", PrintTimestamp(delivery->started_at))
        .Add("delivered_at", at ? std::optional(PrintTimestamp(*at)) : std::nullopt)
        .End();
    return Answer(json);
  });
}

Response Sent(Context& context, const DeliveryInput& in) {
  const Deck deck = context.Read<DeckStore, DeliveryStore>([&](DeckStore& decks, DeliveryStore& deliveries) {
    const Deck found = OpenDeck(decks, context, in.deck_id, Need::kRead);
    if (!deliveries.Find(found.id)) throw NotFound("not_delivered");
    return found;
  });
  const SentEdits sent = SendEdits(context, deck, in.guids, in.after, in.reason);
  JsonWriter json;
  Success(json).Add("suggestions", sent.suggestions.size()).Array("suggestion_ids");
  for (const std::int64_t number : sent.suggestions)
    json.Add(PrintId(IdKind::kSuggestion, {deck.id, number}));
  json.End().Add("skipped", sent.skipped).Add("has_more", !sent.next.empty());
  if (!sent.next.empty()) json.Add("next", sent.next);
  return Answer(json);
}

}  // namespace

// POST addon-manage-delivery -- {"action": get, start, stop or send_edits, "deck_id", "delete_removed"?, "restore_deleted"?,
// "keep_notes": needed to stop, "guids"?, "after"?, "reason"?}. Each may be repeated.
Response PostDelivery(Request& request, Context& context) {
  const DeliveryInput in = ReadBody(request, context, kBody, ReadDelivery);
  if (in.action == Action::kSendEdits) return Sent(context, in);
  if (in.action == Action::kStart) StartDelivery(context, in.deck_id, in.choice);
  if (in.action == Action::kStop) {
    if (!in.afterwards)
      throw Refused("keep_notes_missing", "keep_notes says whether the notes stay in the collection.");
    StopDelivery(context, in.deck_id, *in.afterwards);
  }
  return Shown(context, in.deck_id);
}

}  // namespace syncline::decks
