#pragma once
// Addresses in answers: as the client has written them, because some compare texts. Pure.
#include <string>

#include "handlers/base/request.h"
#include "handlers/vault/tree/node_store.h"

namespace syncline::vault {

/// The address of the request, which for a collection ends with a slash.
std::string OwnHref(const Request& request, bool is_collection);
/// Of a member of the collection with that address.
std::string MemberHref(const std::string& collection, const Node& member);
/// Of a node on the path of the request.
std::string HrefOf(const Request& request, const Place& place, NodeId node);

}  // namespace syncline::vault
