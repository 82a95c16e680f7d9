#pragma once
// Base64 as libsodium has it. `variant`: one of its constants sodium_base64_VARIANT_...
#include <optional>
#include <string>
#include <string_view>

namespace syncline {

std::string ToBase64(std::string_view bytes, int variant);
/// None for anything else than the variant's one spelling of some bytes.
std::optional<std::string> FromBase64(std::string_view text, int variant);

}  // namespace syncline
