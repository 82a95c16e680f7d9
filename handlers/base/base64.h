#pragma once
// Base64 by libsodium. `variant`: one of its constants sodium_base64_VARIANT_...
#include <optional>
#include <string>
#include <string_view>

namespace syncline {

std::string ToBase64(std::string_view bytes, int variant);
/// None unless `text` is the canonical encoding of the variant.
std::optional<std::string> FromBase64(std::string_view text, int variant);

}  // namespace syncline
