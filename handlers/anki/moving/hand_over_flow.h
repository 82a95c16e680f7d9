#pragma once
// Writes an account in the layout of the official sync server, so that it goes on with the same devices: collection.anki2
// as a download would be, media/, and media.db with the usns as they are here.
//
// Each file is written beside its place and moved there when it is complete, media.db last. So a killed run leaves a
// folder that the next one completes; media files that are there already are kept if their bytes are right. Devices may
// sync meanwhile: what they send after their part was written is missing until another run.
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
