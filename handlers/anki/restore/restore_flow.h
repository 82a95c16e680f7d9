#pragma once
// Time travel: makes an earlier state of a collection and its media the current one. The state it replaces moves to the
// history, so a restore can be undone, too. Slow: never call it inside a transaction. Collection and media
// change in one transaction, so a process that dies here changes nothing or everything.
//
// Media have no sync points, only times: the media of a state of the collection are those at the time when
// the state was replaced, or when the undone sync ended. Devices send media after the sync of their
// collection.
#include <cstdint>
#include <optional>

#include "handlers/anki/media/media_restore_store.h"
#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/context.h"

namespace syncline::anki {

/// Makes a replaced collection the current one again, with a new schema time, so that every client is asked
/// to download. `media_at`: the time of the media, if it is not that of the collection. Error NotFound "no_such_generation".
RestoredMedia Restore(Context& context, std::int32_t generation, std::optional<sql::Time> media_at = {});

enum class RestoredTo {
  kBeforeSync,
  kUpload,  ///< the sync ran while the uploaded file was being imported, so this is the file as it was uploaded
};
struct Restored {
  RestoredTo to;
  RestoredMedia media;
};
/// As Restore, for the state that the current or a replaced collection had before the sync with this usn. Error
/// NotFound "no_such_generation", "no_such_sync"; Conflict "during_import": that state is kept nowhere any more.
Restored RestoreBefore(Context& context, std::int32_t generation, Usn usn,
                       std::optional<sql::Time> media_at = {});

/// Only the media: no device is asked to download.
RestoredMedia RestoreMedia(Context& context, sql::Time at);

}  // namespace syncline::anki
