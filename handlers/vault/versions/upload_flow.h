#pragma once
// The one way by which a content becomes a version of a file, whatever the protocol:
//
//   const Vault vault = ...;                              // VaultStore::Find
//   context.WithDatabase([&](sql::Database& database) {
//     Incoming incoming(database, context.user(), vault, path, expected_bytes);
//     while (...) incoming.Write(piece);                  // refuses before it keeps
//     return SaveUpload(context, {...}, incoming);
//   });
//
// What is refused leaves nothing behind but an event. Check and write are one transaction, under the lock of the vault.
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "handlers/base/blobs.h"
#include "handlers/base/context.h"
#include "handlers/vault/content/content_rules.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/tree/path_rules.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/version_store.h"

namespace syncline::vault {

/// Bytes on their way into the blob store: each piece is classified before it is kept. Not referenced until SaveUpload; the destructor
/// deletes what was not saved.
class Incoming {
 public:
  /// `expected_bytes`: 0 if unknown. Throws Error StorageFull "over_quota".
  Incoming(sql::Database& database, UserId user, const Vault& vault, Path path, std::int64_t expected_bytes);

  /// Throws as CheckBeginning (policy_rules.h), before any of `bytes` is kept; StorageFull "over_quota"; TooLarge "file_too_large"
  /// past `max_bytes`, if SetLimit was called.
  void Write(std::string_view bytes);
  void SetLimit(std::int64_t max_bytes) { max_bytes_ = max_bytes; }

  const Path& path() const { return path_; }
  std::int64_t size_bytes() const { return scan_.report().size_bytes; }

 private:
  friend struct Saving;
  const Vault vault_;
  const Path path_;
  std::optional<std::int64_t> max_bytes_{};
  ContentScan scan_;
  Reservation room_;
  BlobWriter writer_;
};

struct Upload {
  VaultId vault{};
  Source source = Source::kWebdav;
  DeviceId device{};  ///< 0: unknown
  /// The version that the writer has seen: if the head is another one by now, nothing is changed. 0: there was none.
  std::optional<std::int64_t> base_version{};
  /// Runs in the transaction, after the vault was locked and before anything is changed, and throws to refuse: conditions, tokens of
  /// locks. Null: a lock does not refuse, but the content then waits for a person (Outcome::kKept).
  std::function<void(sql::Tx& tx, const Place& place)> check{};
  /// Whether `check` is about the content that is replaced, which the writer has therefore seen.
  bool is_conditional = false;
};

enum class Outcome {
  kHead,       ///< it is what readers get
  kUnchanged,  ///< it was already; no version was added
  kKept,       ///< it is a version, but not what readers get: see its state
};

struct Uploaded {
  Outcome outcome = Outcome::kHead;
  Node file{};                       ///< as it is now
  std::optional<Version> version{};  ///< none with kUnchanged
  bool is_new_name = false;          ///< there was no file of that name
  /// What was replaced although the writer had not seen it. It is kept until somebody resolves it.
  std::optional<VersionId> conflict{};
};

/// Throws Error
///   Unprocessable ...                 see CheckContent (policy_rules.h)
///   Conflict "no_parent"              there is no such collection
///   MethodNotAllowed "is_collection"  the path is one
///   PreconditionFailed "version_changed"  see base_version
///   StorageFull "over_quota", "vault_full"; NotFound "no_such_vault"; what `check` throws
/// Refusals for what the content is are told to the owner as an event.
Uploaded SaveUpload(Context& context, const Upload& upload, Incoming& incoming);

/// Records that a content was refused, for refusals before SaveUpload: an error that Incoming::Write has thrown.
void NoteRefusal(Context& context, const Upload& upload, const Path& path, const Error& error);

}  // namespace syncline::vault
