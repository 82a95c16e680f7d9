#include "handlers/decks/cards/file_history_store.h"

#include <map>
#include <utility>
#include <vector>

#include "sql/queries/decks.h"

namespace syncline::decks {

void FileHistory::KeepAll(DeckId deck, UserId owner, const std::vector<std::string>& names) {
  // A content that this version has kept already needs no second reference.
  std::map<std::int64_t, std::int64_t> known;
  for (const sql::Row row : tx_.Query(sql::decks::keep_media, deck, names)) {
    if (!row["is_kept"].As<bool>()) ++known[row["blob_id"].As<std::int64_t>()];
  }
  std::vector<std::int64_t> blobs, holders;
  for (const auto& [blob, count] : known) {
    blobs.push_back(blob);
    holders.push_back(count);
  }
  if (!blobs.empty()) BlobRefs(tx_, owner).ReleaseAll(kBlobService, blobs, holders);
}

void FileHistory::Keep(DeckId deck, UserId owner, const std::string& name) {
  KeepAll(deck, owner, {name});
}

std::int64_t FileHistory::Restore(DeckId deck, UserId owner, Version version) {
  std::vector<std::string> names, hashes;
  std::vector<std::int64_t> ids, bytes;
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> held;  // size and references, by blob
  for (const sql::Row row : tx_.Query(sql::decks::list_media_at, deck, version)) {
    names.push_back(row["name"].As<std::string>());
    hashes.push_back(row["sha256"].As<std::string>());
    ids.push_back(row["blob_id"].As<std::int64_t>());
    bytes.push_back(row["size_bytes"].As<std::int64_t>());
    auto& [size, count] = held[ids.back()];
    size = bytes.back();
    ++count;
  }
  if (names.empty()) return 0;
  std::vector<std::int64_t> blobs, sizes, holders;
  for (const auto& [blob, one] : held) {
    blobs.push_back(blob);
    sizes.push_back(one.first);
    holders.push_back(one.second);
  }
  BlobRefs refs(tx_, owner);
  refs.Lock(blobs);
  // What the deck holds already; a rollback must not fail for lack of room.
  refs.AddAll(kBlobService, blobs, sizes, holders, Quota::kExempt);
  KeepAll(deck, owner, names);
  tx_.Execute(sql::decks::restore_media, deck, names, hashes, ids, bytes);
  return static_cast<std::int64_t>(names.size());
}

}  // namespace syncline::decks
