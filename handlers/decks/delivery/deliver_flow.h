#pragma once
// Delivery: a deck in the collection of a subscriber, by plain sync. New cards become notes by the import function of the anki
// service; notes that are there are merged field by field (delivery_rules.h) and imported as updates; notes of removed cards are
// suspended or deleted. Everything goes batch by batch, each in one transaction with the delivery's place in the log, so a worker
// that is killed leaves a batch whole or not begun, and a repeated batch changes nothing.
//
// Left out on purpose: whatever a normal sync cannot carry. No field or template of a note type of the collection changes, and no
// card that is there is moved.
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {

/// Brings the caller's collection up to the deck, or ends the delivery, and ends the job. Throws as anki::ImportPackage, and
/// JobPutOff.
void DeliverDeck(Context& context, DeckId deck, const Job& job, JobControl& control);

/// Enqueues the jobs of all deliveries of a deck that has changed, and ends the job.
void SpreadDeck(Context& context, DeckId deck, JobControl& control);
/// Enqueues the jobs of deliveries whose collections have changed, or were not there, or that were not able to go on.
void ResumeDeliveries(Context& context, JobControl& control);

/// Why a delivery does not go on, for its subscriber to see (Delivery::problem).
void NoteDeliveryProblem(Context& context, DeckId deck, std::string_view problem);

}  // namespace syncline::decks
