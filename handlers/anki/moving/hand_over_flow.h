#pragma once
// Writes an account in the layout of the official sync server, so that its devices can continue there:
// collection.anki2 as in a download, media/, and media.db with the usns of this server.
//
// Each file is written under a temporary name and renamed when it is complete, media.db last. So the next run
// completes the folder of a killed one; existing media files are kept if their bytes are correct. Devices may
// sync meanwhile: changes sent after their part was written are missing until another run.
#include <cstdint>
#include <functional>
#include <string>

#include "handlers/base/context.h"

namespace syncline::anki {

struct HandOverReport {
  std::string why_left_out;  ///< empty: it was written
  bool is_empty = false;     ///< it was left out because there is nothing to write
  bool has_collection = false;
  std::int64_t media_files = 0, kept_media_files = 0;  ///< kept: of an earlier run
};

/// Writes the account of the context, `name`, to `folder`/`name`. Throws Error if the machine is at fault.
HandOverReport HandOver(Context& context, const std::string& folder, const std::string& name);

}  // namespace syncline::anki
