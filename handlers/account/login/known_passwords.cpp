#include "handlers/account/login/known_passwords.h"

#include <sodium.h>

#include <utility>

#include "handlers/base/seal.h"

namespace syncline::account {
namespace {

// About 2 MiB. When full, the whole cache is cleared.
constexpr std::size_t kMaxPasswords = 4096;

}  // namespace

KnownPasswords::KnownPasswords() {
  StartSodium();
  randombytes_buf(key_.data(), key_.size());
}

std::string KnownPasswords::NameOf(std::string_view folded_name, std::string_view password) const {
  // The length distinguishes "ab" + "c" from "a" + "bc".
  std::string text = std::to_string(folded_name.size());
  text.append(1, ' ').append(folded_name).append(password);
  std::string hash(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(), key_.data(),
                     key_.size());
  sodium_memzero(text.data(), text.size());
  return hash;
}

std::optional<KnownPasswords::Known> KnownPasswords::Find(std::string_view folded_name,
                                                          std::string_view password, Clock::time_point now) {
  const std::string name = NameOf(folded_name, password);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(name);
  if (found == known_.end()) return std::nullopt;
  if (now - found->second.hashed < kPasswordMemory) return found->second;
  known_.erase(found);
  return std::nullopt;
}

void KnownPasswords::Remember(std::string_view folded_name, std::string_view password, Known known) {
  const std::string name = NameOf(folded_name, password);
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMaxPasswords) known_.clear();
  known_.insert_or_assign(name, std::move(known));
}

void KnownPasswords::Forget(std::string_view folded_name, std::string_view password) {
  const std::string name = NameOf(folded_name, password);
  const std::lock_guard lock(mutex_);
  known_.erase(name);
}

}  // namespace syncline::account
