#pragma once
// Ids are distinct types: a user's id never stands where a device's is meant.
#include <cstdint>

namespace syncline {

enum class UserId : std::int64_t {};
enum class DeviceId : std::int64_t {};
enum class BlobId : std::int64_t {};
enum class JobId : std::int64_t {};

}  // namespace syncline
