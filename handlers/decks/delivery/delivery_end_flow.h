#pragma once
// The end of a delivery: its notes go, if the subscriber wants that, and what was kept of them.
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/cards/delivery_store.h"

namespace syncline::decks {

/// Only notes that this delivery has added go. Throws anki::ImportPutOff.
void EndDelivery(Context& context, DeckId deck, DeliveryState state, const Job& job, JobControl& control);

}  // namespace syncline::decks
