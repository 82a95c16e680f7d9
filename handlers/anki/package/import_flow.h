#pragma once
// Imports packages into the caller's collection, so that every device receives the result by its next normal sync (.apkg),
// or is asked to download (.colpkg).
//
// ImportPackage is called by the API's job, by syncline-admin, and by other services inside their own jobs.
// Slow, so never call it inside a transaction. It reads the package, compares it with a snapshot of the
// collection, stages the changes in a separate session, and applies them in one transaction, together with
// the caller's writes. A process that dies before that leaves nothing but a session that expires. A device
// that syncs meanwhile is not interrupted, and the import restarts.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/package/container_wire.h"
#include "handlers/anki/package/import_rules.h"
#include "handlers/anki/package/import_store.h"
#include "handlers/anki/package/package_media_flow.h"
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {

/// The result of an import.
struct ImportReport {
  PackageKind kind{};
  std::int64_t found_notes = 0, added_notes = 0, updated_notes = 0, duplicate_notes = 0,
               conflicting_notes = 0;
  std::vector<std::int64_t> conflicts{};  ///< ids of the first of our notes that have another notetype
  std::int64_t added_cards = 0, added_reviews = 0, added_tags = 0, added_deck_configs = 0,
               kept_deck_configs = 0;
  std::vector<ObjectOutcome> notetypes{}, decks{};
  MediaReport media{};
};
std::string Print(const ImportReport& report);  ///< a JSON object

/// A card of ours, as the caller has read it, that goes to a deck of the package.
struct MovedCard {
  Card card{};
  std::int64_t package_deck = 0;  ///< some card of the package is in it
};

/// The caller's part of an import.
struct ImportHost {
  /// Makes the session's key; different for two imports at the same time. A session whose key begins with it is
  /// that of an attempt that was killed.
  std::string name;
  /// Called every few seconds at least; may throw to stop the import.
  std::function<void(std::int64_t done, std::int64_t total, std::string_view step)> progress;
  /// Runs in the transaction that applies the import, before the quota is charged. May run more than once.
  std::function<void(sql::Tx& tx, const ImportReport& report)> commit;
  /// Called with each added or updated note in its stored form, before `commit`; again for all notes if the
  /// import restarts. May be empty.
  std::function<void(const Note& note)> stored{};
  /// Whoever gives some refuses in `commit` a collection that has changed since they were read. They get no newer modification
  /// time: what a device has done with them and not sent yet wins.
  std::vector<MovedCard> moved{};
};

/// The import cannot run now: a device is syncing, the rows of an upload are being imported, or devices have synced
/// each time it was about to end. Nothing was changed; try again in some seconds.
struct ImportPutOff {
  std::string reason;
};

/// Throws PackageRefused and FileRefused with a text for the user, ImportPutOff, and Error StorageFull "over_quota",
/// "disk_full". Then nothing was changed.
ImportReport ImportPackage(Context& context, const TempFile& package, PackageKind kind,
                           const ImportOptions& options, const ImportHost& host);

/// Keeps a package that is being received, and enqueues the job that imports it. Error BadInput "empty_body",
/// "not_a_package"; StorageFull "over_quota", "disk_full".
JobId ReceivePackage(Context& context, BodySource& body, std::optional<std::size_t> bytes, PackageKind kind,
                     const std::optional<std::string>& file_name, const ImportOptions& options);

/// The options as JSON, as ReceivePackage stores them.
std::string Print(const ImportOptions& options);
ImportOptions ParseImportOptions(const std::string& json);

}  // namespace syncline::anki
