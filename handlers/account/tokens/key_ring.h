#pragma once
// This process's cache of the keys that sign tokens, refreshed after kRingAge. A new key starts to sign only
// kSignsAfter later: by then every process can verify it, so a rotation fails no request.
//
// The keys are in the database and not in a file, because several machines share them and rotating them must
// not need a restart. They are sealed with the secret of the installation, which is in a file (seal.h).
#include <chrono>
#include <memory>
#include <vector>

#include "handlers/account/tokens/token_wire.h"
#include "handlers/base/context.h"

namespace syncline::account {

inline constexpr std::chrono::seconds kRingAge{2};
inline constexpr std::chrono::seconds kSignsAfter{5};
/// How long a replaced key still verifies: longer than any token is valid.
inline constexpr std::chrono::seconds kKeyKept{std::chrono::hours(24 * 8)};

struct KeyRing {
  std::vector<TokenKey> keys;
  std::size_t signing = 0;  ///< index of the key that signs
};

/// Never empty: the first call in an installation creates a key. Throws Error Busy without the database.
std::shared_ptr<const KeyRing> TokenKeys(Context& context);

/// Adds a key that signs from kSignsAfter on, and returns its kid.
std::string RotateTokenKeys(Context& context);

}  // namespace syncline::account
