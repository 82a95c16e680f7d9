#pragma once
// The words for statuses, of the IANA registry (RFC 9110, 15). Protocols with other words for some list those themselves.
#include <string_view>

namespace syncline {

/// "Status" for a status that no service uses.
std::string_view StatusPhrase(int status);

}  // namespace syncline
