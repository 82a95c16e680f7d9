#include "handlers/decks/cards/reader_flow.h"

#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/catalogue/access_flow.h"

namespace syncline::decks {

Deck Follow(DeckStore& decks, ReaderStore& readers, const Context& context, Deck deck) {
  const bool follows = deck.is_subscribed || deck.MayEdit() || IsAdmin(context);
  if (follows && !deck.is_idle) return deck;
  // For the count. Whoever subscribes, or comes back after long, writes the deck's row, and waits for a push.
  deck = LockDeck(decks, context, deck.shown.id, Need::kRead);
  readers.Subscribe(deck.id);
  readers.CountSubscribers(deck.id);
  deck.is_subscribed = true;
  deck.is_idle = false;
  return deck;
}

void NoteDownload(Context& context, const Deck& deck) {
  context.Write<ReaderStore>([&](ReaderStore& readers) {
    readers.NoteDownload(deck.id, context.device(), deck.head_seq, deck.shown.version);
  });
}

void NoteLastPage(Context& context, const Deck& deck) {
  context.Write<ReaderStore, CardStore>([&](ReaderStore& readers, CardStore& cards) {
    const std::int64_t seq = readers.OfferedPosition(deck.id, context.device());
    if (seq == 0) return;
    readers.NoteDownload(deck.id, context.device(), seq,
                         seq >= deck.head_seq ? deck.shown.version : cards.VersionAt(deck.id, seq));
  });
}

sql::Time QuietTime(Context& context) {
  return context.ReadOnce<ReaderStore>([](ReaderStore& readers) { return readers.QuietTime(); });
}

}  // namespace syncline::decks
