#pragma once
// Hash tables for ids that clients choose. The standard hash of a number is the number itself, so a client
// could choose ids that all fall into one bucket, and insertion would become linear.
#include <cstddef>
#include <cstdint>
#include <random>
#include <unordered_map>
#include <unordered_set>

namespace syncline {

/// Seeded per process: never store or send it.
struct SeededHash {
  std::size_t operator()(std::int64_t id) const noexcept {
    static const std::uint64_t kSeed = [] {
      std::random_device random;
      return (std::uint64_t{random()} << 32) | random();
    }();
    // Each bit of the sum reaches each bit of the hash (the finalizer of MurmurHash3).
    std::uint64_t hash = static_cast<std::uint64_t>(id) + kSeed;
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33);
  }
};

using IdSet = std::unordered_set<std::int64_t, SeededHash>;

template <typename Value>
using IdMap = std::unordered_map<std::int64_t, Value, SeededHash>;

}  // namespace syncline
