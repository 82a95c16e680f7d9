#pragma once
// The words for statuses, of the IANA registry (RFC 9110, 15). Protocols that use other phrases list those
// themselves.
#include <string_view>

namespace syncline {

/// "Status" for a status that no service uses.
std::string_view StatusPhrase(int status);

}  // namespace syncline
