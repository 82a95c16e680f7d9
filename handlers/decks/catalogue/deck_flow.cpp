#include "handlers/decks/catalogue/deck_flow.h"

#include "handlers/decks/dialect/job_wire.h"

namespace syncline::decks {

void RequireRoomForDeck(PersonStore& people) {
  const auto person = people.Find();
  if (!person) throw AccountGone();
  if (person->max_decks == 0) throw Forbidden("subscription_required");
  if (person->created_decks >= person->max_decks) throw Forbidden("deck_limit_reached");
}

Deck CreateDeck(DeckStore& decks, PersonStore& people, const NewDeck& values) {
  people.Lock();
  if (const auto same = decks.FindSame(values)) return decks.Find(*same).value();
  RequireRoomForDeck(people);
  return decks.Add(values);
}

DeletedCounts DeleteDeck(DeckStore& decks, sql::Tx& tx, const Deck& deck) {
  const DeletedCounts counts = decks.Delete(deck.id);
  EnqueueJob(tx, JobOfDeck("decks.remove", deck.id));
  return counts;
}

}  // namespace syncline::decks
