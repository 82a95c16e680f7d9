#pragma once
// Which contents a vault takes, and which of them becomes what readers get. Pure.
#include <optional>
#include <string>

#include "handlers/vault/content/content_rules.h"
#include "handlers/vault/tree/path_rules.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/version_store.h"

namespace syncline::vault {

/// Whether the entries of a zip of this name have to be read.
bool LooksIntoZips(const Vault& vault, const Path& path);

/// For each piece, before it is kept. Throws Error Unprocessable as CheckContent as soon as that is certain.
void CheckBeginning(const Vault& vault, const Path& path, const ContentScan& scan);

/// For the whole. Throws Error Unprocessable
///   "plaintext_refused"  plaintext of a database where encryption is required, also within a zip
///   "not_encrypted"      where encryption is required, the database is not encrypted as the desktop does it
///   "archive_refused"    where encryption is required, an archive that cannot be looked into
///   "documents_refused"  where encryption is required, other files, which the vault does not take
///   "zip_..."            see ZipReport::problem: of a database's name, or where encryption is required
void CheckContent(const Vault& vault, const Path& path, const ContentReport& report);

/// The state of a content that was not refused. `last_counter`: the greatest one of the same device.
VersionState StateOf(const Path& path, const ContentReport& report, std::optional<std::int64_t> last_counter);

/// Whether it becomes the head. What is not good never replaces what is.
bool BecomesHead(VersionState state, const std::optional<Head>& head);

/// Something for the owner to know about a content that was taken; empty: nothing.
std::string WarningOf(const Vault& vault, const Path& path, const ContentReport& report, VersionState state);

}  // namespace syncline::vault
