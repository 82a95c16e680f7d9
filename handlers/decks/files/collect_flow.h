#pragma once
// A deck that was published goes into its owner's own Anki collection, too, so that it is on the owner's phone. Notes that are
// there already, by their guid, stay what they are: whoever publishes from Anki gets nothing.
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {

/// Adds to the caller's collection those cards of a deck of the caller that it lacks. An account without a collection gets
/// none: a client that comes with its own one would be asked which of the two to lose. Ends the job. Throws as
/// anki::ImportPackage, and JobPutOff while cards are still arriving.
void CollectDeck(Context& context, DeckId deck, const Job& job, JobControl& control);

}  // namespace syncline::decks
