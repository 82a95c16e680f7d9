#include "handlers/decks/delivery/device_look_flow.h"

#include <set>
#include <utility>

#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/package/import_store.h"
#include "handlers/anki/package/note_change_flow.h"
#include "handlers/decks/delivery/delivered_part_flow.h"

namespace syncline::decks {
namespace {

constexpr int kRowsAtOnce = 500;

}  // namespace

bool DeviceLook::Next(const Delivery& delivery, const Again& again) {
  const anki::Collection head = context_.Read<anki::CollectionStore>([](anki::CollectionStore& collections) {
    const auto found = collections.Find();
    if (!found) throw NoCollection{};
    if (!found->IsImported()) throw anki::ImportPutOff{"an upload is being imported"};
    return *found;
  });
  if (looked_at_.generation != head.generation) {
    looked_at_ = head;
    since_ = {delivery.generation, delivery.usn};
    notes_at_ = cards_at_ = {};
    after_.clear();
  }
  if (since_.generation != head.generation) return LookAtAll(again);
  looked_at_ = head;
  return since_.usn != head.meta.usn && LookAtChanges(again);
}

// The collection has replaced another one: after a full upload it may lack what was delivered before.
bool DeviceLook::LookAtAll(const Again& again) {
  const auto guids = context_.ReadOnce<DeliveryStore>(
      [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(deck_, after_, kRowsAtOnce); });
  if (guids.empty()) {
    since_ = {looked_at_.generation, looked_at_.meta.usn};
  } else if (again(guids)) {
    after_ = guids.back();
  }
  return true;
}

bool DeviceLook::LookAtChanges(const Again& again) {
  if (auto guids = ChangedNotes()) {
    if (DeliverAgain(*std::move(guids), again)) notes_at_ = notes_end_;
    return true;
  }
  if (auto guids = ChangedCards()) {
    if (DeliverAgain(*std::move(guids), again)) cards_at_ = cards_end_;
    return true;
  }
  if (RemoveOrphans()) return true;
  NoteDeleted();
  return false;
}

std::optional<std::vector<std::string>> DeviceLook::ChangedNotes() {
  std::vector<std::string> guids;
  context_.ReadOnce<anki::CollectionStore>([&](anki::CollectionStore& collections) {
    guids.clear();
    collections.NotesSince(since_, notes_at_, kRowsAtOnce,
                           [&](const anki::Note& note, anki::RowPosition place) {
                             guids.push_back(note.guid);
                             notes_end_ = place;
                           });
  });
  return guids.empty() ? std::nullopt : std::optional(std::move(guids));
}

// A card that a device has sent may lie where it was before.
std::optional<std::vector<std::string>> DeviceLook::ChangedCards() {
  std::vector<std::int64_t> notes;
  context_.ReadOnce<anki::CollectionStore>([&](anki::CollectionStore& collections) {
    notes.clear();
    collections.CardsSince(since_, cards_at_, kRowsAtOnce,
                           [&](const anki::Card& card, anki::RowPosition place) {
                             notes.push_back(card.note_id);
                             cards_end_ = place;
                           });
  });
  if (notes.empty()) return std::nullopt;
  return context_.ReadOnce<anki::ImportStore>(
      [&](anki::ImportStore& imports) { return imports.GuidsOfNotes(since_.generation, notes); });
}

bool DeviceLook::DeliverAgain(std::vector<std::string> guids, const Again& again) {
  const auto delivered = context_.ReadOnce<DeliveryStore>(
      [&](DeliveryStore& deliveries) { return deliveries.Delivered(deck_, guids); });
  guids.clear();
  for (const auto& [guid, row] : delivered) guids.push_back(guid);
  return guids.empty() || again(guids);
}

// A device that deletes a note does not know of a card that delivery has made for it meanwhile.
bool DeviceLook::RemoveOrphans() {
  anki::NoteChanges changes;
  context_.Read<anki::CollectionStore, anki::ImportStore>(
      [&](anki::CollectionStore& collections, anki::ImportStore& imports) {
        changes.deleted_cards.clear();
        const auto gone = collections.GravesSince(since_.generation, since_.usn).notes;
        if (gone.empty()) return;
        for (const anki::Card& card : imports.CardsOfNotes(since_.generation, gone)) {
          // An undone deletion brings a note back.
          if (imports.GuidsOfNotes(since_.generation, {card.note_id}).empty())
            changes.deleted_cards.push_back(card.id);
        }
      });
  if (changes.deleted_cards.empty()) return false;
  anki::ChangeNotes(context_, changes,
                    {.name = SessionName(job_),
                     .generation = looked_at_.generation,
                     .usn = looked_at_.meta.usn,
                     .commit = [&](sql::Tx& tx, const auto&) {
                       DeliveryStore deliveries(tx, context_.user());
                       RequireState(deliveries, deck_, DeliveryState::kOn);
                     }});
  return true;
}

// Now, because after a full upload nobody can tell what was deleted from what was never there.
void DeviceLook::NoteDeleted() {
  std::set<std::string> there;
  const bool has_deleted = context_.Read<anki::CollectionStore, anki::ImportStore>(
      [&](anki::CollectionStore& collections, anki::ImportStore& imports) {
        there.clear();
        if (collections.GravesSince(since_.generation, since_.usn).notes.empty()) return false;
        imports.EachNote(since_.generation, [&](std::int64_t, const std::string& guid, std::int64_t,
                                                std::int64_t) { there.insert(guid); });
        return true;
      });
  std::string after;
  while (has_deleted) {
    control_.Progress(0, 0, "deleted notes");
    auto guids = context_.ReadOnce<DeliveryStore>(
        [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(deck_, after, kRowsAtOnce); });
    if (guids.empty()) break;
    after = guids.back();
    std::erase_if(guids, [&](const std::string& guid) { return there.contains(guid); });
    context_.Write<DeliveryStore>([&](DeliveryStore& deliveries) { deliveries.MarkDeleted(deck_, guids); });
  }
}

}  // namespace syncline::decks
