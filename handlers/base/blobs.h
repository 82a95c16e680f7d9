#pragma once
// The content-addressed store: bytes by SHA-256, in chunks of 1 MiB, streamed in constant memory.
//
// A blob is written in short transactions under a new id and becomes visible when it is complete and
// referenced; SweepBlobs removes the chunks of a killed writer after the grace period. A reader must own a
// reference: reads take (user, service). References and bytes are counted in the transaction that adds them.
// Independent of the services that use it.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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

/// Writes one blob. Chunks are committed as they fill; Finish returns the blob of these bytes, which may be
/// an older one with the same content. The destructor deletes an unfinished blob (best effort: the sweep
/// removes what it cannot).
class BlobWriter {
 public:
  explicit BlobWriter(sql::Database& database);
  ~BlobWriter();
  void Write(std::string_view bytes);
  BlobInfo Finish();

 private:
  void WriteChunk();
  struct Hash;
  sql::Database& database_;
  std::unique_ptr<Hash> hash_;
  std::string buffer_;
  std::optional<BlobId> id_;
  std::int64_t size_bytes_ = 0;
  int chunks_ = 0;
};

enum class Quota { kEnforced, kExempt };

/// References, inside the caller's transaction.
class BlobRefs {
 public:
  BlobRefs(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// Adds one reference of `service` and counts its bytes. Throws Error Conflict "blob_gone" if the blob was
  /// swept meanwhile, StorageFull "over_quota". kExempt: for another form of what the account already holds,
  /// which must not be lost for lack of quota.
  void Add(std::string_view service, const BlobInfo& blob, Quota quota = Quota::kEnforced);
  /// Drops one reference; the sweep deletes the blob when none is left.
  void Release(std::string_view service, BlobId blob);

 private:
  sql::Tx& tx_;
  UserId user_;
};

/// Streams a blob that `user` references, or `range` of it, one chunk per statement, without a long transaction.
/// Throws Error NotFound "no_such_blob" before the first byte if there is no reference.
void ReadBlob(sql::Database& database, UserId user, std::string_view service, BlobId blob,
              const std::function<void(std::string_view)>& sink,
              const std::optional<ByteRange>& range = std::nullopt);

/// Deletes unreferenced and unfinished blobs older than `grace`, at most `limit`. Returns how many.
std::int64_t SweepBlobs(sql::Database& database, std::chrono::seconds grace, std::int64_t limit);

}  // namespace syncline
