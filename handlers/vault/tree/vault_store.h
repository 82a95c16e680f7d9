#pragma once
// The vaults of an account. Whoever changes anything in a vault holds the lock of its row first; the account's row in users comes
// after it (BlobRefs, RequireRoom).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::vault {

/// The service's name in references of blobs.
inline constexpr std::string_view kBlobService = "vault";

enum class VaultId : std::int64_t {};
enum class NodeId : std::int64_t {};
enum class VersionId : std::int64_t {};

/// What becomes of contents without encryption beside the database, where encryption is required.
enum class DocumentsPolicy { kAllow, kWarn, kReject };

struct Vault {
  VaultId id{};
  std::string name{}, slug{};
  bool requires_encryption = false;
  DocumentsPolicy documents = DocumentsPolicy::kWarn;
  bool allows_archives = false;
  std::optional<std::int64_t> max_bytes{};  ///< of all versions together
  int keep_versions = 0, keep_days = 0, request_interval_s = 0;
  std::int64_t used_bytes = 0;  ///< of all versions
  sql::Time created_at{};
};

const char* NameOf(DocumentsPolicy policy);
inline constexpr std::string_view kPolicyNames[] = {"allow", "warn", "reject"};

class VaultStore {
 public:
  /// At most this many of an account.
  static constexpr int kMaxVaults = 100;

  VaultStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  std::vector<Vault> List();
  std::optional<Vault> Find(const std::string& slug);
  /// Throws Error Conflict "slug_taken", "too_many_vaults".
  Vault Add(const std::string& name, const std::string& slug);
  /// All settings.
  void Save(const Vault& vault);
  /// What is left of the account's quota; none: it has no quota.
  std::optional<std::int64_t> FreeBytes();
  /// Locks it until the transaction ends. Throws Error NotFound "no_such_vault".
  Vault Lock(VaultId vault);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
