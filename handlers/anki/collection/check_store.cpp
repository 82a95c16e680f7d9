#include "handlers/anki/collection/check_store.h"

#include <algorithm>

#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// A page takes 1 to 3 ms: rows that came with many small syncs lie on as many pages of the table.
constexpr int kPageRows = 1'000;
constexpr int kPagePoints = 100;
// About a megabyte each.
constexpr int kPagePieces = 4;

std::vector<std::string> BytesFinding(const char* what, std::int64_t counter, std::int64_t found) {
  if (counter == found) return {};
  return {std::string(what) + ": counter says " + std::to_string(counter) + " bytes, there are " +
          std::to_string(found)};
}

}  // namespace

std::vector<UserId> CheckStore::AccountsAfter(UserId after, int limit) {
  return tx_.Query(sql::anki::check_accounts, after, limit).Column<UserId>("user_id");
}

bool CheckStore::CountPage(const sql::Statement& statement, const Collection& collection, std::int64_t& after,
                           std::int64_t& rows, std::int64_t& unlisted, Counted& counted) {
  const sql::Row page =
      tx_.One(statement, user_, collection.generation, collection.base_usn, after, kPageRows);
  rows += page["rows"].As<std::int64_t>();
  unlisted += page["unlisted"].As<std::int64_t>();
  counted.newest_usn = std::max(counted.newest_usn, page["newest_usn"].As<std::int64_t>());
  if (page["last_id"].IsNull()) return false;
  after = page["last_id"].As<std::int64_t>();
  return true;
}

bool CheckStore::CountCards(const Collection& collection, std::int64_t& after, Counted& counted) {
  return CountPage(sql::anki::check_cards, collection, after, counted.counts.cards, counted.unlisted_cards,
                   counted);
}

bool CheckStore::CountNotes(const Collection& collection, std::int64_t& after, Counted& counted) {
  return CountPage(sql::anki::check_notes, collection, after, counted.counts.notes, counted.unlisted_notes,
                   counted);
}

bool CheckStore::CountReviews(const Collection& collection, std::int64_t& after, Counted& counted) {
  return CountPage(sql::anki::check_revlog, collection, after, counted.counts.revlog,
                   counted.unlisted_reviews, counted);
}

void CheckStore::CountSmallObjects(const Collection& collection, Counted& counted) {
  const sql::Row row = tx_.One(sql::anki::check_counts, user_, collection.generation);
  counted.counts.notetypes = row["notetypes"].As<std::int64_t>();
  counted.counts.decks = row["decks"].As<std::int64_t>();
  counted.counts.deck_configs = row["deck_configs"].As<std::int64_t>();
  counted.newest_usn = std::max(counted.newest_usn, row["newest_usn"].As<std::int64_t>());
}

std::vector<UserId> CheckStore::UncountedAfter(UserId after, int limit) {
  return tx_.Query(sql::anki::uncounted_collections, after, limit).Column<UserId>("user_id");
}

void CheckStore::CountContent() {
  const auto collection = CollectionStore(tx_, user_).Lock();
  if (!collection || !collection->IsImported()) return;
  if (tx_.MaybeOne(sql::anki::find_content, user_)) return;
  const sql::Row counted = tx_.One(sql::anki::count_content, user_, collection->generation);
  tx_.Later(sql::anki::remember_content, user_, counted["bytes"].As<std::int64_t>(),
            counted["has_long_data"].As<bool>());
}

std::vector<std::string> CheckStore::ContentFindings() {
  const auto collection = CollectionStore(tx_, user_).Find();
  const auto kept = tx_.MaybeOne(sql::anki::find_content, user_);
  if (!collection || !collection->IsImported() || !kept) return {};
  const auto counter = (*kept)["content_bytes"].As<std::int64_t>();
  const auto found =
      tx_.One(sql::anki::count_content, user_, collection->generation)["bytes"].As<std::int64_t>();
  return BytesFinding("texts", counter, found);
}

std::vector<std::string> CheckStore::PointFindings() {
  const auto row = tx_.MaybeOne(sql::anki::check_points, user_);
  if (!row) return {};
  return BytesFinding("history", (*row)["counter"].As<std::int64_t>(), (*row)["found"].As<std::int64_t>());
}

bool CheckStore::CheckPoints(OldPosition& after, CheckedHistory& checked) {
  const sql::Row page = tx_.One(sql::anki::check_point_rows, user_, after.generation, after.usn, kPagePoints);
  if (page["last_generation"].IsNull()) return false;
  after = {page["last_generation"].As<std::int32_t>(), page["last_usn"].As<Usn>(), 0};
  checked.incomplete_points += page["incomplete"].As<std::int64_t>();
  checked.lost_points += page["without_collection"].As<std::int64_t>();
  return true;
}

bool CheckStore::CheckPieces(const sql::Statement& statement, OldPosition& after, CheckedHistory& checked) {
  const sql::Row page = tx_.One(statement, user_, after.generation, after.usn, after.piece, kPagePieces);
  if (page["last_generation"].IsNull()) return false;
  after = {page["last_generation"].As<std::int32_t>(), page["last_usn"].As<Usn>(),
           page["last_piece"].As<std::int64_t>()};
  checked.damaged_pieces += page["damaged"].As<std::int64_t>();
  checked.stray_rows += page["without_point"].As<std::int64_t>();
  return true;
}

bool CheckStore::CheckOldCards(OldPosition& after, CheckedHistory& checked) {
  return CheckPieces(sql::anki::check_old_cards, after, checked);
}

bool CheckStore::CheckOldNotes(OldPosition& after, CheckedHistory& checked) {
  return CheckPieces(sql::anki::check_old_notes, after, checked);
}

void CheckStore::CheckOldRest(CheckedHistory& checked) {
  checked.stray_rows += tx_.One(sql::anki::check_old_rest, user_)["without_point"].As<std::int64_t>();
}

std::vector<std::string> CheckStore::FileFindings() {
  std::vector<std::string> findings;
  for (const sql::Row& row : tx_.Query(sql::anki::check_blobs, user_)) {
    findings.push_back("generation " + std::to_string(row["generation"].As<std::int32_t>()) +
                       ": base file has no blob or reference");
  }
  for (const sql::Row& row : tx_.Query(sql::anki::check_references, user_)) {
    findings.push_back("blob " + std::to_string(row["blob_id"].As<std::int64_t>()) + ": " +
                       std::to_string(row["holders"].As<std::int32_t>()) + " references counted, " +
                       std::to_string(row["found"].As<std::int64_t>()) + " found");
  }
  return findings;
}

}  // namespace syncline::anki
