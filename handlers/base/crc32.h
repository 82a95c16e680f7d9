#pragma once
// The CRC-32 of gzip (RFC 1952) and zip. Detects accidental damage only; use SHA-256 to identify content.
#include <cstdint>
#include <string_view>

namespace syncline {

/// `before`: the CRC of the preceding bytes.
std::uint32_t Crc32(std::string_view bytes, std::uint32_t before = 0);

}  // namespace syncline
