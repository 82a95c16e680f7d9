// Lock order: users, blobs, blob_refs, usage. The sweep locks only blobs, and skips locked ones.
//
// Crashes and races, and what then holds:
//   a writer is killed          its blob has no hash, so no lookup finds it; the sweep deletes it after the
//                               grace period
//   two write the same bytes    the unique index lets one finish; the other waits for it and takes that blob
//   sweep against Add           the sweep locks a blob, then looks for references in a new snapshot; Add
//                               locks the blob before it references it. So either Add comes first and is
//                               seen, or it finds the blob gone
//   sweep against Finish        Finish touches the blob it found, or finds none and writes; the grace period
//                               leaves time for Add
#include "handlers/base/blobs.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "handlers/base/errors.h"
#include "sql/errors.h"
#include "sql/queries/blobs.h"

namespace syncline {
namespace {

// Each further loss of the race to finish means that the same bytes were finished and swept in between.
constexpr int kFinishTries = 3;
// Blobs per sweep transaction. Transactions that reference one of them wait for it, so it is short.
constexpr std::int64_t kSweepBatch = 20;

}  // namespace

struct BlobWriter::Hash {
  Hash() : context(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
      throw Error(ErrorKind::kInternal, "internal", "SHA-256 is not available");
    }
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context;
};

BlobWriter::BlobWriter(sql::Database& database) : database_(database), hash_(std::make_unique<Hash>()) {}

BlobWriter::~BlobWriter() {
  if (!id_) return;
  // Not finished. The sweep would delete it, but a client that keeps disconnecting must not fill the disk
  // until then.
  try {
    database_.Write([&](sql::Tx& tx) { tx.Execute(sql::blobs::drop_unfinished_blob, *id_); });
  } catch (const std::exception&) {
  }
}

void BlobWriter::Write(std::string_view bytes) {
  EVP_DigestUpdate(hash_->context.get(), bytes.data(), bytes.size());
  size_bytes_ += static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    // Only if more bytes follow: content of exactly one chunk is still a small blob.
    if (buffer_.size() == kBlobChunkBytes) WriteChunk();
    const std::string_view part = bytes.substr(0, kBlobChunkBytes - buffer_.size());
    buffer_.append(part);
    bytes.remove_prefix(part.size());
  }
}

void BlobWriter::WriteChunk() {
  if (!id_) {
    id_ = database_.Write([](sql::Tx& tx) { return tx.One(sql::blobs::begin_blob)["blob_id"].As<BlobId>(); });
  }
  // One transaction per chunk: a long upload holds no old snapshot. A chunk is a row of its own, so a retry
  // after a lost connection cannot store it twice.
  const auto added = database_.Write(
      [&](sql::Tx& tx) { return tx.Execute(sql::blobs::add_chunk, *id_, chunks_, sql::AsBytes(buffer_)); });
  if (added != 1) throw Conflict("blob_gone", "swept while it was being written");
  ++chunks_;
  buffer_.clear();
}

BlobInfo BlobWriter::Finish() {
  std::string sha256(32, '\0');
  EVP_DigestFinal_ex(hash_->context.get(), reinterpret_cast<unsigned char*>(sha256.data()), nullptr);
  if (chunks_ > 0) WriteChunk();
  for (int attempt = 1;; ++attempt) {
    try {
      const BlobId id = database_.Write([&](sql::Tx& tx) {
        if (const auto known = tx.MaybeOne(sql::blobs::touch_content, sha256)) {
          if (id_) tx.Later(sql::blobs::drop_unfinished_blob, *id_);
          return (*known)["blob_id"].As<BlobId>();
        }
        if (!id_) {
          return tx.One(sql::blobs::insert_small_blob, sha256, sql::AsBytes(buffer_))["blob_id"].As<BlobId>();
        }
        if (tx.Execute(sql::blobs::finish_blob, *id_, sha256, size_bytes_) != 1) {
          throw Conflict("blob_gone", "swept while it was being written");
        }
        return *id_;
      });
      id_.reset();
      return {id, std::move(sha256), size_bytes_};
    } catch (const sql::ConstraintViolated& e) {
      if (e.constraint() != "blobs_sha256" || attempt == kFinishTries) throw;
    }
  }
}

void BlobRefs::Add(std::string_view service, const BlobInfo& blob, Quota enforced) {
  const auto locked = tx_.MaybeOne(sql::blobs::lock_for_reference, user_, blob.id);
  if (!locked) throw Conflict("blob_gone", "swept, or the account removed, before it was referenced");
  const bool are_bytes_new =
      tx_.Execute(sql::blobs::add_reference, user_, service, blob.id, blob.size_bytes) == 1;
  const auto quota = (*locked)["quota_bytes"].As<std::optional<std::int64_t>>();
  if (!quota || !are_bytes_new || enforced == Quota::kExempt) return;
  const auto used = tx_.One(sql::blobs::used_bytes, user_)["bytes"].As<std::int64_t>();
  if (used > *quota) {
    throw StorageFull("over_quota", std::to_string(used) + " of " + std::to_string(*quota) + " bytes");
  }
}

void BlobRefs::Release(std::string_view service, BlobId blob) {
  const auto locked = tx_.MaybeOne(sql::blobs::lock_reference, user_, service, blob);
  if (!locked) throw Error(ErrorKind::kInternal, "internal", "released a blob that was not referenced");
  const bool is_last = (*locked)["holders"].As<int>() == 1;
  tx_.Execute(is_last ? sql::blobs::drop_reference : sql::blobs::drop_holder, user_, service, blob);
}

void ReadBlob(sql::Database& database, UserId user, std::string_view service, BlobId blob,
              const std::function<void(std::string_view)>& sink, const std::optional<ByteRange>& range) {
  const auto size = database.Read([&](sql::Tx& tx) -> std::optional<std::int64_t> {
    const auto row = tx.MaybeOne(sql::blobs::owned_blob, user, service, blob);
    if (!row) return std::nullopt;
    return (*row)["size_bytes"].As<std::int64_t>();
  });
  if (!size) throw NotFound("no_such_blob");
  const auto first = static_cast<std::int64_t>(range ? range->first : 0);
  std::int64_t left = range ? std::min(static_cast<std::int64_t>(range->Size()), *size - first) : *size;
  auto skip = static_cast<std::size_t>(first) % kBlobChunkBytes;
  for (auto seq = static_cast<int>(static_cast<std::size_t>(first) / kBlobChunkBytes); left > 0; ++seq) {
    // The row owns the bytes; a slow reader holds 1 MiB and no transaction.
    const auto chunk =
        database.Read([&](sql::Tx& tx) { return tx.MaybeOne(sql::blobs::read_chunk, blob, seq); });
    if (!chunk) throw Error(ErrorKind::kInternal, "internal", "a chunk is missing: swept while it was read");
    auto bytes = (*chunk)["bytes"].As<std::string_view>();
    bytes.remove_prefix(std::min(std::exchange(skip, 0), bytes.size()));
    bytes = bytes.substr(0, static_cast<std::size_t>(left));
    left -= static_cast<std::int64_t>(bytes.size());
    sink(bytes);
  }
}

std::int64_t SweepBlobs(sql::Database& database, std::chrono::seconds grace, std::int64_t limit) {
  std::int64_t swept = 0;
  while (swept < limit) {
    const std::int64_t batch = std::min(kSweepBatch, limit - swept);
    std::int64_t found = 0;
    const std::int64_t deleted = database.Write([&](sql::Tx& tx) {
      std::vector<std::int64_t> ids;
      const double grace_s = static_cast<double>(grace.count());
      for (const sql::Row row : tx.Query(sql::blobs::lock_unreferenced, grace_s, batch)) {
        ids.push_back(row["blob_id"].As<std::int64_t>());
      }
      found = static_cast<std::int64_t>(ids.size());
      return ids.empty() ? 0 : tx.Execute(sql::blobs::delete_unreferenced, ids);
    });
    swept += deleted;
    if (found < batch || deleted == 0) break;
  }
  return swept;
}

}  // namespace syncline
