#pragma once
// Rows behind tokens: the keys that sign them, shared by all tenants, and the sessions of one account, which are its
// devices of the kind "refresh".
//
// Locks: a row of devices, after the row in users where both are needed (device_store.h).
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

struct StoredTokenKey {
  std::string kid;
  std::string sealed_seed;
  bool signs = false;  ///< its time to sign has come
};

class TokenKeyStore {
 public:
  TokenKeyStore(sql::Tx& tx, UserId /*of all*/) : tx_(tx) {}
  /// The newest first. Expired keys, which no longer verify, are left out.
  std::vector<StoredTokenKey> List();
  /// Prevents other transactions from adding a key until this one ends.
  void Lock();
  /// The key starts to sign after `signs_after`; older keys verify for another `keep` after that, then
  /// expire.
  void Add(const std::string& kid, const std::string& sealed_seed, std::chrono::seconds signs_after,
           std::chrono::seconds keep);
  /// Deletes those that have expired.
  void Sweep();
  /// Revokes up to `limit` sessions of all accounts whose refresh token has expired; returns how many.
  std::int64_t SweepSessions(std::int64_t limit);

 private:
  sql::Tx& tx_;
};

enum class SessionState { kLive, kRevoked, kNoUser, kDisabled };

struct FoundSession {
  SessionState state = SessionState::kNoUser;
  bool is_admin = false;
  bool is_stale = false;  ///< last_seen_at is old enough to be updated
};

/// The outcome of an exchange of a refresh token.
enum class Rotation { kDone, kKept, kNoSession, kReused, kDisabled };

class SessionStore {
 public:
  SessionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// The state of the session behind an access token. One statement.
  FoundSession Find(DeviceId session);
  /// False: no such live session.
  bool End(DeviceId session);
  /// Ends all, and returns them.
  std::vector<DeviceId> EndAll();
  /// Replaces the current refresh token, known by the hash of its id (kDone); that of a kept session stays
  /// (kKept). The previous token is accepted, too, for `grace` after its replacement, for clients that lost
  /// the answer. Any other token, or a disabled account, ends the session.
  Rotation Rotate(DeviceId session, const std::string& presented_hash, const std::string& next_hash,
                  std::chrono::seconds lifetime, std::chrono::seconds grace);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::account
