#pragma once
// Time travel: makes an earlier state of a collection the current one. The state it replaces moves to the history,
// so a restore can be undone, too. Slow: never inside a transaction. A process that dies here changes nothing.
#include <cstdint>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/context.h"

namespace syncline::anki {

/// Makes a replaced collection the current one again, with a new schema time, so that every client is asked
/// to download. Error NotFound "no_such_generation".
void Restore(Context& context, std::int32_t generation);

enum class RestoredTo {
  kBeforeSync,
  kUpload,  ///< the sync ran while the uploaded file was being imported, so this is the file as it was uploaded
};
/// As Restore, for the state that the current or a replaced collection had before the sync with this usn. Error
/// NotFound "no_such_generation", "no_such_sync"; Conflict "during_import": that state is kept nowhere any more.
RestoredTo RestoreBefore(Context& context, std::int32_t generation, Usn usn);

}  // namespace syncline::anki
