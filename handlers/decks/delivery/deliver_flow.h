#pragma once
// Delivery: a deck in the collection of a subscriber, by plain sync. The job goes batch by batch (delivery_batch_flow.h): the log of
// the deck, then what devices have changed meanwhile (device_look_flow.h), then note types, then files. Each batch is one transaction
// with the delivery's place in the log, so a worker that is killed leaves a batch whole or not begun, and a repeated batch changes
// nothing.
//
// Left out on purpose: whatever a normal sync cannot carry (design_rules.h).
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {

/// Brings the caller's collection up to the deck, or ends the delivery, and ends the job. Throws as anki::ImportPackage, and
/// JobPutOff.
void DeliverDeck(Context& context, DeckId deck, const Job& job, JobControl& control);

/// Why a delivery does not go on, for its subscriber to see (Delivery::problem).
void NoteDeliveryProblem(Context& context, DeckId deck, std::string_view problem);

}  // namespace syncline::decks
