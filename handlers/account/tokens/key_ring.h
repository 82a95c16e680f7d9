#pragma once
// The keys that sign tokens, as this process knows them: read again when what it knows is kRingAge old. A new key signs
// only kSignsAfter later, so by then every process verifies it, and a rotation fails no request.
//
// Why in the database and not in a file: several machines share them, and rotating needs no restart. There they are
// sealed with the secret of the installation, which is in a file (seal.h).
#include <chrono>
#include <memory>
#include <vector>

#include "handlers/account/tokens/token_wire.h"
#include "handlers/base/context.h"

namespace syncline::account {

inline constexpr std::chrono::seconds kRingAge{2};
inline constexpr std::chrono::seconds kSignsAfter{5};
/// For how long a key that was replaced verifies: longer than any token lives.
inline constexpr std::chrono::seconds kKeyKept{std::chrono::hours(24 * 8)};

struct KeyRing {
  std::vector<TokenKey> keys;
  std::size_t signing = 0;  ///< index of the key that signs
};

/// Never empty: the first call of an installation makes a key. Throws Error Busy without the database.
std::shared_ptr<const KeyRing> TokenKeys(Context& context);

/// Adds a key that signs from kSignsAfter on, and returns its kid.
std::string RotateTokenKeys(Context& context);

}  // namespace syncline::account
