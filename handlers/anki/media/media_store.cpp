#include "handlers/anki/media/media_store.h"

#include <optional>

#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

std::optional<MediaContent> ContentOf(const sql::Row& row) {
  const auto bytes = row["size_bytes"].As<std::int64_t>();
  if (bytes == 0) return std::nullopt;
  return MediaContent{row["sha1"].As<std::string>(), bytes,
                      static_cast<std::uint32_t>(row["crc32"].As<std::int64_t>())};
}

}  // namespace

MediaHead MediaStore::Head() {
  const auto row = tx_.MaybeOne(sql::anki::find_media, user_);
  if (!row) return {};
  return {(*row)["last_usn"].As<MediaUsn>(), (*row)["files"].As<std::int64_t>()};
}

std::vector<ListedMedia> MediaStore::ChangesSince(MediaUsn usn, int limit) {
  std::vector<ListedMedia> changes;
  for (const sql::Row& row : tx_.Query(sql::anki::media_since, user_, usn, limit)) {
    changes.push_back({row[0].As<std::string>(), row[1].As<MediaUsn>(),
                       row[2].As<std::optional<std::string>>().value_or("")});
  }
  return changes;
}

std::map<std::string, StoredMedia, std::less<>> MediaStore::Find(const std::vector<std::string>& names) {
  std::map<std::string, StoredMedia, std::less<>> found;
  for (const sql::Row& row : tx_.Query(sql::anki::media_by_names, user_, names)) {
    if (auto content = ContentOf(row)) {
      found.emplace(row["name"].As<std::string>(),
                    StoredMedia{std::move(*content), row["blob_id"].As<BlobId>()});
    }
  }
  return found;
}

std::vector<MediaFile> MediaStore::FilesAfter(MediaUsn usn, int limit) {
  std::vector<MediaFile> files;
  for (const sql::Row& row : tx_.Query(sql::anki::media_to_hand_over, user_, usn, limit)) {
    files.push_back(
        {row["name"].As<std::string>(), row["usn"].As<MediaUsn>(), row["size_bytes"].As<std::int64_t>(),
         row["blob_id"].As<std::optional<BlobId>>().value_or(BlobId{}),
         row["sha1"].As<std::optional<std::string>>().value_or(""), row["changed_at"].As<sql::Time>()});
  }
  return files;
}

LockedMedia MediaStore::Lock(const std::vector<std::string>& names) {
  for (;;) {
    auto head = tx_.Ask(sql::anki::lock_media, user_);
    // Its snapshot is taken after the lock.
    const sql::Rows files = tx_.Query(sql::anki::media_by_names, user_, names);
    if (head.Get().empty()) {
      tx_.Later(sql::anki::begin_media, user_);
      continue;
    }
    LockedMedia locked{head.Get()[0]["last_usn"].As<MediaUsn>(), {}};
    for (const sql::Row& row : files) {
      locked.known.emplace(row["name"].As<std::string>(), ContentOf(row));
    }
    return locked;
  }
}

void MediaStore::Apply(const std::vector<SentMedia>& sent, const MediaChanges& changes,
                       const std::map<std::size_t, BlobId>& blobs, DeviceId device, BlobRefs& refs,
                       Quota quota) {
  if (changes.changes.empty()) return;
  std::vector<std::string> names, sha1s;
  std::vector<std::int64_t> usns, sizes, crcs, blob_ids;
  struct Held {
    std::int64_t size_bytes = 0, holders = 0;
  };
  std::map<std::int64_t, Held> held;  // by blob: two names may have equal bytes
  for (const MediaChange& change : changes.changes) {
    const SentMedia& file = sent[change.sent];
    const MediaContent content = file.content.value_or(MediaContent{});
    const std::int64_t blob = file.content ? static_cast<std::int64_t>(blobs.at(change.sent)) : 0;
    names.push_back(file.name);
    usns.push_back(change.usn);
    sizes.push_back(content.size_bytes);
    crcs.push_back(content.crc32);
    blob_ids.push_back(blob);
    sha1s.push_back(content.sha1);
    if (!file.content) continue;
    held[blob].size_bytes = content.size_bytes;
    ++held[blob].holders;
  }
  tx_.Later(sql::anki::apply_media, user_, names, usns, sizes, crcs, blob_ids, sha1s,
            static_cast<std::int64_t>(device));
  tx_.Later(sql::anki::advance_media, user_, changes.last_usn, changes.files, changes.bytes,
            changes.row_bytes, changes.has_replaced);
  if (held.empty()) {
    // Deleting a file is always allowed, but deleting a file that never existed leaves a row, too.
    const bool has_other_changes = static_cast<std::int64_t>(names.size()) > -changes.files;
    if (has_other_changes && quota == Quota::kEnforced) RequireRoom(tx_, user_, 0);
    return;
  }
  std::vector<std::int64_t> ids, bytes, holders;
  for (const auto& [id, of] : held) {
    ids.push_back(id);
    bytes.push_back(of.size_bytes);
    holders.push_back(of.holders);
  }
  // Last, because it checks the quota for all of this.
  refs.AddAll(kMediaService, ids, bytes, holders, quota);
}

void MediaStore::Advance(MediaUsn last_usn) {
  constexpr std::int64_t kNone = 0;
  tx_.Later(sql::anki::advance_media, user_, last_usn, kNone, kNone, kNone, false);
}

bool MediaStore::HasOtherChanges(MediaUsn after, MediaUsn up_to, const std::vector<std::string>& names) {
  return tx_.One(sql::anki::has_unsent_media, user_, after, up_to, names)["found"].As<bool>();
}

bool MediaStore::ExpireHistory(std::int64_t days, int limit) {
  auto head = tx_.Ask(sql::anki::lock_media, user_);
  const sql::Rows rows = tx_.Query(sql::anki::expire_media, user_, days, limit);
  std::int64_t row_bytes = 0;
  std::map<std::int64_t, std::int64_t> dropped;
  for (const sql::Row& row : rows) {
    row_bytes += MediaRowBytes(row["name"].As<std::string_view>());
    ++dropped[row["blob_id"].As<std::int64_t>()];
  }
  std::vector<std::int64_t> ids, holders;
  for (const auto& [id, count] : dropped) {
    ids.push_back(id);
    holders.push_back(count);
  }
  if (!ids.empty()) BlobRefs(tx_, user_).ReleaseAll(kMediaService, ids, holders);
  tx_.Later(sql::anki::shorten_media_history, user_, row_bytes);
  return rows.size() == limit;
}

}  // namespace syncline::anki
