#pragma once
// The media of one account: its head (last usn and counters, which is also the lock), its files, and their
// history.
//
// Lock order: the head, then the account (if it has a quota), then blobs. A batch is one transaction:
//   head = store.Lock(names); changes = DecideMedia(sent, head.known, head.last_usn);
//   store.Apply(sent, changes, blobs)
// Every change of an account's media holds the lock, so a usn is committed before the next one is assigned.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/media/media_rules.h"
#include "handlers/anki/media/media_wire.h"
#include "handlers/base/blobs.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

inline constexpr std::string_view kMediaService = "anki_media";  ///< owner of the blobs
/// Bytes of files that one transaction stores, or one answer reads, in memory: together with the rest of the message less
/// than what a connection keeps a buffer for.
inline constexpr std::size_t kMediaBatchBytes = std::size_t{15} << 18;

struct MediaHead {
  MediaUsn last_usn = 0;
  std::int64_t files = 0;
};

struct LockedMedia {
  MediaUsn last_usn = 0;
  KnownMediaByName known;  ///< of the names asked for
};

/// A file that is not deleted, for a download.
struct StoredMedia {
  MediaContent content;
  BlobId blob{};
};

/// A name with what it has now.
struct MediaFile {
  std::string name;
  MediaUsn usn = 0;
  std::int64_t size_bytes = 0;  ///< 0: deleted, and the next two are empty
  BlobId blob{};
  std::string sha1;
  sql::Time changed_at;
};

class MediaStore {
 public:
  MediaStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Zeros for an account that never had media.
  MediaHead Head();
  /// At most `limit` changes after `usn`, in the order of their usns. A usn above the account's counts as 0:
  /// the client has it from another server.
  std::vector<ListedMedia> ChangesSince(MediaUsn usn, int limit);
  /// Those of the names that have a file now.
  std::map<std::string, StoredMedia, std::less<>> Find(const std::vector<std::string>& names);

  /// At most `limit` files, deleted ones too, in the order of their usns.
  std::vector<MediaFile> FilesAfter(MediaUsn usn, int limit);

  /// Locks the head; creates it for an account without media.
  LockedMedia Lock(const std::vector<std::string>& names);
  /// Stores the changes, sent by `device`, and the references to the blobs. `blobs`: that of each sent file with content
  /// that is among the changes, by its index in `sent`; they must be locked. Throws as BlobRefs::Add.
  /// Replaced files go to the history, which keeps their references.
  void Apply(const std::vector<SentMedia>& sent, const MediaChanges& changes,
             const std::map<std::size_t, BlobId>& blobs, DeviceId device, BlobRefs& refs,
             Quota quota = Quota::kEnforced);
  /// Sets the account's usn without a change. The caller holds the lock; the usn is not below the last one.
  void Advance(MediaUsn last_usn);
  /// Whether one of the changes after usn `after` and up to `up_to` is of a file that is not in `names`.
  bool HasOtherChanges(MediaUsn after, MediaUsn up_to, const std::vector<std::string>& names);

  /// Deletes at most `limit` replaced files from the history, older than `days` days. False: there are no
  /// more.
  bool ExpireHistory(std::int64_t days, int limit);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
