#pragma once
// The files of a deck: names, and the blobs behind them, which the account of the deck's owner holds. Whoever writes holds the
// deck's lock; the owner's row in users comes after it (BlobRefs).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/blobs.h"
#include "handlers/base/ids.h"
#include "handlers/decks/cards/file_history_store.h"
#include "handlers/decks/dialect/id_wire.h"
#include "sql/tx.h"

namespace syncline::decks {

struct MediaFile {
  std::string name{};
  std::string sha256{};  ///< 32 bytes
  BlobId blob{};
  std::int64_t size_bytes = 0;
  sql::Time updated_at{};
};

struct HeldFile {
  MediaFile file{};
  UserId owner{};
};

struct OldUpload {
  DeckId deck{};
  std::string sha256{};
  BlobId blob{};
  UserId owner{};
};

class MediaStore {
 public:
  MediaStore(sql::Tx& tx, UserId) : tx_(tx) {}

  std::vector<MediaFile> List(DeckId deck);
  /// Also what was replaced.
  std::optional<HeldFile> FindContent(DeckId deck, const std::string& sha256);
  /// Gives the name this content, whose blob is a finished one or one that the deck has already. What it had is kept
  /// (FileHistory). Throws as BlobRefs::Add.
  void Save(DeckId deck, UserId owner, const std::string& name, const BlobInfo& blob);
  /// Keeps what was received until it is confirmed.
  void SaveUpload(DeckId deck, UserId owner, const BlobInfo& blob);
  /// What was received, as its name's content. None: nothing was.
  std::optional<MediaFile> ConfirmUpload(DeckId deck, UserId owner, const std::string& name,
                                         const std::string& sha256);

  // Upkeep.
  std::vector<OldUpload> OldUploads(int limit);
  void DropUpload(const OldUpload& upload);
  /// Of a deleted deck: gives back what its owner's account holds for it.
  void ReleaseAll(DeckId deck);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::decks
