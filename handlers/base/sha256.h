#pragma once
// SHA-256 (FIPS 180-4) of bytes in memory. Hashing with a key is in seal.h, hashing of streams in blobs.h.
#include <string>
#include <string_view>

namespace syncline {

/// 32 bytes.
std::string Sha256(std::string_view bytes);

/// Two lower-case hex digits per byte.
std::string HexText(std::string_view bytes);

}  // namespace syncline
