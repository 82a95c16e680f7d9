#pragma once
// The content-addressed store: bytes by SHA-256, in chunks of 1 MiB, streamed in constant memory.
//
// A blob is written in short transactions under a new id and becomes visible when it is complete and
// referenced; SweepBlobs removes the chunks of a killed writer after the grace period. A reader must own a
// reference: reads take (user, service). References and bytes are counted in the transaction that adds them.
// Room in the quota is reserved before the first byte, so that what does not fit is never stored.
// Independent of the services that use it.
//
// The order of a write:
//   Reservation room(database, user, expected);    // refuses before anything is read
//   BlobWriter writer(database, &room);            // one or more of them
//   writer.Write(...); blob = writer.Finish();
//   in one transaction: room.Settle(tx); BlobRefs(tx, user).Add(service, blob);
//   writer.Keep();                                 // after the commit
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/base/range.h"
#include "handlers/base/response.h"
#include "sql/database.h"

namespace syncline {

inline constexpr std::size_t kBlobChunkBytes = 1 << 20;

struct BlobInfo {
  BlobId id{};
  std::string sha256;  ///< 32 bytes
  std::int64_t size_bytes = 0;
};

/// Room in an account's quota for what is being written, in bytes. Parallel writers of an account together
/// never pass the quota: each takes its room first, and what others have reserved counts as used. The
/// destructor gives the room back; that of a killed process is free again after 15 minutes. Costs nothing for
/// an account without a quota.
class Reservation {
 public:
  /// Takes room for `bytes`, or for one byte if it is 0 (unknown). Throws Error StorageFull "over_quota".
  Reservation(sql::Database& database, UserId user, std::int64_t bytes);
  ~Reservation();
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  /// Called by writers before they store further `bytes`. Extends the reservation if necessary, in steps of
  /// 16 MiB or by the rest of the quota. Throws Error StorageFull "over_quota".
  void Use(std::int64_t bytes);
  /// Releases the reservation in the transaction that adds the reference, so that no other writer can take
  /// the room in between. Add counts the exact size.
  void Settle(sql::Tx& tx);
  /// Whether the account has a quota.
  bool IsLimited() const { return is_limited_; }
  UserId user() const { return user_; }

 private:
  void Reserve(std::int64_t least, std::int64_t wanted);

  sql::Database& database_;
  UserId user_;
  std::int64_t id_;
  std::int64_t used_ = 0;
  std::int64_t reserved_ = 0;
  bool is_limited_ = true;  // the account has a quota
  std::chrono::steady_clock::time_point renewed_at_{};
};

/// Writes one blob. Chunks are committed as they fill; Finish returns the blob of these bytes, which may be
/// an older one with the same content; if only other accounts reference that one, Finish takes no less time and leaves what
/// was written to the sweep. Unless Keep is called, the destructor deletes what was written (best
/// effort: the sweep removes what it cannot).
class BlobWriter {
 public:
  /// `room`: null for content of a bounded size, and for another form of what the account already holds.
  explicit BlobWriter(sql::Database& database, Reservation* room = nullptr);
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;

  void Write(std::string_view bytes);
  BlobInfo Finish();
  /// Call when the finished blob is referenced, or should stay for the sweep's grace period.
  void Keep() { id_.reset(); }

 private:
  void WriteChunk();
  void Discard() noexcept;
  struct Hash;
  sql::Database& database_;
  Reservation* room_;
  std::unique_ptr<Hash> hash_;
  std::string buffer_;
  std::optional<BlobId> id_;             // written by this writer and not kept
  std::optional<std::int64_t> version_;  // of the finished blob's row; none: not finished
  std::int64_t size_bytes_ = 0;
  int chunks_ = 0;
};

enum class Quota { kEnforced, kExempt };

/// Error StorageFull "over_quota" if the account has no room for `bytes` more, which the caller then stores in
/// this transaction as rows. Locks the account. For what is not a blob.
void RequireRoom(sql::Tx& tx, UserId user, std::int64_t bytes);

/// Deduplicated small contents with their hashes, for BlobRefs::Store. They are hashed when they are added,
/// before the transaction.
class SmallContents {
 public:
  /// `content`: at most one chunk. Returns its index, which equal contents share.
  std::size_t Add(std::string content);
  const std::vector<std::string>& sha256s() const { return sha256s_; }
  const std::vector<std::string>& contents() const { return contents_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::unordered_map<std::string, std::size_t> index_;  // by hash
  std::vector<std::string> sha256s_, contents_;
  std::size_t bytes_ = 0;
};

/// References, inside the caller's transaction.
class BlobRefs {
 public:
  BlobRefs(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// Adds one reference of `service` and counts its bytes. Throws Error Conflict "blob_gone" if the blob was
  /// swept meanwhile, StorageFull "over_quota" if the account then holds, and its writers have reserved, more
  /// than its quota. kExempt: for another form of what the account already holds,
  /// which must not be lost for lack of quota.
  void Add(std::string_view service, const BlobInfo& blob, Quota quota = Quota::kEnforced);
  /// Drops one reference; the sweep deletes the blob when none is left.
  void Release(std::string_view service, BlobId blob);

  // For many small blobs in a few round trips, in this order within one transaction:

  /// Stores contents of at most one chunk each, under their SHA-256 hashes, which must differ (SmallContents); returns their
  /// ids. Contents that another account has are not stored twice, but the call takes the same time, so that
  /// nobody can find out. They are safe from the sweep until the transaction ends. Locks the account if it
  /// has a quota. Throws as Add.
  std::vector<BlobId> Store(std::string_view service, const std::vector<std::string>& sha256s,
                            const std::vector<std::string>& contents);
  /// Keeps finished blobs, in any order, from the sweep until the transaction ends. Throws Error Conflict "blob_gone".
  void Lock(std::vector<std::int64_t> blobs);
  /// Adds `holders` references to each of these blobs, which must differ and be locked or stored before. Throws as Add.
  void AddAll(std::string_view service, const std::vector<std::int64_t>& blobs,
              const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& holders,
              Quota quota = Quota::kEnforced);
  /// Drops `holders` references of each. The caller must prevent other transactions from changing them
  /// meanwhile.
  void ReleaseAll(std::string_view service, const std::vector<std::int64_t>& blobs,
                  const std::vector<std::int64_t>& holders);

 private:
  bool HasQuota();

  sql::Tx& tx_;
  UserId user_;
  std::optional<bool> has_quota_;  // known once its row is locked
};

/// Streams a blob that `user` references, or `range` of it, one chunk per statement, without a long transaction.
/// Throws Error NotFound "no_such_blob" before the first byte if there is no reference.
void ReadBlob(sql::Database& database, UserId user, std::string_view service, BlobId blob,
              const std::function<void(std::string_view)>& sink,
              const std::optional<ByteRange>& range = std::nullopt);

/// Several blobs of one chunk that `user` references, in one statement: calls `blob` with each, in any order. Those without
/// a reference are left out.
void ReadContents(sql::Tx& tx, UserId user, std::string_view service, const std::vector<std::int64_t>& blobs,
                  const std::function<void(BlobId, std::string_view)>& blob);

/// Deletes unreferenced and unfinished blobs older than `grace`, at most `limit`, and expired reservations.
/// Returns how many blobs. Each transaction deletes some tens of MiB, whatever the number and size of the
/// blobs; one that exceeds the statement timeout is halved. `between_steps` may throw to stop it; the next
/// call continues.
std::int64_t SweepBlobs(
    sql::Database& database, std::chrono::seconds grace, std::int64_t limit,
    const std::function<void()>& between_steps = [] {});

}  // namespace syncline
