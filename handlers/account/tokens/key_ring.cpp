#include "handlers/account/tokens/key_ring.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "handlers/account/tokens/token_store.h"
#include "handlers/base/log.h"

namespace syncline::account {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPurpose = "account.token-key";

// None: no key signs, or it cannot be opened with the secret of this installation.
std::optional<KeyRing> Opened(Context& context, const std::vector<StoredTokenKey>& stored) {
  KeyRing ring;
  std::optional<std::size_t> signing;
  for (const StoredTokenKey& key : stored) {
    const auto seed = context.secret().Open(kPurpose, key.sealed_seed, key.kid);
    if (!seed) continue;
    if (key.signs && !signing) signing = ring.keys.size();
    ring.keys.emplace_back(key.kid, *seed);
  }
  if (!signing) return std::nullopt;
  ring.signing = *signing;
  return ring;
}

std::string AddKey(Context& context, TokenKeyStore& store, std::chrono::seconds signs_after) {
  const std::string seed = TokenKey::NewSeed();
  std::string kid = TokenKey::KidOf(seed);
  store.Add(kid, context.secret().Seal(kPurpose, seed, kid), signs_after, kKeyKept);
  return kid;
}

KeyRing Load(Context& context) {
  const auto list = [](TokenKeyStore& store) { return store.List(); };
  if (auto ring = Opened(context, context.ReadOnce<TokenKeyStore>(list))) return *std::move(ring);
  // On a read-only route, too, because this does not write the caller's data.
  context.WithDatabase([&](sql::Database& database) {
    database.Write([&](sql::Tx& tx) {
      TokenKeyStore store(tx, UserId{});
      store.Lock();
      if (!Opened(context, store.List())) AddKey(context, store, std::chrono::seconds(0));
    });
  });
  auto ring = Opened(context, context.ReadOnce<TokenKeyStore>(list));
  if (!ring) throw Error(ErrorKind::kInternal, "internal", "a new token key cannot be opened");
  return *std::move(ring);
}

struct Known {
  std::mutex mutex;
  std::shared_ptr<const KeyRing> ring;
  Clock::time_point read_at;
};

}  // namespace

std::shared_ptr<const KeyRing> TokenKeys(Context& context) {
  static Known known;
  const auto now = Clock::now();
  {
    const std::lock_guard lock(known.mutex);
    if (known.ring != nullptr && now - known.read_at < kRingAge) return known.ring;
  }
  // Without the lock: slots that read concurrently read the same rows.
  auto ring = std::make_shared<const KeyRing>(Load(context));
  const std::lock_guard lock(known.mutex);
  known.ring = std::move(ring);
  known.read_at = now;
  return known.ring;
}

std::string RotateTokenKeys(Context& context) {
  return context.Write<TokenKeyStore>([&](TokenKeyStore& store) {
    store.Lock();
    store.Sweep();
    return AddKey(context, store, kSignsAfter);
  });
}

}  // namespace syncline::account
