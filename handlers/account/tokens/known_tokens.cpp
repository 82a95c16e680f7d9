#include "handlers/account/tokens/known_tokens.h"

#include "handlers/base/sha256.h"

namespace syncline::account {
namespace {

// About 4 MiB. When full, the whole cache is cleared.
constexpr std::size_t kMaxTokens = 16'000;

}  // namespace

std::optional<Claims> KnownTokens::Find(std::string_view token, Clock::time_point now) {
  const std::string hash = Sha256(token);
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(hash);
  if (found == tokens_.end()) return std::nullopt;
  if (now - found->second.verified < kMemory) return found->second.claims;
  tokens_.erase(found);
  return std::nullopt;
}

void KnownTokens::Remember(std::string_view token, const Claims& claims, Clock::time_point now) {
  std::string hash = Sha256(token);
  const std::lock_guard lock(mutex_);
  if (tokens_.size() >= kMaxTokens) tokens_.clear();
  tokens_.insert_or_assign(std::move(hash), Known{claims, now});
}

}  // namespace syncline::account
