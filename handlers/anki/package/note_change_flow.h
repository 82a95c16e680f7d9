#pragma once
// Suspends, unsuspends and deletes notes, for another service that added them to the caller's collection. It
// works like an import: a separate session, one transaction, and every device receives the result by its next
// normal sync. Left out on purpose: texts, which an import changes.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/context.h"
#include "sql/tx.h"

namespace syncline::anki {

/// A note, and cards of it that were suspended.
struct SuspendedNote {
  Note note{};
  std::vector<std::int64_t> cards{};
};

/// Notes as the caller has read them. No note is in two lists.
struct NoteChanges {
  std::vector<Note> suspended{};       ///< all their cards are suspended, and they get the tag
  std::vector<SuspendedNote> woken{};  ///< these cards, if they are still suspended; and they lose the tag
  std::vector<Note> deleted{};         ///< with all their cards
  std::vector<std::int64_t> deleted_cards{};
  std::string tag{};
};

/// The state that NoteChanges are based on, and the caller's writes in the same transaction.
struct NoteChangeHost {
  std::string name{};           ///< as that of an ImportHost
  std::int32_t generation = 0;  ///< of the collection that the notes were read from
  Usn usn = 0;                  ///< of it, then
  /// Runs in the transaction that applies the changes, with the newly suspended cards, keyed by note. May run
  /// more than once.
  std::function<void(sql::Tx& tx, const std::map<std::int64_t, std::vector<std::int64_t>>& cards)> commit{};
};

/// Throws ImportPutOff if a device is syncing, or has synced since the notes were read; Error StorageFull "over_quota". Then
/// nothing was changed.
void ChangeNotes(Context& context, const NoteChanges& changes, const NoteChangeHost& host);

}  // namespace syncline::anki
