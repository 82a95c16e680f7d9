#pragma once
// Answers of WebDAV in XML (RFC 4918, section 14). The prefix D is DAV:; there is never a default namespace, so that properties without
// one can be told. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/webdav/body_wire.h"

namespace syncline::vault {

/// A lock, and the address of what it locks.
struct ShownLock {
  Lock lock{};
  std::string root_href{};
};

/// One resource of a PROPFIND.
struct Resource {
  std::string href{};  ///< percent-encoded; a collection's ends with a slash
  Node node{};
  std::vector<Prop> props{};
  std::vector<ShownLock> locks{};
  std::optional<std::int64_t> quota_used{}, quota_free{};  ///< of collections
};

/// A name in an address: percent-encoded, all but unreserved characters.
std::string HrefName(std::string_view name);

inline constexpr const char* kMultistatusBegin =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n";
inline constexpr const char* kMultistatusEnd = "</D:multistatus>\n";

/// The `response` of a resource.
std::string PropfindResponse(const Resource& resource, const Propfind& asked);
/// The `response` of a PROPPATCH: each property with its status. `refused`: those that cannot be changed; if there is any, the others
/// failed with them (424).
std::string ProppatchResponse(const std::string& href, const std::vector<PropChange>& changes,
                              const std::vector<PropName>& refused);
/// The body of an answer to LOCK.
std::string LockBody(const ShownLock& lock);
/// Of an error whose precondition has a name (RFC 4918, section 16).
std::string ErrorBody(std::string_view condition);

/// Whether clients cannot change it: a property that the server makes.
bool IsProtected(const PropName& name);

/// By the ending of its name.
const char* ContentTypeOf(std::string_view name);

}  // namespace syncline::vault
