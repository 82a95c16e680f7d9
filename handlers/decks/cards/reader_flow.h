#pragma once
// How an account comes to follow a deck, and what is remembered of what it has got.
#include "handlers/base/context.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/deck_store.h"

namespace syncline::decks {

/// Subscribes whoever reads a deck that is not theirs: the add-on forgets decks that are not in its list of subscribed ones.
/// Returns the deck as it is then.
Deck Follow(DeckStore& decks, ReaderStore& readers, const Context& context, Deck deck);

/// After all of a download has been written. nginx has it then; whether the client does is known when it names the cursor.
void NoteDownload(Context& context, const Deck& deck);
/// After the last page of a full sync: the same, for the log as it was at the first page.
void NoteLastPage(Context& context, const Deck& deck);

/// What the client may give as `since` next time, if what it gets is read after this. It is earlier than now while something is
/// being written, which gets its times before it can be seen.
sql::Time QuietTime(Context& context);

}  // namespace syncline::decks
