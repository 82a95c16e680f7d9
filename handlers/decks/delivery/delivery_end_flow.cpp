#include "handlers/decks/delivery/delivery_end_flow.h"

#include <string>
#include <vector>

#include "handlers/anki/package/note_change_flow.h"
#include "handlers/decks/delivery/delivered_part_flow.h"

namespace syncline::decks {
namespace {

constexpr std::int64_t kNotesAtOnce = 500;

// False: there are none in the collection.
bool RemoveNotes(Context& context, DeckId deck, const std::vector<std::string>& guids, const Job& job) {
  const auto part = ReadPart(context, deck, guids);
  if (!part) return false;
  anki::NoteChanges changes;
  for (const auto& [guid, note] : part->notes) {
    if (!part->delivered.at(guid).is_adopted) changes.deleted.push_back(note);
  }
  if (changes.deleted.empty()) return false;
  anki::ChangeNotes(context, changes,
                    {.name = SessionName(job),
                     .generation = part->head.generation,
                     .usn = part->head.meta.usn,
                     .commit = [&](sql::Tx& tx, const auto&) {
                       DeliveryStore deliveries(tx, context.user());
                       RequireState(deliveries, deck, DeliveryState::kRemoving);
                       deliveries.ForgetNotes(deck, guids);
                     }});
  return true;
}

}  // namespace

void EndDelivery(Context& context, DeckId deck, DeliveryState state, const Job& job, JobControl& control) {
  for (;;) {
    control.Progress(0, 0, "removing");
    const auto guids = context.ReadOnce<DeliveryStore>(
        [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(deck, "", kNotesAtOnce); });
    if (guids.empty()) return;
    if (state == DeliveryState::kRemoving && RemoveNotes(context, deck, guids, job)) continue;
    context.Write<DeliveryStore>([&](DeliveryStore& deliveries) {
      RequireState(deliveries, deck, state);
      deliveries.ForgetNotes(deck, guids);
    });
  }
}

}  // namespace syncline::decks
