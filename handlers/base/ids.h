#pragma once
// Ids are distinct types: a user id cannot be passed as a device id.
#include <cstdint>

namespace syncline {

enum class UserId : std::int64_t {};
enum class DeviceId : std::int64_t {};
enum class BlobId : std::int64_t {};
enum class JobId : std::int64_t {};

/// What an account may do beyond its own data, as bits.
enum class Roles : std::uint32_t { kNone = 0, kAdmin = 1 };

inline bool HasAll(Roles roles, Roles needed) {
  return (static_cast<std::uint32_t>(needed) & ~static_cast<std::uint32_t>(roles)) == 0;
}

}  // namespace syncline
