#include "handlers/account/login/known_keys.h"

#include "handlers/base/sha256.h"

namespace syncline::account {
namespace {

// Enough for 32,000 devices a second, about 6 MiB. When full, the whole cache is cleared.
constexpr std::size_t kMaxKeys = 16'000;

std::string NameOf(std::string_view key, std::string_view kind) {
  std::string text(kind);
  text += ' ';
  text += key;
  return Sha256(text);
}

}  // namespace

std::optional<Identity> KnownKeys::Find(std::string_view key, std::string_view kind, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(NameOf(key, kind));
  if (found == keys_.end()) return std::nullopt;
  if (now - found->second.checked < kKeyMemory) return found->second.identity;
  keys_.erase(found);
  return std::nullopt;
}

void KnownKeys::Remember(std::string_view key, std::string_view kind, Identity identity,
                         Clock::time_point checked) {
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kMaxKeys) keys_.clear();
  keys_.insert_or_assign(NameOf(key, kind), Known{identity, checked});
}

}  // namespace syncline::account
