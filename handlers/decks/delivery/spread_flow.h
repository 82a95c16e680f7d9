#pragma once
// Which deliveries have something to do: those of a deck that has changed, and those whose collections have.
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {

/// Enqueues the jobs of all deliveries of a deck that has changed, and ends the job.
void SpreadDeck(Context& context, DeckId deck, JobControl& control);
/// Enqueues the jobs of deliveries whose collections have changed, or were not there, or that were not able to go on.
void ResumeDeliveries(Context& context, JobControl& control);

}  // namespace syncline::decks
