#pragma once
// The content-addressed store: bytes by SHA-256, in chunks of 1 MiB, streamed in and out with flat memory.
//
// A blob is written in short transactions of its own under a fresh id and becomes visible when it is complete
// and somebody references it; a writer that dies leaves chunks that SweepBlobs removes after the grace
// period. Whoever reads must own a reference: the read takes (user, service). References and bytes are
// counted in the transaction that adds them. Shared by all services; knows none of them.
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
/// an older one with the same content. Without Finish, what was written is swept.
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

/// References, inside the transaction of whoever needs the blob.
class BlobRefs {
 public:
  BlobRefs(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// Adds one reference of `service` and counts its bytes. Error Conflict "blob_gone" when it has been swept
  /// meanwhile, StorageFull "over_quota" when the account has no room for it.
  /// kExempt: for another form of what the account holds already, which must not be lost for want of room.
  void Add(std::string_view service, const BlobInfo& blob, Quota quota = Quota::kEnforced);
  /// Takes one reference away; the blob itself goes with the sweep when nobody is left.
  void Release(std::string_view service, BlobId blob);

 private:
  sql::Tx& tx_;
  UserId user_;
};

/// Streams a blob that `user` references, one chunk a statement, outside any long transaction.
/// Error NotFound "no_such_blob" when there is no reference, before the first byte. Only the chunks of `range`
/// are read.
void ReadBlob(sql::Database& database, UserId user, std::string_view service, BlobId blob,
              const std::function<void(std::string_view)>& sink,
              const std::optional<ByteRange>& range = std::nullopt);

/// Removes blobs nobody references and unfinished ones, older than `grace`; at most `limit`. Returns how
/// many.
std::int64_t SweepBlobs(sql::Database& database, std::chrono::seconds grace, std::int64_t limit);

}  // namespace syncline
