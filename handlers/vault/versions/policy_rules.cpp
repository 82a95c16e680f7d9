#include "handlers/vault/versions/policy_rules.h"

#include "handlers/base/errors.h"

namespace syncline::vault {
namespace {

constexpr std::string_view kDatabase = "cordiax.db";

Error Refused(const char* code) {
  return {ErrorKind::kUnprocessable, code};
}

// Of the two names of the desktop's database: the file itself, or a zip with it.
bool IsBareDatabase(const Path& path) {
  return !path.empty() && path.back().key == kDatabase;
}
bool IsZippedDatabase(const Path& path) {
  return IsDocument(path) && !IsBareDatabase(path);
}

void CheckZip(const Vault& vault, const Path& path, const ZipReport& zip) {
  if (zip.state == ZipState::kRefused) throw Refused(zip.problem);
  if (!vault.requires_encryption) return;
  if (zip.has_plaintext) throw Refused("plaintext_refused");
  if (zip.state == ZipState::kHidden) throw Refused("archive_refused");
  if (zip.has_unknown_archive && !vault.allows_archives) throw Refused("archive_refused");
  if (zip.state != ZipState::kComplete) return;
  if (zip.database && *zip.database != ContentClass::kCordiaxFernet) throw Refused("not_encrypted");
  if (zip.has_documents && vault.documents == DocumentsPolicy::kReject) throw Refused("documents_refused");
  if (!IsDocument(path) && !zip.database && vault.documents == DocumentsPolicy::kReject)
    throw Refused("documents_refused");
}

}  // namespace

bool LooksIntoZips(const Vault& vault, const Path& path) {
  return vault.requires_encryption || IsZippedDatabase(path);
}

void CheckBeginning(const Vault& vault, const Path& path, const ContentScan& scan) {
  const ContentReport& report = scan.report();
  if (report.content_class == ContentClass::kZip) {
    if (LooksIntoZips(vault, path)) CheckZip(vault, path, report.zip);
    return;
  }
  if (!vault.requires_encryption) return;
  if (report.MayHavePlaintext()) throw Refused("plaintext_refused");
  if (IsBareDatabase(path) && scan.HasBeginning() && !scan.MayBeFernet()) throw Refused("not_encrypted");
}

void CheckContent(const Vault& vault, const Path& path, const ContentReport& report) {
  if (report.content_class == ContentClass::kEmpty) return;
  if (report.content_class == ContentClass::kZip) {
    if (!LooksIntoZips(vault, path)) return;
    CheckZip(vault, path, report.zip);
    // Also one that was cut off: what follows may be anything.
    if (vault.requires_encryption && (report.zip.state != ZipState::kComplete || IsBareDatabase(path)))
      throw Refused("archive_refused");
    return;
  }
  if (!vault.requires_encryption) return;
  if (report.MayHavePlaintext()) throw Refused("plaintext_refused");
  if (report.content_class == ContentClass::kCordiaxFernet) return;
  if (IsDocument(path)) throw Refused("not_encrypted");
  if (report.is_other_archive && !vault.allows_archives) throw Refused("archive_refused");
  if (vault.documents == DocumentsPolicy::kReject) throw Refused("documents_refused");
}

VersionState StateOf(const Path& path, const ContentReport& report,
                     std::optional<std::int64_t> last_counter) {
  if (!IsDocument(path)) return VersionState::kOk;
  if (report.content_class == ContentClass::kEmpty) return VersionState::kEmpty;
  if (IsZippedDatabase(path)) {
    if (report.zip.state != ZipState::kComplete) return VersionState::kSuspect;
    if (!report.zip.database) return VersionState::kPartial;
    return *report.zip.database == ContentClass::kSqlitePlain ||
                   *report.zip.database == ContentClass::kCordiaxFernet
               ? VersionState::kOk
               : VersionState::kSuspect;
  }
  if (report.content_class == ContentClass::kCordiaxFernet) return VersionState::kOk;
  if (report.content_class != ContentClass::kSqlitePlain || report.is_torn) return VersionState::kSuspect;
  // The file is older than what this device has sent before.
  if (last_counter && report.change_counter && *report.change_counter < *last_counter)
    return VersionState::kSuspect;
  return VersionState::kOk;
}

bool BecomesHead(VersionState state, const std::optional<Head>& head) {
  if (state == VersionState::kOk) return true;
  return state == VersionState::kSuspect && (!head || head->state == "suspect");
}

std::string WarningOf(const Vault& vault, const Path& path, const ContentReport& report, VersionState state) {
  switch (state) {
    case VersionState::kSuspect:
      return "The file is damaged, cut off, or older than the one before. It is kept, but a good one stays "
             "in its place.";
    case VersionState::kPartial:
      return "The archive has no database. It is kept, but the one before stays in its place.";
    case VersionState::kEmpty:
      return "The file is empty. The one before stays in its place.";
    case VersionState::kOk:
    case VersionState::kConflict:
      break;
  }
  if (!vault.requires_encryption || vault.documents != DocumentsPolicy::kWarn) return {};
  const bool is_open_file = !IsDocument(path) && report.content_class == ContentClass::kOther;
  return is_open_file || report.zip.has_documents ? "Files beside the database are not encrypted." : "";
}

}  // namespace syncline::vault
