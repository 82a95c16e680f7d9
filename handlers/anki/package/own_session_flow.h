#pragma once
// A sync session for jobs of the server that change a collection as a device does: begin it, stage rows with
// SessionStore, apply them. Devices receive the result by their next normal sync. The session of a killed
// process expires, or the next attempt of the same job ends it.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/context.h"
#include "sql/tx.h"

namespace syncline::anki {

/// A session without progress for this long belongs to a killed process.
inline constexpr std::int64_t kOwnSessionMinutes = 2;

/// Whether a session belongs to an attempt of the job with this name (ImportHost::name).
bool IsOwnSession(std::string_view key, const std::string& name);
/// Returns the key. Empty if a device is syncing, or if the collection is no longer of this generation and usn.
std::optional<std::string> BeginOwnSession(Context& context, const std::string& name, std::int32_t generation,
                                           Usn usn);
/// Applies the staged rows, in one transaction with `before` and `after`. Throws Error Conflict if the
/// collection has changed.
void ApplyOwnSession(Context& context, const std::string& key, const std::function<void(sql::Tx&)>& before,
                     const std::function<void(sql::Tx&)>& after = {});
/// Ends the session after a failure. Does not throw: otherwise the session would simply expire.
void EndOwnSession(Context& context, const std::string& key) noexcept;

}  // namespace syncline::anki
