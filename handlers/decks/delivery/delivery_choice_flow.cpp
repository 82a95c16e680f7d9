#include "handlers/decks/delivery/delivery_choice_flow.h"

#include <algorithm>
#include <set>
#include <utility>

#include "handlers/anki/package/import_flow.h"
#include "handlers/base/json.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/delivery/delivered_part_flow.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/publishing/suggestion_flow.h"

namespace syncline::decks {
namespace {

constexpr std::int64_t kNotesAtOnce = 500;
// A call ends with the note that brings it there.
constexpr std::size_t kMostEdits = 500;

// The part of a deck that the collection has, or nothing.
DeliveredPart PartOf(Context& context, DeckId deck, const std::vector<std::string>& guids) {
  try {
    return ReadPart(context, deck, guids).value_or(DeliveredPart{});
  } catch (const anki::ImportPutOff&) {
    throw Busy("busy");
  }
}

void AddEdits(const DeliveredPart& part, const Card& card, const Deck& deck, const std::string& reason,
              std::vector<NewSuggestion>& added, SentEdits& sent) {
  const auto note = part.notes.find(card.guid);
  const NoteType* const type = part.TypeOf(card);
  if (card.removed_seq || !part.delivered.contains(card.guid) || note == part.notes.end() || type == nullptr)
    return;
  const anki::Object* const notetype = part.FindNotetype(note->second.notetype_id);
  if (notetype == nullptr) return;
  const OwnType shape = OwnTypeOf(*notetype);
  const ShownCardTexts texts = TextsOf(card.content, type->fields, part.to_nfc);
  const Fields fields = ParseFields(card.content.fields);
  for (const OwnEdit& edit :
       EditsOf(part.MergeOf(card, note->second, shape.fields, SplitFields(note->second.fields), texts,
                            deck.protected_fields))) {
    const FieldValue* const present = FindField(fields, edit.field);
    if (present == nullptr) continue;
    std::string value = QuoteJson(edit.text);
    if (IsTooLongToSuggest(value)) {
      sent.skipped.push_back(card.guid);
      continue;
    }
    added.push_back({.guid = card.guid,
                     .kind = "field",
                     .field = edit.field,
                     .base_value = present->json,
                     .value = std::move(value),
                     .reason = reason,
                     .base_version = deck.shown.version});
  }
}

}  // namespace

void StartDelivery(Context& context, const std::string& deck, const DeliveryChoice& choice) {
  context.Write<DeckStore, ReaderStore, DeliveryStore>(
      [&](DeckStore& decks, ReaderStore& readers, DeliveryStore& deliveries) {
        const Deck found = LockDeck(decks, context, deck, Need::kRead);
        if (found.is_owner)
          throw Refused("own_deck", "A deck comes into the collection of its owner without delivery.");
        if (!found.is_subscribed) {
          readers.Subscribe(found.id);
          readers.CountSubscribers(found.id);
        }
        deliveries.Start(found.id, choice.removed);
        if (choice.restores_deleted) deliveries.RestoreDeleted(found.id);
      });
}

void StopDelivery(Context& context, const std::string& deck, NotesAfterwards notes) {
  context.Write<DeckStore, DeliveryStore>([&](DeckStore& decks, DeliveryStore& deliveries) {
    const auto found = decks.Lock(deck);
    if (!found || found->is_deleted) throw NotFound("deck_not_found");
    if (!deliveries.Find(found->id)) throw NotFound("not_delivered");
    deliveries.End(found->id, notes);
  });
}

SentEdits SendEdits(Context& context, const Deck& deck, const std::vector<std::string>& guids,
                    const std::string& after, const std::string& reason) {
  SentEdits sent;
  std::vector<NewSuggestion> added;
  if (!guids.empty()) {
    const DeliveredPart part = PartOf(context, deck.id, guids);
    for (const Card& card : part.cards) AddEdits(part, card, deck, reason, added, sent);
  }
  for (std::string last = after; guids.empty() && sent.next.empty();) {
    const auto page = context.ReadOnce<DeliveryStore>(
        [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(deck.id, last, kNotesAtOnce); });
    if (page.empty()) break;
    last = page.back();
    DeliveredPart part = PartOf(context, deck.id, page);
    std::sort(part.cards.begin(), part.cards.end(),
              [](const Card& a, const Card& b) { return a.guid < b.guid; });
    for (const Card& card : part.cards) {
      AddEdits(part, card, deck, reason, added, sent);
      if (added.size() < kMostEdits) continue;
      sent.next = card.guid;
      break;
    }
  }
  if (added.empty()) return sent;
  sent.suggestions = WriteDeckAndTell(context, [&](const DeckWriter& to, PersonStore& people) {
    return Suggest(to, people, LockDeck(to.decks, context, deck.shown.id, Need::kRead), added);
  });
  return sent;
}

}  // namespace syncline::decks
