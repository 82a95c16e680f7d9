#include "handlers/anki/media/media_check_store.h"

#include <algorithm>

#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// Each row asks for its blob and its reference: a page takes some 20 ms.
constexpr int kPageRows = 2'000;

}  // namespace

std::vector<UserId> MediaCheckStore::AccountsAfter(UserId after, int limit) {
  return tx_.Query(sql::anki::check_media_accounts, after, limit).Column<UserId>("user_id");
}

std::optional<MediaTotals> MediaCheckStore::Head() {
  const auto row = tx_.MaybeOne(sql::anki::check_media_head, user_);
  if (!row) return std::nullopt;
  return MediaTotals{(*row)["last_usn"].As<MediaUsn>(), (*row)["files"].As<std::int64_t>(),
                     (*row)["bytes"].As<std::int64_t>(), (*row)["row_bytes"].As<std::int64_t>()};
}

bool MediaCheckStore::CountPage(const sql::Statement& statement, MediaUsn& after, CountedMedia& counted,
                                bool is_current) {
  const sql::Row page = tx_.One(statement, user_, after, kPageRows);
  counted.totals.row_bytes += page["row_bytes"].As<std::int64_t>();
  counted.without_blob += page["without_blob"].As<std::int64_t>();
  counted.without_reference += page["without_reference"].As<std::int64_t>();
  if (is_current) {
    counted.totals.files += page["files"].As<std::int64_t>();
    counted.totals.bytes += page["bytes"].As<std::int64_t>();
  }
  if (page["last_usn"].IsNull()) return false;
  after = page["last_usn"].As<MediaUsn>();
  counted.totals.last_usn = std::max(counted.totals.last_usn, after);
  return true;
}

bool MediaCheckStore::CountFiles(MediaUsn& after, CountedMedia& counted) {
  return CountPage(sql::anki::check_media_files, after, counted, /*is_current=*/true);
}

bool MediaCheckStore::CountHistory(MediaUsn& after, CountedMedia& counted) {
  return CountPage(sql::anki::check_media_history, after, counted, /*is_current=*/false);
}

std::vector<std::string> MediaCheckStore::ReferenceFindings() {
  std::vector<std::string> findings;
  for (const sql::Row& row : tx_.Query(sql::anki::check_media_references, user_)) {
    findings.push_back("media blob " + std::to_string(row["blob_id"].As<std::int64_t>()) + ": " +
                       std::to_string(row["holders"].As<std::int32_t>()) + " references counted, " +
                       std::to_string(row["found"].As<std::int64_t>()) + " found");
  }
  return findings;
}

}  // namespace syncline::anki
