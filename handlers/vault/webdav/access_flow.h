#pragma once
// What every request of WebDAV goes through in its transaction, once its vault is locked: conditions (RFC 9110, section 13), the header
// If (RFC 4918, 10.4), and the tokens of the locks that protect what it changes (RFC 4918, section 7).
#include <string>
#include <vector>

#include "handlers/base/conditional.h"
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/webdav/if_header_wire.h"

namespace syncline::vault {

/// The vault and the path of "/dav/{vault}/{path...}". Throws Error NotFound "no_such_vault", BadInput as PathOf.
struct Target {
  Vault vault{};
  Path path{};
  bool has_slash = false;  ///< the address ends in one: a collection is meant
};
Target TargetOf(const Request& request, Context& context);
/// As TargetOf, for changes. Throws Error Forbidden "reserved_name" within what is read-only.
Target ChangedTargetOf(const Request& request, Context& context);
/// The path that Destination names, in the same vault. Throws Error BadInput "bad_destination", "no_destination"; Upstream
/// "other_server"; Forbidden "reserved_name".
Target DestinationOf(const Request& request, const Vault& vault);

/// Parsed before anything is read or locked.
struct Headers {
  /// Throws as Conditions and ParseIfHeader.
  explicit Headers(const Request& request)
      : conditions(request), if_header(IfHeaderOf(request)), request_(request) {}

  /// Throws Error PreconditionFailed unless all conditions hold for what the request names.
  void RequireHeld(const Target& target, const Place& place, NodeStore& nodes, LockStore& locks) const;
  /// Throws Error Locked "lock_token_submitted" unless tokens of these locks were sent: of each that is exclusive, and of one of
  /// those that share a resource.
  void RequireTokens(const std::vector<Lock>& locks) const;
  /// For a change of what is there, or of a new name.
  void RequireUnlocked(const Target& target, const Place& place, LockStore& locks) const;
  /// For a change of which names its collection has.
  void RequireParentUnlocked(const Target& target, const Place& place, LockStore& locks) const;
  /// Whether the writer has told which content it has seen.
  bool AreAboutContent() const;

  Conditions conditions;
  IfHeader if_header;

 private:
  bool Holds(const IfCondition& condition, const Target& target, const Place& place, LockStore& locks) const;

  const Request& request_;
};

}  // namespace syncline::vault
