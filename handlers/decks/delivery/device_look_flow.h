#pragma once
// What devices have changed in a collection since a delivery last looked: a device that had not seen what was delivered sends whole
// notes, cards and note types, and so undoes some of it; and a collection that was uploaded may lack some of it.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/cards/delivery_store.h"

namespace syncline::decks {

/// There is no collection.
struct NoCollection {};

class DeviceLook {
 public:
  /// Delivers these notes again. False: it has changed something else of them first, and is called again.
  using Again = std::function<bool(const std::vector<std::string>& guids)>;

  DeviceLook(Context& context, DeckId deck, const Job& job, JobControl& control)
      : context_(context), deck_(deck), job_(job), control_(control) {}

  /// One page of notes. True: there may be more. Throws NoCollection, anki::ImportPutOff.
  bool Next(const Delivery& delivery, const Again& again);
  /// The collection, as far as it was looked at.
  const anki::Collection& looked_at() const { return looked_at_; }

 private:
  bool LookAtAll(const Again& again);
  bool LookAtChanges(const Again& again);
  std::optional<std::vector<std::string>> ChangedNotes();
  std::optional<std::vector<std::string>> ChangedCards();
  bool DeliverAgain(std::vector<std::string> guids, const Again& again);
  bool RemoveOrphans();
  void NoteDeleted();

  Context& context_;
  DeckId deck_;
  const Job& job_;
  JobControl& control_;
  // What devices have changed before this was looked at, and what was looked at since.
  anki::Since since_{};
  anki::Collection looked_at_{};
  anki::RowPosition notes_at_{}, notes_end_{}, cards_at_{}, cards_end_{};
  std::string after_{};
};

}  // namespace syncline::decks
