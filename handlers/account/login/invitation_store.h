#pragma once
// Invitations: codes with which somebody may make an account while registration is by invitation. Shared by all tenants:
// whoever uses one has no account yet. Only hashes of codes are stored.
#include <chrono>
#include <cstdint>
#include <string>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

class InvitationStore {
 public:
  InvitationStore(sql::Tx& tx, UserId /*none yet*/) : tx_(tx) {}
  void Add(const std::string& code_hash, std::int64_t uses, std::chrono::hours lifetime);
  bool IsValid(const std::string& code_hash);
  /// Takes one use. False: no such code, used up, or expired.
  bool Use(const std::string& code_hash);
  /// Deletes up to `limit` codes that are of no use; returns how many.
  std::int64_t Sweep(std::int64_t limit);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
