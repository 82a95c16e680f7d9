#pragma once
// CRC-32 as gzip (RFC 1952) and zip have it. Against accidents only: for identity there is SHA-256.
#include <cstdint>
#include <string_view>

namespace syncline {

/// `before`: of the bytes before these.
std::uint32_t Crc32(std::string_view bytes, std::uint32_t before = 0);

}  // namespace syncline
