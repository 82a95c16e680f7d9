#include "handlers/decks/files/media_store.h"

#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

MediaFile ReadFile(const sql::Row& row) {
  return {row["name"].As<std::string>(), row["sha256"].As<std::string>(), row["blob_id"].As<BlobId>(),
          row["size_bytes"].As<std::int64_t>(), row["updated_at"].As<sql::Time>()};
}

}  // namespace

std::vector<MediaFile> MediaStore::List(DeckId deck) {
  std::vector<MediaFile> files;
  for (const sql::Row row : tx_.Query(sql::decks::list_media, deck)) files.push_back(ReadFile(row));
  return files;
}

std::optional<HeldFile> MediaStore::FindContent(DeckId deck, const std::string& sha256) {
  const auto row = tx_.MaybeOne(sql::decks::find_media_by_content, deck, sql::AsBytes(sha256));
  if (!row) return std::nullopt;
  return HeldFile{ReadFile(*row), (*row)["user_id"].As<UserId>()};
}

void MediaStore::Save(DeckId deck, UserId owner, const std::string& name, const BlobInfo& blob) {
  const auto old = tx_.MaybeOne(sql::decks::find_media_by_name, deck, name);
  if (old && (*old)["sha256"].As<std::string>() == blob.sha256) return;
  BlobRefs(tx_, owner).Add(kBlobService, blob);
  if (old) FileHistory(tx_, owner).Keep(deck, owner, name);
  tx_.Execute(sql::decks::save_media, deck, name, sql::AsBytes(blob.sha256), blob.id, blob.size_bytes);
}

void MediaStore::SaveUpload(DeckId deck, UserId owner, const BlobInfo& blob) {
  const auto added =
      tx_.MaybeOne(sql::decks::save_upload, deck, sql::AsBytes(blob.sha256), blob.id, blob.size_bytes);
  if (added) BlobRefs(tx_, owner).Add(kBlobService, blob);
}

std::optional<MediaFile> MediaStore::ConfirmUpload(DeckId deck, UserId owner, const std::string& name,
                                                   const std::string& sha256) {
  const auto row = tx_.MaybeOne(sql::decks::take_upload, deck, sql::AsBytes(sha256));
  if (!row) return std::nullopt;
  const BlobInfo blob{(*row)["blob_id"].As<BlobId>(), sha256, (*row)["size_bytes"].As<std::int64_t>()};
  Save(deck, owner, name, blob);
  BlobRefs(tx_, owner).Release(kBlobService, blob.id);
  return MediaFile{name, sha256, blob.id, blob.size_bytes, {}};
}

std::vector<OldUpload> MediaStore::OldUploads(int limit) {
  std::vector<OldUpload> uploads;
  for (const sql::Row row : tx_.Query(sql::decks::list_old_uploads, limit)) {
    uploads.push_back({row["deck_id"].As<DeckId>(), row["sha256"].As<std::string>(),
                       row["blob_id"].As<BlobId>(), row["user_id"].As<UserId>()});
  }
  return uploads;
}

void MediaStore::DropUpload(const OldUpload& upload) {
  if (tx_.MaybeOne(sql::decks::take_upload, upload.deck, sql::AsBytes(upload.sha256)))
    BlobRefs(tx_, upload.owner).Release(kBlobService, upload.blob);
}

void MediaStore::ReleaseAll(DeckId deck) {
  const auto owner = tx_.MaybeOne(sql::decks::owner_of_deck, deck);
  if (!owner) return;
  const sql::Rows rows = tx_.Query(sql::decks::list_blobs_of_deck, deck);
  if (rows.empty()) return;
  BlobRefs(tx_, (*owner)["user_id"].As<UserId>())
      .ReleaseAll(kBlobService, rows.Column<std::int64_t>("blob_id"), rows.Column<std::int64_t>("holders"));
  tx_.Execute(sql::decks::drop_files_of_deck, deck);
  tx_.Execute(sql::decks::drop_replaced_of_deck, deck);
  tx_.Execute(sql::decks::drop_uploads_of_deck, deck);
}

}  // namespace syncline::decks
