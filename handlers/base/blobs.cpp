// Lock order: users, blobs, blob_refs, usage. Reservations are changed under the account's lock, but for giving
// them back. The sweep locks only blobs, and skips locked ones.
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
//   a writer gives up after     it deletes its blob only if no other writer has touched it since (lock_own_blob)
//   Finish
//   bytes that only others have  are written all the same, as a doomed blob: nobody can tell that they are there
//   a deletion is interrupted   the blob is doomed (doom_unreferenced): nobody finds it, the next sweep goes on
#include "handlers/base/blobs.h"

#include <openssl/evp.h>

#include <algorithm>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "sql/errors.h"
#include "sql/queries/blobs.h"

namespace syncline {
namespace {

// Each further loss of the race to finish means that the same bytes were finished and swept in between.
constexpr int kFinishTries = 3;
// Blobs that the sweep locks at once. Transactions that reference one of them wait until it is marked.
constexpr std::int64_t kSweepBatch = 100;
// Bytes of chunks deleted in one transaction: about a tenth of a second.
constexpr std::int64_t kDeletedBytes = std::int64_t{32} << 20;

// If the size is unknown, room is reserved in steps of this many bytes.
constexpr std::int64_t kReserveStep = std::int64_t{16} << 20;
// Longer than the deadline of any route, because a reservation is not renewed while its body is checked.
constexpr double kReservedSeconds = 15 * 60;
constexpr std::chrono::seconds kRenewAfter{60};

std::int64_t RandomId() {
  std::random_device random;
  return static_cast<std::int64_t>((std::uint64_t{random()} << 31) ^ random());
}

// Deletes blobs that are marked as doomed, chunks first.
void DeleteDoomed(sql::Database& database, const std::vector<std::int64_t>& ids,
                  const std::function<void()>& between_steps) {
  if (ids.empty()) return;
  std::int64_t bytes = kDeletedBytes;
  for (bool has_chunks = true; has_chunks;) {
    between_steps();
    try {
      has_chunks = database.Write(
          [&](sql::Tx& tx) { return tx.Execute(sql::blobs::delete_doomed_chunks, ids, bytes) > 0; });
    } catch (const sql::Unavailable&) {
      // Possibly the statement timeout. An unchanged retry would fail for ever.
      if (bytes == 1) throw;
      bytes = bytes > static_cast<std::int64_t>(kBlobChunkBytes) ? bytes / 2 : 1;
    }
  }
  database.Write([&](sql::Tx& tx) { tx.Execute(sql::blobs::delete_doomed, ids); });
}

}  // namespace

struct BlobWriter::Hash {
  Hash() : context(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
      throw Error(ErrorKind::kInternal, "internal", "SHA-256 is not available");
    }
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context;
};

Reservation::Reservation(sql::Database& database, UserId user, std::int64_t bytes)
    : database_(database), user_(user), id_(RandomId()) {
  Reserve(std::max<std::int64_t>(bytes, 1), std::max<std::int64_t>(bytes, 1));
}

Reservation::~Reservation() {
  if (reserved_ == 0) return;
  try {
    database_.Write([&](sql::Tx& tx) { tx.Execute(sql::blobs::drop_reservation, user_, id_); });
  } catch (const std::exception&) {
  }
}

void Reservation::Reserve(std::int64_t least, std::int64_t wanted) {
  const auto reserved = database_.Write([&](sql::Tx& tx) -> std::optional<std::int64_t> {
    if (tx.Query(sql::blobs::lock_quota, user_).empty()) return std::nullopt;
    const auto row = tx.MaybeOne(sql::blobs::reserve, user_, id_, least, wanted, kReservedSeconds);
    return row ? (*row)["bytes"].As<std::int64_t>() : 0;
  });
  is_limited_ = reserved.has_value();
  if (!is_limited_) return;
  if (*reserved == 0) throw StorageFull("over_quota", "no room for " + std::to_string(least) + " bytes");
  reserved_ = *reserved;
  renewed_at_ = std::chrono::steady_clock::now();
}

void Reservation::Use(std::int64_t bytes) {
  used_ += bytes;
  if (!is_limited_) return;
  const bool is_due = std::chrono::steady_clock::now() - renewed_at_ > kRenewAfter;
  if (used_ > reserved_) {
    Reserve(used_, std::max(used_, reserved_ + kReserveStep));
  } else if (is_due) {
    Reserve(used_, reserved_);
  }
}

void Reservation::Settle(sql::Tx& tx) {
  if (reserved_ > 0) tx.Later(sql::blobs::drop_reservation, user_, id_);
}

BlobWriter::BlobWriter(sql::Database& database, Reservation* room)
    : database_(database), room_(room), hash_(std::make_unique<Hash>()) {}

BlobWriter::~BlobWriter() {
  Discard();
}

void BlobWriter::Discard() noexcept {
  if (!id_) return;
  // Unfinished or not kept. The sweep would delete it, but refused data must not fill the disk until then.
  try {
    const auto doomed = database_.Write([&](sql::Tx& tx) {
      const std::vector<std::int64_t> id{static_cast<std::int64_t>(*id_)};
      if (version_ && tx.Query(sql::blobs::lock_own_blob, *id_, *version_).empty()) {
        return std::vector<std::int64_t>{};
      }
      return tx.Query(sql::blobs::doom_unreferenced, id).Column<std::int64_t>("blob_id");
    });
    DeleteDoomed(database_, doomed, [] {});
  } catch (const std::exception&) {
  }
  id_.reset();
}

void BlobWriter::Write(std::string_view bytes) {
  if (room_ != nullptr) room_->Use(static_cast<std::int64_t>(bytes.size()));
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
  const UserId writer = room_ != nullptr ? room_->user() : UserId{};
  for (int attempt = 1;; ++attempt) {
    try {
      struct Found {
        BlobId id;
        std::optional<std::int64_t> version{};  // none: another writer's
        bool is_secret = false;                 // and the caller must not learn that it existed
      };
      const auto own = [](const sql::Row& row) {
        return Found{row["blob_id"].As<BlobId>(), row["version"].As<std::int64_t>(), false};
      };
      const Found found = database_.Write([&](sql::Tx& tx) -> Found {
        if (const auto known = tx.MaybeOne(sql::blobs::touch_content, sha256, writer)) {
          const bool is_secret = room_ != nullptr && !(*known)["is_own"].As<bool>();
          if (is_secret && id_)
            tx.Later(sql::blobs::doom_unreferenced, std::vector{static_cast<std::int64_t>(*id_)});
          if (is_secret && !id_) tx.Later(sql::blobs::insert_doomed_blob, sql::AsBytes(buffer_));
          return {(*known)["blob_id"].As<BlobId>(), std::nullopt, is_secret};
        }
        if (!id_) return own(tx.One(sql::blobs::insert_small_blob, sha256, sql::AsBytes(buffer_)));
        const auto finished = tx.MaybeOne(sql::blobs::finish_blob, *id_, sha256, size_bytes_);
        if (!finished) throw Conflict("blob_gone", "swept while it was being written");
        return own(*finished);
      });
      // This writer's copy of the same bytes. If only other accounts have them, the sweep removes the copy,
      // so that the timing reveals nothing.
      if (found.is_secret) id_.reset();
      if (!found.version) Discard();
      version_ = found.version;
      if (version_) id_ = found.id;
      std::string().swap(buffer_);  // a caller may keep many writers until its transaction
      return {found.id, std::move(sha256), size_bytes_};
    } catch (const sql::ConstraintViolated& e) {
      if (e.constraint() != "blobs_sha256" || attempt == kFinishTries) throw;
    }
  }
}

void RequireRoom(sql::Tx& tx, UserId user, std::int64_t bytes) {
  const auto locked = tx.MaybeOne(sql::blobs::lock_quota, user);
  if (!locked) return;
  const auto quota = (*locked)["quota_bytes"].As<std::int64_t>();
  const auto used = tx.One(sql::blobs::used_bytes, user)["bytes"].As<std::int64_t>();
  if (used + bytes > quota) {
    throw StorageFull("over_quota", std::to_string(used) + " and " + std::to_string(bytes) + " of " +
                                        std::to_string(quota) + " bytes");
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

std::size_t SmallContents::Add(std::string content) {
  std::string sha256 = Sha256(content);
  const auto [known, is_new] = index_.emplace(sha256, contents_.size());
  if (is_new) {
    bytes_ += content.size();
    sha256s_.push_back(std::move(sha256));
    contents_.push_back(std::move(content));
  }
  return known->second;
}

bool BlobRefs::HasQuota() {
  if (!has_quota_) has_quota_ = !tx_.Query(sql::blobs::lock_quota, user_).empty();
  return *has_quota_;
}

std::vector<BlobId> BlobRefs::Store(std::string_view service, const std::vector<std::string>& sha256s,
                                    const std::vector<std::string>& contents) {
  auto quota = tx_.Ask(sql::blobs::lock_quota, user_);  // first: see the order of locks
  std::unordered_map<std::string, BlobId> found;
  const auto add = [&](const sql::Rows& rows) {
    for (const sql::Row row : rows)
      found.emplace(row["sha256"].As<std::string>(), row["blob_id"].As<BlobId>());
  };
  for (int attempt = 1;; ++attempt) {
    add(tx_.Query(sql::blobs::store_contents, user_, service, sha256s, contents));
    std::vector<std::string> known;
    for (const std::string& sha256 : sha256s) {
      if (!found.contains(sha256)) known.push_back(sha256);
    }
    // A separate statement, because its snapshot includes blobs that another transaction has stored
    // meanwhile.
    if (!known.empty()) add(tx_.Query(sql::blobs::lock_contents, known));
    if (found.size() == sha256s.size()) break;
    // It existed, but was swept before it was locked.
    if (attempt == kFinishTries) throw Conflict("blob_gone", "swept before it was referenced");
  }
  has_quota_ = !quota.Get().empty();
  std::vector<BlobId> ids;
  for (const std::string& sha256 : sha256s) ids.push_back(found.at(sha256));
  return ids;
}

void BlobRefs::Lock(std::vector<std::int64_t> blobs) {
  if (blobs.empty()) return;
  std::sort(blobs.begin(), blobs.end());
  blobs.erase(std::unique(blobs.begin(), blobs.end()), blobs.end());
  HasQuota();
  if (tx_.Query(sql::blobs::lock_blobs, blobs).size() != static_cast<int>(blobs.size())) {
    throw Conflict("blob_gone", "swept before it was referenced");
  }
}

void BlobRefs::AddAll(std::string_view service, const std::vector<std::int64_t>& blobs,
                      const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& holders,
                      Quota quota) {
  const bool has_quota = HasQuota();
  tx_.Later(sql::blobs::add_references, user_, service, blobs, sizes, holders);
  if (has_quota && quota == Quota::kEnforced) RequireRoom(tx_, user_, 0);
}

void BlobRefs::ReleaseAll(std::string_view service, const std::vector<std::int64_t>& blobs,
                          const std::vector<std::int64_t>& holders) {
  tx_.Later(sql::blobs::drop_holders, user_, service, blobs, holders);
}

void ReadContents(sql::Tx& tx, UserId user, std::string_view service, const std::vector<std::int64_t>& blobs,
                  const std::function<void(BlobId, std::string_view)>& blob) {
  for (const sql::Row row : tx.Query(sql::blobs::read_contents, user, service, blobs)) {
    const sql::Field bytes = row["bytes"];
    if (!bytes.IsNull()) blob(row["blob_id"].As<BlobId>(), bytes.As<std::string_view>());
  }
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

std::int64_t SweepBlobs(sql::Database& database, std::chrono::seconds grace, std::int64_t limit,
                        const std::function<void()>& between_steps) {
  database.Write([](sql::Tx& tx) { tx.Execute(sql::blobs::sweep_reservations); });
  std::int64_t swept = 0;
  while (swept < limit) {
    const std::int64_t batch = std::min(kSweepBatch, limit - swept);
    std::int64_t found = 0;
    const auto doomed = database.Write([&](sql::Tx& tx) {
      const double grace_s = static_cast<double>(grace.count());
      const auto ids =
          tx.Query(sql::blobs::lock_unreferenced, grace_s, batch).Column<std::int64_t>("blob_id");
      found = static_cast<std::int64_t>(ids.size());
      return ids.empty() ? ids : tx.Query(sql::blobs::doom_unreferenced, ids).Column<std::int64_t>("blob_id");
    });
    DeleteDoomed(database, doomed, between_steps);
    swept += static_cast<std::int64_t>(doomed.size());
    if (found < batch || doomed.empty()) break;
  }
  return swept;
}

}  // namespace syncline
