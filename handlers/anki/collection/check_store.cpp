#include "handlers/anki/collection/check_store.h"

#include "handlers/anki/collection/collection_store.h"
#include "sql/queries/anki.h"

namespace syncline::anki {

std::vector<UserId> CheckStore::AccountsAfter(UserId after, int limit) {
  std::vector<UserId> accounts;
  for (const sql::Row& row : tx_.Query(sql::anki::check_accounts, after, limit)) {
    accounts.push_back(row["user_id"].As<UserId>());
  }
  return accounts;
}

std::vector<std::string> CheckStore::Findings() {
  std::vector<std::string> findings;
  const auto collection = CollectionStore(tx_, user_).Find();
  // During an import there are fewer rows than the counters say.
  if (collection && collection->IsImported()) {
    const sql::Row counted = tx_.One(sql::anki::check_counts, user_, collection->generation);
    const auto compare = [&](const char* column, std::int64_t counter) {
      const auto rows = counted[column].As<std::int64_t>();
      if (rows == counter) return;
      findings.push_back(std::string(column) + ": counter says " + std::to_string(counter) + ", there are " +
                         std::to_string(rows));
    };
    compare("cards", collection->counts.cards);
    compare("notes", collection->counts.notes);
    compare("revlog", collection->counts.revlog);
    compare("notetypes", collection->counts.notetypes);
    compare("decks", collection->counts.decks);
    compare("deck_configs", collection->counts.deck_configs);
    const auto newest = counted["newest_usn"].As<std::int64_t>();
    if (newest >= collection->meta.usn) {
      findings.push_back("a row has usn " + std::to_string(newest) + ", the collection is at " +
                         std::to_string(collection->meta.usn));
    }
    const sql::Row unlisted =
        tx_.One(sql::anki::check_unlisted, user_, collection->generation, collection->base_usn);
    for (const char* table : {"cards", "notes", "revlog"}) {
      const auto rows = unlisted[table].As<std::int64_t>();
      if (rows > 0)
        findings.push_back(std::string(table) + ": " + std::to_string(rows) + " changed but not listed");
    }
  }
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
